package testkit

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/client/rest"
)

// Run waits until the engine lists the run of a batch with a status, and returns the id of the run. The batch of a
// single operation has its id. The metadata
// of a run and of its child runs contains the id of the batch.
func (k *Kit) Run(t testing.TB, batch uuid.UUID, status rest.V1TaskStatus) uuid.UUID {
	t.Helper()
	metadata := []string{"batch_id:" + batch.String()}
	return Eventually(
		t,
		"the engine lists a run of batch "+batch.String()+" as "+string(status),
		func(ctx context.Context) (uuid.UUID, bool) {
			runs, err := k.Client.Runs().List(ctx, rest.V1WorkflowRunListParams{
				Since: time.Now().Add(-time.Hour), AdditionalMetadata: &metadata, Statuses: &[]rest.V1TaskStatus{status},
			})
			fatal(ctx, t, err)
			if err != nil {
				return uuid.Nil, false
			}
			for _, run := range runs.Rows {
				if run.ParentTaskExternalId == nil {
					return run.WorkflowRunExternalId, true
				}
			}
			return uuid.Nil, false
		},
	)
}

// replaying serializes replays: the engine (v0.104.7) loses some of several concurrent ones.
var replaying sync.Mutex

// Replay replays a run, as the dashboard does, and returns when the replay has begun.
func (k *Kit) Replay(t testing.TB, run uuid.UUID) {
	t.Helper()
	replaying.Lock()
	defer replaying.Unlock()
	before := k.attempts(t, run)
	if _, err := k.Client.Runs().Replay(
		t.Context(),
		rest.V1ReplayTaskRequest{ExternalIds: &[]uuid.UUID{run}},
	); err != nil {
		t.Fatalf("replay run %s: %v", run, err)
	}
	Eventually(
		t,
		"run "+run.String()+" is replayed",
		func(context.Context) (struct{}, bool) { return struct{}{}, k.attempts(t, run) > before },
	)
}

// attempts returns the number of retries of all tasks of a run.
func (k *Kit) attempts(t testing.TB, run uuid.UUID) int {
	t.Helper()
	n := 0
	for _, task := range k.Details(t, run).Tasks {
		if task.RetryCount != nil {
			n += *task.RetryCount
		}
	}
	return n
}

// Details returns the details of a run.
func (k *Kit) Details(t testing.TB, run uuid.UUID) *rest.V1WorkflowRunDetails {
	t.Helper()
	got, err := k.Client.Runs().Get(t.Context(), run.String())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Rerun waits until a replayed run has ended with a status.
func (k *Kit) Rerun(t testing.TB, run uuid.UUID, status rest.V1TaskStatus) {
	t.Helper()
	Eventually(t, "the replayed run "+run.String()+" is "+string(status), func(context.Context) (struct{}, bool) {
		for _, task := range k.Details(t, run).Tasks {
			if task.RetryCount == nil || *task.RetryCount == 0 || task.Status != status {
				return struct{}{}, false
			}
		}
		return struct{}{}, true
	})
}
