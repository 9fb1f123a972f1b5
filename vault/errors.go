package vault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Code is the stable name of a kind of error. Callers and the workflow engine decide by it, never by the text.
type Code string

const (
	CodeInvalid       Code = "invalid_input"  // the input breaks a rule; a retry cannot mend it
	CodeUnknown       Code = "unknown"        // what it names does not exist, or belongs to another tenant
	CodeConflict      Code = "conflict"       // it contradicts what is there
	CodeHasDependents Code = "has_dependents" // items were derived from it
	CodeNotAllowed    Code = "not_allowed"    // the caller may not
	CodeBudget        Code = "over_budget"    // the tenant has spent what it may spend on the language model today
	CodeUnavailable   Code = "unavailable"    // something the vault needs does not answer; a retry may mend it
)

// Error is the one error type that crosses the vault's borders.
//
// Error() never holds a customer's value, so it may be logged and handed to the workflow engine. Detail may quote the value
// of a field that is not PII; it is for the caller alone.
type Error struct {
	Code    Code        `json:"code"`
	Field   string      `json:"field,omitempty"`   // the field or key that was wrong
	Message string      `json:"message"`           // what was wrong and what would be right, without values
	Detail  string      `json:"detail,omitempty"`  // the same, quoting the value; empty when the field is PII or there is none
	Related []uuid.UUID `json:"related,omitempty"` // ids of what stands in the way (dependents, cycles)
}

// Error gives the message without values.
func (e *Error) Error() string { return e.Message }

// ForCaller gives the most helpful text that may be shown to whoever sent the value.
func (e *Error) ForCaller() string {
	if e.Detail != "" {
		return e.Detail
	}
	return e.Message
}

// Invalid makes an error for input that breaks a rule. The text must not hold a customer's value.
func Invalid(field, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	if field != "" {
		msg = field + ": " + msg
	}
	return &Error{Code: CodeInvalid, Field: field, Message: msg}
}

// Unknown makes an error for something that does not exist in this tenant.
func Unknown(what string, id any) *Error {
	return &Error{Code: CodeUnknown, Field: what, Message: fmt.Sprintf("unknown %s: %v does not exist in this tenant", what, id)}
}

// Conflict makes an error for something that contradicts what is there.
func Conflict(field, format string, args ...any) *Error {
	return &Error{Code: CodeConflict, Field: field, Message: fmt.Sprintf(format, args...)}
}

// HasDependents makes the error for deleting what others were derived from; field is that of the input that names it.
func HasDependents(field string, dependents []uuid.UUID) *Error {
	ids := make([]string, len(dependents))
	for i, id := range dependents {
		ids[i] = id.String()
	}
	return &Error{
		Code: CodeHasDependents, Field: field, Related: dependents,
		Message: fmt.Sprintf("Cannot delete: has dependents: %s; delete those first, or force it (admin only), which orphans them", strings.Join(ids, ", ")),
	}
}

// Unavailable makes an error for a dependency that does not answer; cause is kept in the text, so it must be free of values.
func Unavailable(what string, cause error) *Error {
	return &Error{Code: CodeUnavailable, Message: fmt.Sprintf("%s is unavailable: %v", what, cause)}
}

// CodeOf gives the code of the vault error in err's chain, or "" where there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// Permanent reports whether a retry with the same input must fail again. Anything that is not a vault error is taken for
// passing: a lost connection, a deadlock, a time-out.
func Permanent(err error) bool {
	switch CodeOf(err) {
	case CodeInvalid, CodeUnknown, CodeConflict, CodeHasDependents, CodeNotAllowed, CodeBudget:
		return true
	default:
		return false
	}
}

// Join makes one invalid-input error of several, nil of none, so that a caller sees everything that is wrong at once.
func Join(errs []*Error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	messages := make([]string, len(errs))
	details := make([]string, len(errs))
	for i, e := range errs {
		messages[i], details[i] = e.Message, e.ForCaller()
	}
	out := &Error{Code: errs[0].Code, Field: errs[0].Field, Message: strings.Join(messages, "; ")}
	if d := strings.Join(details, "; "); d != out.Message {
		out.Detail = d
	}
	return out
}
