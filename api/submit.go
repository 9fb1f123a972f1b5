package api

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// unbound, in route.into, marks a parameter that only a prepare function reads.
const unbound = "-"

// submit adds the route of an operation. Its name, body and result come from the specification. A parameter of I (a
// member with a path or query tag) sets the member of the body with the same JSON name, or the one in r.into. Prepare
// functions complete the body or reject the request before the operation is accepted.
func submit[I any, In, Out any, P interface {
	*I
	Preferred() *input.Preferences
}](
	s *Server, spec vault.Spec[In, Out], r route,
	prepare ...func(ctx context.Context, c caller, in *I, body *In) error,
) {
	r.name = cmp.Or(r.name, spec.Name)
	params := parametersOf(reflect.TypeFor[I](), nil)
	params = slices.DeleteFunc(params, func(p parameter) bool { return r.into[p.name] == unbound })
	for _, p := range params {
		if member := cmp.Or(r.into[p.name], p.name); !memberOf(reflect.ValueOf(*new(In)), member).IsValid() {
			panic("route " + r.path + ": parameter " + p.name + " has no member " + member + " in the input of " + spec.Name)
		}
	}
	if _, ok := any(new(I)).(interface{ Body() input.JSON }); ok {
		r.body = &bodyOf{
			of: *new(In), omit: append(r.fromPath, targets(params, r.into)...),
			optional: r.optionalBody, example: r.example,
		}
	}
	r.operation = spec.Name
	s.routes = append(s.routes, Route{
		Operation: spec.Name, Name: r.name, Method: r.method, Path: r.path, Summary: r.summary, Detail: r.detail,
		Body: r.body != nil, Parameters: describeParameters(params, r.into),
	})
	change[I, P](s, r, func(ctx context.Context, c caller, in *I, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := bodyFor[In](in, r)
		if err != nil {
			return trigger.Receipt{}, err
		}
		if err := bind(reflect.ValueOf(in).Elem(), params, r.into, reflect.ValueOf(&body).Elem()); err != nil {
			return trigger.Receipt{}, err
		}
		for _, f := range prepare {
			if err := f(ctx, c, in, &body); err != nil {
				return trigger.Receipt{}, err
			}
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, spec, body, opts...)
	})
}

// Route describes the route of an operation. The Go client is generated from it.
type Route struct {
	Operation  string // the name of the operation's specification
	Name       string // the operation id in OpenAPI; it differs from Operation if an operation has two routes
	Method     string
	Path       string
	Summary    string
	Detail     string
	Body       bool
	Parameters []Parameter
}

// Parameter describes a path or query parameter of a Route.
type Parameter struct {
	Name   string
	Member string // the JSON name of the member of the input
	Query  bool   // false: the parameter is part of the path
}

// Routes returns the routes of all operations.
func (s *Server) Routes() []Route { return s.routes }

func describeParameters(params []parameter, into map[string]string) []Parameter {
	out := make([]Parameter, len(params))
	for i, p := range params {
		out[i] = Parameter{Name: p.name, Member: cmp.Or(into[p.name], p.name), Query: !p.path}
	}
	return out
}

// bodyFor decodes the body of a request. It returns the zero In if the route has no body.
func bodyFor[In any](in any, r route) (In, error) {
	b, ok := in.(interface{ Body() input.JSON })
	switch {
	case !ok:
		return *new(In), nil
	case r.optionalBody:
		return input.DecodeOptional[In](b.Body())
	default:
		return input.Decode[In](b.Body())
	}
}

// parameter is a member of an input that comes from the path or the query.
type parameter struct {
	name  string
	path  bool
	index []int // of reflect.Value.FieldByIndex
}

// parametersOf lists the parameters of an input, including those of embedded structs.
func parametersOf(t reflect.Type, prefix []int) []parameter {
	var out []parameter
	for i := range t.NumField() {
		f, index := t.Field(i), append(append([]int{}, prefix...), i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			out = append(out, parametersOf(f.Type, index)...)
			continue
		}
		if name := f.Tag.Get("path"); name != "" {
			out = append(out, parameter{name, true, index})
		} else if name := f.Tag.Get("query"); name != "" {
			out = append(out, parameter{name, false, index})
		}
	}
	return out
}

func targets(params []parameter, into map[string]string) []string {
	out := make([]string, len(params))
	for i, p := range params {
		out[i] = cmp.Or(into[p.name], p.name)
	}
	return out
}

// bind sets members of the body from parameters. A body with a different id than the path is invalid.
func bind(in reflect.Value, params []parameter, into map[string]string, body reflect.Value) error {
	for _, p := range params {
		name := cmp.Or(into[p.name], p.name)
		target, value := memberOf(body, name), in.FieldByIndex(p.index)
		if id, ok := value.Interface().(input.ID); ok {
			value = reflect.ValueOf(id.UUID)
		}
		switch {
		case value.IsZero():
			continue
		case p.path && !target.IsZero() && !target.Equal(value):
			return differsFromPath(name)
		case target.Kind() == reflect.Pointer:
			pointer := reflect.New(target.Type().Elem())
			pointer.Elem().Set(value)
			target.Set(pointer)
		default:
			target.Set(value.Convert(target.Type()))
		}
	}
	return nil
}

// memberOf returns the member of a struct with a JSON name, or the zero Value if there is none.
func memberOf(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Anonymous && v.Field(i).Kind() == reflect.Struct {
			if member := memberOf(v.Field(i), name); member.IsValid() {
				return member
			}
		}
		tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if tag == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// fromPath sets an id of the body from the path.
func fromPath(into *uuid.UUID, path input.ID, name string) error {
	if *into != uuid.Nil && *into != path.UUID {
		return differsFromPath(name)
	}
	*into = path.UUID
	return nil
}

func differsFromPath(name string) error {
	return vault.Invalid(name, "differs from the path; omit it from the body")
}

// nameMembers says which member of the body a path parameter sets, where their names differ: the extension x-member.
func (s *Server) nameMembers() {
	for _, r := range slices.Concat(s.routes, s.dryRuns) {
		item := s.api.OpenAPI().Paths[r.Path]
		for _, op := range []*huma.Operation{item.Put, item.Post} {
			if op == nil || op.OperationID != r.Name || op.RequestBody == nil {
				continue
			}
			for _, p := range r.Parameters {
				at := slices.IndexFunc(op.Parameters, func(described *huma.Param) bool { return described.Name == p.Name })
				if at >= 0 && p.Member != p.Name {
					op.Parameters[at].Extensions = map[string]any{"x-member": p.Member}
				}
			}
		}
	}
}
