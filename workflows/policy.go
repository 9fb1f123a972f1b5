package workflows

import (
	"time"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
)

// schedule is how long a run waits for a worker. With the engine's default of 5 minutes, runs that are queued during a
// rolling deployment would fail and be pushed again later.
const schedule = 24 * time.Hour

// quick is the policy of a step that uses PostgreSQL and Redis: five retries over about a minute outlast a fail-over.
func quick(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(5, 2, 30, 30*time.Second, schedule, parents)
}

// model is the policy of a step that calls a language model, and of no other step (modelSteps): slow calls and fewer
// retries, because the client retries as well.
func model(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(3, 3, 120, 3*time.Minute, schedule, parents)
}

// long is the policy of a step that reads whole tables of a tenant.
func long(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(5, 2, 30, 10*time.Minute, schedule, parents)
}

// sweep is the policy of a step that processes stale rows. The next cron run is its retry.
func sweep(parents ...*hatchet.Task) []hatchet.TaskOption {
	return policy(1, 2, 30, 10*time.Minute, 10*time.Minute, parents)
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

// onCron starts a workflow on a cron; "" is no cron. A cron has no operation: its input is the zero Event.
func onCron(cron string) []hatchet.WorkflowOption {
	if cron == "" {
		return nil
	}
	return []hatchet.WorkflowOption{hatchet.WithWorkflowCron(cron)}
}
