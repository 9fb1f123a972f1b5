package workflows

import (
	"time"

	"github.com/hatchet-dev/hatchet/pkg/client/types"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
)

// schedule is how long a run waits for a worker. The engine's own 5 minutes would fail what is queued while a deployment
// rolls; the operation is owed anyway.
const schedule = 24 * time.Hour

// quick is for a step that touches PostgreSQL and Redis: five retries over about a minute outlast a fail-over.
func quick(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(5, 2, 30, 30*time.Second, schedule, parents)
}

// model is for a step that calls a language model: slow, and worth fewer retries, since the client retries as well.
func model(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(3, 3, 120, 3*time.Minute, schedule, parents)
}

// sweep is for a step that works through what is stale. The next cron is its retry.
func sweep(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(1, 2, 30, 10*time.Minute, 10*time.Minute, parents)
}

// waiting is for the durable task that waits for people: longer than the longest deadline (30 days) of a few questions. A
// wait keeps its slot (29 KB) until slots run short, and then the longest waits give theirs back. None does so for its age
// alone: the engine (v0.104.7) loses an evicted run that was tried before, whether it was retried, replayed, or taken over from
// a lost worker, since it looks for it under its first attempt.
func waiting() []hatchet.TaskOption {
	const longest = 90 * 24 * time.Hour
	return append(policy(10, 2, 300, longest, longest, nil), hatchet.WithEvictionPolicy(&hatchet.EvictionPolicy{AllowCapacityEviction: true}))
}

func policy(retries int, backoff float32, maxBackoffSeconds int, execution, schedule time.Duration, parents []*hatchet.Task) []hatchet.TaskOption {
	opts := []hatchet.TaskOption{
		hatchet.WithRetries(retries),
		hatchet.WithRetryBackoff(backoff, maxBackoffSeconds),
		hatchet.WithExecutionTimeout(execution),
		hatchet.WithScheduleTimeout(schedule),
	}
	if len(parents) > 0 {
		opts = append(opts, hatchet.WithParents(parents...))
	}
	return opts
}

// onePerSubject lets one run at a time per tenant and subject go on; the others wait. Order comes from acceptance, not from
// here.
func onePerSubject() hatchet.WorkflowOption {
	one, strategy := int32(1), types.GroupRoundRobin
	return hatchet.WithWorkflowConcurrency(types.Concurrency{
		Expression: "input.tenant_id + ':' + input.subject", MaxRuns: &one, LimitStrategy: &strategy,
	})
}

// onCron starts a workflow on a cron, where there is one. A cron has no operation: its input is the zero Event.
func onCron(cron string) []hatchet.WorkflowOption {
	if cron == "" {
		return nil
	}
	return []hatchet.WorkflowOption{hatchet.WithWorkflowCron(cron)}
}
