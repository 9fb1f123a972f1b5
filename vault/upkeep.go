package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Event is the payload of the event and the input of the workflow of an operation. It contains only ids, so the
// workflow engine never receives customer data. The input of the operation is stored encrypted in the database.
type Event struct {
	OperationID uuid.UUID `json:"operation_id"`
	TenantID    uuid.UUID `json:"tenant_id"`
	// Subject is the thing that the operation is about: the id of a customer, scenario, agent or question.
	Subject string `json:"subject"`
	// Push is the number of this push of the operation, from 1. A run stores it when it finishes the operation, so that
	// the relay knows how far the engine has come. 0: unknown.
	Push int32 `json:"push,omitempty"`
}

// Operation is the state of an accepted change.
type Operation struct {
	ID       uuid.UUID       `json:"operation_id"`
	TenantID uuid.UUID       `json:"-"`
	Workflow string          `json:"workflow"`
	Status   OperationStatus `json:"status"`
	// Result contains ids, counts and names. Its type is the result type of the operation's specification.
	Result json.RawMessage `json:"result,omitempty"`
	// Error is set if the operation failed.
	Error *Error `json:"error,omitempty"`
	// Attempts is the number of times that the operation was sent to the workflow engine.
	Attempts   int       `json:"attempts"`
	AcceptedAt time.Time `json:"accepted_at"`
	// FinishedAt is nil until the operation succeeded or failed.
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	// WaitingFor is the open question that a gap fill waits for. nil: it waits for no customer.
	WaitingFor *WaitingFor `json:"waiting_for,omitempty"`
}

// WaitingFor describes the open question that a gap fill waits for.
type WaitingFor struct {
	QuestionID uuid.UUID `json:"question_id"`
	// FillID is the gap fill that asked the question: another one if several fills of a customer and scenario share it.
	FillID     uuid.UUID `json:"fill_id"`
	FieldName  string    `json:"field_name"`
	Prompt     string    `json:"prompt"` // the question
	DeadlineAt time.Time `json:"deadline_at"`
}

// ReplayAction is what a replay did.
type ReplayAction string

const (
	ReplayReopened ReplayAction = "reopened" // the operation had failed; it runs again
	ReplayRepeated ReplayAction = "repeated" // the operation was unfinished; it was sent to the workflow engine again
)

// Sweep is the input of expire-values and detect-orphans. It has no members: a sweep covers all tenants.
type Sweep struct{}

// SweepResult is the result of expire-values and detect-orphans.
type SweepResult struct {
	// Marked is the number of items with a new status.
	Marked int `json:"marked"`
	// Customers is the number of customers with such items. A customer counts once per batch.
	Customers int `json:"customers"`
}
