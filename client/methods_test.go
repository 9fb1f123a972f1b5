package client_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/client"
)

// described returns the operation ids of /openapi.json by "METHOD path".
func described(t *testing.T) map[string]string {
	t.Helper()
	rec := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var doc struct {
		Paths map[string]map[string]struct {
			ID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			out[strings.ToUpper(method)+" "+path] = op.ID
		}
	}
	if len(out) < 40 {
		t.Fatalf("only %d operations are described", len(out))
	}
	return out
}

// caught records the request and fails the call without sending it.
type caught struct {
	request string
	end     context.CancelFunc
}

func (c *caught) RoundTrip(r *http.Request) (*http.Response, error) {
	c.request = r.Method + " " + r.URL.Path
	c.end()
	return nil, context.Canceled
}

// Every operation of the API has a method with its name that sends the described request.
func TestMethods_CoverAllOperations(t *testing.T) {
	t.Parallel()
	for route, id := range described(t) {
		var name string
		for word := range strings.SplitSeq(id, "-") {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		ctx, cancel := context.WithCancel(t.Context())
		transport := &caught{end: cancel}
		c, err := client.New(client.Options{Server: "http://vault.invalid", Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		method := reflect.ValueOf(c).MethodByName(name)
		if !method.IsValid() {
			t.Errorf("%s (%s): there is no method %s", id, route, name)
			continue
		}
		kind := method.Type()
		args := []reflect.Value{reflect.ValueOf(ctx)}
		for i := 1; i < kind.NumIn() && (!kind.IsVariadic() || i < kind.NumIn()-1); i++ {
			args = append(args, filled(kind.In(i)))
		}
		out := method.Call(args)
		if len(out) == 1 && out[0].Kind() == reflect.Func {
			for range out[0].Seq2() {
				break
			}
		}
		want := "^" + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(route, `[^/]+`) + "$"
		if !regexp.MustCompile(want).MatchString(transport.request) {
			t.Errorf("%s requests %q, want %s", name, transport.request, route)
		}
	}
}

// filled creates a value with all ids and texts set.
func filled(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch {
	case t == reflect.TypeFor[uuid.UUID]():
		v.Set(reflect.ValueOf(uuid.New()))
	case t == reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(`"x"`))
	case t.Kind() == reflect.String:
		v.SetString("name")
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && t.Field(i).Type != reflect.TypeFor[json.RawMessage]() {
				v.Field(i).Set(filled(t.Field(i).Type))
			} else if t.Field(i).IsExported() {
				v.Field(i).SetBytes([]byte(`"x"`))
			}
		}
	}
	return v
}
