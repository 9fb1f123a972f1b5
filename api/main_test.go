package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

var kit *testkit.Kit

func TestMain(m *testing.M) { os.Exit(testkit.Main(m, func(k *testkit.Kit) { kit = k })) }

const adminToken = testkit.AdminToken

// operatorTenant is created by the first test that needs it.
var operatorTenant = testkit.ID()

var makeOperator = sync.OnceValue(func() error {
	_, err := kit.DB.System().CreateTenant(context.Background(), operatorTenant, "operator")
	return err
})

// service is the API over the kit, for one test, with its own tenant and keys.
type service struct {
	*testkit.Kit
	t      testing.TB
	url    string
	tenant uuid.UUID
	key    string // with all scopes
	seen   map[string]map[int]bool
}

func newService(t testing.TB, k *testkit.Kit, change ...func(*api.Options)) *service {
	t.Helper()
	if err := makeOperator(); err != nil && k == kit {
		t.Fatal(err)
	}
	o := k.APIOptions(operatorTenant)
	for _, f := range change {
		f(&o)
	}
	server := httptest.NewServer(api.New(o))
	t.Cleanup(server.Close)
	s := &service{Kit: k, t: t, url: server.URL, tenant: k.Tenant(t), seen: map[string]map[int]bool{}}
	s.key, _ = s.newKey("read", "write", "admin")
	return s
}

func (s *service) newKey(scopes ...string) (secret string, id uuid.UUID) {
	s.t.Helper()
	secret, id, err := s.APIKey(s.t.Context(), s.tenant, scopes...)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret, id
}

// answer is a response.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

func (a answer) into(v any) answer {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	return a
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// has checks that the body contains texts.
func (a answer) has(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(string(a.body), text) {
			a.t.Errorf("there is no %s in %s", text, a.body)
		}
	}
	return a
}

func (a answer) problem(status int, code vault.Code) api.Problem {
	a.t.Helper()
	var p api.Problem
	a.into(&p)
	if a.status != status || p.Status != status || p.Code != code || p.Detail == "" || p.Title == "" {
		a.t.Errorf("got %d: %s\nwant %d, %s", a.status, a.body, status, code)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		a.t.Errorf("a problem comes as %s", kind)
	}
	return p
}

// do sends a request and checks the response against /openapi.json. Headers are "Name: value".
func (s *service) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			req.Header.Del(name)
		} else {
			req.Header.Set(name, value)
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{t: s.t, status: res.StatusCode, header: res.Header, body: got}
	if name := described(s.t, method, strings.Split(path, "?")[0], a); name != "" {
		if s.seen[name] == nil {
			s.seen[name] = map[int]bool{}
		}
		s.seen[name][a.status/100] = true
	}
	return a
}

// change submits an operation and waits for its outcome.
func (s *service) change(method, path, body string, headers ...string) answer {
	s.t.Helper()
	return s.do(method, path, body, append([]string{"Prefer: wait=60"}, headers...)...)
}

// document is /openapi.json, shared by all tests.
var document = sync.OnceValue(func() map[string]any {
	rec := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	doc, err := jsonschema.UnmarshalJSON(rec.Body)
	if err != nil {
		panic(err)
	}
	return doc.(map[string]any)
})

type route struct {
	path    string
	pattern *regexp.Regexp
}

var routes = sync.OnceValue(func() []route {
	var out []route
	for path := range document()["paths"].(map[string]any) {
		pattern := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, `[^/]+`)
		out = append(out, route{path, regexp.MustCompile("^" + pattern + "$")})
	}
	slices.SortFunc(out, func(a, b route) int { // a route with fewer parameters goes first, as when serving
		return strings.Count(a.path, "{") - strings.Count(b.path, "{")
	})
	return out
})

var (
	compiling sync.Mutex
	compiler  = sync.OnceValue(func() *jsonschema.Compiler {
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource("mem:///openapi.json", any(document())); err != nil {
			panic(err)
		}
		return c
	})
)

// described checks a response against /openapi.json and returns "METHOD route", "" if there is no route.
func described(t testing.TB, method, path string, a answer) string {
	t.Helper()
	for _, r := range routes() {
		if !r.pattern.MatchString(path) {
			continue
		}
		op := at(document(), "paths", r.path, strings.ToLower(method))
		if op == nil {
			continue
		}
		status := http.StatusText(a.status)
		response := at(op, "responses", text(a.status))
		name := method + " " + r.path
		if response == nil {
			t.Errorf("%s answered %d (%s), which is not described", name, a.status, status)
			return name
		}
		kind := a.header.Get("Content-Type")
		if at(response, "content") == nil {
			if len(a.body) > 0 {
				t.Errorf("%s answered %d with a body, which is not described", name, a.status)
			}
			return name
		}
		if media, _, err := mime.ParseMediaType(kind); err == nil {
			kind = media
		}
		if at(response, "content", kind) == nil {
			t.Errorf("%s answered %d as %q, which is not described", name, a.status, kind)
			return name
		}
		pointer := "mem:///openapi.json#/paths/" + escaped(r.path) + "/" + strings.ToLower(
			method) + "/responses/" + text(a.status) + "/content/" + escaped(
			kind,
		) + "/schema"
		compiling.Lock()
		schema, err := compiler().Compile(pointer)
		compiling.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		value, err := any(string(a.body)), error(nil)
		if strings.HasSuffix(kind, "json") {
			value, err = jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
		}
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: the answer %d is not as described: %v\n%s", name, a.status, err, a.body)
		}
		return name
	}
	return ""
}

func at(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func text(status int) string {
	encoded, _ := json.Marshal(status) //nolint:errchkjson // a number
	return string(encoded)
}

func escaped(s string) string {
	s = strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
	return strings.NewReplacer("{", "%7B", "}", "%7D", "+", "%2B").Replace(s)
}
