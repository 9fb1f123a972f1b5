package vault

import "github.com/google/uuid"

// ReadConversationInput is the input of read-conversation. It reads the facts that the customer stated in a session, for
// all definitions of its agent that allow it.
type ReadConversationInput struct {
	SessionID uuid.UUID `json:"session_id" validate:"required"`
}

// ReadConversationResult is the result of read-conversation.
type ReadConversationResult struct {
	Outcome ReadOutcome `json:"outcome" doc:"read, nothing_new (the customer said nothing since the last reading), fill_running (a gap fill of the session has not ended, and reads it) or customer_deleted."`
	// Fields are the fields of which the customer said something new.
	Fields []ReadField `json:"fields"`
	// ModelCalls is the number of calls to the language model.
	ModelCalls int      `json:"model_calls"`
	Warnings   []string `json:"warnings,omitempty"`
}

// ReadOutcome is what read-conversation did.
type ReadOutcome string

const (
	ReadDone            ReadOutcome = "read"
	ReadNothingNew      ReadOutcome = "nothing_new"
	ReadFillRunning     ReadOutcome = "fill_running"
	ReadCustomerDeleted ReadOutcome = "customer_deleted"
)

// ReadField is what read-conversation did with one field.
type ReadField struct {
	FieldName string `json:"field_name"`
	// WriteID is the write-value operation that stores the value, as the active or as a pending one. nil: it is not stored.
	WriteID *uuid.UUID `json:"write_operation_id,omitempty"`
	// Confirm reports that the value is stored but needs a confirmation by the customer.
	Confirm    bool    `json:"requires_confirmation,omitempty"`
	Confidence float64 `json:"confidence,omitempty"`
	// Action is the reason why nothing is written: candidate (the evidence is too weak), unchanged (the field has this value)
	// or write_once (the field has another value that may not change).
	Action string   `json:"action,omitempty"`
	Errors []string `json:"validation_errors,omitempty"`
}
