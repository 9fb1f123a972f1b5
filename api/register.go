package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/api/internal/schema"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// route declares a route for register, change and submit.
type route struct {
	name    string // the operation id in the API's description, and the name of the client method
	method  string
	path    string
	tag     string
	summary string
	detail  string // "": the summary says everything
	access  permission
	values  bool    // it answers with pages of values
	body    *bodyOf // nil: the route has no body
	// operation is the name of the operation that a change submits. "": that of the request.
	operation string
	errors    []int // status codes in addition to those of every route
	// answers describes the responses of a handler that writes its body itself, by status code.
	answers map[string]*huma.Response

	// The members below are only for submit.
	example      string            // of the body, as JSON
	into         map[string]string // parameter → member of the body, where their names differ
	fromPath     []string          // members that the body can omit, in addition to those of parameters
	optionalBody bool
	// complete adds to the outcome of a succeeded operation what its result leaves out. nil: nothing.
	complete func(ctx context.Context, c caller, in any, op *Operation) error
}

// bodyOf describes a request body.
type bodyOf struct {
	of       any      // the zero value of the type
	omit     []string // members that come from the path
	optional bool
	example  string // JSON
}

// register adds a route that reads. It converts errors of the handler to problems.
func register[I, O any](s *Server, r route, handler func(ctx context.Context, c caller, in *I) (*O, error)) {
	h := s.describe(r)
	huma.Register(s.api, h, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, callerOf(ctx), in)
		if err == nil {
			err = s.options.Query.RecordReads(ctx)
		}
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		if list, ok := any(out).(interface {
			leftOut(withheld []vault.Withheld)
		}); ok {
			list.leftOut(query.Withheld(ctx))
		}
		return out, nil
	})
	s.describeBody(r, h)
}

// describe converts a route to an operation of Huma.
func (s *Server) describe(r route) huma.Operation {
	h := huma.Operation{
		OperationID: r.name, Method: r.method, Path: r.path, Summary: r.summary, Description: r.detail,
		Tags: []string{r.tag}, MaxBodyBytes: s.options.MaxBodyBytes + 1, SkipValidateBody: true,
		Responses: map[string]*huma.Response{},
	}
	maps.Copy(h.Responses, r.answers)
	h.Errors = []int{http.StatusBadRequest} // an invalid query, cursor or body
	if len(r.access.scopes) > 0 {
		h.Middlewares = huma.Middlewares{s.authorize(r.access), s.takeTurn}
		if r.values {
			h.Middlewares = append(h.Middlewares, s.takePageTurn)
		}
		if !r.access.allTenants {
			h.Security = append(h.Security, map[string][]string{"key": {}})
		}
		h.Errors = append(h.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
			http.StatusServiceUnavailable)
		h.Parameters = append(h.Parameters, &huma.Param{
			Name: purposeHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "The purpose of a read, such as support. Fields that need a purpose are only shown for it, and if " +
				"the customer has consented to it. Absent: the purpose of the key.",
		})
		if r.access.operator {
			h.Security = append(h.Security, map[string][]string{"admin": {}})
		}
		if r.access.operator && !r.access.allTenants {
			h.Parameters = append(h.Parameters, &huma.Param{
				Name: "X-Tenant", In: "header", Schema: input.UUIDSchema(),
				Description: "The id of the tenant, with ADMIN_TOKEN. Absent: the tenant of the operator.",
			})
		}
	}
	if r.body != nil {
		h.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
		h.Errors = append(h.Errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	h.Errors = append(h.Errors, r.errors...)
	slices.Sort(h.Errors)
	h.Errors = slices.Compact(h.Errors)
	return h
}

// describeBody describes the body when all routes are added. Huma only knows that the body is bytes.
func (s *Server) describeBody(r route, h huma.Operation) {
	if r.body == nil {
		return
	}
	h.RequestBody.Required = !r.body.optional
	media := &huma.MediaType{Example: json.RawMessage(r.body.example)}
	h.RequestBody.Content["application/json"] = media
	s.bodies = append(s.bodies, schema.Body{
		Operation: r.name, Type: reflect.TypeOf(r.body.of), Omit: r.body.omit,
		Set: func(body *huma.Schema) { media.Schema = body },
	})
}

// listOf is a page of a list.
type listOf[T any] struct {
	Items    []T              `json:"items" nullable:"false"`
	Next     string           `json:"next_cursor,omitempty" doc:"The cursor of the next page. Absent: this is the last page."`
	Withheld []vault.Withheld `json:"withheld,omitempty" doc:"The fields of customers whose values are not shown, and why."`
}

type page[T any] struct{ Body listOf[T] }

// leftOut adds what the page does not show.
func (p *page[T]) leftOut(withheld []vault.Withheld) { p.Body.Withheld = withheld }

type one[T any] struct{ Body T }

// afterID is a position in a list sorted by id.
type afterID struct {
	ID uuid.UUID `json:"id"`
}

// decodeCursor returns the position of a cursor, nil for the first page. The error is a *Problem.
func decodeCursor[T any](text string) (*T, error) {
	position, ok := cursor.Decode[T](text)
	if !ok {
		return nil, problem.New(http.StatusBadRequest, problem.CodeMalformed, "cursor",
			"cursor: is not a cursor of this list; start without a cursor, then pass on next_cursor unchanged")
	}
	return position, nil
}

// pageByID reads a page of a list that is sorted by id. after is nil for the first page; id returns the id of an entry.
func pageByID[T any](
	in input.Page, read func(after *uuid.UUID, limit int) (items []T, more bool, err error), id func(T) uuid.UUID,
) (*page[T], error) {
	position, err := decodeCursor[afterID](in.Cursor)
	if err != nil {
		return nil, err
	}
	var after *uuid.UUID
	if position != nil {
		after = &position.ID
	}
	items, more, err := read(after, in.Limit)
	out := &page[T]{listOf[T]{Items: items}}
	if more && len(items) > 0 {
		out.Body.Next = cursor.Encode(afterID{id(items[len(items)-1])})
	}
	return out, err
}
