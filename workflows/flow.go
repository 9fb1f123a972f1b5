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

// step is a method of a package below steps.
type step[Out any] func(context.Context, vault.Event) (Out, error)

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

// prepare adds a step that changes nothing a reader sees.
func prepare[Out once.Preparation](f flow, name string, policy policyOf, fn step[Out]) flow {
	return f.then(name, task(fn), policy)
}

// effected is a workflow whose effect is not invalidated yet.
type effected struct{ flow flow }

// effect adds the step that changes data which readers cache.
func effect[Out any](f flow, name string, policy policyOf, fn step[once.Applied[Out]]) effected {
	return effected{f.then(name, task(fn), policy)}
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
	return stored{f.then(name, task(fn), policy)}
}

// end adds the last step, which acknowledges the operation.
func (s stored) end() *hatchet.Workflow { return effected(s).end() }

// announce ends with a step that announces the change to another workflow and acknowledges the operation.
func announce[Out any](s stored, fn step[Out]) *hatchet.Workflow {
	return s.flow.then("announce", task(fn), quick).workflow
}
