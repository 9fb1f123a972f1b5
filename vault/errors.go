package vault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Code is the stable name of a kind of error. Callers and workflows decide by the code, never by the message.
type Code string

const (
	CodeInvalid         Code = "invalid_input"    // the input breaks a rule; a retry cannot succeed
	CodeUnknown         Code = "unknown"          // an id or name does not exist in this tenant
	CodeConflict        Code = "conflict"         // the change contradicts the stored data
	CodeHasDependents   Code = "has_dependents"   // other items were derived from the item
	CodeNotAllowed      Code = "not_allowed"      // the caller lacks the permission
	CodeConsentRequired Code = "consent_required" // the customer has not consented to the purposes of the field
	CodeErased          Code = "erased"           // the customer was erased, and nothing may bring it back
	CodeExpired         Code = "expired"          // what a cursor leads to is not kept any longer
	CodeBudget          Code = "over_budget"      // the tenant has used its language model budget of the day
	CodeUnavailable     Code = "unavailable"      // a dependency of the vault does not answer; a retry may succeed
)

// Error is the error type of the vault's API, client and workflows.
//
// Error() never contains a customer's value, so it may be logged and sent to the workflow engine. Detail may quote the
// value of a field that is not secret. It is only for the caller who sent the value.
type Error struct {
	Code Code `json:"code"`
	// Field is the path of the wrong member of the input. Empty: the error is not about one member.
	Field string `json:"field,omitempty"`
	// Message names the problem and the remedy. It never contains a value.
	Message string `json:"message"`
	// Detail is the message with the value. Empty if the definition is secret or there is no value to quote.
	Detail string `json:"detail,omitempty"`
	// Related are the ids of the items that prevent the change, such as dependents.
	Related []uuid.UUID `json:"related,omitempty"`
}

// Error returns the message without values.
func (e *Error) Error() string { return e.Message }

// ForCaller returns Detail, or Message if Detail is empty. Show it only to the caller who sent the value.
func (e *Error) ForCaller() string {
	if e.Detail != "" {
		return e.Detail
	}
	return e.Message
}

// Invalid returns the error for input that breaks a rule. The text must not contain a customer's value.
func Invalid(field, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	if field != "" {
		msg = field + ": " + msg
	}
	return &Error{Code: CodeInvalid, Field: field, Message: msg}
}

// Unknown returns the error for an id or name that does not exist in this tenant.
func Unknown(what string, id any) *Error {
	return &Error{
		Code:    CodeUnknown,
		Field:   what,
		Message: fmt.Sprintf("unknown %s: %v does not exist in this tenant", what, id),
	}
}

// Conflict returns the error for a change that contradicts the stored data. The text must not contain a customer's
// value.
func Conflict(field, format string, args ...any) *Error {
	return &Error{Code: CodeConflict, Field: field, Message: fmt.Sprintf(format, args...)}
}

// HasDependents returns the error for deleting an item from which dependents were derived. field is the member of the
// input that names the item. The error lists the first MaxProblems of them.
func HasDependents(field string, dependents []uuid.UUID) *Error {
	rest := max(0, len(dependents)-MaxProblems)
	dependents = dependents[:len(dependents)-rest]
	ids := make([]string, len(dependents), len(dependents)+1)
	for i, id := range dependents {
		ids[i] = id.String()
	}
	if rest > 0 {
		ids = append(ids, fmt.Sprintf("and %d more", rest))
	}
	return &Error{
		Code: CodeHasDependents, Field: field, Related: dependents,
		Message: fmt.Sprintf(
			"Cannot delete: has dependents: %s; delete those first, or use force (admin only), which orphans them",
			strings.Join(ids, ", "),
		),
	}
}

// Unavailable returns the error for a dependency that does not answer. The message contains the text of cause, so cause
// must not contain a customer's value.
func Unavailable(what string, cause error) *Error {
	return &Error{Code: CodeUnavailable, Message: fmt.Sprintf("%s is unavailable: %v", what, cause)}
}

// CodeOf returns the code of the vault error in err's chain, or "" if there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// Permanent reports whether a retry with the same input must fail again. Errors of other types count as temporary, such
// as a lost connection, a deadlock or a timeout.
func Permanent(err error) bool {
	switch CodeOf(err) {
	case CodeInvalid, CodeUnknown, CodeConflict, CodeHasDependents, CodeNotAllowed, CodeConsentRequired, CodeErased,
		CodeExpired, CodeBudget:
		return true
	default:
		return false
	}
}

// Join combines errors into one, so that a caller sees all problems at once. Code and Field are those of the first
// error. It lists the first MaxProblems and counts the others. It returns nil for no errors.
func Join(errs []*Error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	rest := max(0, len(errs)-MaxProblems)
	errs = errs[:len(errs)-rest]
	messages := make([]string, len(errs), len(errs)+1)
	details := make([]string, len(errs), len(errs)+1)
	for i, e := range errs {
		messages[i], details[i] = e.Message, e.ForCaller()
	}
	if rest > 0 {
		more := fmt.Sprintf("and %d more problems", rest)
		messages, details = append(messages, more), append(details, more)
	}
	out := &Error{Code: errs[0].Code, Field: errs[0].Field, Message: strings.Join(messages, "; ")}
	if d := strings.Join(details, "; "); d != out.Message {
		out.Detail = d
	}
	return out
}
