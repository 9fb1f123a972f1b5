package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// WriteValueInput is the input of write-value: one value for one field of a customer.
type WriteValueInput struct {
	// ItemID is the id of the new item. nil: the vault generates it.
	ItemID *uuid.UUID `json:"item_id,omitempty"`
	// AgentID selects the definitions that validate the value.
	AgentID uuid.UUID `json:"agent_id" validate:"required"`
	// CustomerID is chosen by the caller. The first write creates the customer.
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Name is the name of the field.
	Name string `json:"name" validate:"required,max=50,fieldname"`
	// Value is a JSON value of the type of the definition, at most MaxValueBytes. null is not a value.
	Value json.RawMessage `json:"value" validate:"required"`
	// Source is where the value comes from.
	Source ValueSource `json:"source" validate:"required,oneof=user_provided llm_extracted tool_result document_extracted human_entered system_inferred"`
	// SourceSessionID, SourceScenarioID and SourceStepID are the conversation that the value comes from. Optional.
	SourceSessionID  *uuid.UUID `json:"source_session_id,omitempty"`
	SourceScenarioID *uuid.UUID `json:"source_scenario_id,omitempty"`
	SourceStepID     string     `json:"source_step_id,omitempty" validate:"max=100"`
	Lineage
	// Verified marks the value as verified. It needs a VerificationMethod.
	Verified           bool   `json:"verified,omitempty"`
	VerificationMethod string `json:"verification_method,omitempty" validate:"max=50,required_if=Verified true"`
	VerifiedBy         string `json:"verified_by,omitempty" validate:"max=200"`
	// Confidence is from 0 to 1. nil: 1.
	Confidence *float64 `json:"confidence,omitempty" validate:"omitempty,min=0,max=1"`
	// RequiresConfirmation stores the value and marks it for confirmation by the customer.
	RequiresConfirmation bool `json:"requires_confirmation,omitempty"`
	// CollectedAt is the time at which the customer gave the value. nil: the time of acceptance.
	CollectedAt *time.Time `json:"collected_at,omitempty"`
	// ExpiresAt ends the validity of the value. nil: CollectedAt plus the definition's retention_days, never if that is 0.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// ImportValuesInput is the input of import-values: many writes in one transaction. Either all are stored or none.
type ImportValuesInput struct {
	// Writes are at most MaxImport. Several writes of one field of a customer are versions in the order of the list: each
	// counts as accepted a microsecond after the one before it.
	Writes []WriteValueInput `json:"writes" validate:"required,min=1,max=1000,dive"`
	// SkipInvalid stores the valid writes and lists the others in the result. false: one invalid write rejects the import.
	SkipInvalid bool `json:"skip_invalid,omitempty" doc:"Stores the valid writes and lists the others in the result. Absent: all or none."`
}

// ImportResult is the result of import-values.
type ImportResult struct {
	// Written is the number of stored writes.
	Written int `json:"written"`
	// Superseded is the number of stored writes that were older than the active value, or said the same as a stronger one.
	Superseded int `json:"superseded"`
	// Pending is the number of stored writes that differ from a stronger active value and wait for a decision.
	Pending int `json:"pending"`
	// Customers is the number of customers with a stored write.
	Customers int `json:"customers"`
	// Warnings is the number of writes stored with warnings.
	Warnings int `json:"warnings"`
	// Warned lists the warnings of stored writes.
	Warned []Warned `json:"warned,omitempty"`
	// Rejected lists the invalid writes. Empty without SkipInvalid.
	Rejected []Rejected `json:"rejected,omitempty"`
}

// Warned is a write of an import that was stored with a warning.
type Warned struct {
	// Index is the position in ImportValuesInput.Writes, from 0.
	Index int `json:"index"`
	// Message never contains the value.
	Message string `json:"message"`
}

// Rejected is a write of an import that was not stored.
type Rejected struct {
	// Index is the position in ImportValuesInput.Writes, from 0.
	Index int  `json:"index"`
	Code  Code `json:"code"`
	// Message never contains the value.
	Message string `json:"message"`
}

// VerifyValueInput is the input of verify-value. It records that a value of a customer was verified.
type VerifyValueInput struct {
	AgentID    uuid.UUID `json:"agent_id" validate:"required"`
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Name is the name of the field.
	Name string `json:"name" validate:"required,max=50,fieldname"`
	// Method is one of the definition's verification_methods. Any method is accepted if the definition lists none.
	Method     string `json:"method" validate:"required,max=50"`
	VerifiedBy string `json:"verified_by,omitempty" validate:"max=200"`
	// ItemID is the verified version. nil: the version that is active when the operation is accepted.
	ItemID *uuid.UUID `json:"item_id,omitempty"`
}

// ExpireValueInput is the input of expire-value. It ends the active value of a field at once, as if its expires_at had
// passed: the value stays in the history, and the field is missing until the next write.
type ExpireValueInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Name is the name of the field.
	Name string `json:"name" validate:"required,max=50,fieldname"`
	// ItemID is the version that expires. nil: the version that is active when the operation is accepted.
	ItemID *uuid.UUID `json:"item_id,omitempty" doc:"The version that expires. Absent: the version that is active when the operation is accepted."`
}

// ProposeDeletionInput is the input of propose-deletion. It deletes nothing: the active value of the field waits for
// the decision of a person (decide-value).
type ProposeDeletionInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Name is the name of the field.
	Name   string         `json:"name" validate:"required,max=50,fieldname"`
	Reason DeletionReason `json:"reason" validate:"required,oneof=wrong customer_asked not_needed other" doc:"Why the value should be deleted."`
}

// DecideValueInput is the input of decide-value: the decision of a person about a value that is pending, or whose
// deletion was proposed.
type DecideValueInput struct {
	// ItemID is the version that waits.
	ItemID uuid.UUID `json:"item_id" validate:"required"`
	// Decision approve makes it active in place of the stronger version, with its own lineage. reject keeps it in the
	// history. For a proposed deletion, approve deletes the version, and reject keeps it.
	Decision  Decision `json:"decision" validate:"required,oneof=approve reject" doc:"approve makes a pending value active, and reject keeps it in the history. For a proposed deletion, approve deletes the value, and reject keeps it."`
	DecidedBy string   `json:"decided_by,omitempty" validate:"max=200" doc:"The person who decided."`
	Note      string   `json:"note,omitempty" validate:"max=500" doc:"The reason, for people."`
}

// CorrectValueInput is the input of correct-value: a person replaces a wrong value, however strong it is. Both versions
// stay in the history.
type CorrectValueInput struct {
	AgentID    uuid.UUID `json:"agent_id" validate:"required"`
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Name is the name of the field.
	Name string `json:"name" validate:"required,max=50,fieldname"`
	// Value is the right value.
	Value       json.RawMessage `json:"value" validate:"required"`
	Reason      string          `json:"reason" validate:"required,max=500" doc:"Why the value was wrong, for people."`
	CorrectedBy string          `json:"corrected_by,omitempty" validate:"max=200" doc:"The person who corrected it."`
	// ReplacesID is the version that the person saw as active. The correction is rejected if another one is active. nil:
	// whichever version is active.
	ReplacesID *uuid.UUID `json:"replaces_item_id,omitempty" doc:"The active version that the person saw. The correction is rejected if another one is active by then. Absent: whichever is active."`
	// Verified marks the right value as verified. It needs a VerificationMethod.
	Verified           bool   `json:"verified,omitempty"`
	VerificationMethod string `json:"verification_method,omitempty" validate:"max=50,required_if=Verified true"`
	// ItemID is the id of the new item. nil: the vault generates it.
	ItemID *uuid.UUID `json:"item_id,omitempty"`
}

// AddAssetInput is the input of add-asset: the reference to a document of a customer. The vault does not store the
// bytes.
type AddAssetInput struct {
	CustomerID      uuid.UUID `json:"customer_id" validate:"required"`
	Name            string    `json:"name" validate:"required,max=200"`
	AssetType       string    `json:"asset_type" validate:"required,max=50"`
	StorageProvider string    `json:"storage_provider" validate:"required,max=50"`
	StoragePath     string    `json:"storage_path" validate:"required,max=2000"`
	MimeType        string    `json:"mime_type,omitempty" validate:"max=200"`
	SizeBytes       int64     `json:"size_bytes" validate:"min=0"`
	// Checksum is the SHA-256 of the document in hexadecimal.
	Checksum string `json:"checksum" validate:"required,len=64,hexadecimal"`
	// UploadSessionID and UploadScenarioID are the conversation in which the customer uploaded the document. Optional.
	UploadSessionID  *uuid.UUID `json:"upload_session_id,omitempty"`
	UploadScenarioID *uuid.UUID `json:"upload_scenario_id,omitempty"`
	Lineage
	// UploadedAt is the time of the upload. nil: the time of acceptance.
	UploadedAt *time.Time `json:"uploaded_at,omitempty"`
	// ExpiresAt ends the validity of the asset. nil: never.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	// SupersedeExisting supersedes the active assets with the same name. false: they stay active.
	SupersedeExisting bool `json:"supersede_existing,omitempty" doc:"Supersedes the active assets of the same name."`
}

// ItemResult is the result of write-value, verify-value, decide-value, correct-value, add-asset, restore-item and
// answer-question.
type ItemResult struct {
	ItemID uuid.UUID `json:"item_id"`
	// Status is superseded if a newer write was stored before or a stronger version says the same, pending if the value
	// differs from a stronger one, and orphaned if the source of the item is missing.
	Status ItemStatus `json:"status"`
	// ProfileVersion is the version of the profile that contains the change.
	ProfileVersion int64    `json:"profile_version"`
	Warnings       []string `json:"warnings,omitempty"`
	// Denied is for answer-question: the customer rejected the candidate. ItemID is then the withdrawn version, or the
	// zero UUID if the candidate was not stored.
	Denied bool `json:"denied,omitempty"`
	// Interrupted is for answer-question: the reply does not answer, because the customer waits, asks something or turns
	// to something else. The question stays open, and no attempt is used up.
	Interrupted bool `json:"interrupted,omitempty" doc:"For an answer: the reply does not answer the question, such as \"just a moment\". The question stays open."`
	// Refused is for answer-question: the customer does not give the value. The field is not asked for again.
	Refused bool `json:"refused,omitempty" doc:"For an answer: the customer does not give the value. The gap fill does not ask for it again."`
	// AlsoRead is for answer-question: the other fields whose values the reply states. They are written by operations of
	// their own.
	AlsoRead []string `json:"also_read,omitempty" doc:"For an answer: the other fields that the reply states. They are written as well."`
}

// DeleteItemInput is the input of delete-item. It deletes a version of a value or an asset. The row stays in the table,
// but no reader sees it.
type DeleteItemInput struct {
	ItemID uuid.UUID `json:"item_id" validate:"required"`
	// Force deletes an item from which other items were derived, and orphans those. Admins only; the caller checks that.
	// false: such an item is not deleted.
	Force bool `json:"force,omitempty"`
	// RestorePrevious makes the previous version of a deleted active value active again. false: the field has no value
	// until the next write.
	RestorePrevious bool `json:"restore_previous,omitempty"`
	// Reason says why the item is deleted, for people. It is kept with a deleted value. It holds no value of a customer.
	Reason string `json:"reason,omitempty" validate:"max=500" doc:"Why the item is deleted, for people."`
}

// DeleteResult is the result of delete-item.
type DeleteResult struct {
	ItemID uuid.UUID `json:"item_id"`
	// Orphaned is the number of items that lost their source.
	Orphaned int `json:"orphaned"`
	// PreviousID is the version before the deleted active value: restored if Restored is true, else offered for
	// restore_previous. nil: there is none.
	PreviousID *uuid.UUID `json:"previous_id,omitempty"`
	// Restored reports that the previous version is in force again. It may be expired or orphaned.
	Restored bool `json:"restored,omitempty"`
}

// RestoreItemInput is the input of restore-item. It restores a deleted item, or activates an orphaned item again after
// its source was restored. Admins only; the caller checks that.
type RestoreItemInput struct {
	ItemID uuid.UUID `json:"item_id" validate:"required"`
}

// OpenCustomerInput is the input of open-customer. It finds the customer of a channel identity, or creates one.
type OpenCustomerInput struct {
	// Channel is the kind of identity, such as "phone".
	Channel string `json:"channel" validate:"required,max=50"`
	// ExternalID is the identity on the channel, such as a phone number.
	ExternalID string `json:"external_id" validate:"required,max=500"`
	// Verified says that the identity is proven.
	Verified bool `json:"verified,omitempty"`
	// AfterErasure opens an identity of an erased customer anew: the person came back, as a new customer. false: such an
	// identity is rejected.
	AfterErasure bool `json:"after_erasure,omitempty" doc:"Accept an identity of an erased customer: the person came back, as a new customer. Absent: it is rejected with erased."`
}

// OpenCustomersInput is the input of open-customers: open-customer for many identities.
type OpenCustomersInput struct {
	// Identities are at most MaxImport.
	Identities []OpenCustomerInput `json:"identities" validate:"required,min=1,max=1000,dive"`
}

// OpenCustomersResult is the result of open-customers.
type OpenCustomersResult struct {
	// CustomerIDs are the customers of the identities, in the same order.
	CustomerIDs []uuid.UUID `json:"customer_ids"`
	// Created is the number of new customers.
	Created int `json:"created"`
}

// LinkChannelInput is the input of link-channel. It adds a channel identity to a customer.
type LinkChannelInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Channel is the kind of identity, such as "phone".
	Channel string `json:"channel" validate:"required,max=50"`
	// ExternalID is the identity on the channel, such as a phone number.
	ExternalID string `json:"external_id" validate:"required,max=500"`
	// Verified says that the identity is proven.
	Verified bool `json:"verified,omitempty"`
	// AfterErasure opens an identity of an erased customer anew: the person came back, as a new customer. false: such an
	// identity is rejected.
	AfterErasure bool `json:"after_erasure,omitempty" doc:"Accept an identity of an erased customer: the person came back, as a new customer. Absent: it is rejected with erased."`
}

// SetCustomerLabelInput gives a customer a short text for the people who work with it, such as a name or a ticket.
type SetCustomerLabelInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	Label      string    `json:"label" validate:"max=100"` // empty: removes the label
}

// RecordConsentInput is the input of record-consent. It records that a customer grants or refuses a consent.
type RecordConsentInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	Purpose    string    `json:"purpose" validate:"required,max=100"`
	// Granted is true for a consent, false for a refusal or a withdrawal.
	Granted bool `json:"granted"`
	// Source is where the customer decided, such as a form. Optional.
	Source string `json:"source,omitempty" validate:"max=200"`
	// ExpiresAt ends the consent. nil: never.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// MergeCustomersInput is the input of merge-customers. It moves the items of the source to the target. From then on,
// the id of the source resolves to the target.
type MergeCustomersInput struct {
	SourceCustomerID uuid.UUID `json:"source_customer_id" validate:"required" doc:"The customer that is merged. Afterwards its id refers to the other customer."`
	TargetCustomerID uuid.UUID `json:"target_customer_id" validate:"required"`
}

// UnmergeCustomerInput is the input of unmerge-customer. It reverts the merge of a source customer. Everything from
// before the merge returns to the source. Later writes stay with the target.
type UnmergeCustomerInput struct {
	// CustomerID is the source of the merge.
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
}

// DeleteCustomerInput is the input of delete-customer. It deletes a customer with all items. The rows stay in the
// tables, but no reader sees them.
type DeleteCustomerInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Force deletes a customer if items of other customers were derived from this customer's items, and orphans those
	// items. Admins only; the caller checks that. false: such a customer is not deleted.
	Force bool `json:"force,omitempty"`
	// PurgeAfter is the time from which on the customer is erased, which cannot be undone. nil: the configured default
	// after now, or never if that is 0.
	PurgeAfter *time.Time `json:"purge_after,omitempty" doc:"The time from which on the deleted customer is erased. Absent: the default of the configuration (erasure.purge_after_days) after the deletion."`
}

// CustomerResult is the result of open-customer, link-channel, record-consent, delete-customer, merge-customers and
// unmerge-customer.
type CustomerResult struct {
	CustomerID uuid.UUID `json:"customer_id"`
	// Created is for open-customer: the customer is new.
	Created bool `json:"created,omitempty"`
	// Version is the version of the profile that contains the change.
	Version int64 `json:"profile_version"`
	// PurgeAfter is for delete-customer: the time from which on the customer is erased. nil: the deleted rows stay.
	PurgeAfter *time.Time `json:"purge_after,omitempty"`
	// Erased is for record-consent: the number of versions that a withdrawal erased.
	Erased int `json:"erased,omitempty"`
	// Warnings is for record-consent: the record is stored, and has no effect yet.
	Warnings []string `json:"warnings,omitempty" doc:"Of record-consent: no definition names the purpose, so the record has no effect yet."`
}
