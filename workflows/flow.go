package workflows

import (
	"context"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/steps/upkeep"
	"github.com/contextvault/contextvault/vault"
)

// A linear workflow is built in this order: begin, any number of prepare, one effect or store, and an end. Only an end
// returns the workflow, and the end of an effect is the step that invalidates what the effect touched. So a workflow
// that changes cached data and does not invalidate it does not compile.

// flow is a linear workflow under construction.
type flow struct {
	workflow *hatchet.Workflow
	caches   upkeep.Caches
	last     *hatchet.Task // nil: there is no task yet
}

// turn returns whether the next step is the first one.
func (f flow) turn() once.Turn { return once.Turn(f.last == nil) }

// step is a method of a package below steps, for one operation; batchStep is one for a batch.
type (
	step[Out any]      func(context.Context, vault.Event) (Out, error)
	batchStep[Out any] func(context.Context, vault.Batch) (Out, error)
)

// policyOf returns the options of a task that follows its parents: retries, backoff and time-outs.
type policyOf func(parents ...*hatchet.Task) []hatchet.TaskOption

// begin declares the workflow of an operation, which starts on the operation's events.
func begin[In, Out any](
	c *hatchet.Client, s steps.Steps, spec vault.Spec[In, Out], more ...hatchet.WorkflowOption,
) flow {
	opts := append([]hatchet.WorkflowOption{hatchet.WithWorkflowEvents(spec.Events...)}, more...)
	return flow{workflow: c.NewWorkflow(spec.Name, opts...), caches: s.Caches}
}

func (f flow) then(name string, fn any, policy policyOf) flow {
	var opts []hatchet.TaskOption
	if f.last == nil {
		opts = policy()
	} else {
		opts = policy(f.last)
	}
	f.last = f.workflow.NewTask(name, fn, opts...)
	return f
}

// prepare adds a step that changes nothing a reader sees. It runs for each operation of a batch.
func prepare[Out once.Preparation](f flow, name string, policy policyOf, fn step[Out]) flow {
	turn := f.turn()
	return f.then(name, task(func(ctx context.Context, b vault.Batch) (once.BatchResult, error) {
		return once.PrepareEach(ctx, f.caches.Once, b, turn, fn)
	}), policy)
}

// prepareBatch is prepare with a step that works on a batch.
func prepareBatch(f flow, name string, policy policyOf, fn batchStep[once.BatchResult]) flow {
	return f.then(name, task(fn), policy)
}

// stage adds a step of an effect that takes several transactions. It adds pending invalidations for what it touches;
// the effect that must follow ends with their flush.
func stage[Out once.Preparation](f flow, name string, policy policyOf, fn step[Out]) flow {
	return prepare(f, name, policy, fn)
}

// effected is a workflow whose effect is not invalidated yet.
type effected struct{ flow flow }

// effect adds the step that changes data which readers cache. The operations of a batch share a transaction.
func effect[Out any](f flow, name string, policy policyOf, fn step[once.Applied[Out]]) effected {
	return effected{f.then(name, together(f, fn), policy)}
}

// effectBatch is effect with a step that works on a batch.
func effectBatch(f flow, name string, policy policyOf, fn batchStep[once.AppliedBatch]) effected {
	return effected{f.then(name, task(fn), policy)}
}

// together returns the task of an effect. A run of a cron has no operation.
func together[Out any](f flow, fn step[Out]) any {
	turn := f.turn()
	return task(func(ctx context.Context, b vault.Batch) (once.AppliedBatch, error) {
		if b.IsCron() {
			_, err := fn(ctx, vault.Event{})
			return once.AppliedBatch{}, err
		}
		return once.ApplyTogether(ctx, f.caches.Once, b, turn, fn)
	})
}

const invalidateAndAcknowledge = "invalidate-and-acknowledge"

// end adds the last step: it invalidates what the effect touched and acknowledges the operation.
func (e effected) end() *hatchet.Workflow {
	return e.flow.then(invalidateAndAcknowledge, task(e.flow.caches.InvalidateAndAcknowledge), quick).workflow
}

// stored is a workflow that stored data which no cache holds, and has not acknowledged the operation yet.
type stored struct{ flow flow }

// store adds the step that stores data which no cache holds.
func store[Out any](f flow, name string, policy policyOf, fn step[once.Stored[Out]]) stored {
	return stored{f.then(name, together(f, fn), policy)}
}

// end adds the last step, which acknowledges the operation.
func (s stored) end() *hatchet.Workflow { return effected(s).end() }

// announce ends with a step that announces the change to another workflow and acknowledges the operation.
func announce[Out any](s stored, fn step[Out]) *hatchet.Workflow {
	return s.flow.then("announce", single(fn), quick).workflow
}
