package trigger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/client/rest"

	"github.com/contextvault/contextvault/vault"
)

const (
	// runsTimeout is the maximum duration of a look into the engine: a page that shows it never waits longer.
	runsTimeout = 2 * time.Second
	// maxRuns and maxFailures bound what is read of an operation that was pushed many times.
	maxRuns     = 5
	maxFailures = 20
	// maxFailureText is the maximum length of an error in bytes.
	maxFailureText = 1000
)

// runReader is an Engine that can say what it knows of the runs of a batch.
type runReader interface {
	// Runs returns the newest runs of a batch that were created after a time.
	Runs(ctx context.Context, batch uuid.UUID, since time.Time) ([]vault.EngineRun, error)
}

// Runs returns what the workflow engine knows of the runs of an operation. It answers within two seconds: while the
// engine is away, the error has the code unavailable. The caller has read the operation, so it may see it. One who is
// limited to agents gets no errors of the steps.
func (c *Client) Runs(ctx context.Context, op vault.Operation) (vault.OperationRuns, error) {
	out := vault.OperationRuns{Runs: []vault.EngineRun{}}
	reader, ok := c.engine.(runReader)
	if !ok {
		return out, vault.Unavailable("the workflow engine", errNoEngine)
	}
	batch := op.ID // of a single operation
	if op.BatchID != nil {
		batch = *op.BatchID
	}
	ctx, cancel := context.WithTimeout(ctx, runsTimeout)
	defer cancel()
	runs, err := reader.Runs(ctx, batch, op.AcceptedAt.Add(-time.Minute)) // the clocks of the machines differ
	if err != nil {
		return out, vault.Unavailable("the workflow engine", err)
	}
	out.Runs = append(out.Runs, runs...)
	if len(vault.AgentsOf(ctx)) > 0 {
		out.HideErrors()
	}
	return out, nil
}

// Runs implements runReader. It asks for no payloads: they hold only ids.
func (e hatchetEngine) Runs(ctx context.Context, batch uuid.UUID, since time.Time) ([]vault.EngineRun, error) {
	limit, payloads := int64(maxRuns), false
	metadata := []string{"batch_id:" + batch.String()}
	listed, err := e.client.Runs().List(ctx, rest.V1WorkflowRunListParams{
		Since: since, Limit: &limit, AdditionalMetadata: &metadata, IncludePayloads: &payloads,
	})
	if err != nil {
		return nil, errors.New("the list of runs failed") // the SDK's error quotes the answer
	}
	var out []vault.EngineRun
	for _, row := range listed.Rows {
		if row.ParentTaskExternalId != nil { // a run that a run started
			continue
		}
		details, err := e.client.Runs().Get(ctx, row.WorkflowRunExternalId.String())
		if err != nil {
			return nil, fmt.Errorf("the run %s cannot be read", row.WorkflowRunExternalId)
		}
		out = append(out, runOf(row, details))
	}
	return out, nil
}

func runOf(row rest.V1TaskSummary, details *rest.V1WorkflowRunDetails) vault.EngineRun {
	out := vault.EngineRun{
		ID: row.WorkflowRunExternalId, EngineTenantID: details.Run.TenantId, Status: string(details.Run.Status),
		CreatedAt: row.CreatedAt, StartedAt: details.Run.StartedAt, FinishedAt: details.Run.FinishedAt,
		Steps: []vault.EngineStep{},
	}
	failures := map[uuid.UUID][]vault.EngineFailure{}
	for _, event := range details.TaskEvents {
		switch event.EventType {
		case rest.V1TaskEventTypeFAILED, rest.V1TaskEventTypeTIMEDOUT, rest.V1TaskEventTypeSCHEDULINGTIMEDOUT,
			rest.V1TaskEventTypeCOULDNOTSENDTOWORKER:
			text := event.Message
			if event.ErrorMessage != nil && *event.ErrorMessage != "" {
				text = *event.ErrorMessage
			}
			var unquoted string
			if json.Unmarshal([]byte(text), &unquoted) == nil { // the engine keeps the text as JSON
				text = unquoted
			}
			if len(text) > maxFailureText {
				text = strings.ToValidUTF8(text[:maxFailureText], "") + "…"
			}
			failures[event.TaskId] = append(failures[event.TaskId], vault.EngineFailure{At: event.Timestamp, Error: text})
		default: // it moved on
		}
	}
	tasks := slices.SortedStableFunc(slices.Values(details.Tasks), func(a, b rest.V1TaskSummary) int {
		return cmp.Or(a.TaskInsertedAt.Compare(b.TaskInsertedAt), cmp.Compare(a.TaskId, b.TaskId))
	})
	for _, task := range tasks {
		step := vault.EngineStep{
			Name: task.DisplayName, Status: string(task.Status), StartedAt: task.StartedAt, FinishedAt: task.FinishedAt,
			Failures: failures[task.TaskExternalId],
		}
		if task.ActionId != nil {
			if _, name, ok := strings.Cut(*task.ActionId, ":"); ok {
				step.Name = name
			}
		}
		if task.StartedAt != nil {
			step.Attempts = 1
			if task.RetryCount != nil {
				step.Attempts += *task.RetryCount
			}
		}
		slices.SortFunc(step.Failures, func(a, b vault.EngineFailure) int { return a.At.Compare(b.At) })
		step.Failures = step.Failures[:min(len(step.Failures), maxFailures)]
		out.Steps = append(out.Steps, step)
	}
	return out
}
