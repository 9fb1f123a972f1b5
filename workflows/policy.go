package workflows

import (
	"time"

	"github.com/hatchet-dev/hatchet/pkg/client/types"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
)

// schedule is how long a run waits for a worker. With the engine's default of 5 minutes, runs that are queued during a
// rolling deployment would fail and be pushed again later.
const schedule = 24 * time.Hour

// quick is the policy of a step that uses PostgreSQL and Redis: five retries over about a minute outlast a fail-over.
func quick(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(5, 2, 30, 30*time.Second, schedule, parents)
}

// model is the policy of a step that calls a language model: slow calls and fewer retries, because the client retries
// as well.
func model(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(3, 3, 120, 3*time.Minute, schedule, parents)
}

// sweep is the policy of a step that processes stale rows. The next cron run is its retry.
func sweep(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(1, 2, 30, 10*time.Minute, 10*time.Minute, parents)
}

// waiting is the policy of the durable task that waits for people: longer than the longest deadline (30 days) of a few
// questions. A wait keeps its slot (29 KB) until slots run short; then the engine evicts the longest waits. It never
// evicts a wait only because of its age: the engine (v0.104.7) loses an evicted run that had an earlier attempt
// (retried, replayed, or taken over from a lost worker), because it looks the run up under its first attempt.
func waiting() []hatchet.TaskOption {
	const longest = 90 * 24 * time.Hour
	return append(
		policy(10, 2, 300, longest, longest, nil),
		hatchet.WithEvictionPolicy(&hatchet.EvictionPolicy{AllowCapacityEviction: true}),
	)
}

func policy(
	retries int, backoff float32, maxBackoffSeconds int, execution, schedule time.Duration, parents []*hatchet.Task,
) []hatchet.TaskOption {
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

// onePerSubject allows one run at a time per tenant and subject; other runs wait. It does not order writes: the order
// of acceptance does.
func onePerSubject() hatchet.WorkflowOption {
	one, strategy := int32(1), types.GroupRoundRobin
	return hatchet.WithWorkflowConcurrency(types.Concurrency{
		Expression: "input.tenant_id + ':' + input.subject", MaxRuns: &one, LimitStrategy: &strategy,
	})
}

// onCron starts a workflow on a cron; "" is no cron. A cron has no operation: its input is the zero Event.
func onCron(cron string) []hatchet.WorkflowOption {
	if cron == "" {
		return nil
	}
	return []hatchet.WorkflowOption{hatchet.WithWorkflowCron(cron)}
}
