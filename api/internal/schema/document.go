package schema

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/contextvault/contextvault/vault"
)

// Finish completes the document after all routes are added, so that a generator of clients can use it: bodies and
// enums are components, what is read can be written with the same component, lists are never null, and the results of
// operations differ by a discriminator. operation is the name of the component of the status of an operation.
func Finish(api *huma.OpenAPI, all []Body, operation string) {
	b := newBodies(api.Components.Schemas)
	for _, body := range all {
		b.add(body)
	}
	b.finish()
	addOperations(api.Components.Schemas, operation)
	components := api.Components.Schemas.Map()
	inBodies := written(components, api)
	for name, s := range components {
		walk(s, func(s *huma.Schema) { tidy(components, s, !inBodies[name] && !strings.HasPrefix(name, "Stored")) })
	}
	for _, item := range api.Paths {
		for _, op := range operationsOf(item) {
			for _, p := range op.Parameters {
				walk(p.Schema, func(s *huma.Schema) {
					tidy(components, s, false)
					s.PatternDescription = "" // of errors, which are made already; JSON Schema has no such keyword
				})
			}
			for _, response := range op.Responses {
				for _, media := range response.Content {
					walk(media.Schema, func(s *huma.Schema) { tidy(components, s, true) })
				}
			}
		}
	}
}

// written returns the components that request bodies use.
func written(components map[string]*huma.Schema, api *huma.OpenAPI) map[string]bool {
	out := map[string]bool{}
	var visit func(s *huma.Schema)
	visit = func(s *huma.Schema) {
		walk(s, func(s *huma.Schema) {
			if name := strings.TrimPrefix(s.Ref, reference("")); s.Ref != "" && !out[name] {
				out[name] = true
				visit(components[name])
			}
		})
	}
	for _, item := range api.Paths {
		for _, op := range operationsOf(item) {
			if op.RequestBody != nil {
				for _, media := range op.RequestBody.Content {
					visit(media.Schema)
				}
			}
		}
	}
	return out
}

// tidy removes null from lists, leaves an enum to its component, and lets responses refer to what is stored.
func tidy(components map[string]*huma.Schema, s *huma.Schema, response bool) {
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	if s.Ref == "" {
		return
	}
	name := strings.TrimPrefix(s.Ref, reference(""))
	if len(s.Enum) > 0 {
		if !sameWords(s.Enum, components[name].Enum) {
			s.Type, s.Ref = huma.TypeString, ""
			return
		}
		s.Enum = nil
	}
	if response && components["Stored"+name] != nil {
		s.Ref = reference("Stored" + name)
	}
}

func operationsOf(item *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch}
	return slices.DeleteFunc(all, func(op *huma.Operation) bool { return op == nil })
}

// walk calls f for a schema and all schemas in it. It follows no references.
func walk(s *huma.Schema, f func(*huma.Schema)) {
	if s == nil {
		return
	}
	f(s)
	walk(s.Items, f)
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		walk(values, f)
	}
	for _, property := range s.Properties {
		walk(property, f)
	}
	for _, list := range [][]*huma.Schema{s.OneOf, s.AnyOf, s.AllOf} {
		for _, part := range list {
			walk(part, f)
		}
	}
}

// OperationName returns the name of the component of an operation's status with its result.
func OperationName(operation string) string { return TypeName(operation) + "Operation" }

// addOperations describes the status of each operation with the type of its result, and makes the general one a choice
// of them by workflow.
func addOperations(schemas huma.Registry, operation string) {
	components := schemas.Map()
	general := components[operation]
	choice := &huma.Schema{
		Description:   "The status of an operation. workflow says which one it is, and with it the type of the result.",
		Discriminator: &huma.Discriminator{PropertyName: "workflow", Mapping: map[string]string{}},
	}
	for _, op := range vault.Operations() {
		own := *general
		own.Properties = maps.Clone(general.Properties)
		workflow := *general.Properties["workflow"]
		workflow.Enum = []any{op.Name}
		own.Properties["workflow"] = &workflow
		own.Required = append(slices.Clone(general.Required), "workflow")
		result := *schemas.Schema(op.Result, true, "")
		result.Description = general.Properties["result"].Description
		own.Properties["result"] = &result
		name := OperationName(op.Name)
		components[name] = &own
		choice.OneOf = append(choice.OneOf, &huma.Schema{Ref: reference(name)})
		choice.Discriminator.Mapping[op.Name] = reference(name)
	}
	components[operation] = choice
	accepted := *general
	accepted.Properties = map[string]*huma.Schema{}
	for _, name := range []string{"operation_id", "status", "replayed"} {
		accepted.Properties[name] = general.Properties[name]
	}
	components[AcceptedName] = &accepted
}

// AcceptedName is the name of the component of an operation that is accepted and not finished.
const AcceptedName = "AcceptedOperation"

// variants are the forms of a body. The discriminator is a member with the word of the form. The object in the member
// varies has the members with that word as their tag kind.
type variants struct {
	discriminator, varies string
	words                 []string
}

func variantsOf(t reflect.Type) *variants {
	if t != reflect.TypeFor[vault.DecideReviewInput]() {
		return nil
	}
	return &variants{"kind", "edit", []string{string(vault.ReviewOfDefinition), string(vault.ReviewOfRequirement)}}
}

// membersOf returns the members of a struct with a word as their tag kind.
func membersOf(t reflect.Type, word string) []string {
	var out []string
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("kind") == word {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			out = append(out, name)
		}
	}
	return out
}

// oneOf describes a body with a form for each word of a member.
func (b *bodies) oneOf(body Body, v *variants) *huma.Schema {
	base := nameOf(body.Type, "")
	choice := &huma.Schema{Discriminator: &huma.Discriminator{PropertyName: v.discriminator, Mapping: map[string]string{}}}
	components := b.schemas.Map()
	for _, word := range v.words {
		part := newBodies(b.schemas)
		part.of(body.Type, "", body.Omit, "", body.Operation)
		whole, name := part.components[body.Type], base+TypeName(word)
		whole.Required = part.uses[body.Type][0].required
		whole.Properties[v.discriminator] = &huma.Schema{Type: huma.TypeString, Enum: []any{word}}
		for t, edit := range part.components {
			if t == body.Type {
				continue
			}
			members := membersOf(t, word)
			maps.DeleteFunc(edit.Properties, func(member string, _ *huma.Schema) bool {
				return !slices.Contains(members, member)
			})
			components[TypeName(word)+"Edit"] = edit
			whole.Properties[v.varies] = &huma.Schema{
				Ref: reference(TypeName(word) + "Edit"), Description: whole.Properties[v.varies].Description,
			}
		}
		components[name] = whole
		choice.OneOf = append(choice.OneOf, &huma.Schema{Ref: reference(name)})
		choice.Discriminator.Mapping[word] = reference(name)
	}
	components[base] = choice
	return &huma.Schema{Ref: reference(base)}
}
