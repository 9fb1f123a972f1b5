package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Lineage says what an item was derived from. The zero Lineage is a statement of its own.
type Lineage struct {
	SourceItemID   *uuid.UUID      `json:"source_item_id,omitempty"`                                                                                // the field or asset it was derived from, in the same tenant
	SourceItemType SourceType      `json:"source_item_type,omitempty" validate:"omitempty,oneof=profile_field profile_asset session tool external"` // what SourceItemID names
	SourceMetadata json.RawMessage `json:"source_metadata,omitempty"`                                                                               // a JSON object of the tool's own: confidence, quote, page …
}

// Field is one version of one fact about a customer.
type Value struct {
	ID               uuid.UUID       `json:"id"`
	ProfileID        uuid.UUID       `json:"profile_id"`
	Name             string          `json:"name"`
	Value            json.RawMessage `json:"value"`
	Encrypted        bool            `json:"encrypted,omitempty"` // it is stored sealed, and in the cache; whoever may read it reads the value
	ValueType        ValueType       `json:"value_type"`
	Source           ValueSource     `json:"source"`
	SourceSessionID  *uuid.UUID      `json:"source_session_id,omitempty"`
	SourceScenarioID *uuid.UUID      `json:"source_scenario_id,omitempty"`
	SourceStepID     string          `json:"source_step_id,omitempty"`
	Lineage
	Status               ItemStatus `json:"status"`
	SupersededByID       *uuid.UUID `json:"superseded_by_id,omitempty"`
	SupersededAt         *time.Time `json:"superseded_at,omitempty"`
	Verified             bool       `json:"verified"`
	VerificationMethod   string     `json:"verification_method,omitempty"`
	VerifiedAt           *time.Time `json:"verified_at,omitempty"`
	VerifiedBy           string     `json:"verified_by,omitempty"`
	Confidence           float64    `json:"confidence"` // 0 to 1; 1 for what a person stated
	RequiresConfirmation bool       `json:"requires_confirmation,omitempty"`
	CollectedAt          time.Time  `json:"collected_at"`
	UpdatedAt            time.Time  `json:"updated_at"`
	ExpiresAt            *time.Time `json:"expires_at,omitempty"`
	DefinitionID         *uuid.UUID `json:"definition_id,omitempty"`
	Warnings             []string   `json:"warnings,omitempty"` // what mode warn let through
	OperationID          uuid.UUID  `json:"operation_id"`       // the operation that wrote it
	AcceptedAt           time.Time  `json:"accepted_at"`        // orders the versions of a field
}

// Expired reports whether the value is past its expiry at the time now, whether or not the sweep has seen it.
func (f Value) Expired(now time.Time) bool { return f.ExpiresAt != nil && !f.ExpiresAt.After(now) }

// Asset is the vault's reference to a document. The bytes live elsewhere.
type Asset struct {
	ID               uuid.UUID  `json:"id"`
	ProfileID        uuid.UUID  `json:"profile_id"`
	Name             string     `json:"name"`
	AssetType        string     `json:"asset_type"`
	StorageProvider  string     `json:"storage_provider"`
	StoragePath      string     `json:"storage_path"`
	MimeType         string     `json:"mime_type,omitempty"`
	SizeBytes        int64      `json:"size_bytes"`
	Checksum         string     `json:"checksum"` // SHA-256, hexadecimal
	UploadedAt       time.Time  `json:"uploaded_at"`
	UploadSessionID  *uuid.UUID `json:"upload_session_id,omitempty"`
	UploadScenarioID *uuid.UUID `json:"upload_scenario_id,omitempty"`
	Lineage
	Status      ItemStatus `json:"status"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	OperationID uuid.UUID  `json:"operation_id"`
	AcceptedAt  time.Time  `json:"accepted_at"`
}

// Profile is what a reader sees of a customer: the active fields and assets.
type Profile struct {
	ID         uuid.UUID `json:"id"`
	TenantID   uuid.UUID `json:"tenant_id"`
	CustomerID uuid.UUID `json:"customer_id"`
	Version    int64     `json:"version"` // bumped by each change; 0 for a customer nothing was written for yet
	// Label is a short text for the people who work with the customer. Empty: none.
	Label    string           `json:"label,omitempty"`
	Fields   map[string]Value `json:"fields"` // by name, active ones only
	Assets   []Asset          `json:"assets,omitempty"`
	Channels []Channel        `json:"channels,omitempty"`
	Consents []Consent        `json:"consents,omitempty"` // the one in force for each purpose
	// VerificationLevel is derived from what was verified.
	VerificationLevel VerificationLevel `json:"verification_level"`
	CreatedAt         time.Time         `json:"created_at"`
	UpdatedAt         time.Time         `json:"updated_at"`
}

// Customer is a customer as the list of all of them shows one.
type Customer struct {
	CustomerID uuid.UUID `json:"customer_id"`
	Version    int64     `json:"version"` // of the profile: another one than before says that something changed
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	// Fields are the active values by name, where they were asked for.
	Fields map[string]Value `json:"fields,omitempty"`
}

// Channel is one identity of a customer on a channel: a phone number, a chat account.
type Channel struct {
	ID         uuid.UUID `json:"id"`
	Channel    string    `json:"channel"`
	ExternalID string    `json:"external_id"`
	Verified   bool      `json:"verified"`
	LinkedAt   time.Time `json:"linked_at"`
}

// Consent is what a customer agreed to, or did not, for one purpose.
type Consent struct {
	ID         uuid.UUID  `json:"id"`
	Purpose    string     `json:"purpose"`
	Granted    bool       `json:"granted"`
	Source     string     `json:"source,omitempty"`
	AcceptedAt time.Time  `json:"accepted_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
}

// InForce reports whether the customer agrees at the time now.
func (c Consent) InForce(now time.Time) bool {
	return c.Granted && (c.ExpiresAt == nil || c.ExpiresAt.After(now))
}

// ChainLink is one item of a derivation chain, the origin first.
type ChainLink struct {
	ID     uuid.UUID       `json:"id"`
	Type   SourceType      `json:"type"`
	Name   string          `json:"name"`
	Status ItemStatus      `json:"status,omitempty"`
	Meta   json.RawMessage `json:"source_metadata,omitempty"`
}

// Chain is where an item came from.
type Chain struct {
	Links     []ChainLink `json:"links"`     // from the origin to the item itself
	Truncated bool        `json:"truncated"` // the chain goes on beyond the depth that was read
	Missing   bool        `json:"missing"`   // the origin names a source that does not exist (any more)
}

// DefaultChainDepth is how many links of a chain are read unless told otherwise (design, section 3, rule 5).
const DefaultChainDepth = 10

// Session is one conversation: what the agent remembers of it, and what was said.
type Session struct {
	ID         uuid.UUID                  `json:"id"`
	CustomerID uuid.UUID                  `json:"customer_id"`
	AgentID    uuid.UUID                  `json:"agent_id"`
	Variables  map[string]json.RawMessage `json:"variables,omitempty"`
	Turns      []Turn                     `json:"turns,omitempty"`
}

// Speaker says whose turn it was.
type Speaker string

const (
	SpeakerCustomer Speaker = "customer"
	SpeakerAgent    Speaker = "agent"
)

// Turn is one utterance of a conversation.
type Turn struct {
	Index   int     `json:"index"` // from 0, as they arrived; turns are listed in order of acceptance
	Speaker Speaker `json:"speaker" validate:"oneof=customer agent"`
	Text    string  `json:"text" validate:"required,max=65536"`
}

// Question is one question to a customer that waits for its answer.
type Question struct {
	ID         uuid.UUID    `json:"id"`
	CustomerID uuid.UUID    `json:"customer_id"`
	AgentID    uuid.UUID    `json:"agent_id"`
	ScenarioID uuid.UUID    `json:"scenario_id"`
	FieldName  string       `json:"field_name"`
	Kind       QuestionKind `json:"kind"`
	// Candidate is the value that a question of kind confirm is about: yes or no answers it, and so does another value. It is left
	// out where the field is PII or encrypted: then the item alone holds it.
	Candidate json.RawMessage `json:"candidate,omitempty"`
	// ItemID is the field version that holds the candidate; nil where it was not trusted enough to be stored.
	ItemID     *uuid.UUID     `json:"item_id,omitempty"`
	Prompt     string         `json:"prompt"`
	Reason     string         `json:"reason,omitempty"` // why it is asked again
	Attempt    int            `json:"attempt"`          // from 1
	Status     QuestionStatus `json:"status"`
	FillID     uuid.UUID      `json:"fill_id"` // the gap fill that waits for it
	OpenedAt   time.Time      `json:"opened_at"`
	DeadlineAt time.Time      `json:"deadline_at"`
}
