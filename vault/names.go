package vault

// Names of workflows. A workflow has the same name in the engine, in an intent and in the file workflows/<name>.go.
// Renaming one needs a plan for the runs in flight.
const (
	WorkflowWriteField      = "write-field"
	WorkflowAddAsset        = "add-asset"
	WorkflowDeleteItem      = "delete-item"
	WorkflowSaveSession     = "save-session"
	WorkflowSaveDefinition  = "save-definition"
	WorkflowSaveRequirement = "save-requirement"
	WorkflowSaveScenario    = "save-scenario"
	WorkflowSaveRule        = "save-rule"
	WorkflowExtractSchema   = "extract-schema"
	WorkflowFillGaps        = "fill-gaps"
	WorkflowAdvanceGaps     = "advance-gaps"
	WorkflowAnswerQuestion  = "answer-question"
	WorkflowExpireFields    = "expire-fields"
	WorkflowDetectOrphans   = "detect-orphans"
	WorkflowRelayIntents    = "relay-intents"
	WorkflowPurgeIntents    = "purge-intents"
)

// Names of events. Each starts the workflow beside which it is listed in package workflows; EventQuestionSettled wakes a
// gap fill that waits.
const (
	EventFieldWrite       = "field:write"
	EventAssetAdd         = "asset:add"
	EventItemDelete       = "item:delete"
	EventSessionSave      = "session:save"
	EventDefinitionSave   = "definition:save"
	EventRequirementSave  = "requirement:save"
	EventScenarioSave     = "scenario:save"
	EventRuleSave         = "rule:save"
	EventScenarioSaved    = "scenario:saved"
	EventRuleSaved        = "rule:saved"
	EventGapsFill         = "gaps:fill"
	EventQuestionAnswered = "question:answered"
	EventQuestionSettled  = "question:settled"
	EventFieldsExpire     = "fields:expire"
	EventOrphansDetect    = "orphans:detect"
)
