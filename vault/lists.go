package vault

import (
	"time"

	"github.com/google/uuid"
)

// AgentSummary is one entry in the list of agents: an agent with a definition or a scenario.
type AgentSummary struct {
	AgentID     uuid.UUID `json:"agent_id"`
	Definitions int64     `json:"definitions" doc:"The number of definitions."`
	Scenarios   int64     `json:"scenarios" doc:"The number of scenarios."`
}

// ScenarioSummary is one entry in the list of scenarios: a scenario without its texts.
type ScenarioSummary struct {
	ID           uuid.UUID `json:"id"`
	AgentID      uuid.UUID `json:"agent_id"`
	Name         string    `json:"name"`
	Rules        int64     `json:"rules" doc:"The number of rules."`
	Requirements int64     `json:"requirements" doc:"The number of requirements, those of the rules included."`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// RuleSummary is one entry in the list of rules: a rule without its texts.
type RuleSummary struct {
	ID         uuid.UUID `json:"id"`
	AgentID    uuid.UUID `json:"agent_id"`
	ScenarioID uuid.UUID `json:"scenario_id"`
	Name       string    `json:"name"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// SessionSummary is one entry in the list of sessions: a session without variables and turns.
type SessionSummary struct {
	ID         uuid.UUID `json:"id"`
	CustomerID uuid.UUID `json:"customer_id" doc:"The customer of the session: the requested one, or one that shares its profile since a merge."`
	AgentID    uuid.UUID `json:"agent_id"`
	Turns      int64     `json:"turns" doc:"The number of turns."`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// Merge is one entry in the list of merges of a customer.
type Merge struct {
	ID uuid.UUID `json:"id"`
	// SourceCustomerID is the customer who was merged. unmerge-customer takes this id.
	SourceCustomerID uuid.UUID  `json:"source_customer_id" doc:"The customer who was merged. unmerge-customer takes this id."`
	TargetCustomerID uuid.UUID  `json:"target_customer_id" doc:"The customer who remained."`
	State            MergeState `json:"state" enum:"undoable,undone,target_merged,target_deleted" doc:"undoable: unmerge-customer undoes it; undone; target_merged: the target was merged itself, undo that merge first; target_deleted: the target was deleted, with everything merged into it."`
	OperationID      uuid.UUID  `json:"operation_id"`
	MergedAt         time.Time  `json:"merged_at"`
	UndoneAt         *time.Time `json:"undone_at,omitempty"`
}

// MergeState says whether a merge can be undone.
type MergeState string

const (
	MergeUndoable      MergeState = "undoable"       // unmerge-customer undoes it
	MergeUndone        MergeState = "undone"         // it was undone
	MergeTargetMerged  MergeState = "target_merged"  // the target was merged itself: undo that merge first
	MergeTargetDeleted MergeState = "target_deleted" // the target was deleted, with everything merged into it
)

// OperationFilter selects operations in a list.
type OperationFilter struct {
	Status     OperationSelection // "": all
	Workflow   string             // "": all
	CustomerID *uuid.UUID         // nil: all
}

// OperationSelection selects operations by their status.
type OperationSelection string

// SelectUnfinished selects operations that are accepted or applied. The other selections are those of one status.
const SelectUnfinished OperationSelection = "unfinished"

// OperationSelections are the values of OperationSelection.
var OperationSelections = []OperationSelection{
	OperationSelection(OperationAccepted), OperationSelection(OperationApplied), OperationSelection(OperationSucceeded),
	OperationSelection(OperationFailed), SelectUnfinished,
}

// Statuses returns the selected statuses. The empty selection has all of them.
func (s OperationSelection) Statuses() []OperationStatus {
	switch s {
	case "":
		return []OperationStatus{OperationAccepted, OperationApplied, OperationSucceeded, OperationFailed}
	case SelectUnfinished:
		return []OperationStatus{OperationAccepted, OperationApplied}
	default:
		return []OperationStatus{OperationStatus(s)}
	}
}

// OperationSummary is one entry in the list of operations: an operation without its result.
type OperationSummary struct {
	ID         uuid.UUID        `json:"operation_id"`
	Workflow   string           `json:"workflow" example:"write-value"`
	Subject    string           `json:"subject" doc:"The thing that the operation changes, mostly the id of a customer, agent or scenario. Of a gap fill: customer:scenario."`
	Actor      Actor            `json:"actor,omitempty" doc:"Who submitted the operation: key:<id>, workflow:<name>:<operation>, admin …"`
	Status     OperationStatus  `json:"status" enum:"accepted,applied,succeeded,failed"`
	Error      *SummarisedError `json:"error,omitempty" doc:"The reason of the failure."`
	Attempts   int              `json:"attempts" doc:"The number of times the operation was pushed to the workflow engine."`
	AcceptedAt time.Time        `json:"accepted_at"`
	FinishedAt *time.Time       `json:"finished_at,omitempty"`
}

// SummarisedError is the reason of a failure without the value that caused it.
type SummarisedError struct {
	Code   Code   `json:"code" example:"invalid_input"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
}

// Dependent is an item of another customer that was derived from an item of a customer.
type Dependent struct {
	ID         uuid.UUID  `json:"id"`
	Type       SourceType `json:"type"`
	Name       string     `json:"name"`
	CustomerID uuid.UUID  `json:"customer_id"`
}
