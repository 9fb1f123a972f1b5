package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/contextvault/contextvault/llm"
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

// answerSchema is the schema of one structured answer: an object with one list of entries.
type answerSchema struct {
	schema *jsonschema.Schema // the schema for the endpoint
	key    string             // of the list
	entry  *validator.Schema  // of an entry, without additionalProperties: unknown keys of an entry are ignored

	listStart  *regexp.Regexp // matches the key, up to the bracket or null after it
	entryStart *regexp.Regexp // matches the start of an entry
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
	entry := entrySchema(schema)
	out := answerSchema{schema: schema, key: schema.PropertyOrder[0], entry: compile(entry)}
	out.listStart = regexp.MustCompile(`"` + out.key + `"\s*:\s*(?:\[|null)`)
	out.entryStart = regexp.MustCompile(`\{\s*"` + entry.PropertyOrder[0] + `"\s*:`)
	return out
}

// compile compiles the schema by which entries are checked. It is looser than the schema for the endpoint.
func compile(entry *jsonschema.Schema) *validator.Schema {
	entry = entry.CloneSchemas()
	entry.AdditionalProperties = nil
	entry.Required = slices.DeleteFunc(slices.Clone(entry.Required), func(key string) bool {
		return key == "when_condition" // a model that leaves it out sets no condition
	})
	document, err := validator.UnmarshalJSON(bytes.NewReader(mustMarshal(entry)))
	if err != nil {
		panic(err)
	}
	const name = "entry.json"
	compiler := validator.NewCompiler()
	if err := compiler.AddResource(name, document); err != nil {
		panic(err)
	}
	return compiler.MustCompile(name)
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

// checkEntry returns nil or one problem of the entry at path, always the same one.
func (s answerSchema) checkEntry(path string, entry any) error {
	err := s.entry.Validate(entry)
	if err == nil {
		return nil
	}
	invalid, ok := err.(*validator.ValidationError) //nolint:errorlint // Validate does not wrap it
	if !ok {
		return dropf(llm.DropType, "%s does not match the schema", path)
	}
	problems := schemaProblems(path, invalid, nil)
	slices.SortFunc(problems, func(a, b problem) int { return strings.Compare(a.text, b.text) })
	return problems[0]
}

// schemaProblems appends the problems of an invalid entry to list. They contain only keys of the schema and positions
// in lists.
func schemaProblems(entry string, invalid *validator.ValidationError, list []problem) []problem {
	if len(invalid.Causes) > 0 {
		for _, cause := range invalid.Causes {
			list = schemaProblems(entry, cause, list)
		}
		return list
	}
	path := entry
	if inner := pathOf(invalid.InstanceLocation); inner != "" {
		path += "." + inner
	}
	switch k := invalid.ErrorKind.(type) {
	case *kind.Required:
		return append(list, problem{llm.DropMissing, path + "." + k.Missing[0] + " is missing"})
	case *kind.Type:
		return append(list, problem{llm.DropType, path + " is not of type " + vault.OneOf(k.Want)})
	case *kind.Enum:
		return append(list, problem{llm.DropDefinition, path + " is not " + vault.OneOf(textsOf(k.Want))})
	}
	return append(list, problem{llm.DropType, path + " does not match the schema"})
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
