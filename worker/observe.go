package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	hatchetworker "github.com/hatchet-dev/hatchet/pkg/worker"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/contextvault/contextvault/metrics"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/workflows"
)

const tracerName = "github.com/contextvault/contextvault/worker"

// observer bounds how many steps run at a time, and tells of them: in metrics and in the log.
type observer struct {
	running
	turns    chan struct{} // one for each step that may run at a time
	log      *slog.Logger
	registry *prometheus.Registry
	steps    *metrics.Steps

	registered atomic.Bool // the workflows are, with the engine
}

// newObserver makes one with a registry of its own, which holds the others as well that the worker alone exports.
func newObserver(r *Runtime, others ...prometheus.Collector) *observer {
	o := &observer{
		turns: make(chan struct{}, r.Config.Jobs.Hatchet.WorkerConcurrency), log: r.Log, registry: prometheus.NewRegistry(),
	}
	o.steps = metrics.NewSteps(o.n.Load)
	o.registry.MustRegister(append(others, o.steps)...)
	return o
}

// running counts the steps under way, since the SDK's stop does not wait for them.
type running struct{ n atomic.Int64 }

// drain waits until nothing runs, at most for grace, and says what is left.
func (r *running) drain(grace time.Duration) int64 {
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if n := r.n.Load(); n <= 0 {
			return 0
		}
		select {
		case <-deadline.C:
			return r.n.Load()
		case <-tick.C:
		}
	}
}

// observe is the worker's middleware: it bounds how many steps run at a time, counts and times them, and has each log line of a
// step say whose it is. A durable task only waits: it takes no turn, and stop takes it out of this worker by itself.
func (o *observer) observe(ctx hatchetworker.HatchetContext, next func(hatchetworker.HatchetContext) error) error { //nolint:staticcheck // the SDK's only middleware
	durable := ctx.StepName() == workflows.DurableTask
	if !durable {
		o.n.Add(1)
		defer o.n.Add(-1)
		select {
		case o.turns <- struct{}{}:
			defer func() { <-o.turns }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	attrs := []slog.Attr{
		slog.String("step", ctx.ActionId()), slog.Int("attempt", ctx.RetryCount()+1), slog.String("run_id", ctx.WorkflowRunId()),
	}
	if id := ctx.AdditionalMetadata()["operation_id"]; id != "" { // what a cron started has none
		attrs = append(attrs, slog.String("operation_id", id))
	}
	ctx.SetContext(telemetry.WithLog(ctx.GetContext(), attrs...))
	start := time.Now()
	err := next(ctx)
	took := time.Since(start)
	if !durable {
		o.steps.Took(ctx.ActionId(), took)
	}
	switch {
	case err == nil:
		o.steps.Ended(ctx.ActionId(), metrics.StepSucceeded)
		o.log.DebugContext(ctx, "step_succeeded", "seconds", took.Seconds())
	case errors.Is(err, context.Canceled):
		o.steps.Ended(ctx.ActionId(), metrics.StepCancelled)
	default:
		outcome := metrics.StepFailed
		if hatchetworker.IsNonRetryableError(err) { //nolint:staticcheck // as above
			outcome = metrics.StepRejected
		}
		o.steps.Ended(ctx.ActionId(), outcome)
		o.log.WarnContext(ctx, "step_failed", "error", err.Error(), "seconds", took.Seconds())
	}
	return err
}
