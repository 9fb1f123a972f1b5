package vault

import (
	"slices"
	"strings"
)

// ItemStatus is the state of one version of a field or asset.
type ItemStatus string

const (
	StatusActive     ItemStatus = "active"     // the current value
	StatusSuperseded ItemStatus = "superseded" // a newer accepted version exists; final
	StatusExpired    ItemStatus = "expired"    // past its expires_at
	StatusOrphaned   ItemStatus = "orphaned"   // its source item is gone
)

// SourceType says what kind of thing an item was derived from.
type SourceType string

const (
	SourceProfileField SourceType = "profile_field"
	SourceProfileAsset SourceType = "profile_asset"
	SourceSession      SourceType = "session"
	SourceTool         SourceType = "tool"
	SourceExternal     SourceType = "external"
)

// ValueSource says who stated a value.
type ValueSource string

const (
	ValueUserProvided      ValueSource = "user_provided"
	ValueLLMExtracted      ValueSource = "llm_extracted"
	ValueToolResult        ValueSource = "tool_result"
	ValueDocumentExtracted ValueSource = "document_extracted"
	ValueHumanEntered      ValueSource = "human_entered"
	ValueSystemInferred    ValueSource = "system_inferred"
)

// RequiredLevel says whether a scenario may start without the field.
type RequiredLevel string

const (
	LevelHard RequiredLevel = "hard"
	LevelSoft RequiredLevel = "soft"
)

// FallbackAction says what gap fill does when no source has the value.
type FallbackAction string

const (
	FallbackAsk     FallbackAction = "ask"     // ask the customer and wait
	FallbackSkip    FallbackAction = "skip"    // go on without
	FallbackBlock   FallbackAction = "block"   // report that the scenario may not start
	FallbackExtract FallbackAction = "extract" // try the conversation, then stop
)

// ValidationMode says what happens to a value that breaks its definition.
type ValidationMode string

const (
	ModeStrict   ValidationMode = "strict"   // reject it
	ModeWarn     ValidationMode = "warn"     // store it with its warnings
	ModeDisabled ValidationMode = "disabled" // do not look
)

// StaleAction says what a value older than its definition's freshness_seconds counts as.
type StaleAction string

const (
	StaleBlock  StaleAction = "block"  // missing
	StaleWarn   StaleAction = "warn"   // present, with a warning
	StaleIgnore StaleAction = "ignore" // present
)

// VerificationLevel is how far a customer's identity is proven.
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

// Origin says who made a definition or requirement.
type Origin string

const (
	OriginHuman     Origin = "human"
	OriginExtracted Origin = "extracted"
)

// ReviewState is where an extracted definition or requirement stands with the people who answer for it.
type ReviewState string

const (
	ReviewNone     ReviewState = "none"     // written by a person, or extracted with enough confidence
	ReviewPending  ReviewState = "pending"  // waits for a person; never blocks a customer
	ReviewApproved ReviewState = "approved" // a person said yes
	ReviewRejected ReviewState = "rejected" // a person said no
)

// QuestionStatus is the state of one question to a customer.
type QuestionStatus string

const (
	QuestionOpen      QuestionStatus = "open"
	QuestionAnswered  QuestionStatus = "answered"
	QuestionDenied    QuestionStatus = "denied"   // the customer said that the candidate is wrong; the value is asked for instead
	QuestionRejected  QuestionStatus = "rejected" // the answer was invalid; another question may follow
	QuestionExpired   QuestionStatus = "expired"  // the deadline passed
	QuestionCancelled QuestionStatus = "cancelled"
)

// QuestionKind says what a question wants to know.
type QuestionKind string

const (
	QuestionValue   QuestionKind = "value"   // the value of a field
	QuestionConfirm QuestionKind = "confirm" // whether a value that was read in a conversation is right; another value is an answer too
)

// OperationStatus is how far an accepted change has come.
type OperationStatus string

const (
	OperationAccepted  OperationStatus = "accepted"  // committed, owed, not yet applied
	OperationApplied   OperationStatus = "applied"   // in the database; caches not yet told
	OperationSucceeded OperationStatus = "succeeded" // applied, and no reader sees the old value
	OperationFailed    OperationStatus = "failed"    // rejected, with an error; can be replayed
)

// Finished reports whether the outcome is known.
func (s OperationStatus) Finished() bool { return s == OperationSucceeded || s == OperationFailed }

// The accepted values of each enum, in the order in which messages list them.
var (
	SourceTypes     = []SourceType{SourceProfileField, SourceProfileAsset, SourceSession, SourceTool, SourceExternal}
	ValueSources    = []ValueSource{ValueUserProvided, ValueLLMExtracted, ValueToolResult, ValueDocumentExtracted, ValueHumanEntered, ValueSystemInferred}
	RequiredLevels  = []RequiredLevel{LevelHard, LevelSoft}
	FallbackActions = []FallbackAction{FallbackAsk, FallbackSkip, FallbackBlock, FallbackExtract}
	ValidationModes = []ValidationMode{ModeStrict, ModeWarn, ModeDisabled}
	ValueTypes      = []ValueType{TypeString, TypeEmail, TypePhone, TypeDate, TypeDatetime, TypeNumber, TypeBoolean, TypeURL, TypeJSON}
	ItemStatuses    = []ItemStatus{StatusActive, StatusSuperseded, StatusExpired, StatusOrphaned}
)

// Valid reports whether s is one of the known source types.
func (s SourceType) Valid() bool { return slices.Contains(SourceTypes, s) }

// Valid reports whether s is one of the known field sources.
func (s ValueSource) Valid() bool { return slices.Contains(ValueSources, s) }

// Valid reports whether m is one of the three modes.
func (m ValidationMode) Valid() bool { return slices.Contains(ValidationModes, m) }

// Valid reports whether t is one of the known value types.
func (t ValueType) Valid() bool { return slices.Contains(ValueTypes, t) }

// OneOf lists the values of an enum for a message: "strict, warn or disabled".
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

// Compatible reports whether values of type t and other can hold the same fact: equal types, a string or JSON with anything,
// or a date with a datetime.
func (t ValueType) Compatible(other ValueType) bool {
	return t == other || t == TypeString || other == TypeString || t == TypeJSON || other == TypeJSON ||
		t == TypeDate && other == TypeDatetime || t == TypeDatetime && other == TypeDate
}
