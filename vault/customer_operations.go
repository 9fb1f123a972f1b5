package vault

import (
	"time"

	"github.com/google/uuid"
)

// MaxImport is the most writes of one import: a transaction of about a second.
const MaxImport = 1000

// ImportValues states many facts in one transaction: all of them, or none.
type ImportValuesInput struct {
	Writes []WriteValueInput `json:"writes" validate:"required,min=1,max=1000,dive"`
	// SkipInvalid stores what is valid and lists the rest in the result. false: one invalid write rejects all.
	SkipInvalid bool `json:"skip_invalid,omitempty"`
}

// VerifyValue says that the active value of a field was verified.
type VerifyValueInput struct {
	AgentID    uuid.UUID  `json:"agent_id" validate:"required"`
	CustomerID uuid.UUID  `json:"customer_id" validate:"required"`
	Name       string     `json:"name" validate:"required,max=50,fieldname"`
	Method     string     `json:"method" validate:"required,max=50"` // one of the definition's verification_methods, where it lists any
	VerifiedBy string     `json:"verified_by,omitempty" validate:"max=200"`
	ItemID     *uuid.UUID `json:"item_id,omitempty"` // the version that was verified; nil: the one that was active when this was accepted
}

// OpenCustomer gets the customer of a channel identity, or makes one.
type OpenCustomerInput struct {
	Channel    string `json:"channel" validate:"required,max=50"`
	ExternalID string `json:"external_id" validate:"required,max=500"`
	Verified   bool   `json:"verified,omitempty"`
}

// LinkChannel says that an identity on a channel is a customer's.
type LinkChannelInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	Channel    string    `json:"channel" validate:"required,max=50"`
	ExternalID string    `json:"external_id" validate:"required,max=500"`
	Verified   bool      `json:"verified,omitempty"`
}

// SetCustomerLabelInput gives a customer a short text for the people who work with it, such as a name or a ticket.
type SetCustomerLabelInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	Label      string    `json:"label" validate:"max=100"` // empty: removes the label
}

// RecordConsent says what a customer agrees to.
type RecordConsentInput struct {
	CustomerID uuid.UUID  `json:"customer_id" validate:"required"`
	Purpose    string     `json:"purpose" validate:"required,max=100"`
	Granted    bool       `json:"granted"`
	Source     string     `json:"source,omitempty" validate:"max=200"` // where it was given
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
}

// MergeCustomers says that two customers are one. The source's id leads to the target from then on.
type MergeCustomersInput struct {
	SourceCustomerID uuid.UUID `json:"source_customer_id" validate:"required"`
	TargetCustomerID uuid.UUID `json:"target_customer_id" validate:"required"`
}

// UnmergeCustomer undoes the merge that took a customer away: exact for all that happened before the merge. What was written
// to the target since stays there.
type UnmergeCustomerInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
}

// DeleteCustomer removes a customer and its items. The rows stay, unseen.
type DeleteCustomerInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Force deletes a customer from whose items those of other customers were derived, and orphans these. Only for admins: whoever
	// calls checks that.
	Force bool `json:"force,omitempty"`
}

// RestoreItem brings back a deleted item, or sets an orphaned one active whose source is there again. Only for admins: whoever
// calls checks that.
type RestoreItemInput struct {
	ItemID uuid.UUID `json:"item_id" validate:"required"`
}

// DecideReview is a person's decision about what was extracted.
type DecideReviewInput struct {
	Kind     ReviewKind  `json:"kind" validate:"required,oneof=requirement definition"`
	ID       uuid.UUID   `json:"id" validate:"required"`
	Decision Decision    `json:"decision" validate:"required,oneof=approve reject"`
	Edit     *ReviewEdit `json:"edit,omitempty"` // for an approved requirement: what the person changed
}

// ReviewEdit changes a requirement while it is approved. What is nil stays.
type ReviewEdit struct {
	RequiredLevel  *RequiredLevel  `json:"required_level,omitempty" validate:"omitempty,oneof=hard soft"`
	FallbackAction *FallbackAction `json:"fallback_action,omitempty" validate:"omitempty,oneof=ask skip block extract"`
	WhenCondition  *string         `json:"when_condition,omitempty" validate:"omitempty,max=2000,cel"`
	DependsOn      []string        `json:"depends_on_fields,omitempty" validate:"max=50,dive,fieldname"`
	Order          *int            `json:"collection_order,omitempty" validate:"omitempty,min=-1000000,max=1000000"`
}

// ReviewKind is what is reviewed.
type ReviewKind string

const (
	ReviewOfRequirement ReviewKind = "requirement"
	ReviewOfDefinition  ReviewKind = "definition"
)

// Decision is what a person decides.
type Decision string

const (
	Approve Decision = "approve"
	Reject  Decision = "reject"
)

// Reviews is what waits for a person.
type Reviews struct {
	Requirements []Requirement `json:"requirements"`
	Definitions  []Definition  `json:"definitions"`
}

// ImportResult is the result of import-values.
type ImportResult struct {
	Written    int        `json:"written"`
	Superseded int        `json:"superseded"` // of these, late ones that entered behind a newer value
	Customers  int        `json:"customers"`
	Warnings   int        `json:"warnings"`           // writes that were stored with warnings
	Rejected   []Rejected `json:"rejected,omitempty"` // with SkipInvalid
}

// Rejected is a write of an import that was not stored.
type Rejected struct {
	Index   int    `json:"index"` // in ImportValues.Writes
	Code    Code   `json:"code"`
	Message string `json:"message"` // free of values
}

// CustomerResult is the result of open-customer, link-channel, record-consent, delete-customer and the merges.
type CustomerResult struct {
	CustomerID uuid.UUID `json:"customer_id"`
	Created    bool      `json:"created,omitempty"`
	Version    int64     `json:"profile_version"`
}
