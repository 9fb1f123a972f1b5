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
	// Subject is the key by which the engine runs operations one at a time: the id of a customer, scenario, agent or
	// question.
	Subject string `json:"subject"`
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
}

// Sweep is the input of expire-values and detect-orphans. It has no members: a sweep covers all tenants.
type Sweep struct{}

// SweepResult is the result of expire-values and detect-orphans.
type SweepResult struct {
	// Marked is the number of items with a new status.
	Marked int `json:"marked"`
	// Customers is the number of customers with such items. A customer counts once per batch.
	Customers int `json:"customers"`
}
