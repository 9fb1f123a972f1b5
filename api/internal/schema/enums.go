package schema

import (
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/contextvault/contextvault/vault"
)

// enum is a type of texts with its words. It is one component.
type enum struct {
	words []any
	alias reflect.Type // the huma.SchemaProvider of the type
}

// enums are the enums of package vault by their types. A test compares them with the constants.
var enums = map[reflect.Type]enum{}

// provider is the schema of an enum.
type provider[T ~string] struct{}

// Schema implements huma.SchemaProvider.
func (provider[T]) Schema(schemas huma.Registry) *huma.Schema {
	return componentOf(schemas, reflect.TypeFor[T]())
}

func componentOf(schemas huma.Registry, t reflect.Type) *huma.Schema {
	if schemas.Map()[t.Name()] == nil {
		s := &huma.Schema{Type: huma.TypeString, Enum: enums[t].words}
		s.PrecomputeMessages()
		schemas.Map()[t.Name()] = s
	}
	return &huma.Schema{Ref: reference(t.Name())}
}

// asEnum replaces the schema of an input by a reference to the enum of its type, if it has the same words.
func asEnum(schemas huma.Registry, t reflect.Type, s *huma.Schema) *huma.Schema {
	e, ok := enums[t]
	if !ok || len(s.Enum) > 0 && !sameWords(s.Enum, e.words) {
		return s
	}
	return componentOf(schemas, t)
}

func sameWords(a, b []any) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(word any) bool { return !slices.Contains(b, word) })
}

func define[T ~string](words ...T) bool {
	e := enum{alias: reflect.TypeFor[provider[T]]()}
	for _, word := range words {
		e.words = append(e.words, string(word))
	}
	enums[reflect.TypeFor[T]()] = e
	return true
}

// Enums returns the words of all enums by the names of their types in package vault.
func Enums() map[string][]string {
	out := map[string][]string{}
	for t, e := range enums {
		for _, word := range e.words {
			text, _ := word.(string)
			out[t.Name()] = append(out[t.Name()], text)
		}
	}
	return out
}

var _ = []bool{
	define(
		vault.AuditAccepted, vault.AuditForced, vault.AuditApplied, vault.AuditRejected, vault.AuditReplayed,
		vault.AuditRead, vault.AuditExported, vault.AuditErased, vault.AuditKeyCreated, vault.AuditKeyRevoked,
	),
	define(
		vault.AuditEntryChanged, vault.AuditEntryRemoved, vault.AuditEntryInserted, vault.AuditEntryRepeated,
		vault.AuditSealChanged, vault.AuditSealMissing, vault.AuditSealUnchained, vault.AuditHeadDiffers,
	),
	define(
		vault.CertainVerified, vault.CertainStated, vault.CertainDerived, vault.CertainUnconfirmed,
		vault.CertainPending, vault.CertainStale, vault.CertainExpired, vault.CertainInvalid,
	),
	define(vault.ChangeCreate, vault.ChangeUpdate, vault.ChangeDelete, vault.ChangeKeep),
	define(
		vault.CodeInvalid, vault.CodeUnknown, vault.CodeConflict, vault.CodeHasDependents, vault.CodeNotAllowed,
		vault.CodeConsentRequired, vault.CodeErased, vault.CodeExpired, vault.CodeBudget, vault.CodeUnavailable,
	),
	define(
		vault.ConditionEquals, vault.ConditionBegins, vault.ConditionVerified, vault.ConditionPresent, vault.ConditionMissing,
		vault.ConditionOlderThan,
	),
	define(vault.ContextText, vault.ContextMarkdown, vault.ContextJSON),
	define(
		vault.SectionMissing, vault.SectionNeeded, vault.SectionUncertain, vault.SectionWithheld, vault.SectionKnown,
		vault.SectionDocuments,
	),
	define(vault.Approve, vault.Reject),
	define(vault.DeletionWrong, vault.DeletionAsked, vault.DeletionNotNeeded, vault.DeletionOther),
	define(vault.DeliveryPending, vault.DeliveryDelivered, vault.DeliveryDead),
	define(vault.DerivedStale, vault.DerivedErase),
	define(vault.ErasureBegun, vault.ErasureErased, vault.ErasureScanned, vault.ErasureFinished),
	define(
		vault.EventValueChanged, vault.EventValuePending, vault.EventValueVerified, vault.EventValueExpired,
		vault.EventValueOrphaned, vault.EventValueDeleted, vault.EventAssetChanged, vault.EventAssetDeleted,
		vault.EventConsentChanged, vault.EventQuestionOpened, vault.EventQuestionSettled, vault.EventReviewOpened,
		vault.EventReviewSettled, vault.EventFillDone, vault.EventOperationFailed, vault.EventCustomerMerged,
		vault.EventCustomerUnmerged, vault.EventCustomerDeleted, vault.EventCustomerErased,
	),
	define(vault.FallbackAsk, vault.FallbackSkip, vault.FallbackBlock, vault.FallbackExtract),
	define(vault.GapFromProfile, vault.GapFromSession, vault.GapFromConversation, vault.GapFromCustomer),
	define(vault.StatusActive, vault.StatusPending, vault.StatusSuperseded, vault.StatusExpired, vault.StatusOrphaned),
	define(
		vault.MatchedByName, vault.MatchedByWords, vault.MatchedByDescription, vault.MatchedByMeaning,
		vault.MatchedByCondition, vault.MatchedByExpression, vault.MatchedByModel, vault.MatchedByNothing,
	),
	define(vault.MergeUndoable, vault.MergeUndone, vault.MergeTargetMerged, vault.MergeTargetDeleted),
	define(
		vault.MissingAbsent, vault.MissingExpired, vault.MissingStale, vault.MissingDerived, vault.MissingInvalid,
		vault.MissingUnverified,
	),
	define(vault.ConflictAsk, vault.ConflictReview, vault.ConflictKeep, vault.ConflictNewest),
	define(vault.OperationAccepted, vault.OperationApplied, vault.OperationSucceeded, vault.OperationFailed),
	define(vault.OriginHuman, vault.OriginExtracted),
	define(vault.QuestionValue, vault.QuestionConfirm),
	define(
		vault.QuestionOpen, vault.QuestionAnswered, vault.QuestionDenied, vault.QuestionRefused,
		vault.QuestionRejected, vault.QuestionExpired, vault.QuestionCancelled,
	),
	define(vault.ReadDone, vault.ReadNothingNew, vault.ReadFillRunning, vault.ReadCustomerDeleted),
	define(vault.RecallFact, vault.RecallQuote),
	define(vault.ReplayReopened, vault.ReplayRepeated),
	define(vault.LevelHard, vault.LevelSoft),
	define(vault.ReviewOfRequirement, vault.ReviewOfDefinition, vault.ReviewOfValue, vault.ReviewOfMerge),
	define(vault.ReviewNone, vault.ReviewPending, vault.ReviewApproved, vault.ReviewRejected),
	define(
		vault.SourceProfileField, vault.SourceProfileAsset, vault.SourceSession, vault.SourceTool,
		vault.SourceExternal,
	),
	define(vault.SpeakerCustomer, vault.SpeakerAgent),
	define(vault.StaleBlock, vault.StaleWarn, vault.StaleIgnore),
	define(
		vault.TurnAnswered, vault.TurnConfirmed, vault.TurnDenied, vault.TurnRefused, vault.TurnInvalid,
		vault.TurnNotAnswered,
	),
	define(vault.ModeStrict, vault.ModeWarn, vault.ModeDisabled),
	define(vault.DecisionAccepted, vault.DecisionConfirmed, vault.DecisionRejected, vault.DecisionCorrected),
	define(
		vault.ValueUserProvided, vault.ValueLLMExtracted, vault.ValueToolResult, vault.ValueDocumentExtracted,
		vault.ValueHumanEntered, vault.ValueSystemInferred,
	),
	define(
		vault.TypeString, vault.TypeEmail, vault.TypePhone, vault.TypeDate, vault.TypeDatetime, vault.TypeNumber,
		vault.TypeBoolean, vault.TypeURL, vault.TypeJSON,
	),
	define(
		vault.VerificationNone, vault.VerificationEmail, vault.VerificationPhone, vault.VerificationDocument,
		vault.VerificationKYC,
	),
	define(vault.WithheldPurposeRequired, vault.WithheldPurposeNotAllowed, vault.WithheldNoConsent),
	define(vault.MergePending, vault.MergeApproved, vault.MergeRejected, vault.MergeClosed),
	define(
		vault.MergeValueChanged, vault.MergeCustomerMerged, vault.MergeCustomerDeleted, vault.MergeRuleChanged,
		vault.MergeRuleDeleted,
	),
	define(vault.KeepOlder, vault.KeepNewer),
}
