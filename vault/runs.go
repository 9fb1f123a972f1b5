package vault

import (
	"time"

	"github.com/google/uuid"
)

// OperationRuns are the runs of the workflow engine that carried out an operation.
type OperationRuns struct {
	Runs []EngineRun `json:"runs" doc:"The newest first, at most 5. Empty: the engine has none, or has dropped it: it keeps a run for some days."`
}

// EngineRun is a run of the workflow engine. It can carry other operations of the batch as well.
type EngineRun struct {
	ID uuid.UUID `json:"run_id"`
	// EngineTenantID is the tenant of the engine, which is part of the address of the run in Hatchet's dashboard.
	EngineTenantID uuid.UUID    `json:"engine_tenant_id"`
	Status         string       `json:"status" enum:"QUEUED,RUNNING,COMPLETED,FAILED,CANCELLED" doc:"As the engine says."`
	CreatedAt      time.Time    `json:"created_at"`
	StartedAt      *time.Time   `json:"started_at,omitempty"`
	FinishedAt     *time.Time   `json:"finished_at,omitempty"`
	Steps          []EngineStep `json:"steps" doc:"In the order in which they were created."`
}

// EngineStep is a step of a run.
type EngineStep struct {
	Name       string          `json:"name" example:"persist"`
	Status     string          `json:"status" enum:"QUEUED,RUNNING,COMPLETED,FAILED,CANCELLED"`
	Attempts   int             `json:"attempts" doc:"The number of times that it was started; 0: not yet."`
	StartedAt  *time.Time      `json:"started_at,omitempty" doc:"Of the last attempt."`
	FinishedAt *time.Time      `json:"finished_at,omitempty"`
	Failures   []EngineFailure `json:"failures,omitempty" doc:"The attempts that failed, the first one first, at most 20."`
}

// EngineFailure is an attempt of a step that failed.
type EngineFailure struct {
	At time.Time `json:"at"`
	// Error is the error of the step. It contains no value of a customer: the engine gets none.
	Error string `json:"error,omitempty"`
}

// HideErrors removes the errors of the steps. A run carries the operations of a batch, which can be of other agents.
func (r *OperationRuns) HideErrors() {
	for _, run := range r.Runs {
		for _, step := range run.Steps {
			for i := range step.Failures {
				step.Failures[i].Error = ""
			}
		}
	}
}
