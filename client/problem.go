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

// ErrUnreachable is in the chain of an error where nobody answered, or not in time. Whether a change was accepted is not known
// then: make it again with the same IdempotencyKey.
var ErrUnreachable = errors.New("no vault answers")

// ErrNotVault is in the chain of an error where somebody answered, but not as a vault does: the address is wrong, or something
// stands in between.
var ErrNotVault = errors.New("this is not a vault")

// Codes of problems beside those of vault.Code.
const (
	CodeMalformed       vault.Code = "malformed"         // the request could not be read
	CodeUnauthenticated vault.Code = "unauthenticated"   // no key, or one that is unknown, revoked or expired
	CodeNoRoute         vault.Code = "no_such_route"     // the server is of another version
	CodeMethod          vault.Code = "method_not_here"   // likewise
	CodeTooLarge        vault.Code = "too_large"         // the body is larger than the server takes
	CodeMediaType       vault.Code = "unsupported_media" // the body is not said to be JSON
	CodeRateLimited     vault.Code = "rate_limited"      // the key made too many requests, for longer than is waited
	CodeTimeout         vault.Code = "timeout"           // the request took too long to arrive
	CodeInternal        vault.Code = "internal"          // a mistake of the vault's; its log knows more, by the request id
)

// Problem is what the vault answers where it refuses (RFC 9457). Find it with errors.As, and decide by Code.
type Problem struct {
	Status    int            `json:"status"` // of HTTP
	Code      vault.Code     `json:"code"`
	Title     string         `json:"title"`                  // the status in words
	Detail    string         `json:"detail"`                 // what was wrong and what would be right; it may quote a value of a field that is not PII
	Field     string         `json:"field,omitempty"`        // the field, parameter or header that was wrong
	Related   []uuid.UUID    `json:"related,omitempty"`      // what stands in the way, such as dependents
	Operation *uuid.UUID     `json:"operation_id,omitempty"` // the operation that was rejected; nil: nothing was accepted
	Errors    []FieldProblem `json:"errors,omitempty"`       // each parameter that was wrong, where there are several
	RequestID string         `json:"-"`                      // the request in the log of the vault
}

// FieldProblem is what was wrong with one parameter.
type FieldProblem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error says what kind of problem it is, and with which field. It never holds a value, so it may be logged; Detail says more to
// whoever sent the value.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the vault answered %d %s", p.Status, p.Code)
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

// CodeOf gives the code of the problem in err's chain, "" where there is none.
func CodeOf(err error) vault.Code {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.Code
	}
	return vault.CodeOf(err)
}

func problemOf(got answer) error {
	p := &Problem{}
	if !got.json() || json.Unmarshal(got.body, p) != nil || p.Code == "" {
		return fmt.Errorf("%w: the answer is %d, and no problem as a vault has them", ErrNotVault, got.status)
	}
	p.Status, p.RequestID = got.status, got.header.Get("X-Request-Id")
	return p
}

// Rejection is why an operation was rejected.
type Rejection struct {
	Code    vault.Code  `json:"code"`
	Detail  string      `json:"detail"` // as that of a Problem
	Field   string      `json:"field,omitempty"`
	Related []uuid.UUID `json:"related,omitempty"`
}

// statusOf is what a change is answered with that is rejected while it is waited for.
var statusOf = map[vault.Code]int{
	vault.CodeUnknown: http.StatusNotFound, vault.CodeConflict: http.StatusConflict, vault.CodeHasDependents: http.StatusConflict,
	vault.CodeNotAllowed: http.StatusForbidden, vault.CodeUnavailable: http.StatusServiceUnavailable,
}

// problem is what a caller would have been answered who waited.
func (r *Rejection) problem(operation uuid.UUID) *Problem {
	status, ok := statusOf[r.Code]
	if !ok {
		status = http.StatusUnprocessableEntity
	}
	return &Problem{
		Status: status, Code: r.Code, Title: http.StatusText(status), Detail: r.Detail, Field: r.Field, Related: r.Related, Operation: &operation,
	}
}
