package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/contextvault/contextvault/api/internal/input"
)

// operation declares one operation for register and change.
type operation struct {
	name    string // the operation's id, and the name of the generated method in a client
	method  string
	path    string
	tag     string
	summary string
	detail  string // what the summary leaves open
	access  access
	body    *bodyOf      // nil: there is none
	result  reflect.Type // of a change: the result that its operation has
	errors  []int        // beside those that everything may answer with
}

// bodyOf describes a request body.
type bodyOf struct {
	of       any      // a value of the type that is decoded
	omit     []string // what comes from the path
	optional bool
	example  string // JSON
}

// register adds an operation. Errors of the handler become problems.
func register[I, O any](s *Server, op operation, handler func(ctx context.Context, c caller, in *I) (*O, error)) {
	h := s.describe(op)
	huma.Register(s.api, h, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	describeBody(op, h)
}

// describe makes Huma's declaration of an operation.
func (s *Server) describe(op operation) huma.Operation {
	h := huma.Operation{
		OperationID: op.name, Method: op.method, Path: op.path, Summary: op.summary, Description: op.detail, Tags: []string{op.tag},
		MaxBodyBytes: s.options.MaxBodyBytes + 1, SkipValidateBody: true, Responses: map[string]*huma.Response{},
	}
	h.Errors = []int{http.StatusBadRequest} // a query that cannot be read, a cursor, a body
	if len(op.access.scopes) > 0 {
		h.Middlewares = huma.Middlewares{s.authorize(op.access)}
		h.Security = []map[string][]string{{"key": {}}}
		h.Errors = append(h.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable)
		if op.access.operator {
			h.Security = append(h.Security, map[string][]string{"admin": {}})
			h.Parameters = append(h.Parameters, &huma.Param{
				Name: "X-Tenant", In: "header", Schema: input.UUIDSchema(),
				Description: "With ADMIN_TOKEN: the tenant that is meant. Without, it is the operator's own.",
			})
		}
	}
	if op.body != nil {
		h.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
		h.Errors = append(h.Errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	h.Errors = append(h.Errors, op.errors...)
	slices.Sort(h.Errors)
	h.Errors = slices.Compact(h.Errors)
	return h
}

// describeBody puts what a body is in the place of what Huma takes it for: bytes, which the domain decodes.
func describeBody(op operation, h huma.Operation) {
	if op.body == nil {
		return
	}
	h.RequestBody.Required = !op.body.optional
	h.RequestBody.Content["application/json"] = &huma.MediaType{
		Schema: inputSchema(reflect.TypeOf(op.body.of), op.body.omit), Example: json.RawMessage(op.body.example),
	}
}
