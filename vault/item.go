package vault

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Lineage names the source that an item was derived from. The zero Lineage: the item was not derived.
type Lineage struct {
	// SourceItemID is the source: a value or an asset in the same tenant, or an id of SourceItemType.
	SourceItemID *uuid.UUID `json:"source_item_id,omitempty" doc:"The id of the value or asset from which it was derived."`
	// SourceItemType is the kind of the source. Required with SourceItemID.
	SourceItemType SourceType `json:"source_item_type,omitempty" validate:"omitempty,oneof=profile_field profile_asset session tool external" doc:"The type of source_item_id."`
	// SourceMetadata is a JSON object with details of the derivation, such as confidence, quote or page.
	SourceMetadata json.RawMessage `json:"source_metadata,omitempty"`
}

// Value is one version of one field of one customer.
type Value struct {
	ID        uuid.UUID       `json:"id"`
	ProfileID uuid.UUID       `json:"profile_id"`
	Name      string          `json:"name"`
	Value     json.RawMessage `json:"value"`
	// Encrypted reports that the value is stored encrypted, in PostgreSQL and in the cache. Value is decrypted for
	// readers.
	Encrypted        bool        `json:"encrypted,omitempty"`
	ValueType        ValueType   `json:"value_type"`
	Source           ValueSource `json:"source"`
	SourceSessionID  *uuid.UUID  `json:"source_session_id,omitempty"`
	SourceScenarioID *uuid.UUID  `json:"source_scenario_id,omitempty"`
	SourceStepID     string      `json:"source_step_id,omitempty"`
	Lineage
	Status         ItemStatus `json:"status"`
	SupersededByID *uuid.UUID `json:"superseded_by_id,omitempty"`
	SupersededAt   *time.Time `json:"superseded_at,omitempty"`
	// YieldsToID is the stronger version that this one may not replace by itself.
	YieldsToID *uuid.UUID `json:"yields_to_id,omitempty"`
	// Decision is the decision about a version that was pending, or that corrected another one. Empty: none.
	Decision           ValueDecision `json:"decision,omitempty"`
	DecidedBy          string        `json:"decided_by,omitempty"`
	DecidedAt          *time.Time    `json:"decided_at,omitempty"`
	DecisionNote       string        `json:"decision_note,omitempty"`
	Verified           bool          `json:"verified"`
	VerificationMethod string        `json:"verification_method,omitempty"`
	VerifiedAt         *time.Time    `json:"verified_at,omitempty"`
	VerifiedBy         string        `json:"verified_by,omitempty"`
	// Confidence is from 0 to 1. It is 1 for a value that a person stated.
	Confidence           float64    `json:"confidence"`
	RequiresConfirmation bool       `json:"requires_confirmation,omitempty"`
	CollectedAt          time.Time  `json:"collected_at"`
	UpdatedAt            time.Time  `json:"updated_at"`
	ExpiresAt            *time.Time `json:"expires_at,omitempty"`
	DefinitionID         *uuid.UUID `json:"definition_id,omitempty"`
	// Warnings are the validation problems that mode warn accepted.
	Warnings []string `json:"warnings,omitempty"`
	// OperationID is the operation that wrote the version.
	OperationID uuid.UUID `json:"operation_id"`
	// Actor is who submitted the operation.
	Actor Actor `json:"actor,omitempty" doc:"Who submitted the operation that wrote it: key:<id>, workflow:<name>:<operation>, admin …" example:"key:01920000-0000-7000-8000-000000000001"`
	// AcceptedAt orders the versions of a field.
	AcceptedAt time.Time `json:"accepted_at"`
	// DeletionProposedAt is the time at which somebody proposed to delete the value (propose-deletion). nil: nobody did.
	DeletionProposedAt *time.Time     `json:"deletion_proposed_at,omitempty" doc:"The time at which somebody proposed to delete the value. Absent: nobody did."`
	DeletionReason     DeletionReason `json:"deletion_reason,omitempty" enum:"wrong,customer_asked,not_needed,other"`
	// StaleSince is the time at which the value became stale: the item from which it was derived was replaced, expired, or
	// became stale itself. nil: it is not stale.
	StaleSince *time.Time `json:"stale_since,omitempty" doc:"The time at which the value became stale: the item from which it was derived was replaced, expired, or became stale itself. Absent: it is not stale."`
}

// Expired reports whether the value is past its expiry at the time now. It does not depend on the sweep.
func (f Value) Expired(now time.Time) bool { return f.ExpiresAt != nil && !f.ExpiresAt.After(now) }

// Asset is the reference to a document of a customer. The vault does not store the bytes.
type Asset struct {
	ID              uuid.UUID `json:"id"`
	ProfileID       uuid.UUID `json:"profile_id"`
	Name            string    `json:"name"`
	AssetType       string    `json:"asset_type"`
	StorageProvider string    `json:"storage_provider"`
	StoragePath     string    `json:"storage_path"`
	MimeType        string    `json:"mime_type,omitempty"`
	SizeBytes       int64     `json:"size_bytes"`
	// Checksum is the SHA-256 of the document in hexadecimal.
	Checksum         string     `json:"checksum"`
	UploadedAt       time.Time  `json:"uploaded_at"`
	UploadSessionID  *uuid.UUID `json:"upload_session_id,omitempty"`
	UploadScenarioID *uuid.UUID `json:"upload_scenario_id,omitempty"`
	Lineage
	Status      ItemStatus `json:"status"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	OperationID uuid.UUID  `json:"operation_id"`
	// Actor is who submitted the operation.
	Actor      Actor     `json:"actor,omitempty" doc:"Who submitted the operation that added it, as of a value."`
	AcceptedAt time.Time `json:"accepted_at"`
	// StaleSince is as in Value.
	StaleSince *time.Time `json:"stale_since,omitempty" doc:"The time at which the asset became stale, as of a value. Absent: it is not stale."`
}

// Profile is the document of a customer: the active values and assets, the channels and the consents.
type Profile struct {
	ID         uuid.UUID `json:"id"`
	TenantID   uuid.UUID `json:"tenant_id"`
	CustomerID uuid.UUID `json:"customer_id"`
	// RequestedCustomerID is the requested customer if it was merged into this one: unmerge-customer separates them
	// again. nil: this customer was requested.
	RequestedCustomerID *uuid.UUID `json:"requested_customer_id,omitempty" doc:"The requested customer, if it was merged into this customer. unmerge-customer separates them again."`
	// MergedCustomers are customers who were merged into this one, up to 100.
	MergedCustomers []uuid.UUID `json:"merged_customers,omitempty" doc:"Customers who were merged into this customer, up to 100. GET …/merges lists all merges."`
	// Version increases with each change. 0: nothing was written yet.
	Version int64 `json:"version"`
	// Label is a short text for the people who work with the customer. Empty: none.
	Label string `json:"label,omitempty"`
	// Fields are the active values by name.
	Fields map[string]Value `json:"fields"`
	// Pending are the values that differ from a stronger active one and wait for a decision, up to MaxPending.
	Pending []Value `json:"pending,omitempty"`
	// Assets are the active assets.
	Assets   []Asset   `json:"assets,omitempty"`
	Channels []Channel `json:"channels,omitempty"`
	// Consents has the latest consent for each purpose.
	Consents []Consent `json:"consents,omitempty"`
	// Withheld are the fields with a value that is not shown, and why.
	Withheld []Withheld `json:"withheld,omitempty" doc:"The fields with a value that is not shown, and why."`
	// VerificationLevel is derived from the verified values.
	VerificationLevel VerificationLevel `json:"verification_level"`
	CreatedAt         time.Time         `json:"created_at"`
	UpdatedAt         time.Time         `json:"updated_at"`
}

// Customer is one entry in the list of customers.
type Customer struct {
	CustomerID uuid.UUID `json:"customer_id"`
	// Version is the version of the profile. It increases with each change.
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// Fields are the active values by name. Empty unless the request asked for values.
	Fields map[string]Value `json:"fields,omitempty"`
}

// Channel is an identity of a customer on a channel, such as a phone number or a chat account.
type Channel struct {
	ID         uuid.UUID `json:"id"`
	Channel    string    `json:"channel"`
	ExternalID string    `json:"external_id"`
	Verified   bool      `json:"verified"`
	LinkedAt   time.Time `json:"linked_at"`
}

// Consent is the decision of a customer for one purpose.
type Consent struct {
	ID         uuid.UUID  `json:"id"`
	Purpose    string     `json:"purpose"`
	Granted    bool       `json:"granted"`
	Source     string     `json:"source,omitempty"`
	AcceptedAt time.Time  `json:"accepted_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
}

// InForce reports whether the consent is granted and not expired at the time now.
func (c Consent) InForce(now time.Time) bool {
	return c.Granted && (c.ExpiresAt == nil || c.ExpiresAt.After(now))
}

// ChainLink is one item of a derivation chain.
type ChainLink struct {
	ID     uuid.UUID       `json:"id"`
	Type   SourceType      `json:"type"`
	Name   string          `json:"name"`
	Status ItemStatus      `json:"status,omitempty"`
	Meta   json.RawMessage `json:"source_metadata,omitempty"`
	// Actor is who wrote the item. Empty: it is no item of the vault.
	Actor Actor `json:"actor,omitempty" doc:"Who wrote the item, as of a value. Absent: it is no item of the vault."`
	// StaleSince is as in Value.
	StaleSince *time.Time `json:"stale_since,omitempty" doc:"The time at which the item became stale. Absent: it is not stale."`
}

// Chain is the derivation chain of an item.
type Chain struct {
	// Links are ordered from the origin to the item itself.
	Links []ChainLink `json:"links"`
	// Truncated reports that the chain is longer than the requested depth.
	Truncated bool `json:"truncated"`
	// Missing reports that the source of the first link does not exist or was deleted.
	Missing bool `json:"missing"`
	// Withheld are the fields with metadata that is not shown, and why.
	Withheld []Withheld `json:"withheld,omitempty" doc:"The fields with metadata that is not shown, and why."`
}

// DefaultChainDepth is the default maximum number of links that a read of a derivation chain returns (design, section
// 3, rule 5).
const DefaultChainDepth = 10

// Session is one conversation: the agent's variables and the turns.
type Session struct {
	ID         uuid.UUID                  `json:"id"`
	CustomerID uuid.UUID                  `json:"customer_id"`
	AgentID    uuid.UUID                  `json:"agent_id"`
	Variables  map[string]json.RawMessage `json:"variables,omitempty"`
	Turns      []Turn                     `json:"turns,omitempty"`
	// Withheld are the fields with a variable that is not shown, and why.
	Withheld []Withheld `json:"withheld,omitempty" doc:"The fields with a variable that is not shown, and why."`
}

// Speaker is the author of a turn.
type Speaker string

const (
	SpeakerCustomer Speaker = "customer"
	SpeakerAgent    Speaker = "agent"
)

// Turn is one utterance of a conversation.
type Turn struct {
	// Index counts from 0 in order of arrival. Turns are listed in order of acceptance.
	Index   int     `json:"index"`
	Speaker Speaker `json:"speaker" validate:"oneof=customer agent"`
	Text    string  `json:"text" validate:"required,max=65536"`
	// At is the time of the turn. Relative days in it ("tomorrow", "the 3rd") are counted from there, in the time zone of
	// the customer. Default: the time of acceptance. A turn of the future is refused, beyond MaxClockSkew.
	At *time.Time `json:"at,omitempty"`
}

// Question is a question of a gap fill to a customer.
type Question struct {
	ID         uuid.UUID    `json:"id"`
	CustomerID uuid.UUID    `json:"customer_id"`
	AgentID    uuid.UUID    `json:"agent_id"`
	ScenarioID uuid.UUID    `json:"scenario_id"`
	FieldName  string       `json:"field_name"`
	Kind       QuestionKind `json:"kind"`
	// Candidate is the value to confirm, for a question of kind confirm. The answer is yes, no or a correction. Candidate
	// is empty if the definition is secret; only the item contains the value then.
	Candidate json.RawMessage `json:"candidate,omitempty"`
	// ItemID is the version that contains the candidate. nil: the confidence was too low to store the candidate.
	ItemID *uuid.UUID `json:"item_id,omitempty"`
	Prompt string     `json:"prompt"`
	// Reason is the reason for a repeated question, in words for the customer. Empty for the first one.
	Reason string `json:"reason,omitempty"`
	// Attempt counts the questions for the field, from 1.
	Attempt int            `json:"attempt"`
	Status  QuestionStatus `json:"status"`
	// FillID is the fill-gaps operation that waits for the answer.
	FillID     uuid.UUID `json:"fill_id"`
	OpenedAt   time.Time `json:"opened_at"`
	DeadlineAt time.Time `json:"deadline_at"`
	// Channels are the channels on which it may be asked. Empty: each.
	Channels []string `json:"channels,omitempty" doc:"The channels on which it may be asked. Absent: each."`
	// ClaimedBy is the channel that asks it until ClaimedUntil. Empty: it was never claimed.
	ClaimedBy    string     `json:"claimed_by,omitempty" doc:"The channel that asks it until claimed_until."`
	ClaimedUntil *time.Time `json:"claimed_until,omitempty"`
	// AnsweredOn is the channel of the answer that closed it. Empty: it is open, or the answer named none.
	AnsweredOn string `json:"answered_on,omitempty" doc:"The channel of the answer that closed it."`
	// Rejection is the reason for which the answer was not taken, without values. Empty: it was taken, or there is none.
	Rejection string `json:"rejection,omitempty" doc:"Why the answer was not taken, in words for the customer."`
	// ClosedAt is nil while the question is open.
	ClosedAt *time.Time `json:"closed_at,omitempty" doc:"The time at which it was answered, expired or cancelled. Absent: it is open."`
}

// MayAsk reports whether a channel may ask the question now: it is among its channels, and no other channel has claimed
// it. The empty channel may ask what no channel has claimed.
func (q Question) MayAsk(channel string, now time.Time) bool {
	if channel != "" && len(q.Channels) > 0 && !slices.Contains(q.Channels, channel) {
		return false
	}
	return q.ClaimedBy == channel || q.ClaimedUntil == nil || !q.ClaimedUntil.After(now)
}

// Askable is MayAsk for a question that is open: its deadline has not passed.
func (q Question) Askable(channel string, now time.Time) bool {
	return q.MayAsk(channel, now) && q.DeadlineAt.After(now)
}
