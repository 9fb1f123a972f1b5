package llm

import (
	"sort"

	"github.com/contextvault/contextvault/vault"
)

// The schemas stay within what strict structured output supports everywhere: every property is required, none may be added,
// and no bounds on numbers or lengths. Those are checked when the answer is decoded.

type object = map[string]any

func strictObject(properties object) object {
	required := make([]string, 0, len(properties))
	for name := range properties {
		required = append(required, name)
	}
	sort.Strings(required) // the order of a map changes from run to run; a prompt should not
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func listOf(item object) object { return object{"type": "array", "items": item} }

func enum[T ~string](values []T) object { return object{"type": "string", "enum": values} }

var (
	aString  = object{"type": "string"}
	aNumber  = object{"type": "number"}
	aBoolean = object{"type": "boolean"}
	anInt    = object{"type": "integer"}
)

// proposeSchema is the schema of the answer to ProposeFields.
func proposeSchema() object {
	return strictObject(object{"fields": listOf(strictObject(object{
		"name":                  aString,
		"display_name":          aString,
		"description":           aString,
		"value_type":            enum(vault.ValueTypes),
		"allowed_values":        listOf(object{"type": []string{"string", "number"}}),
		"validation_regex":      aString,
		"collection_prompt":     aString,
		"examples":              listOf(aString),
		"is_pii":                aBoolean,
		"required_level":        enum(vault.RequiredLevels),
		"fallback_action":       enum(vault.FallbackActions),
		"required_verification": aBoolean,
		"confidence":            aNumber,
		"quote":                 aString,
	}))})
}

// extractSchema is the schema of the answer to ExtractValues for fields of these names.
func extractSchema(names []string) object {
	return strictObject(object{"values": listOf(strictObject(object{
		"field_name": enum(names),
		"value":      object{"type": []string{"string", "number", "boolean"}},
		"confidence": aNumber,
		"quote":      aString,
		"turn":       anInt,
	}))})
}
