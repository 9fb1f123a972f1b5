package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Event is all that the workflow engine ever learns of an operation: ids. It is the payload of the event and the input of
// the workflow; the operation itself is the sealed payload of the operation.
type Event struct {
	OperationID uuid.UUID `json:"operation_id"`
	TenantID    uuid.UUID `json:"tenant_id"`
	Subject     string    `json:"subject"` // what runs one at a time: a customer, scenario, agent or question id
}

// WriteValue states a fact about a customer.
type WriteValueInput struct {
	ItemID           *uuid.UUID      `json:"item_id,omitempty"`               // the id of the new item, where the caller must know it; nil: made by the vault
	AgentID          uuid.UUID       `json:"agent_id" validate:"required"`    // whose definitions apply
	CustomerID       uuid.UUID       `json:"customer_id" validate:"required"` // chosen by the caller; the profile is made at the first write
	Name             string          `json:"name" validate:"required,max=50,fieldname"`
	Value            json.RawMessage `json:"value" validate:"required"` // any JSON value that suits the definition's type, at most 64 KiB
	Source           ValueSource     `json:"source" validate:"required,oneof=user_provided llm_extracted tool_result document_extracted human_entered system_inferred"`
	SourceSessionID  *uuid.UUID      `json:"source_session_id,omitempty"`
	SourceScenarioID *uuid.UUID      `json:"source_scenario_id,omitempty"`
	SourceStepID     string          `json:"source_step_id,omitempty" validate:"max=100"`
	Lineage
	Verified             bool       `json:"verified,omitempty"`
	VerificationMethod   string     `json:"verification_method,omitempty" validate:"max=50,required_if=Verified true"`
	VerifiedBy           string     `json:"verified_by,omitempty" validate:"max=200"`
	Confidence           *float64   `json:"confidence,omitempty" validate:"omitempty,min=0,max=1"` // nil: 1
	RequiresConfirmation bool       `json:"requires_confirmation,omitempty"`
	CollectedAt          *time.Time `json:"collected_at,omitempty"` // nil: when it was accepted
	ExpiresAt            *time.Time `json:"expires_at,omitempty"`   // nil: collected_at + the definition's retention_days
}

// AddAsset records a document of a customer's.
type AddAssetInput struct {
	CustomerID       uuid.UUID  `json:"customer_id" validate:"required"`
	Name             string     `json:"name" validate:"required,max=200"`
	AssetType        string     `json:"asset_type" validate:"required,max=50"`
	StorageProvider  string     `json:"storage_provider" validate:"required,max=50"`
	StoragePath      string     `json:"storage_path" validate:"required,max=2000"`
	MimeType         string     `json:"mime_type,omitempty" validate:"max=200"`
	SizeBytes        int64      `json:"size_bytes" validate:"min=0"`
	Checksum         string     `json:"checksum" validate:"required,len=64,hexadecimal"` // SHA-256
	UploadSessionID  *uuid.UUID `json:"upload_session_id,omitempty"`
	UploadScenarioID *uuid.UUID `json:"upload_scenario_id,omitempty"`
	Lineage
	UploadedAt *time.Time `json:"uploaded_at,omitempty"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	// SupersedeExisting makes the active assets of the same name superseded by this one. false: they stay beside it.
	SupersedeExisting bool `json:"supersede_existing,omitempty"`
}

// DeleteItem removes a field version or an asset. It stays in the table, unseen.
type DeleteItemInput struct {
	ItemID uuid.UUID `json:"item_id" validate:"required"`
	// Force deletes an item that others were derived from, and orphans them. Only for admins: whoever calls checks that.
	Force bool `json:"force,omitempty"`
}

// SaveSession stores what a conversation knows, for gap fill. Variables are merged by name; turns are added after those
// that are there.
type SaveSessionInput struct {
	SessionID  uuid.UUID                  `json:"session_id" validate:"required"`
	AgentID    uuid.UUID                  `json:"agent_id" validate:"required"`
	CustomerID uuid.UUID                  `json:"customer_id" validate:"required"`
	Variables  map[string]json.RawMessage `json:"variables,omitempty" validate:"max=200"`
	Turns      []Turn                     `json:"turns,omitempty" validate:"max=1000,dive"` // Index is given by the vault
}

// FillGaps fills what a scenario still needs of a customer.
type FillGapsInput struct {
	CustomerID      uuid.UUID     `json:"customer_id" validate:"required"`
	ScenarioID      uuid.UUID     `json:"scenario_id" validate:"required"`
	SessionID       *uuid.UUID    `json:"session_id,omitempty"` // nil: no session to look into
	StepID          string        `json:"step_id,omitempty" validate:"max=100"`
	Level           RequiredLevel `json:"level,omitempty" validate:"omitempty,oneof=hard soft"`    // empty: both
	DeadlineSeconds int           `json:"deadline_seconds,omitempty" validate:"min=0,max=2592000"` // how long one question waits; 0: 24 hours
	MaxAttempts     int           `json:"max_attempts,omitempty" validate:"min=0,max=10"`          // how often one field is asked for; 0: 3
}

// Deadline is how long one question waits.
func (f FillGapsInput) Deadline() time.Duration {
	if f.DeadlineSeconds == 0 {
		return DefaultQuestionDeadline
	}
	return time.Duration(f.DeadlineSeconds) * time.Second
}

// Attempts is how often one field is asked for.
func (f FillGapsInput) Attempts() int {
	if f.MaxAttempts == 0 {
		return DefaultMaxAttempts
	}
	return f.MaxAttempts
}

// Defaults of FillGaps.
const (
	DefaultQuestionDeadline = 24 * time.Hour
	DefaultMaxAttempts      = 3
)

// CancelFill stops a gap fill from asking: its open question is closed, what is being written is still written, and the fill
// ends with its result.
type CancelFillInput struct {
	FillID uuid.UUID `json:"fill_id" validate:"required"` // the operation of the gap fill
}

// CancelResult is the result of cancel-fill.
type CancelResult struct {
	FillID     uuid.UUID  `json:"fill_id"`
	QuestionID *uuid.UUID `json:"question_id,omitempty"` // the open question that was closed
}

// AnswerQuestion is a customer's answer.
type AnswerQuestionInput struct {
	QuestionID uuid.UUID       `json:"question_id" validate:"required"`
	Value      json.RawMessage `json:"value" validate:"required"` // for a question of kind confirm also true, false, "yes" or "no"
	SessionID  *uuid.UUID      `json:"session_id,omitempty"`
}

// DeleteDefinition says that an agent may not collect a field any more. What was collected stays; what is written from then on is a
// write of an unknown field. It is refused while a requirement needs the field.
type DeleteDefinitionInput struct {
	AgentID uuid.UUID `json:"agent_id" validate:"required"`
	Name    string    `json:"name" validate:"required,max=50,fieldname"`
}

// DeleteRequirement says that a scenario, or one step or rule of it, does not need a field any more. Extraction does not bring
// back what a person deleted.
type DeleteRequirementInput struct {
	ScenarioID uuid.UUID  `json:"scenario_id" validate:"required"`
	FieldName  string     `json:"field_name" validate:"required,max=50,fieldname"`
	StepID     string     `json:"step_id,omitempty" validate:"max=100"`
	RuleID     *uuid.UUID `json:"rule_id,omitempty"`
}

// ExtractSchema asks for the fields that a scenario or rule needs.
type ExtractSchemaInput struct {
	AgentID     uuid.UUID  `json:"agent_id" validate:"required"`
	ScenarioID  uuid.UUID  `json:"scenario_id" validate:"required"`
	RuleID      *uuid.UUID `json:"rule_id,omitempty"`      // nil: the scenario itself
	ContentHash string     `json:"content_hash,omitempty"` // what was saved; empty: whatever is there
}

// Subject is what extractions of the same text share: they run one at a time.
func (e ExtractSchemaInput) Subject() string {
	if e.RuleID != nil {
		return e.RuleID.String()
	}
	return e.ScenarioID.String()
}

// Operation is how a change went, or goes.
type Operation struct {
	ID         uuid.UUID       `json:"operation_id"`
	TenantID   uuid.UUID       `json:"-"`
	Workflow   string          `json:"workflow"`
	Status     OperationStatus `json:"status"`
	Result     json.RawMessage `json:"result,omitempty"` // ids, counts and names; see the *Result types
	Error      *Error          `json:"error,omitempty"`
	Attempts   int             `json:"attempts"` // how often it was handed to the workflow engine
	AcceptedAt time.Time       `json:"accepted_at"`
	FinishedAt *time.Time      `json:"finished_at,omitempty"`
}

// ItemResult is the result of write-value, add-asset and answer-question.
type ItemResult struct {
	ItemID         uuid.UUID  `json:"item_id"`
	Status         ItemStatus `json:"status"` // superseded when a newer write was there already, orphaned when its source is missing
	ProfileVersion int64      `json:"profile_version"`
	Warnings       []string   `json:"warnings,omitempty"`
	Denied         bool       `json:"denied,omitempty"` // answer-question: the candidate is wrong; item_id is the version that was taken back, zero where none was stored
}

// DeleteResult is the result of delete-item.
type DeleteResult struct {
	ItemID   uuid.UUID `json:"item_id"`
	Orphaned int       `json:"orphaned"` // items that lost their source by it
}

// SavedResult is the result of the save-… workflows, and of those that delete what was saved.
type SavedResult struct {
	ID         uuid.UUID  `json:"id"`
	Extraction *uuid.UUID `json:"extraction_operation_id,omitempty"` // the extract-schema operation that the save started
	Warnings   []string   `json:"warnings,omitempty"`
}

// ExtractResult is the result of extract-schema.
type ExtractResult struct {
	Outcome      string   `json:"outcome"`                // extracted, unchanged or outdated
	ModelCalls   int      `json:"model_calls"`            // 0 when the content is unchanged
	Requirements []string `json:"requirements,omitempty"` // names of the fields required
	Suggested    []string `json:"suggested,omitempty"`    // names of the definitions that were suggested
	NeedReview   []string `json:"need_review,omitempty"`  // names of the fields that wait for a person
	Warnings     []string `json:"warnings,omitempty"`
}

// Outcomes of extract-schema.
const (
	ExtractDone      = "extracted"
	ExtractUnchanged = "unchanged" // this content was extracted before
	ExtractOutdated  = "outdated"  // a newer save took its place
)

// GapResult says how one field of a gap fill went.
type GapResult struct {
	FieldName  string     `json:"field_name"`
	Filled     bool       `json:"filled"`
	Source     GapSource  `json:"source,omitempty"`
	Confidence float64    `json:"confidence,omitempty"`
	Confirm    bool       `json:"requires_confirmation,omitempty"`
	Action     string     `json:"action,omitempty"` // why it is not filled: skip, block, extract, undefined, unreviewed, candidate, unverified, expired, cancelled, attempts or rejected
	Errors     []string   `json:"validation_errors,omitempty"`
	ItemID     *uuid.UUID `json:"item_id,omitempty"`
}

// FillResult is the result of fill-gaps.
type FillResult struct {
	Fields     []GapResult `json:"fields"`
	Blocked    bool        `json:"blocked"`             // a binding hard requirement is unmet: the scenario may not start
	Cancelled  bool        `json:"cancelled,omitempty"` // it was cancelled before it was done
	ModelCalls int         `json:"model_calls"`
	Warnings   []string    `json:"warnings,omitempty"`
}

// GapSource says where a gap was filled from.
type GapSource string

const (
	GapFromProfile      GapSource = "profile"
	GapFromSession      GapSource = "session"
	GapFromConversation GapSource = "conversation"
	GapFromCustomer     GapSource = "customer" // asked and answered
)

// SweepResult is the result of expire-values and detect-orphans.
type SweepResult struct {
	Marked    int `json:"marked"`    // items
	Customers int `json:"customers"` // whose items these are; one that several batches touched counts in each
}

// Sweep asks for a sweep by hand.
type Sweep struct{}
