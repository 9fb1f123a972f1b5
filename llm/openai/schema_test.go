package openai

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/contextvault/contextvault/vault"
)

// Strict structured output needs every property required, no others, and no list that may be null.
func TestSchema_IsStrict(t *testing.T) {
	for name, raw := range map[string]json.RawMessage{
		"propose": mustMarshal(proposalSchema.schema), "extract": extractionSchema.withNames([]string{"email", "phone"}),
	} {
		var schema map[string]any
		if err := json.Unmarshal(raw, &schema); err != nil {
			t.Fatal(err)
		}
		if schema["type"] != "object" {
			t.Errorf("%s: the answer is of type %v", name, schema["type"])
		}
		checkStrict(t, name, schema)
	}
}

func checkStrict(t *testing.T, path string, schema map[string]any) {
	t.Helper()
	for key := range schema {
		if !slices.Contains([]string{"type", "properties", "required", "additionalProperties", "items", "enum"}, key) {
			t.Errorf("%s has the keyword %s", path, key)
		}
	}
	switch schema["type"] {
	case "object":
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		if schema["additionalProperties"] != false || len(required) != len(properties) || len(properties) == 0 {
			t.Errorf(
				"%s: additionalProperties %v, %d of %d properties required",
				path,
				schema["additionalProperties"],
				len(required),
				len(properties),
			)
		}
		for name, property := range properties {
			if !slices.Contains(required, any(name)) {
				t.Errorf("%s.%s is not required", path, name)
			}
			checkStrict(t, path+"."+name, property.(map[string]any))
		}
	case "array":
		checkStrict(t, path+"[]", schema["items"].(map[string]any))
	}
}

func TestSchema_HasEnums(t *testing.T) {
	var schema struct {
		Properties map[string]struct {
			Items struct {
				Properties map[string]struct {
					Type any
					Enum []string
				}
			}
		}
	}
	if err := json.Unmarshal(mustMarshal(proposalSchema.schema), &schema); err != nil {
		t.Fatal(err)
	}
	entry := schema.Properties["fields"].Items.Properties
	if diff := cmp.Diff(vault.ValueTypes, vaultTypes(entry["value_type"].Enum)); diff != "" {
		t.Error(diff)
	}
	if len(entry["required_level"].Enum) != len(vault.RequiredLevels) ||
		len(entry["fallback_action"].Enum) != len(vault.FallbackActions) {
		t.Errorf("the schema lists %v and %v", entry["required_level"].Enum, entry["fallback_action"].Enum)
	}
	if err := json.Unmarshal(extractionSchema.withNames([]string{"email", "phone"}), &schema); err != nil {
		t.Fatal(err)
	}
	value := schema.Properties["values"].Items.Properties
	if diff := cmp.Diff([]string{"email", "phone"}, value["field_name"].Enum); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(any([]any{"string", "number", "boolean"}), value["value"].Type); diff != "" {
		t.Error(diff)
	}
}

func vaultTypes(names []string) []vault.ValueType {
	types := make([]vault.ValueType, len(names))
	for i, n := range names {
		types[i] = vault.ValueType(n)
	}
	return types
}
