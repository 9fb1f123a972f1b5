package vault

import (
	"time"

	"github.com/google/uuid"
)

const (
	// MaxMergeRules is the maximum number of merge rules of a tenant.
	MaxMergeRules = 20
	// MaxMergeFields is the maximum number of fields of a merge rule.
	MaxMergeFields = 5
	// DefaultMergeGroup is the default of SaveMergeRuleInput.MaxGroup.
	DefaultMergeGroup = 10
	// MaxSharers is the number of customers with the same value of the first field of a rule up to which they are
	// compared. A value that more of them have, such as the phone of an office, identifies nobody.
	MaxSharers = 100
)

// SaveMergeRuleInput is the input of save-merge-rule. A merge rule says when two customers may be the same person:
// their values of all its fields are equal.
type SaveMergeRuleInput struct {
	Based

	MergeRuleID uuid.UUID `json:"merge_rule_id" validate:"required"`
	Name        string    `json:"name,omitempty" validate:"max=200" doc:"A name for people."`
	// Fields are the names of the fields. The first one has the most distinctive values.
	Fields []string `json:"fields" validate:"required,min=1,max=5,unique,dive,max=50,fieldname" doc:"The fields whose values must all be equal, such as email. A definition of each exists, of type string, email, phone, url or number; a date may stand beside one of these. Put the field with the most distinctive values first."`
	// Unverified makes values count that nobody verified.
	Unverified bool `json:"unverified,omitempty" doc:"Values that nobody verified count too. Absent: only verified ones."`
	// MaxGroup is the number of customers with equal values up to which they are proposed. 0: DefaultMergeGroup.
	MaxGroup int `json:"max_group,omitempty" validate:"omitempty,min=2,max=50" doc:"The maximum number of customers with equal values: if more have them, such as the phone of an office, none of them is proposed. Absent: 10."`
	// Enabled is true if it is absent.
	Enabled *bool `json:"enabled,omitempty" doc:"false: nothing is looked for by this rule until it is saved again. Absent: true."`
}

// DeleteMergeRuleInput is the input of delete-merge-rule. It closes the pending proposals of the rule.
type DeleteMergeRuleInput struct {
	Based

	MergeRuleID uuid.UUID `json:"merge_rule_id" validate:"required"`
}

// MergeRule is a merge rule as readers get it.
type MergeRule struct {
	ID         uuid.UUID  `json:"merge_rule_id"`
	Name       string     `json:"name,omitempty"`
	Fields     []string   `json:"fields"`
	Unverified bool       `json:"unverified"`
	MaxGroup   int        `json:"max_group"`
	Enabled    bool       `json:"enabled"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	LookedAt   *time.Time `json:"looked_at,omitempty" doc:"The end of the last search by this rule. Absent: there was none since it was saved."`
	// Version is the operation that changed it last.
	Version uuid.UUID `json:"version,omitzero" doc:"Its version: the operation that changed it last. Pass it as if_version with a change that is based on it."`
}

// ProposeMergesInput is the input of propose-merges. It looks for customers of the tenant who may be the same person.
type ProposeMergesInput struct {
	// MergeRuleID selects one rule. nil: all enabled rules.
	MergeRuleID *uuid.UUID `json:"merge_rule_id,omitempty" doc:"One rule. Absent: all enabled rules."`
}

// ProposeMergesResult is the result of propose-merges.
type ProposeMergesResult struct {
	Rules    int `json:"rules" doc:"The number of rules that were applied."`
	Compared int `json:"compared" doc:"The number of values that were compared."`
	Proposed int `json:"proposed" doc:"The number of pairs that were proposed."`
	Closed   int `json:"closed" doc:"The number of pending proposals that were closed, because their customers do not share the values any more."`
	// TooLarge counts the groups that were left out.
	TooLarge int `json:"too_large" doc:"The number of groups that were left out, because more customers share the value than the rule allows, or more than 100."`
	// Skipped are the rules that cannot be applied any more.
	Skipped []SkippedMergeRule `json:"skipped,omitempty" doc:"The rules that cannot be applied any more, and why."`
}

// SkippedMergeRule is a rule that cannot be applied: its definitions changed since it was saved.
type SkippedMergeRule struct {
	MergeRuleID uuid.UUID `json:"merge_rule_id"`
	Detail      string    `json:"detail"`
}

// MergeProposal is a pair of customers who may be the same person. It holds ids and names of fields, no values.
type MergeProposal struct {
	ID          uuid.UUID `json:"proposal_id"`
	MergeRuleID uuid.UUID `json:"merge_rule_id"`
	// OlderCustomerID is the customer who was created first. It remains unless the decision says otherwise.
	OlderCustomerID uuid.UUID           `json:"older_customer_id" doc:"The customer who was created first. It remains, unless the decision keeps the newer one."`
	NewerCustomerID uuid.UUID           `json:"newer_customer_id"`
	Fields          []string            `json:"fields" doc:"The fields whose values are equal."`
	Status          MergeProposalStatus `json:"status" enum:"pending,approved,rejected,closed" doc:"pending: a person decides; approved: the customers were merged; rejected: they stay apart, and are not proposed again for these values; closed: see reason."`
	Reason          MergeCloseReason    `json:"reason,omitempty" enum:"value_changed,customer_merged,customer_deleted,rule_changed,rule_deleted" doc:"Of a closed proposal, why it needs no decision any more."`
	// KeptCustomerID is the customer who remained.
	KeptCustomerID *uuid.UUID `json:"kept_customer_id,omitempty" doc:"Of an approved proposal: the customer who remained."`
	DecidedBy      Actor      `json:"decided_by,omitempty"`
	DecidedAt      *time.Time `json:"decided_at,omitempty"`
	ProposedAt     time.Time  `json:"proposed_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// MergeProposalStatus is the state of a proposal.
type MergeProposalStatus string

const (
	MergePending  MergeProposalStatus = "pending"  // a person decides
	MergeApproved MergeProposalStatus = "approved" // the customers were merged
	MergeRejected MergeProposalStatus = "rejected" // they stay apart; the pair is not proposed again for these values
	MergeClosed   MergeProposalStatus = "closed"   // its ground has gone
)

// MergeProposalStatuses lists all statuses.
var MergeProposalStatuses = []MergeProposalStatus{MergePending, MergeApproved, MergeRejected, MergeClosed}

// MergeCloseReason is the reason why a proposal needs no decision any more.
type MergeCloseReason string

const (
	MergeValueChanged    MergeCloseReason = "value_changed"    // the customers do not share the values any more
	MergeCustomerMerged  MergeCloseReason = "customer_merged"  // one of them was merged into a customer
	MergeCustomerDeleted MergeCloseReason = "customer_deleted" // one of them was deleted
	MergeRuleChanged     MergeCloseReason = "rule_changed"     // the rule has other fields now, or is disabled
	MergeRuleDeleted     MergeCloseReason = "rule_deleted"     // the rule was deleted
)

// MergeKeep says which customer of a pair remains.
type MergeKeep string

const (
	KeepOlder MergeKeep = "older" // the customer who was created first
	KeepNewer MergeKeep = "newer"
)

// MergeKeeps lists all choices.
var MergeKeeps = []MergeKeep{KeepOlder, KeepNewer}

// DecideMergeInput is the input of decide-merge: the decision of a person about a proposed merge. An approval merges
// the customers, as merge-customers does.
type DecideMergeInput struct {
	ProposalID uuid.UUID `json:"proposal_id" validate:"required"`
	Decision   Decision  `json:"decision" validate:"required,oneof=approve reject" doc:"approve merges the customers; reject keeps them apart, and the pair is not proposed again for the same values."`
	// Keep is the customer who remains after an approval. Empty: KeepOlder.
	Keep MergeKeep `json:"keep,omitempty" validate:"omitempty,oneof=older newer" doc:"With approve, the customer who remains: older (default) is the one who was created first, newer the other one."`
}

// DecideMergeResult is the result of decide-merge.
type DecideMergeResult struct {
	ProposalID uuid.UUID           `json:"proposal_id"`
	Status     MergeProposalStatus `json:"status" enum:"approved,rejected"`
	// CustomerID is the customer who remains. nil: the proposal was rejected.
	CustomerID *uuid.UUID `json:"customer_id,omitempty" doc:"The customer who remains. Absent: the proposal was rejected."`
	Version    int64      `json:"version,omitempty"`
}
