package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/contextvault/contextvault/vault"
)

// Schemas of the two structured calls. They use only the keywords that strict structured output supports everywhere:
// types, enums, and objects that require every property and allow no other. Code checks the limits of numbers and
// lengths after decoding.
var (
	proposalSchema = newAnswerSchema[proposalAnswer](func(entry *jsonschema.Schema) {
		entry.Properties["allowed_values"].Items.Types = []string{"string", "number"}
	})
	extractionSchema = newAnswerSchema[extractionAnswer](nil)
)

// answerSchema is the schema of one structured answer.
type answerSchema struct {
	schema    *jsonschema.Schema // the schema for the endpoint
	validator *validator.Schema  // the same schema, compiled
}

// newAnswerSchema makes the schema of T, an object with one list of objects, from its Go type. refine changes the
// schema of an entry; nil changes nothing. newAnswerSchema panics if T has no schema.
func newAnswerSchema[T any](refine func(entry *jsonschema.Schema)) answerSchema {
	schema, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[json.RawMessage]():      {Types: []string{"string", "number", "boolean"}},
		reflect.TypeFor[vault.ValueType]():      enumSchema(vault.ValueTypes),
		reflect.TypeFor[vault.RequiredLevel]():  enumSchema(vault.RequiredLevels),
		reflect.TypeFor[vault.FallbackAction](): enumSchema(vault.FallbackActions),
	}})
	if err != nil {
		panic(err)
	}
	forbidNullLists(schema)
	if refine != nil {
		refine(entrySchema(schema))
	}
	document, err := validator.UnmarshalJSON(bytes.NewReader(mustMarshal(schema)))
	if err != nil {
		panic(err)
	}
	const name = "answer.json"
	compiler := validator.NewCompiler()
	if err := compiler.AddResource(name, document); err != nil {
		panic(err)
	}
	return answerSchema{schema: schema, validator: compiler.MustCompile(name)}
}

// withNames returns the schema for the endpoint, with the enum names for field_name.
func (s answerSchema) withNames(names []string) json.RawMessage {
	schema := s.schema.CloneSchemas()
	entrySchema(schema).Properties["field_name"] = enumSchema(names)
	return mustMarshal(schema)
}

func enumSchema[T ~string](values []T) *jsonschema.Schema {
	enum := make([]any, len(values))
	for i, v := range values {
		enum[i] = string(v)
	}
	return &jsonschema.Schema{Type: "string", Enum: enum}
}

// forbidNullLists removes the type null from every list. The schema of a Go slice allows it.
func forbidNullLists(schema *jsonschema.Schema) {
	if schema.Items != nil {
		schema.Type, schema.Types = "array", nil
		forbidNullLists(schema.Items)
	}
	for _, property := range schema.Properties {
		forbidNullLists(property)
	}
}

// entrySchema returns the schema of an entry of the answer's list.
func entrySchema(schema *jsonschema.Schema) *jsonschema.Schema {
	return schema.Properties[schema.PropertyOrder[0]].Items
}

func mustMarshal(schema *jsonschema.Schema) json.RawMessage {
	raw, err := json.Marshal(schema)
	if err != nil {
		panic(err)
	}
	return raw
}

// check returns nil or one problem of answer, always the same one.
func (s answerSchema) check(answer any) error {
	err := s.validator.Validate(answer)
	if err == nil {
		return nil
	}
	invalid, ok := err.(*validator.ValidationError) //nolint:errorlint // Validate does not wrap it
	if !ok {
		return problemf("the answer does not match the schema")
	}
	problems := schemaProblems(invalid, nil)
	slices.Sort(problems)
	return problem(problems[0])
}

// schemaProblems appends the problems of invalid to list. They contain only keys of the schema and positions in
// lists.
func schemaProblems(invalid *validator.ValidationError, list []string) []string {
	if len(invalid.Causes) > 0 {
		for _, cause := range invalid.Causes {
			list = schemaProblems(cause, list)
		}
		return list
	}
	path := pathOf(invalid.InstanceLocation)
	name := path
	if name == "" {
		name = "the answer"
	}
	switch k := invalid.ErrorKind.(type) {
	case *kind.Required:
		return append(list, strings.TrimPrefix(path+"."+k.Missing[0], ".")+" is missing")
	case *kind.Type:
		return append(list, name+" is not of type "+vault.OneOf(k.Want))
	case *kind.Enum:
		return append(list, name+" is not "+vault.OneOf(textsOf(k.Want)))
	case *kind.AdditionalProperties:
		return append(list, name+" has a key that is not in the schema")
	}
	return append(list, name+" does not match the schema")
}

// pathOf writes a location as "values[0].quote". The root is "".
func pathOf(location []string) string {
	var path strings.Builder
	for _, part := range location {
		switch _, err := strconv.Atoi(part); {
		case err == nil:
			path.WriteString("[" + part + "]")
		case path.Len() > 0:
			path.WriteString("." + part)
		default:
			path.WriteString(part)
		}
	}
	return path.String()
}

func textsOf(values []any) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return texts
}
