package vault

import (
	"slices"
	"strings"
)

// ItemStatus is the state of one version of a field or asset.
type ItemStatus string

const (
	StatusActive     ItemStatus = "active"     // the current version
	StatusPending    ItemStatus = "pending"    // may not replace the active version by itself; waits for a decision
	StatusSuperseded ItemStatus = "superseded" // a newer version exists; final
	StatusExpired    ItemStatus = "expired"    // past its expires_at
	StatusOrphaned   ItemStatus = "orphaned"   // its source item was deleted or is missing
)

// SourceType is the kind of source that an item was derived from.
type SourceType string

const (
	SourceProfileField SourceType = "profile_field"
	SourceProfileAsset SourceType = "profile_asset"
	SourceSession      SourceType = "session"
	SourceTool         SourceType = "tool"
	SourceExternal     SourceType = "external"
)

// ValueSource is the origin of a value.
type ValueSource string

const (
	ValueUserProvided      ValueSource = "user_provided"
	ValueLLMExtracted      ValueSource = "llm_extracted"
	ValueToolResult        ValueSource = "tool_result"
	ValueDocumentExtracted ValueSource = "document_extracted"
	ValueHumanEntered      ValueSource = "human_entered"
	ValueSystemInferred    ValueSource = "system_inferred"
)

// SourcesByAuthority are the sources in the order of their strength, the strongest first (design, section 3, rule 3).
var SourcesByAuthority = []ValueSource{
	ValueHumanEntered, ValueDocumentExtracted, ValueUserProvided, ValueToolResult, ValueSystemInferred, ValueLLMExtracted,
}

// OnConflict is the treatment of a claim that differs from a stronger active value.
type OnConflict string

const (
	ConflictAsk    OnConflict = "ask"    // pending; a gap fill asks the customer
	ConflictReview OnConflict = "review" // pending; a person decides
	ConflictKeep   OnConflict = "keep"   // pending; nobody is asked
	ConflictNewest OnConflict = "newest" // the newest claim is active, however weak
)

// ValueDecision is the decision about a version of a value.
type ValueDecision string

const (
	DecisionAccepted  ValueDecision = "accepted"  // a person let a pending version replace the active one
	DecisionConfirmed ValueDecision = "confirmed" // the customer did
	DecisionRejected  ValueDecision = "rejected"  // a pending version did not replace the active one
	DecisionCorrected ValueDecision = "corrected" // a person entered the version to replace a wrong one
)

// DeletionReason is why somebody proposes to delete a value. It is a word, and no text, so that it holds no value.
type DeletionReason string

const (
	DeletionWrong     DeletionReason = "wrong"          // the value is wrong, and the right one is not known
	DeletionAsked     DeletionReason = "customer_asked" // the customer asked for it
	DeletionNotNeeded DeletionReason = "not_needed"     // nobody needs the value any more
	DeletionOther     DeletionReason = "other"
)

// DeletionReasons are the values of DeletionReason.
var DeletionReasons = []DeletionReason{DeletionWrong, DeletionAsked, DeletionNotNeeded, DeletionOther}

// RequiredLevel says whether a scenario may start without the field.
type RequiredLevel string

const (
	LevelHard RequiredLevel = "hard" // the scenario may not start without it
	LevelSoft RequiredLevel = "soft" // the scenario may start without it
)

// FallbackAction is the action of gap fill for a value that no source has.
type FallbackAction string

const (
	FallbackAsk     FallbackAction = "ask"     // ask the customer and wait
	FallbackSkip    FallbackAction = "skip"    // continue without the value
	FallbackBlock   FallbackAction = "block"   // report that the scenario may not start
	FallbackExtract FallbackAction = "extract" // search the conversation only; ask nothing
)

// ValidationMode is the treatment of a value that does not match its definition.
type ValidationMode string

const (
	ModeStrict   ValidationMode = "strict"   // reject the value
	ModeWarn     ValidationMode = "warn"     // store the value with warnings
	ModeDisabled ValidationMode = "disabled" // do not validate
)

// StaleAction is the treatment of a value that is older than freshness_seconds of its definition.
type StaleAction string

const (
	StaleBlock  StaleAction = "block"  // it counts as missing
	StaleWarn   StaleAction = "warn"   // it counts as present, with a warning
	StaleIgnore StaleAction = "ignore" // it counts as present
)

// VerificationLevel is the strength of the proof of a customer's identity. Each level is stronger than the one before.
type VerificationLevel string

const (
	VerificationNone     VerificationLevel = "unverified"
	VerificationEmail    VerificationLevel = "email_verified"
	VerificationPhone    VerificationLevel = "phone_verified"
	VerificationDocument VerificationLevel = "document_verified"
	VerificationKYC      VerificationLevel = "kyc_complete"
)

// ValueType is the type of a field's value.
type ValueType string

const (
	TypeString   ValueType = "string"
	TypeEmail    ValueType = "email"
	TypePhone    ValueType = "phone"
	TypeDate     ValueType = "date"
	TypeDatetime ValueType = "datetime"
	TypeNumber   ValueType = "number"
	TypeBoolean  ValueType = "boolean"
	TypeURL      ValueType = "url"
	TypeJSON     ValueType = "json"
)

// Origin is the author of a definition or requirement.
type Origin string

const (
	OriginHuman     Origin = "human"     // a person
	OriginExtracted Origin = "extracted" // extraction by a language model
)

// ReviewState is the state of the review of a definition or requirement by a person.
type ReviewState string

const (
	ReviewNone     ReviewState = "none"     // no review needed: a person wrote it, or its confidence is high enough
	ReviewPending  ReviewState = "pending"  // waits for a decision; never blocks a customer
	ReviewApproved ReviewState = "approved" // a person approved it
	ReviewRejected ReviewState = "rejected" // a person rejected it
)

// QuestionStatus is the state of a question to a customer.
type QuestionStatus string

const (
	QuestionOpen      QuestionStatus = "open"      // waits for an answer
	QuestionAnswered  QuestionStatus = "answered"  // the answer was accepted
	QuestionDenied    QuestionStatus = "denied"    // the customer rejected the candidate; a question for the value follows
	QuestionRefused   QuestionStatus = "refused"   // the customer does not give the value, and is not asked again
	QuestionRejected  QuestionStatus = "rejected"  // the answer was unclear or invalid; another question may follow
	QuestionExpired   QuestionStatus = "expired"   // the deadline passed
	QuestionCancelled QuestionStatus = "cancelled" // the gap fill was cancelled
)

// QuestionKind is the kind of answer that a question asks for.
type QuestionKind string

const (
	QuestionValue   QuestionKind = "value"   // a value
	QuestionConfirm QuestionKind = "confirm" // whether an extracted value is right
)

// OperationStatus is the progress of an accepted change.
type OperationStatus string

const (
	OperationAccepted  OperationStatus = "accepted"  // stored in the outbox, not yet applied
	OperationApplied   OperationStatus = "applied"   // in the database; caches are not yet invalidated
	OperationSucceeded OperationStatus = "succeeded" // applied, and no reader sees the old value
	OperationFailed    OperationStatus = "failed"    // rejected with an error; can be replayed
)

// Finished reports whether the operation succeeded or failed.
func (s OperationStatus) Finished() bool { return s == OperationSucceeded || s == OperationFailed }

// The values of each enum, in the order in which messages list them.
var (
	SourceTypes  = []SourceType{SourceProfileField, SourceProfileAsset, SourceSession, SourceTool, SourceExternal}
	ValueSources = []ValueSource{
		ValueUserProvided, ValueLLMExtracted, ValueToolResult, ValueDocumentExtracted, ValueHumanEntered, ValueSystemInferred,
	}
	RequiredLevels  = []RequiredLevel{LevelHard, LevelSoft}
	FallbackActions = []FallbackAction{FallbackAsk, FallbackSkip, FallbackBlock, FallbackExtract}
	ValidationModes = []ValidationMode{ModeStrict, ModeWarn, ModeDisabled}
	ValueTypes      = []ValueType{
		TypeString, TypeEmail, TypePhone, TypeDate, TypeDatetime, TypeNumber, TypeBoolean, TypeURL, TypeJSON,
	}
	ItemStatuses = []ItemStatus{StatusActive, StatusPending, StatusSuperseded, StatusExpired, StatusOrphaned}
)

// Valid reports whether s is one of the known source types.
func (s SourceType) Valid() bool { return slices.Contains(SourceTypes, s) }

// Valid reports whether s is one of the known value sources.
func (s ValueSource) Valid() bool { return slices.Contains(ValueSources, s) }

// Valid reports whether m is one of the known modes.
func (m ValidationMode) Valid() bool { return slices.Contains(ValidationModes, m) }

// Valid reports whether t is one of the known value types.
func (t ValueType) Valid() bool { return slices.Contains(ValueTypes, t) }

// OneOf returns the values of an enum as text for a message: "strict, warn or disabled".
func OneOf[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// Compatible reports whether values of type t and other can express the same fact. That is true for equal types, for a
// string or JSON with any type, and for a date with a datetime.
func (t ValueType) Compatible(other ValueType) bool {
	return t == other || t == TypeString || other == TypeString || t == TypeJSON || other == TypeJSON ||
		t == TypeDate && other == TypeDatetime || t == TypeDatetime && other == TypeDate
}
