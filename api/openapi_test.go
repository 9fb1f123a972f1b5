package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/contextvault/contextvault/api"
)

func TestOpenAPI_IsVersion31(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d", rec.Code)
	}
	doc, err := openapi3.NewLoader().LoadFromData(rec.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !doc.IsOpenAPI31OrLater() {
		t.Errorf("it is OpenAPI %s", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s has no operationId, summary or tag", name)
			}
			if strings.HasPrefix(path, "/v1/") && (op.Security == nil || len(*op.Security) == 0) {
				t.Errorf("%s needs no key", name)
			}
			for _, p := range op.Parameters {
				if p.Value.Description == "" {
					t.Errorf("%s: the parameter %s is not explained", name, p.Value.Name)
				}
			}
		}
	}
}

func TestOpenAPI_ExamplesMatchSchemas(t *testing.T) {
	t.Parallel()
	n := 0
	for _, r := range routes() {
		for _, method := range []string{"put", "post"} {
			body := at(document(), "paths", r.path, method, "requestBody", "content", "application/json")
			if body == nil {
				continue
			}
			n++
			compiling.Lock()
			schema, err := compiler().Compile("mem:///openapi.json#/paths/" + escaped(r.path) + "/" + method + "/requestBody/content/application~1json/schema")
			compiling.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			example := at(body, "example")
			if example == nil {
				t.Errorf("%s %s has no example", method, r.path)
				continue
			}
			if err := schema.Validate(example); err != nil {
				t.Errorf("%s %s: %v", method, r.path, err)
			}
			bad, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"surprise": 1}`))
			if err != nil {
				t.Fatal(err)
			}
			if schema.Validate(bad) == nil {
				t.Errorf("%s %s takes any field", method, r.path)
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d bodies are described", n)
	}
}

func TestDocs_ListAllOperations(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/docs", nil))
	page := rec.Body.String()
	for _, r := range routes() {
		if !strings.Contains(page, "<code>"+r.path+"</code>") {
			t.Errorf("%s is not in /docs", r.path)
		}
	}
	for _, outside := range []string{"<script", `="https://`, "@import", "<img", "<link"} {
		if strings.Contains(page, outside) {
			t.Errorf("/docs holds %s", outside)
		}
	}
}
