package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// EventType is what an event of the feed tells.
type EventType string

// The types.
const (
	EventValueChanged     EventType = "value.changed"     // a version of a value became active
	EventValuePending     EventType = "value.pending"     // a version became pending: it may not replace a stronger one
	EventValueVerified    EventType = "value.verified"    // a version was verified
	EventValueExpired     EventType = "value.expired"     // a version passed its expires_at
	EventValueOrphaned    EventType = "value.orphaned"    // a version lost its source
	EventValueDeleted     EventType = "value.deleted"     // a version was deleted
	EventAssetChanged     EventType = "asset.changed"     // a version of an asset became active
	EventAssetDeleted     EventType = "asset.deleted"     // a version of an asset was deleted
	EventConsentChanged   EventType = "consent.changed"   // a consent was granted or withdrawn
	EventQuestionOpened   EventType = "question.opened"   // a gap fill asks the customer
	EventQuestionSettled  EventType = "question.settled"  // the question is not open any more
	EventReviewOpened     EventType = "review.opened"     // something waits for the decision of a person
	EventReviewSettled    EventType = "review.settled"    // it does not wait any more
	EventFillDone         EventType = "fill.done"         // a gap fill has ended
	EventOperationFailed  EventType = "operation.failed"  // an operation failed
	EventCustomerMerged   EventType = "customer.merged"   // a customer was merged into another one
	EventCustomerUnmerged EventType = "customer.unmerged" // a merge was undone
	EventCustomerDeleted  EventType = "customer.deleted"  // a customer was deleted, which can be undone
	EventCustomerErased   EventType = "customer.erased"   // a customer was erased for good
)

// EventTypes lists all types.
var EventTypes = []EventType{
	EventValueChanged, EventValuePending, EventValueVerified, EventValueExpired, EventValueOrphaned, EventValueDeleted,
	EventAssetChanged, EventAssetDeleted, EventConsentChanged, EventQuestionOpened, EventQuestionSettled,
	EventReviewOpened, EventReviewSettled, EventFillDone, EventOperationFailed, EventCustomerMerged,
	EventCustomerUnmerged, EventCustomerDeleted, EventCustomerErased,
}

// ShowsValue reports whether an event of a type can show the value of its item.
func (t EventType) ShowsValue() bool {
	return t == EventValueChanged || t == EventValuePending || t == EventValueVerified
}

// OfValue reports whether an event of a type is about a value.
func (t EventType) OfValue() bool {
	return t.ShowsValue() || t == EventValueExpired || t == EventValueOrphaned || t == EventValueDeleted
}

// FeedEvent is one event of the feed of a tenant. It holds ids and names, and a value only for a reader who asked for
// values and may see it.
type FeedEvent struct {
	ID   int64     `json:"id" doc:"The position in the feed: 1, 2, 3 … with gaps where a customer was erased." example:"1042"`
	Type EventType `json:"type"`
	At   time.Time `json:"at" doc:"The time of the change."`
	// CustomerID is nil if the event is about no customer.
	CustomerID *uuid.UUID `json:"customer_id,omitempty"`
	// IntoCustomerID is set for a merge and its undo.
	IntoCustomerID *uuid.UUID `json:"into_customer_id,omitempty" doc:"Of a merge and its undo: the customer into whom customer_id was merged. Of the review of a proposed merge: the older customer."`
	AgentID        *uuid.UUID `json:"agent_id,omitempty" doc:"The agent of the definition, question or scenario."`
	SubjectID      *uuid.UUID `json:"subject_id,omitempty" doc:"The id of the value or asset, the question, the gap fill or the operation; of a review, of what is reviewed."`
	OperationID    *uuid.UUID `json:"operation_id,omitempty" doc:"The operation that made the change, if it is known; of question.opened, the gap fill."`
	Kind           string     `json:"kind,omitempty" doc:"Of a question: value or confirm. Of a review: definition, requirement, value or merge."`
	Name           string     `json:"name,omitempty" doc:"The name of the field, of a proposed merge those of all its fields; of a consent, the purpose; of a failure, the workflow." example:"email"`
	Status         string     `json:"status,omitempty" doc:"The outcome: of a question, its status; of a review, the decision, or of a value its status afterwards: active, superseded … or deleted, or of a proposed merge closed; of a consent, granted or withdrawn; of a gap fill, ended or cancelled; of a failure, the code of the error."`
	// Value is that of the item now.
	Value json.RawMessage `json:"value,omitempty" doc:"With values=true: the value of the item at the time of reading, of value.changed, value.pending and value.verified. Absent: it was deleted since, or is withheld."`
}

// EventFilter selects events. The zero filter selects all.
type EventFilter struct {
	Types      []EventType // none: all
	CustomerID *uuid.UUID  // nil: all
	AgentID    *uuid.UUID  // nil: all
}

// EventPage is a page of the feed.
type EventPage struct {
	Items []FeedEvent
	// Next is the position up to which the feed was read: the next page begins after it.
	Next int64
	// More reports that the feed goes on after Next.
	More bool
}
