package vault

import "github.com/google/uuid"

// DeleteDefinitionInput is the input of delete-definition. The values of the field stay. Later writes to the field
// count as writes to an unknown field. The operation fails while a requirement needs the field.
type DeleteDefinitionInput struct {
	Based

	AgentID uuid.UUID `json:"agent_id" validate:"required"`
	Name    string    `json:"name" validate:"required,max=50,fieldname"`
}

// DeleteRequirementInput is the input of delete-requirement: the requirement of a scenario, of one of its steps or of
// one of its rules. Extraction does not create a deleted requirement again.
type DeleteRequirementInput struct {
	Based

	ScenarioID uuid.UUID `json:"scenario_id" validate:"required"`
	FieldName  string    `json:"field_name" validate:"required,max=50,fieldname"`
	// StepID is the step of the requirement. Empty: the requirement of the whole scenario.
	StepID string `json:"step_id,omitempty" validate:"max=100"`
	// RuleID is the rule of the requirement. nil: the requirement belongs to no rule.
	RuleID *uuid.UUID `json:"rule_id,omitempty"`
}

// SavedResult is the result of the operations that save or delete a definition, requirement, scenario, rule, session or
// review decision.
type SavedResult struct {
	ID uuid.UUID `json:"id"`
	// Extraction is the extract-schema operation that the save started. nil: none.
	Extraction *uuid.UUID `json:"extraction_operation_id,omitempty"`
	Warnings   []string   `json:"warnings,omitempty"`
}

// ExtractSchemaInput is the input of extract-schema. It extracts the required fields from the text of a scenario or
// rule.
type ExtractSchemaInput struct {
	AgentID    uuid.UUID `json:"agent_id" validate:"required"`
	ScenarioID uuid.UUID `json:"scenario_id" validate:"required"`
	// RuleID is the rule to read. nil: the scenario itself.
	RuleID *uuid.UUID `json:"rule_id,omitempty"`
	// ContentHash is the hash of the saved text. The extraction is skipped as outdated if the text has changed since.
	// Empty: the current text.
	ContentHash string `json:"content_hash,omitempty"`
}

// Subject returns the id of the text. Extractions of the same text run one at a time.
func (e ExtractSchemaInput) Subject() string {
	if e.RuleID != nil {
		return e.RuleID.String()
	}
	return e.ScenarioID.String()
}

// ExtractResult is the result of extract-schema.
type ExtractResult struct {
	// Outcome is ExtractDone, ExtractUnchanged or ExtractOutdated.
	Outcome string `json:"outcome"`
	// ModelCalls is the number of calls to the language model, 0 for unchanged text.
	ModelCalls int `json:"model_calls"`
	// Requirements are the names of the required fields.
	Requirements []string `json:"requirements,omitempty"`
	// Suggested are the names of the new definitions that the extraction suggests.
	Suggested []string `json:"suggested,omitempty"`
	// NeedReview are the names of the fields that wait for a review.
	NeedReview []string `json:"need_review,omitempty"`
	Warnings   []string `json:"warnings,omitempty"`
}

// Outcomes of extract-schema.
const (
	ExtractDone      = "extracted"
	ExtractUnchanged = "unchanged" // the same text was extracted before
	ExtractOutdated  = "outdated"  // a newer save replaced the text
)

// DecideReviewInput is the input of decide-review: the decision of a person about an extracted requirement or
// definition.
type DecideReviewInput struct {
	Kind     ReviewKind `json:"kind" validate:"required,oneof=requirement definition"`
	ID       uuid.UUID  `json:"id" validate:"required"`
	Decision Decision   `json:"decision" validate:"required,oneof=approve reject" doc:"The decision of the reviewer."`
	// Edit changes a requirement or definition that is approved. nil: no change.
	Edit *ReviewEdit `json:"edit,omitempty" doc:"Changes of the reviewer to an approved requirement or definition."`
	// OnlyPending rejects the decision if another one was made before, also if it was the same.
	OnlyPending bool `json:"only_pending,omitempty" doc:"Rejects the decision if another one was made before, also if it was the same."`
}

// ReviewEdit changes a requirement or definition during its approval. A nil member leaves the value as it is. IsPII and
// RequiredVerification are of a definition, all others of a requirement: the tag kind says so.
type ReviewEdit struct {
	IsPII                *bool `json:"is_pii,omitempty" kind:"definition"`
	RequiredVerification *bool `json:"required_verification,omitempty" kind:"definition"`

	RequiredLevel  *RequiredLevel  `json:"required_level,omitempty" validate:"omitempty,oneof=hard soft" kind:"requirement"`
	FallbackAction *FallbackAction `json:"fallback_action,omitempty" validate:"omitempty,oneof=ask skip block extract" kind:"requirement"`
	WhenCondition  *string         `json:"when_condition,omitempty" validate:"omitempty,max=2000,cel" kind:"requirement"`
	DependsOn      []string        `json:"depends_on_fields,omitempty" validate:"max=50,dive,fieldname" kind:"requirement"`
	Order          *int            `json:"collection_order,omitempty" validate:"omitempty,min=-1000000,max=1000000" kind:"requirement"`
}

// ReviewKind is the kind of object that a review is about.
type ReviewKind string

const (
	ReviewOfRequirement ReviewKind = "requirement"
	ReviewOfDefinition  ReviewKind = "definition"
	ReviewOfValue       ReviewKind = "value" // decided by decide-value
	ReviewOfMerge       ReviewKind = "merge" // decided by decide-merge
)

// Decision is the outcome of a review.
type Decision string

const (
	Approve Decision = "approve"
	Reject  Decision = "reject"
)

// Reviews lists the requirements, definitions, pending values and proposed merges that wait for a decision.
type Reviews struct {
	Requirements []Requirement `json:"requirements"`
	Definitions  []Definition  `json:"definitions"`
	// Values are the pending values, and those whose deletion was proposed. decide-value decides about them.
	Values []PendingValue `json:"values"`
	// Merges are the pairs of customers who may be the same person. decide-merge decides about them.
	Merges []MergeProposal `json:"merges"`
	// Withheld are the fields with a value that is not shown, and why.
	Withheld []Withheld `json:"withheld,omitempty" doc:"The fields with a value that is not shown, and why."`
}

// PendingValue is a value that may not replace the active one by itself, or one whose deletion was proposed:
// DeletionProposedAt of Pending is set then.
type PendingValue struct {
	CustomerID uuid.UUID `json:"customer_id"`
	Pending    Value     `json:"pending"`
	// Active is the active version of the field. nil: it has none any more.
	Active *Value `json:"active,omitempty"`
}
