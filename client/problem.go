package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// ErrUnreachable is wrapped if no server responds in time. It is unknown whether the operation was accepted: repeat the
// call with the same IdempotencyKey.
var ErrUnreachable = errors.New("no vault answers")

// ErrNotVault is wrapped if the response does not come from a vault: the address is wrong, or a proxy has responded.
var ErrNotVault = errors.New("this is not a vault")

// Codes of problems, in addition to those of vault.Code.
const (
	CodeMalformed       vault.Code = "malformed"         // the request is invalid
	CodeUnauthenticated vault.Code = "unauthenticated"   // no API key, or an unknown, revoked or expired one
	CodeNoRoute         vault.Code = "no_such_route"     // unknown path: the server has another version
	CodeMethod          vault.Code = "method_not_here"   // unknown method: the server has another version
	CodeTooLarge        vault.Code = "too_large"         // the body exceeds the limit of the server
	CodeMediaType       vault.Code = "unsupported_media" // the content type is not JSON
	CodeRateLimited     vault.Code = "rate_limited"      // the key exceeds its rate limit, also after retries
	CodeTimeout         vault.Code = "timeout"           // the request took too long to arrive
	CodeInternal        vault.Code = "internal"          // an internal error; the log of the vault has the details
)

// Problem is what the vault answers where it refuses (RFC 9457). Find it with errors.As, and decide by Code.
type Problem struct {
	Status    int            `json:"status"` // the HTTP status
	Code      vault.Code     `json:"code"`
	Title     string         `json:"title"`                  // the HTTP status in words
	Detail    string         `json:"detail"`                 // the cause and the fix; it can quote a value that is not PII
	Field     string         `json:"field,omitempty"`        // the invalid field, parameter or header
	Related   []uuid.UUID    `json:"related,omitempty"`      // items that prevent the operation, such as dependents
	Operation *uuid.UUID     `json:"operation_id,omitempty"` // the failed operation; nil: none was accepted
	Errors    []FieldProblem `json:"errors,omitempty"`       // all invalid parameters, if there are several
	RequestID string         `json:"-"`                      // the id of the request in the log of the vault
}

// FieldProblem is the error of one parameter.
type FieldProblem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error returns the code and the field of the problem. It contains no value, so that it can be logged. Detail has more
// information for the sender of the value.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the vault responded with %d %s", p.Status, p.Code)
	if p.Field != "" {
		b.WriteString(" for " + p.Field)
	}
	if p.Operation != nil {
		b.WriteString(", operation " + p.Operation.String())
	}
	if p.RequestID != "" {
		b.WriteString(", request " + p.RequestID)
	}
	return b.String()
}

// CodeOf returns the code of the *Problem or *vault.Error that err wraps, "" if there is none.
func CodeOf(err error) vault.Code {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.Code
	}
	return vault.CodeOf(err)
}

func problemOf(got response) error {
	p := &Problem{}
	if !got.json() || json.Unmarshal(got.body, p) != nil || p.Code == "" {
		return fmt.Errorf("%w: the response with status %d is not a problem of a vault", ErrNotVault, got.status)
	}
	p.Status, p.RequestID = got.status, got.header.Get("X-Request-Id")
	return p
}

// Rejection is the reason why an operation failed.
type Rejection struct {
	Code    vault.Code  `json:"code"`
	Detail  string      `json:"detail"` // as in Problem
	Field   string      `json:"field,omitempty"`
	Related []uuid.UUID `json:"related,omitempty"`
}

// statusOf is the status of the response to a request that waits for a failed operation.
var statusOf = map[vault.Code]int{
	vault.CodeUnknown: http.StatusNotFound, vault.CodeConflict: http.StatusConflict,
	vault.CodeHasDependents: http.StatusConflict, vault.CodeNotAllowed: http.StatusForbidden,
	vault.CodeConsentRequired: http.StatusForbidden, vault.CodeErased: http.StatusGone, vault.CodeExpired: http.StatusGone,
	vault.CodeBudget: http.StatusTooManyRequests, vault.CodeUnavailable: http.StatusServiceUnavailable,
}

// problem returns the problem that a request gets if it waits for the operation.
func (r *Rejection) problem(operation uuid.UUID) *Problem {
	status, ok := statusOf[r.Code]
	if !ok {
		status = http.StatusUnprocessableEntity
	}
	return &Problem{
		Status: status, Code: r.Code, Title: http.StatusText(status), Detail: r.Detail, Field: r.Field,
		Related: r.Related, Operation: &operation,
	}
}
