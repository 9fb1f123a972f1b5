package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/vault"
)

// The document is clean for generators of clients. Every rule holds for the whole document, so that a new route cannot
// break one.
func TestOpenAPI_IsCleanForGenerators(t *testing.T) {
	t.Parallel()
	for _, problem := range unclean(document()) {
		t.Error(problem)
	}
}

// Each rule finds what breaks it.
func TestOpenAPI_RulesFindWhatBreaksThem(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	set := func(value any, path ...string) func(map[string]any) {
		return func(doc map[string]any) {
			inner, ok := at(doc, path[:len(path)-1]...).(map[string]any)
			if !ok {
				t.Fatalf("there is no %v", path)
			}
			inner[path[len(path)-1]] = value
		}
	}
	const route = "/v1/customers/{customer_id}/label"
	for want, breaks := range map[string]func(map[string]any){
		"server":     set([]any{}, "servers"),
		"null":       set([]any{"array", "null"}, "components", "schemas", "Chain", "properties", "links", "type"),
		"no name":    set(map[string]any{"type": "object"}, "paths", route, "put", "requestBody", "content", "application/json", "schema"),
		"unnamed":    set(map[string]any{"type": "object", "properties": map[string]any{}}, "components", "schemas", "Chain", "properties", "x"),
		"not exist":  set(map[string]any{"$ref": "#/components/schemas/None"}, "components", "schemas", "Chain", "properties", "x"),
		"discrimina": set([]any{map[string]any{"$ref": "#/components/schemas/Chain"}}, "components", "schemas", "Chain", "oneOf"),
		"enum":       set(map[string]any{"type": "string"}, "components", "schemas", "Value", "properties", "status"),
		"written":    set(map[string]any{"$ref": "#/components/schemas/Rule"}, "paths", "/v1/agents/{agent_id}/definitions/{name}", "put", "requestBody", "content", "application/json", "schema"),
		"no content": set(map[string]any{"description": "x"}, "paths", route, "put", "responses", "202"),
	} {
		var doc map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		breaks(doc)
		if found := strings.Join(unclean(doc), "\n"); !strings.Contains(found, want) {
			t.Errorf("%s: found only %q", want, found)
		}
	}
}

const componentPrefix = "#/components/schemas/"

// unclean lists what a generator of clients could not use.
func unclean(doc map[string]any) []string {
	var out []string
	add := func(where, problem string) { out = append(out, where+": "+problem) }
	if servers, _ := doc["servers"].([]any); len(servers) == 0 {
		add("document", "there is no server")
	}
	components, _ := at(doc, "components", "schemas").(map[string]any)
	for name, s := range components {
		checkSchema(name, s, components, true, add)
	}
	enumsOf(components, add)
	paths, _ := doc["paths"].(map[string]any)
	for path, item := range paths {
		methods, _ := item.(map[string]any)
		for method, op := range methods {
			where := method + " " + path
			if body := at(op, "requestBody"); body != nil {
				s := at(body, "content", "application/json", "schema")
				if at(s, "$ref") == nil {
					add(where, "the body has no name")
				}
				checkSchema(where, s, components, false, add)
			}
			responses, _ := at(op, "responses").(map[string]any)
			for status, response := range responses {
				content, _ := at(response, "content").(map[string]any)
				if len(content) == 0 && status != "204" && status != "304" {
					add(where, "the response "+status+" has no content")
				}
				for _, media := range content {
					checkSchema(where, at(media, "schema"), components, false, add)
				}
			}
		}
		read, written := at(item, "get"), at(item, "put")
		got, _ := at(read, "responses", "200", "content", "application/json", "schema", "$ref").(string)
		sent, _ := at(written, "requestBody", "content", "application/json", "schema", "$ref").(string)
		if got != "" && sent != "" {
			canBeSentBack(path, strings.TrimPrefix(got, componentPrefix), strings.TrimPrefix(sent, componentPrefix), components, add)
		}
	}
	return out
}

// canBeSentBack checks that a body has all members of what is read, with the same schemas.
func canBeSentBack(path, read, written string, components map[string]any, add func(where, problem string)) {
	if strings.HasPrefix(path, "/v1/customers/") || strings.HasPrefix(path, "/v1/sessions/") {
		return // a value or a part of a session is a statement; what is stored of it is another thing
	}
	if strings.HasPrefix(path, "/v1/webhooks/") {
		return // its secret is never read
	}
	if strings.TrimPrefix(read, "Stored") == written {
		return
	}
	members, _ := at(components[read], "properties").(map[string]any)
	for name, member := range members {
		other := at(components[written], "properties", name)
		if other == nil || !reflect.DeepEqual(strip(member), strip(other)) {
			add(path, "what is read as "+read+" cannot be written as "+written+": "+name)
		}
	}
	if len(members) == 0 {
		add(path, "what is read as "+read+" is written as "+written)
	}
}

// strip returns the reference that a member or its elements have, without Stored and with no limits.
func strip(member any) any {
	if all, ok := at(member, "allOf").([]any); ok {
		member = all[0]
	}
	if ref, ok := at(member, "$ref").(string); ok {
		return strings.Replace(ref, "/Stored", "/", 1)
	}
	if items := at(member, "items"); items != nil {
		return strip(items)
	}
	return at(member, "type")
}

func checkSchema(where string, s any, components map[string]any, named bool, add func(where, problem string)) {
	m, ok := s.(map[string]any)
	if !ok {
		return
	}
	if kinds, ok := m["type"].([]any); ok && slices.Contains(kinds, any("null")) {
		add(where, "it can be null")
	}
	if _, ok := m["properties"]; ok && !named {
		add(where, "an unnamed object has members")
	}
	if ref, ok := m["$ref"].(string); ok && components[strings.TrimPrefix(ref, componentPrefix)] == nil {
		add(where, ref+" does not exist")
	}
	if choice, ok := m["oneOf"].([]any); ok {
		checkChoice(where, m, choice, components, add)
	}
	properties, _ := m["properties"].(map[string]any)
	for name, property := range properties {
		checkSchema(where+"."+name, property, components, false, add)
	}
	for _, member := range []string{"items", "additionalProperties"} {
		checkSchema(where, m[member], components, false, add)
	}
	for _, member := range []string{"allOf", "oneOf", "anyOf"} {
		parts, _ := m[member].([]any)
		for _, part := range parts {
			checkSchema(where, part, components, false, add)
		}
	}
}

// checkChoice checks that a discriminator has a word for each variant, and that the variant requires the word.
func checkChoice(
	where string, s map[string]any, choice []any, components map[string]any, add func(where, problem string),
) {
	member, _ := at(s, "discriminator", "propertyName").(string)
	mapping, _ := at(s, "discriminator", "mapping").(map[string]any)
	if member == "" || len(mapping) != len(choice) {
		add(where, "the choice has no discriminator with a word for each variant")
		return
	}
	for word, ref := range mapping {
		name, _ := ref.(string)
		variant := components[strings.TrimPrefix(name, componentPrefix)]
		required, _ := at(variant, "required").([]any)
		words, _ := at(variant, "properties", member, "enum").([]any)
		if !slices.Contains(required, any(member)) || !reflect.DeepEqual(words, []any{word}) {
			add(where, "the discriminator of "+word+" is not in "+name)
		}
	}
}

// enumsOf checks the members of types with constants. It knows the Go types of results.
func enumsOf(components map[string]any, add func(where, problem string)) {
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map}, t.Kind()) {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] || t == reflect.TypeFor[uuid.UUID]() {
			return
		}
		seen[t] = true
		for _, f := range reflect.VisibleFields(t) {
			if f.Anonymous || !f.IsExported() {
				continue
			}
			visit(f.Type)
			kind := f.Type
			for slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice}, kind.Kind()) {
				kind = kind.Elem()
			}
			if kind.Kind() != reflect.String || kind.PkgPath() == "" || kind == reflect.TypeFor[vault.Actor]() {
				continue
			}
			member, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			name := strings.TrimSuffix(t.Name(), "Input")
			property := at(components[name], "properties", member)
			if items := at(property, "items"); items != nil {
				property = items
			}
			ref, _ := at(property, "$ref").(string)
			if property != nil && at(property, "enum") == nil &&
				at(components[strings.TrimPrefix(ref, componentPrefix)], "enum") == nil {
				add(name+"."+member, "it is not described as the enum "+kind.Name())
			}
		}
	}
	for _, op := range vault.Operations() {
		visit(op.Input)
		visit(op.Result)
	}
	for _, t := range []reflect.Type{
		reflect.TypeFor[vault.Profile](), reflect.TypeFor[vault.Missing](), reflect.TypeFor[vault.Chain](),
		reflect.TypeFor[vault.Reviews](), reflect.TypeFor[vault.Question](), reflect.TypeFor[vault.Merge](),
		reflect.TypeFor[vault.ScenarioExplanation](), reflect.TypeFor[vault.ContextBlock](),
		reflect.TypeFor[vault.OperationSummary](), reflect.TypeFor[api.Operation](), reflect.TypeFor[vault.Erasure](),
		reflect.TypeFor[vault.AuditEntry](), reflect.TypeFor[vault.AuditReport](),
	} {
		visit(t)
	}
}
