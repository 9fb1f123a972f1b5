package vault

import "github.com/google/uuid"

// MaxBatch is the maximum number of operations of a Batch.
const MaxBatch = 256

// Batch is the payload of an event and the input of a run of a workflow: operations of one tenant and one workflow. It
// contains only ids, so the workflow engine never receives customer data. A run of a cron has the zero Batch.
type Batch struct {
	// ID is the id of the batch. The run has it as metadata, and each operation has it once the run has carried it out.
	ID         uuid.UUID `json:"batch_id"`
	TenantID   uuid.UUID `json:"tenant_id"`
	Operations []Pushed  `json:"operations"`
}

// Pushed is one operation of a Batch.
type Pushed struct {
	ID uuid.UUID `json:"id"`
	// Push is the number of this push of the operation, from 1. A run stores it when it finishes the operation, so that
	// the relay knows how far the engine has come. 0: unknown.
	Push int32 `json:"push,omitempty"`
}

// Event identifies one operation to a step.
type Event struct {
	OperationID uuid.UUID
	TenantID    uuid.UUID
	// Push is Pushed.Push.
	Push int32
	// BatchID is the batch that carries the operation; the zero UUID if none does.
	BatchID uuid.UUID
}

// Batch returns the id of the batch, or nil.
func (e Event) Batch() *uuid.UUID {
	if e.BatchID == uuid.Nil {
		return nil
	}
	return &e.BatchID
}

// BatchOf returns a batch with the operation of an event. The zero Event, that of a cron, gives the zero Batch.
func BatchOf(ev Event) Batch {
	if ev.OperationID == uuid.Nil {
		return Batch{}
	}
	return Batch{
		ID: ev.BatchID, TenantID: ev.TenantID, Operations: []Pushed{{ID: ev.OperationID, Push: ev.Push}},
	}
}

// Events returns the events of the operations, in the order of the batch.
func (b Batch) Events() []Event {
	events := make([]Event, len(b.Operations))
	for i, o := range b.Operations {
		events[i] = Event{OperationID: o.ID, TenantID: b.TenantID, Push: o.Push, BatchID: b.ID}
	}
	return events
}

// Only returns the event of the operation if the batch has one.
func (b Batch) Only() (Event, bool) {
	if len(b.Operations) != 1 || b.TenantID == uuid.Nil {
		return Event{}, false
	}
	return b.Events()[0], true
}

// IDs returns the ids of the operations, in the order of the batch.
func (b Batch) IDs() []uuid.UUID {
	ids := make([]uuid.UUID, len(b.Operations))
	for i, o := range b.Operations {
		ids[i] = o.ID
	}
	return ids
}

// Pushes returns Pushed.Push of each operation, by id.
func (b Batch) Pushes() map[uuid.UUID]int32 {
	pushes := make(map[uuid.UUID]int32, len(b.Operations))
	for _, o := range b.Operations {
		pushes[o.ID] = o.Push
	}
	return pushes
}

// IsCron reports whether a cron started the run.
func (b Batch) IsCron() bool { return b.TenantID == uuid.Nil && len(b.Operations) == 0 }

// Check rejects a batch without a tenant, without operations, with more than MaxBatch of them, or with one twice.
func (b Batch) Check() error {
	switch {
	case b.TenantID == uuid.Nil:
		return Invalid("tenant_id", "is required in the batch of an event")
	case len(b.Operations) == 0:
		return Invalid("operations", "the batch has no operation; it must have 1 to %d", MaxBatch)
	case len(b.Operations) > MaxBatch:
		return Invalid("operations", "the batch has %d operations; it must have 1 to %d", len(b.Operations), MaxBatch)
	}
	seen := make(map[uuid.UUID]bool, len(b.Operations))
	for _, o := range b.Operations {
		if o.ID == uuid.Nil || seen[o.ID] {
			return Invalid("operations", "each operation of a batch has an id of its own; %s is there twice or is no id", o.ID)
		}
		seen[o.ID] = true
	}
	return nil
}
