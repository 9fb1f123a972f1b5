package vault

import (
	"reflect"
	"slices"

	"github.com/google/uuid"
)

// Spec is the specification of one operation: its names, its input In and its result Out. The workflow, the event, the
// API route, the client method and the command of an operation take these from its Spec.
type Spec[In, Out any] struct {
	// Name is the name of the workflow, of the API's operation id and of the client method, such as "write-value".
	// Renaming one needs a plan for the runs in flight.
	Name string
	// Event is the name of the event that starts the workflow, such as "value:write".
	Event string
	// Events are all events that start the workflow. Most operations have one.
	Events []string

	subject  func(In) string
	customer int // index of the field CustomerID of In; -1: there is none
}

// Subject returns the id of the thing that the operation changes. Runs with the same subject do not run at the same
// time.
func (s Spec[In, Out]) Subject(in In) string { return s.subject(in) }

// CustomerOf returns the customer with whose key the input is sealed: the field CustomerID of the input. Without it,
// or if the input outlives the customer's key, it is uuid.Nil: the sealing key itself seals the input.
func (s Spec[In, Out]) CustomerOf(in In) uuid.UUID {
	if _, outlives := any(in).(OutlivesKey); outlives || s.customer < 0 {
		return uuid.Nil
	}
	customer, _ := reflect.ValueOf(in).Field(s.customer).Interface().(uuid.UUID)
	return customer
}

// OutlivesKey marks the input of an operation that goes on after the customer's key was deleted, such as an erasure. It
// holds no value of the customer.
type OutlivesKey interface{ OutlivesKey() }

// customerField returns the index of the field CustomerID of an input, -1 if there is none.
func customerField(in reflect.Type) int {
	if in.Kind() != reflect.Struct {
		return -1
	}
	field, ok := in.FieldByName("CustomerID")
	if !ok || len(field.Index) != 1 || field.Type != reflect.TypeFor[uuid.UUID]() {
		return -1
	}
	return field.Index[0]
}

// EventFor returns the event that starts the workflow for this input.
func (s Spec[In, Out]) EventFor(in In) string {
	if chooser, ok := any(in).(interface{ event() string }); ok {
		return chooser.event()
	}
	return s.Event
}

// Operations describes every operation, in the order of their definition. Tests and generators read it.
func Operations() []OperationType { return operationTypes }

// OperationType is a Spec without its type parameters.
type OperationType struct {
	Name   string
	Events []string
	Input  reflect.Type
	Result reflect.Type
	// Batched reports whether a run of the workflow may carry several operations.
	Batched bool
}

// IsBatched reports whether a run of a workflow may carry several operations (Batch). Others carry one.
func IsBatched(workflow string) bool {
	at := slices.IndexFunc(operationTypes, func(t OperationType) bool { return t.Name == workflow })
	return at >= 0 && operationTypes[at].Batched
}

var operationTypes []OperationType

// Define makes the specification of an operation and adds it to Operations.
func Define[In, Out any](name, event string, subject func(In) string, moreEvents ...string) Spec[In, Out] {
	events := append([]string{event}, moreEvents...)
	operationTypes = append(operationTypes, OperationType{
		Name: name, Events: events, Input: reflect.TypeFor[In](), Result: reflect.TypeFor[Out](),
	})
	return Spec[In, Out]{
		Name: name, Event: event, Events: events, subject: subject, customer: customerField(reflect.TypeFor[In]()),
	}
}

// batched makes the specification of an operation that can share a run with others of its kind, and adds it to
// Operations. An operation that carries many things itself, or calls a model, has a run of its own: it would hold up
// the others.
func batched[In, Out any](name, event string, subject func(In) string) Spec[In, Out] {
	spec := Define[In, Out](name, event, subject)
	operationTypes[len(operationTypes)-1].Batched = true
	return spec
}

// all is the subject of operations that change everything, or nothing that another run could change as well.
func all[In any](subject string) func(In) string { return func(In) string { return subject } }

// The operations on customers.
var (
	WriteValue = batched[WriteValueInput, ItemResult]("write-value", "value:write",
		func(in WriteValueInput) string { return in.CustomerID.String() })
	AddElement = batched[WriteValueInput, ItemResult]("add-element", "element:add",
		func(in WriteValueInput) string { return in.CustomerID.String() })
	RemoveElement = batched[WriteValueInput, ItemResult]("remove-element", "element:remove",
		func(in WriteValueInput) string { return in.CustomerID.String() })
	ImportValues = Define[ImportValuesInput, ImportResult]("import-values", "values:import",
		all[ImportValuesInput]("import"))
	VerifyValue = batched[VerifyValueInput, ItemResult]("verify-value", "value:verify",
		func(in VerifyValueInput) string { return in.CustomerID.String() })
	ExpireValue = batched[ExpireValueInput, ItemResult]("expire-value", "value:expire",
		func(in ExpireValueInput) string { return in.CustomerID.String() })
	ProposeDeletion = batched[ProposeDeletionInput, ItemResult]("propose-deletion", "deletion:propose",
		func(in ProposeDeletionInput) string { return in.CustomerID.String() })
	DecideValue = batched[DecideValueInput, ItemResult]("decide-value", "value:decide",
		func(in DecideValueInput) string { return in.ItemID.String() })
	CorrectValue = batched[CorrectValueInput, ItemResult]("correct-value", "value:correct",
		func(in CorrectValueInput) string { return in.CustomerID.String() })
	AddAsset = batched[AddAssetInput, ItemResult]("add-asset", "asset:add",
		func(in AddAssetInput) string { return in.CustomerID.String() })
	DeleteItem = batched[DeleteItemInput, DeleteResult]("delete-item", "item:delete",
		func(in DeleteItemInput) string { return in.ItemID.String() })
	RestoreItem = batched[RestoreItemInput, ItemResult]("restore-item", "item:restore",
		func(in RestoreItemInput) string { return in.ItemID.String() })
	OpenCustomer = batched[OpenCustomerInput, CustomerResult]("open-customer", "customer:open",
		all[OpenCustomerInput](uuid.Nil.String()))
	OpenCustomers = Define[OpenCustomersInput, OpenCustomersResult]("open-customers", "customers:open",
		all[OpenCustomersInput](uuid.Nil.String()))
	LinkChannel = batched[LinkChannelInput, CustomerResult]("link-channel", "channel:link",
		func(in LinkChannelInput) string { return in.CustomerID.String() })
	RecordConsent = batched[RecordConsentInput, CustomerResult]("record-consent", "consent:record",
		func(in RecordConsentInput) string { return in.CustomerID.String() })
	SetCustomerLabel = batched[SetCustomerLabelInput, CustomerResult]("set-customer-label", "customer:label",
		func(in SetCustomerLabelInput) string { return in.CustomerID.String() })
	MergeCustomers = batched[MergeCustomersInput, CustomerResult]("merge-customers", "customer:merge",
		func(in MergeCustomersInput) string { return in.TargetCustomerID.String() })
	UnmergeCustomer = batched[UnmergeCustomerInput, CustomerResult]("unmerge-customer", "customer:unmerge",
		func(in UnmergeCustomerInput) string { return in.CustomerID.String() })
	DeleteCustomer = batched[DeleteCustomerInput, CustomerResult]("delete-customer", "customer:delete",
		func(in DeleteCustomerInput) string { return in.CustomerID.String() })
	EraseCustomer = Define[EraseCustomerInput, EraseResult]("erase-customer", "customer:erase",
		func(in EraseCustomerInput) string { return in.CustomerID.String() })
	ExportCustomer = Define[ExportCustomerInput, ExportCustomerResult]("export-customer", "customer:export",
		func(in ExportCustomerInput) string { return in.CustomerID.String() })
)

// Operations on definitions, requirements, scenarios and rules, and on their reviews.
var (
	SaveDefinition = Define[Definition, SavedResult]("save-definition", "definition:save",
		func(in Definition) string { return in.AgentID.String() })
	DeleteDefinition = Define[DeleteDefinitionInput, SavedResult]("delete-definition", "definition:delete",
		func(in DeleteDefinitionInput) string { return in.AgentID.String() })
	SaveRequirement = Define[Requirement, SavedResult]("save-requirement", "requirement:save",
		func(in Requirement) string { return in.ScenarioID.String() })
	DeleteRequirement = Define[DeleteRequirementInput, SavedResult]("delete-requirement", "requirement:delete",
		func(in DeleteRequirementInput) string { return in.ScenarioID.String() })
	SaveScenario = Define[Scenario, SavedResult]("save-scenario", "scenario:save",
		func(in Scenario) string { return in.ID.String() })
	SaveRule = Define[Rule, SavedResult]("save-rule", "rule:save",
		func(in Rule) string { return in.ScenarioID.String() })
	ExtractSchema = Define[ExtractSchemaInput, ExtractResult]("extract-schema", eventScenarioSaved,
		ExtractSchemaInput.Subject, eventRuleSaved)
	ApplyConfiguration = Define[ApplyConfigurationInput, ApplyConfigurationResult]("apply-configuration",
		"configuration:apply", func(in ApplyConfigurationInput) string { return in.AgentID.String() })
	DecideReview = Define[DecideReviewInput, SavedResult]("decide-review", "review:decided",
		func(in DecideReviewInput) string { return in.ID.String() })
)

// The operations on merge rules, and on the merges that they propose.
var (
	SaveMergeRule = Define[SaveMergeRuleInput, SavedResult]("save-merge-rule", "merge-rule:save",
		func(in SaveMergeRuleInput) string { return in.MergeRuleID.String() })
	DeleteMergeRule = Define[DeleteMergeRuleInput, SavedResult]("delete-merge-rule", "merge-rule:delete",
		func(in DeleteMergeRuleInput) string { return in.MergeRuleID.String() })
	ProposeMerges = Define[ProposeMergesInput, ProposeMergesResult]("propose-merges", "merges:propose",
		all[ProposeMergesInput]("merges"))
	DecideMerge = Define[DecideMergeInput, DecideMergeResult]("decide-merge", "merge:decide",
		func(in DecideMergeInput) string { return in.ProposalID.String() })
)

// The operations of gap fills and their conversations.
var (
	SaveSession = batched[SaveSessionInput, SavedResult]("save-session", "session:save",
		func(in SaveSessionInput) string { return in.SessionID.String() })
	TakeTurn = Define[TakeTurnInput, TurnResult]("take-turn", "turn:taken", TakeTurnInput.subject)
	FillGaps = Define[FillGapsInput, FillResult]("fill-gaps", "gaps:fill",
		func(in FillGapsInput) string { return in.CustomerID.String() + ":" + in.ScenarioID.String() })
	AnswerQuestion = Define[AnswerQuestionInput, ItemResult]("answer-question", "question:answered",
		func(in AnswerQuestionInput) string { return in.QuestionID.String() })
	ClaimQuestion = batched[ClaimQuestionInput, ClaimResult]("claim-question", "question:claimed",
		func(in ClaimQuestionInput) string { return in.QuestionID.String() })
	ReadConversation = Define[ReadConversationInput, ReadConversationResult]("read-conversation", "conversation:read",
		func(in ReadConversationInput) string { return in.SessionID.String() })
	CancelFill = batched[CancelFillInput, CancelResult]("cancel-fill", "gaps:cancel",
		func(in CancelFillInput) string { return in.FillID.String() })
)

// Operations on webhooks.
var (
	SaveWebhook = Define[SaveWebhookInput, SavedResult]("save-webhook", "webhook:save",
		func(in SaveWebhookInput) string { return in.WebhookID.String() })
	DeleteWebhook = Define[DeleteWebhookInput, SavedResult]("delete-webhook", "webhook:delete",
		func(in DeleteWebhookInput) string { return in.WebhookID.String() })
	TestWebhook = Define[TestWebhookInput, TestWebhookResult]("test-webhook", "webhook:test",
		func(in TestWebhookInput) string { return in.WebhookID.String() })
	ReplayDeliveries = Define[ReplayDeliveriesInput, ReplayDeliveriesResult]("replay-deliveries", "deliveries:replay",
		func(in ReplayDeliveriesInput) string { return in.WebhookID.String() })
)

// The operations on API keys.
var (
	CreateKey = Define[CreateKeyInput, KeyResult]("create-key", "key:create", all[CreateKeyInput]("keys"))
	RevokeKey = Define[RevokeKeyInput, KeyResult]("revoke-key", "key:revoke",
		func(in RevokeKeyInput) string { return in.KeyID.String() })
)

// The sweeps, which go across tenants. Crons start them as well.
var (
	ExpireValues  = Define[Sweep, SweepResult]("expire-values", "values:expire", all[Sweep]("all"))
	DetectOrphans = Define[Sweep, SweepResult]("detect-orphans", "orphans:detect", all[Sweep]("all"))
)

// The workflows without an operation: crons start them.
const (
	WorkflowRelayOperations   = "relay-operations"
	WorkflowPurgeOperations   = "purge-operations"
	WorkflowRotateKeys        = "rotate-keys"
	WorkflowSealValues        = "seal-values"
	WorkflowReadQuietSessions = "read-quiet-sessions"
	WorkflowSealAudit         = "seal-audit"
	WorkflowPurgeCustomers    = "purge-customers"
	WorkflowRemoveExpired     = "remove-expired"
	WorkflowDeliverWebhooks   = "deliver-webhooks"
)

const (
	eventScenarioSaved = "scenario:saved"
	eventRuleSaved     = "rule:saved"
)

// event implements the choice of EventFor: the text of a rule has an event of its own.
func (e ExtractSchemaInput) event() string {
	if e.RuleID != nil {
		return eventRuleSaved
	}
	return eventScenarioSaved
}
