package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Codes of problems beside those of vault.Code.
const (
	codeMalformed       vault.Code = "malformed"         // the request could not be read: no JSON, a cursor that is none
	codeUnauthenticated vault.Code = "unauthenticated"   // no key, or one that is not good
	codeNoRoute         vault.Code = "no_such_route"     // nothing is served at the path
	codeMethod          vault.Code = "method_not_here"   // the path knows other methods
	codeTooLarge        vault.Code = "too_large"         // the body is larger than is taken
	codeMediaType       vault.Code = "unsupported_media" // the body is not said to be JSON
	codeRateLimited     vault.Code = "rate_limited"      // the key made too many requests
	codeTimeout         vault.Code = "timeout"           // the request took too long to arrive
	codeInternal        vault.Code = "internal"          // a mistake of the vault's; the log knows more
)

// Problem is what went wrong, as RFC 9457 has it.
type Problem struct {
	Title     string         `json:"title" doc:"The status in words." example:"Unprocessable Entity"`
	Status    int            `json:"status" doc:"The HTTP status." example:"422"`
	Code      vault.Code     `json:"code" doc:"The stable name of the kind of problem: decide by it, not by the texts." enum:"invalid_input,unknown,conflict,has_dependents,not_allowed,over_budget,unavailable,malformed,unauthenticated,no_such_route,method_not_here,too_large,unsupported_media,rate_limited,timeout,internal"`
	Detail    string         `json:"detail" doc:"What was wrong, and what would be right." example:"Field validation failed: email: \"x\" is not an email address"`
	Field     string         `json:"field,omitempty" doc:"The field, parameter or header that was wrong." example:"email"`
	Related   []uuid.UUID    `json:"related,omitempty" doc:"Ids of what stands in the way, such as dependents."`
	Operation *uuid.UUID     `json:"operation_id,omitempty" doc:"The operation that was rejected."`
	Errors    []FieldProblem `json:"errors,omitempty" doc:"Each parameter that was wrong, where there are several."`

	headers http.Header
}

// FieldProblem is what was wrong with one parameter.
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

func problem(status int, code vault.Code, field, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Field: field, Detail: detail, headers: http.Header{}}
}

// with adds a header to the answer.
func (p *Problem) with(name, value string) *Problem {
	p.headers.Set(name, value)
	return p
}

// statusOf maps the vault's codes to HTTP.
var statusOf = map[vault.Code]int{
	vault.CodeInvalid:       http.StatusUnprocessableEntity,
	vault.CodeUnknown:       http.StatusNotFound,
	vault.CodeConflict:      http.StatusConflict,
	vault.CodeHasDependents: http.StatusConflict,
	vault.CodeNotAllowed:    http.StatusForbidden,
	vault.CodeBudget:        http.StatusTooManyRequests,
	vault.CodeUnavailable:   http.StatusServiceUnavailable,
}

// retrySoon is what a caller is told to wait, in seconds, when something does not answer.
const retrySoon = "5"

// problemOf makes the problem of an error, and reports whether the caller may see all there is to know: what is not a vault
// error is told as little as possible.
func problemOf(err error) (p *Problem, told bool) {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p, true
	}
	if e, ok := errors.AsType[*vault.Error](err); ok {
		status, known := statusOf[e.Code]
		if !known {
			return problem(http.StatusInternalServerError, codeInternal, "", "something went wrong in the vault; its log knows what, by the request id"), false
		}
		p := problem(status, e.Code, e.Field, e.ForCaller())
		p.Related = e.Related
		if e.Code == vault.CodeUnavailable {
			p = p.with("Retry-After", retrySoon)
		}
		return p, true
	}
	_, network := errors.AsType[net.Error](err)
	if network || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return problem(http.StatusServiceUnavailable, vault.CodeUnavailable, "",
			"the database does not answer, or not in time; nothing is lost that was accepted: try again, with the same Idempotency-Key").
			with("Retry-After", retrySoon), false
	}
	return problem(http.StatusInternalServerError, codeInternal, "", "something went wrong in the vault; its log knows what, by the request id"), false
}

// Huma makes its own errors by these functions, of which there is one for the whole program.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return ofHuma(status, message, errs)
	}
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return ofHuma(status, message, errs)
	}
}

// ofHuma turns what Huma found out about a request into a problem. It leaves out the values that it quotes.
func ofHuma(status int, message string, errs []error) *Problem {
	var fields []FieldProblem
	for _, err := range errs {
		if p, ok := errors.AsType[*Problem](err); ok {
			return p
		}
		detail, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		_, name, _ := strings.Cut(detail.Location, ".") // "path.customer_id"
		fields = append(fields, FieldProblem{Field: name, Detail: strings.TrimPrefix(detail.Message, "invalid value: ")})
	}
	if status == http.StatusBadRequest && len(fields) > 0 {
		status = http.StatusUnprocessableEntity // a parameter is wrong, and the body is missing besides
	}
	code := map[int]vault.Code{
		http.StatusBadRequest: codeMalformed, http.StatusUnprocessableEntity: vault.CodeInvalid, http.StatusRequestTimeout: codeTimeout,
		http.StatusRequestEntityTooLarge: codeTooLarge, http.StatusUnsupportedMediaType: codeMediaType,
	}[status]
	switch {
	case code == "":
		return problem(http.StatusInternalServerError, codeInternal, "", "the request could not be read")
	case code == codeTooLarge:
		message = "the body is larger than this server takes (api.max_body_bytes); split it"
	case len(fields) > 0:
		parts := make([]string, len(fields))
		for i, f := range fields {
			parts[i] = f.Field + ": " + f.Detail
		}
		message = strings.Join(parts, "; ")
	}
	p := problem(status, code, "", message)
	if len(fields) > 0 {
		p.Field = fields[0].Field
	}
	if len(fields) > 1 {
		p.Errors = fields
	}
	return p
}
