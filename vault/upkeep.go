package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Operation is the state of an accepted change.
type Operation struct {
	ID       uuid.UUID `json:"operation_id"`
	TenantID uuid.UUID `json:"-"`
	Workflow string    `json:"workflow"`
	// Actor is who submitted the operation.
	Actor Actor `json:"actor,omitempty"`
	// ParentID is the operation that caused this one. nil: none.
	ParentID *uuid.UUID      `json:"parent_id,omitempty"`
	Status   OperationStatus `json:"status"`
	// Result contains ids, counts and names. Its type is the result type of the operation's specification.
	Result json.RawMessage `json:"result,omitempty"`
	// Error is set if the operation failed.
	Error *Error `json:"error,omitempty"`
	// Attempts is the number of times that the operation was sent to the workflow engine.
	Attempts int `json:"attempts"`
	// Failures is the number of steps that failed and were retried.
	Failures int `json:"-"`
	// PushedAt is the time of the last push to the workflow engine. nil: no push is in flight.
	PushedAt *time.Time `json:"-"`
	// DueAt is the time at which the relay pushes the operation again if it is unfinished.
	DueAt time.Time `json:"-"`
	// AppliedAt is the time at which its effect was stored. nil: it was not.
	AppliedAt *time.Time `json:"-"`
	// BatchID is the batch that carried the operation out. The run in the engine has it as metadata batch_id. nil: none
	// yet.
	BatchID    *uuid.UUID `json:"batch_id,omitempty"`
	AcceptedAt time.Time  `json:"accepted_at"`
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

// Sweep is the input of expire-values and detect-orphans.
type Sweep struct {
	// AllTenants is for the operator. Otherwise the sweep covers the tenant of the operation alone.
	AllTenants bool `json:"all_tenants,omitempty"`
}

// SweepResult is the result of expire-values and detect-orphans.
type SweepResult struct {
	// Marked is the number of items with a new status.
	Marked int `json:"marked"`
	// Customers is the number of customers with such items. A customer counts once per batch.
	Customers int `json:"customers"`
}
