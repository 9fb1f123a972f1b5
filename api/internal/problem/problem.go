// Package problem converts errors to problem details (RFC 9457).
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Codes of problems, in addition to those of vault.Code.
const (
	CodeMalformed       vault.Code = "malformed"         // invalid JSON, cursor or query
	CodeUnauthenticated vault.Code = "unauthenticated"   // no API key, or an invalid one
	CodeNoRoute         vault.Code = "no_such_route"     // unknown path
	CodeMethod          vault.Code = "method_not_here"   // the path does not allow the method
	CodeTooLarge        vault.Code = "too_large"         // the body exceeds the limit
	CodeMediaType       vault.Code = "unsupported_media" // the content type is not JSON
	CodeRateLimited     vault.Code = "rate_limited"      // the key exceeds its rate limit
	CodeTimeout         vault.Code = "timeout"           // the request took too long to arrive
	CodeInternal        vault.Code = "internal"          // an internal error; the log has the details
)

// internalDetail is the detail of every internal error. Internal errors expose no details.
const internalDetail = "internal error; the log of the vault has the details, under the request id"

// Problem is an error in the form of RFC 9457.
type Problem struct {
	Title     string         `json:"title" doc:"The HTTP status in words." example:"Unprocessable Entity"`
	Status    int            `json:"status" doc:"The HTTP status." example:"422"`
	Code      vault.Code     `json:"code" doc:"The stable code of the problem. Programs should decide by it, not by the texts." enum:"invalid_input,unknown,conflict,has_dependents,not_allowed,consent_required,erased,expired,over_budget,unavailable,malformed,unauthenticated,no_such_route,method_not_here,too_large,unsupported_media,rate_limited,timeout,internal"`
	Detail    string         `json:"detail" doc:"The cause, and how to fix it." example:"Field validation failed: email: \"x\" is not an email address"`
	Field     string         `json:"field,omitempty" doc:"The invalid field, parameter or header." example:"email"`
	Related   []uuid.UUID    `json:"related,omitempty" doc:"Ids of items that prevent the operation, such as dependents."`
	Operation *uuid.UUID     `json:"operation_id,omitempty" doc:"The failed operation."`
	Errors    []FieldProblem `json:"errors,omitempty" doc:"All invalid parameters, if there are several."`

	headers http.Header
}

// FieldProblem is the error of one parameter.
type FieldProblem struct {
	Field  string `json:"field" example:"customer_id"`
	Detail string `json:"detail" example:"is not a UUID, such as 0198c5f2-8a4b-7cde-9f01-23456789abcd"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// New creates a problem. field is "" if no single field is invalid.
func New(status int, code vault.Code, field, detail string) *Problem {
	return &Problem{
		Title: http.StatusText(status), Status: status, Code: code, Field: field, Detail: detail, headers: http.Header{},
	}
}

// Internal creates the problem of an internal error.
func Internal() *Problem {
	return New(http.StatusInternalServerError, CodeInternal, "", internalDetail)
}

// With adds a header to the response.
func (p *Problem) With(name, value string) *Problem {
	p.headers.Set(name, value)
	return p
}

// statusOf maps the codes of the vault to HTTP.
var statusOf = map[vault.Code]int{
	vault.CodeInvalid:         http.StatusUnprocessableEntity,
	vault.CodeUnknown:         http.StatusNotFound,
	vault.CodeConflict:        http.StatusConflict,
	vault.CodeHasDependents:   http.StatusConflict,
	vault.CodeNotAllowed:      http.StatusForbidden,
	vault.CodeConsentRequired: http.StatusForbidden,
	vault.CodeErased:          http.StatusGone,
	vault.CodeExpired:         http.StatusGone,
	vault.CodeBudget:          http.StatusTooManyRequests,
	vault.CodeUnavailable:     http.StatusServiceUnavailable,
}

// StatusOf returns the status of an answer to an error with a code of the vault.
func StatusOf(code vault.Code) (status int, known bool) {
	status, known = statusOf[code]
	return status, known
}

// retryAfter is the header Retry-After, in seconds, when a dependency is unavailable.
const retryAfter = "5"

// Of returns the problem of an error. complete is false if the problem hides the cause, which then belongs in the log.
// unavailable reports whether an error means that the database is unavailable.
func Of(err error, unavailable func(error) bool) (p *Problem, complete bool) {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p, true
	}
	if e, ok := errors.AsType[*vault.Error](err); ok {
		status, known := StatusOf(e.Code)
		if !known {
			return Internal(), false
		}
		p := New(status, e.Code, e.Field, e.ForCaller())
		p.Related = e.Related
		if e.Code == vault.CodeUnavailable {
			p = p.With("Retry-After", retryAfter)
		}
		return p, true
	}
	if unavailable(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return New(http.StatusServiceUnavailable, vault.CodeUnavailable, "",
			"the database is unavailable; accepted changes are not lost: retry with the same Idempotency-Key").
			With("Retry-After", retryAfter), false
	}
	return Internal(), false
}

// Huma creates its errors with these functions and texts, which are global.
func init() {
	validation.MsgExpectedBePattern = "must be %s"
	validation.MsgExpectedMaxLength = "must have at most %d characters"
	validation.MsgExpectedMaxItems = "must have at most %d entries"
	validation.MsgExpectedMinimumNumber = "must be at least %v"
	validation.MsgExpectedMaximumNumber = "must be at most %v"
	validation.MsgExpectedOneOf = "must be one of \"%s\""
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return ofHuma(status, message, errs)
	}
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return ofHuma(status, message, errs)
	}
}

// rightOf has what would be right, for the texts of Huma that are constants.
var rightOf = map[string]string{
	"invalid integer": "must be an integer", "invalid float": "must be a number",
	"invalid boolean": "must be true or false",
	"invalid date/time for format " + time.RFC3339Nano: "must be a time with its zone, such as 2026-03-31T14:30:00Z",
}

// ofHuma converts an error of Huma to a problem, without the values that it quotes.
func ofHuma(status int, message string, errs []error) *Problem {
	var fields []FieldProblem
	for _, err := range errs {
		if len(fields) == vault.MaxProblems {
			break
		}
		if p, ok := errors.AsType[*Problem](err); ok {
			return p
		}
		detail, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		_, name, _ := strings.Cut(detail.Location, ".") // "path.customer_id"
		why := strings.TrimPrefix(detail.Message, "invalid value: ")
		if right, ok := rightOf[why]; ok {
			why = right
		}
		fields = append(fields, FieldProblem{Field: name, Detail: why})
	}
	if status == http.StatusBadRequest && len(fields) > 0 {
		status = http.StatusUnprocessableEntity // a parameter is invalid, and the body is missing as well
	}
	code := map[int]vault.Code{
		http.StatusBadRequest: CodeMalformed, http.StatusUnprocessableEntity: vault.CodeInvalid,
		http.StatusRequestTimeout: CodeTimeout, http.StatusRequestEntityTooLarge: CodeTooLarge,
		http.StatusUnsupportedMediaType: CodeMediaType,
	}[status]
	switch {
	case code == "":
		return New(http.StatusInternalServerError, CodeInternal, "", "the request could not be read")
	case code == CodeTooLarge:
		message = "the body exceeds the limit of this server (api.max_body_bytes); split it"
	case len(fields) > 0:
		parts := make([]string, len(fields))
		for i, f := range fields {
			parts[i] = f.Field + ": " + f.Detail
		}
		message = strings.Join(parts, "; ")
	}
	p := New(status, code, "", message)
	if len(fields) > 0 {
		p.Field = fields[0].Field
	}
	if len(fields) > 1 {
		p.Errors = fields
	}
	return p
}

// Write writes a problem as a response, outside of Huma.
func Write(w http.ResponseWriter, p *Problem) {
	for name, values := range p.headers {
		w.Header()[name] = slices.Clone(values)
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may have disconnected
}
