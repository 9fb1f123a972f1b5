package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func shaped(schema string) func(*vault.Definition) {
	return func(d *vault.Definition) { d.JSONSchema = json.RawMessage(schema) }
}

const address = `{
	"type": "object", "required": ["street", "city"], "additionalProperties": false,
	"properties": {
		"street": {"type": "string", "minLength": 1, "maxLength": 10},
		"city": {"enum": ["Oslo", "Bergen"]},
		"postcode": {"type": "string", "pattern": "^[0-9]{4}$"},
		"floor": {"type": "integer", "minimum": -1, "exclusiveMaximum": 100},
		"email": {"type": "string", "format": "email"},
		"residents": {"type": "array", "uniqueItems": true, "maxItems": 3, "items": {"$ref": "#/$defs/person"}},
		"notes": {"type": "object", "additionalProperties": {"type": "string"}}
	},
	"$defs": {"person": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}
}`

func TestCheckValue_JSONSchema(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ schema, value, want string }{
		{address, `{"street": "Storgata 1", "city": "Oslo"}`, ""},
		{address, `{"street": "S", "city": "Oslo", "postcode": "0150", "floor": -1, "residents": [{"name": "Ada"}], "notes": {"a": "b"}}`, ""},
		{address, `"Storgata 1"`, "it is not of type object"},
		{address, `{"street": "S"}`, "city is missing"},
		{address, `{}`, "city is missing; street is missing"},
		{address, `{"street": "Storgata 1 B", "city": "Oslo"}`, "street is longer than 10 characters"},
		{address, `{"street": "S", "city": "Paris"}`, `city is not "Oslo" or "Bergen"`},
		{address, `{"street": "S", "city": "Oslo", "postcode": "x150"}`, "postcode does not match the pattern ^[0-9]{4}$"},
		{address, `{"street": "S", "city": "Oslo", "floor": 1.5}`, "floor is not of type integer"},
		{address, `{"street": "S", "city": "Oslo", "floor": -2}`, "floor is less than -1"},
		{address, `{"street": "S", "city": "Oslo", "floor": 100}`, "floor is not less than 100"},
		{address, `{"street": "S", "city": "Oslo", "email": "nobody"}`, "email is not of the format email"},
		{address, `{"street": "S", "city": "Oslo", "residents": [{"name": "A"}, {"nam": "B"}]}`, "residents[1].name is missing"},
		{address, `{"street": "S", "city": "Oslo", "residents": [{"name": "A"}, {"name": "A"}]}`, "residents has the same item twice, at 0 and 1"},
		{address, `{"street": "S", "city": "Oslo", "Secret": 1}`, "it has a part that the schema does not allow"},
		{address, `{"street": "S", "city": "Oslo", "notes": {"Secret": 1}}`, "notes.… is not of type string"},
		{`{"minimum": 1e1}`, `9.99`, "it is less than 10"},
		{`{"multipleOf": 0.01}`, `9.999`, "it is not a multiple of 1/100"},
		{`{"const": {"a": 1}}`, `{"a": 2}`, `it is not {"a":1}`},
		{`{"not": {"type": "string"}}`, `"Secret"`, "it is not what the schema allows"},
		{`{"anyOf": [{"type": "string"}, {"required": ["a"]}]}`, `{"b": 1}`, "it matches none of the alternatives of anyOf"},
		{`{"oneOf": [{"type": "number"}, {"type": "integer"}]}`, `5`, "it matches more than one of the alternatives of oneOf"},
		{`{"items": {"contains": {"const": 1}}}`, `[[2]]`, "[0] does not contain the items that the schema requires"},
		{`{"propertyNames": {"maxLength": 3}}`, `{"Secret": 1}`, "it has a member with a name that the schema does not allow"},
		{`{"dependentRequired": {"a": ["b"]}}`, `{"a": 1}`, "b is missing"},
		{`{"if": {"required": ["a"]}, "then": {"required": ["c"]}}`, `{"a": 1}`, "c is missing"},
		{`{"unevaluatedProperties": false, "properties": {"a": true}}`, `{"b": 1}`, "… has a part that the schema does not allow"},
		{`{"properties": {"next": {"$ref": "#"}, "v": {"type": "number"}}}`, `{"next": {"next": {"v": "Secret"}}}`, "next.next.v is not of type number"},
		{`{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {"type": "number"}}, "items": [{"$ref": "#/definitions/n"}]}`, `["Secret"]`, "[0] is not of type number"},
		{`{"type": "number"}`, `1` + strings.Repeat("0", 100), "has a number with more than 100 digits, which cannot be checked"},
		{`{"required": ["a", "b", "c", "d", "e", "f", "g"]}`, `{}`, "a is missing; b is missing; c is missing; d is missing; e is missing; and 2 more"},
	} {
		t.Run(tc.value[:min(40, len(tc.value))], func(t *testing.T) {
			t.Parallel()
			d := defined(vault.TypeJSON, shaped(tc.schema))
			_, err := rules.CheckValue(d, "field", json.RawMessage(tc.value), vault.ModeStrict)
			if tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			got := asError(t, err).Message
			if !strings.HasSuffix(got, ": "+tc.want) && !strings.HasSuffix(got, "the value "+tc.want) {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if strings.Contains(got, "Secret") {
				t.Errorf("%s holds the value", got)
			}
		})
	}
}

func TestCheck_JSONSchemaIsBounded(t *testing.T) {
	t.Parallel()
	wide := `{"properties": {` + strings.TrimSuffix(strings.Repeat(`"a%d": {},`, vault.MaxSchemaParts+1), ",") + `}}`
	numbers := make([]any, vault.MaxSchemaParts+1)
	for i := range numbers {
		numbers[i] = i
	}
	for _, tc := range []struct{ name, schema, want string }{
		{"a text", `"object"`, "json_schema: is not a JSON Schema, which is an object"},
		{"an unknown type", `{"type": "colour"}`, "json_schema: is not a JSON Schema: type "},
		{"a length that is a text", `{"properties": {"a": {"minLength": "5"}}}`, "json_schema: is not a JSON Schema: properties.a.minLength is not of type integer"},
		{"a pattern outside RE2", `{"pattern": "(?=a)"}`, "json_schema: has a pattern that is not a regular expression in RE2 syntax"},
		{"a pattern that is too large", `{"pattern": "(?:[a-z][a-z]?[a-z]?){900}"}`, "json_schema: has a pattern that is too large"},
		{"another document", `{"$ref": "https://example.com/address.json"}`, "json_schema: refers to another document"},
		{"a file", `{"items": {"$ref": "file:///etc/passwd"}}`, "json_schema: refers to another document"},
		{"a relative document", `{"items": {"$ref": "address.json"}}`, "json_schema: refers to another document"},
		{"another document by its id", `{"$id": "https://example.com/a", "$ref": "b"}`, "json_schema: refers to another document"},
		{"a schema of schemas elsewhere", `{"$schema": "https://example.com/schema"}`, "json_schema: refers to another document"},
		{"a definition that is missing", `{"$ref": "#/$defs/x"}`, "json_schema: is not a JSON Schema: "},
		{"itself for the same value", `{"allOf": [{"$ref": "#"}]}`, "json_schema: refers to itself without a property or an item between"},
		{"itself by two definitions", `{"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}`, "json_schema: refers to itself"},
		{"a dynamic reference", `{"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a"}}}`, "json_schema: has a $dynamicRef or $recursiveRef"},
		{"a large document", `{"description": "` + strings.Repeat("x", vault.MaxSchemaBytes) + `"}`, "json_schema: is larger than 16 KiB"},
		{"many parts", fmt.Sprintf(wide, numbers...), "json_schema: has more than 500 parts"},
		{"a long number", `{"maximum": 1e1000}`, "json_schema: has a number with more than 100 digits"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := *defined(vault.TypeJSON, shaped(tc.schema))
			d.AgentID = someID
			err := rules.Check(d)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "schema.invalid") {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
	d := *defined(vault.TypeString, shaped(`{}`))
	d.AgentID = someID
	if err := rules.Check(d); err == nil || !strings.HasPrefix(err.Error(), "json_schema: is only for the value_type json") {
		t.Error(err)
	}
	d = *defined(vault.TypeJSON, shaped(address), allowing(`{"street": "S", "city": "Oslo"}`, `{"street": "S"}`))
	d.AgentID = someID
	if err := rules.Check(d); err == nil || err.Error() != "allowed_values[1]: does not match its json_schema: city is missing" {
		t.Error(err)
	}
}

// Schemas and values that would take exponential time, or one that grows with the product of their sizes, are refused
// after bounded work. The limits are on work, not on time, so a generous time only tells apart seconds from hours.
func TestCheckValue_JSONSchemaWorkIsBounded(t *testing.T) {
	t.Parallel()
	nested := strings.Repeat(`[`, 90) + `1` + strings.Repeat(`]`, 90)
	long := `[` + strings.TrimSuffix(strings.Repeat(`1,`, 20_000), ",") + `]`
	branches := strings.TrimSuffix(strings.Repeat(`{"type": "string"},`, 400), ",")
	for name, tc := range map[string]struct{ schema, value string }{
		"two references on each level":   {`{"items": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}`, nested},
		"many alternatives of each item": {`{"items": {"anyOf": [` + branches + `]}}`, long},
		"a large pattern of each item": {
			`{"items": {"pattern": "(?:[a-z]?){900}"}}`, `[` + strings.TrimSuffix(strings.Repeat(`"aaaaaaaaaa",`, 4000), ",") + `]`,
		},
	} {
		start := time.Now()
		d := *defined(vault.TypeJSON, shaped(tc.schema))
		d.AgentID = someID
		if err := rules.Check(d); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err := rules.CheckValue(&d, "field", json.RawMessage(tc.value), vault.ModeStrict)
		if err == nil || !strings.Contains(err.Error(), "is too large to be checked against the json_schema of its definition") {
			t.Errorf("%s: got %v", name, err)
		}
		if steps := rules.CheckSteps(&d, []byte(tc.value), vault.ModeStrict); steps != vault.MaxRegexSteps {
			t.Errorf("%s: counted as %d steps", name, steps)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s: took %s", name, took)
		}
	}
	d := defined(vault.TypeJSON, shaped(`{"items": {"type": "number"}}`))
	if _, err := rules.CheckValue(d, "field", json.RawMessage(long), vault.ModeStrict); err != nil {
		t.Errorf("a long list against a small schema: %v", err)
	}
}

// A value of any form is accepted or refused without a panic, and the message never holds a text of it.
func TestCheckValue_JSONSchemaHoldsNoValue(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{
		`{"type": "object"}`, `{"type": "string", "maxLength": 2}`, `{"enum": [1, "a"]}`, `{"minimum": 10}`, `{"required": ["a"]}`,
		`{"items": {"type": "number"}}`, `{"additionalProperties": false}`, `{"properties": {"a": {"type": "null"}}}`,
		`{"propertyNames": {"pattern": "^a"}}`, `{"format": "date"}`, `{"pattern": "^a"}`, `{"not": {"type": "array"}}`, `{"const": 5}`,
		`{"uniqueItems": true}`, `{"contains": {"const": 1}}`, `false`,
	})
	rapid.Check(t, func(t *rapid.T) {
		schema := fmt.Sprintf(`{%q: [%s, %s], "properties": {"b": %s}, "items": %s}`,
			rapid.SampledFrom([]string{"allOf", "anyOf", "oneOf"}).Draw(t, "keyword"),
			part.Draw(t, "first"), part.Draw(t, "second"), part.Draw(t, "third"), part.Draw(t, "fourth"))
		secret := rapid.StringMatching(`Q[a-z]{8}`).Draw(t, "secret")
		value := fmt.Sprintf(rapid.SampledFrom([]string{
			`%[1]q`, `[%[1]q, %[1]q]`, `{%[1]q: 1}`, `{"a": %[1]q}`, `{"b": [%[1]q]}`, `{"b": {%[1]q: %[1]q}}`, `[[%[1]q], {"a": 5}]`,
		}).Draw(t, "form"), secret)
		d := defined(vault.TypeJSON, shaped(schema), func(d *vault.Definition) { d.IsPII = true })
		_, err := rules.CheckValue(d, "field", json.RawMessage(value), vault.ModeStrict)
		if err == nil {
			return
		}
		if e := asError(t, err); strings.Contains(e.Message+e.Detail, secret) {
			t.Fatalf("%s: %s holds the value", schema, e.Message)
		}
	})
}
