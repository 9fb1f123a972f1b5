package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	infer "github.com/google/jsonschema-go/jsonschema"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/contextvault/contextvault/vault"
)

// arguments checks the arguments of a tool.
type arguments struct {
	schema   map[string]any
	compiled *jsonschema.Schema
}

// maxProblems limits the problems that one error lists.
const maxProblems = 5

func newArguments(schema map[string]any) (*arguments, error) {
	encoded, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("encode the schema of a tool: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("read the schema of a tool: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:///arguments", doc); err != nil {
		return nil, fmt.Errorf("add the schema of a tool: %w", err)
	}
	compiled, err := c.Compile("mem:///arguments")
	if err != nil {
		return nil, fmt.Errorf("compile the schema of a tool: %w", err)
	}
	return &arguments{schema: schema, compiled: compiled}, nil
}

// decode checks arguments and decodes them. The error names each wrong argument, what is wrong, and what would be
// right, and quotes no value.
func (a *arguments) decode(raw json.RawMessage, into any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = json.RawMessage("{}")
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return vault.Invalid("arguments", "must be a JSON object")
	}
	if err := a.compiled.Validate(value); err != nil {
		invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
		if !ok {
			return vault.Invalid("arguments", "cannot be checked")
		}
		problems := a.problems(invalid, nil)
		return vault.Join(problems)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return vault.Invalid("arguments", "cannot be decoded") // the cause could quote a value
	}
	return nil
}

// problems lists the problems of the leaves.
func (a *arguments) problems(invalid *jsonschema.ValidationError, out []*vault.Error) []*vault.Error {
	if len(out) >= maxProblems {
		return out
	}
	if len(invalid.Causes) > 0 {
		for _, cause := range invalid.Causes {
			out = a.problems(cause, out)
		}
		return out
	}
	at := strings.Join(invalid.InstanceLocation, ".")
	inside := func(name string) string { return strings.TrimPrefix(at+"."+name, ".") }
	place := at
	if place == "" {
		place = "arguments"
	}
	switch k := invalid.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			out = append(out, vault.Invalid(inside(name), "is required"))
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			out = append(out, vault.Invalid(inside(shorten(name)), "is unknown; use %s", a.allowedAt(invalid.InstanceLocation)))
		}
	case *kind.Type:
		out = append(out, vault.Invalid(place, "must be of the type %s, not %s", vault.OneOf(k.Want), k.Got))
	case *kind.Enum:
		out = append(out, vault.Invalid(place, "must be %s", vault.OneOf(texts(k.Want))))
	case *kind.Format:
		out = append(out, vault.Invalid(place, "must have the format %s", k.Want))
	case *kind.Minimum:
		out = append(out, vault.Invalid(place, "must be at least %s", k.Want.RatString()))
	case *kind.Maximum:
		out = append(out, vault.Invalid(place, "must be at most %s", k.Want.RatString()))
	case *kind.MinLength, *kind.MinProperties:
		out = append(out, vault.Invalid(place, "must not be empty"))
	case *kind.MaxLength:
		out = append(out, vault.Invalid(place, "must have at most %d characters", k.Want))
	default:
		out = append(out, vault.Invalid(place, "is not what the schema of the tool allows"))
	}
	return out
}

// shorten bounds a name that a caller sent.
func shorten(name string) string {
	if runes := []rune(name); len(runes) > vault.MaxNameLength {
		return string(runes[:vault.MaxNameLength]) + "…"
	}
	return name
}

// allowedAt lists the members that an object of the schema can have.
func (a *arguments) allowedAt(location []string) string {
	at := a.schema
	for _, name := range location {
		properties, _ := at["properties"].(map[string]any)
		at, _ = properties[name].(map[string]any)
	}
	properties, _ := at["properties"].(map[string]any)
	if len(properties) == 0 {
		return "none: this agent defines no field"
	}
	return vault.OneOf(slices.Sorted(maps.Keys(properties)))
}

func texts(values []any) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprint(v)
	}
	return out
}

var schemaTypes = map[reflect.Type]*infer.Schema{
	reflect.TypeFor[uuid.UUID]():       {Type: "string", Format: "uuid"},
	reflect.TypeFor[json.RawMessage](): {},
}

// schemaOf returns the schema of the arguments of a type. A member without omitempty or omitzero is required.
func schemaOf[In any]() map[string]any {
	inferred, err := infer.For[In](&infer.ForOptions{TypeSchemas: schemaTypes})
	if err != nil {
		panic(err) // only for a type that JSON cannot have
	}
	encoded, err := json.Marshal(inferred)
	if err != nil {
		panic(err)
	}
	var out map[string]any
	if err := json.Unmarshal(encoded, &out); err != nil {
		panic(err)
	}
	return out
}
