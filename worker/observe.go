package worker

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	hatchetworker "github.com/hatchet-dev/hatchet/pkg/worker"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/internal/turns"
	"github.com/contextvault/contextvault/metrics"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/workflows"
)

const tracerName = "github.com/contextvault/contextvault/worker"

const (
	// bulkSteps is the number of steps of one tenant that import at the same time. `vault import` has two operations in
	// flight.
	bulkSteps = 2
	// restOfBulk is how many times as long as such a step took, its tenant waits for the next one, while the worker also
	// has steps of other tenants.
	restOfBulk = 2
)

// observer limits the number of concurrent steps, and records each step in metrics and log.
type observer struct {
	running
	crowd    *turns.Crowd // the tenants whose steps run
	turns    *turns.Turns // of the steps that do not call the language model
	model    *turns.Turns // of the steps that do
	bulk     *turns.Turns // of the steps that import, on top of turns
	log      *slog.Logger
	registry *prometheus.Registry
	steps    *metrics.Steps

	registered atomic.Bool // the engine knows the workflows
}

// newObserver returns an observer with a registry for the metrics that only the worker exports, others included.
func newObserver(r *app.Runtime, others ...prometheus.Collector) *observer {
	crowd := &turns.Crowd{}
	o := &observer{
		crowd: crowd,
		turns: turns.New(r.Config.Jobs.Hatchet.WorkerConcurrency),
		model: turns.New(r.Config.Jobs.Hatchet.ModelConcurrency),
		bulk:  turns.NewWithShare(r.Config.Jobs.Hatchet.WorkerConcurrency, bulkSteps).Resting(restOfBulk, crowd),
		log:   r.Log, registry: prometheus.NewRegistry(),
	}
	o.steps = metrics.NewSteps(o.n.Load)
	o.registry.MustRegister(append(others, o.steps)...)
	return o
}

// running counts the running steps, because the SDK does not wait for them when it stops.
type running struct{ n atomic.Int64 }

// wait waits until no step runs, for at most grace, and returns the number of steps that still run.
func (r *running) wait(grace time.Duration) int64 {
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

// turnsOf returns the turns that a step needs, in their order, by its name workflow:step.
func (o *observer) turnsOf(action string) []*turns.Turns {
	workflow, step, _ := strings.Cut(action, ":")
	switch {
	case workflows.CallsModel(workflow, step):
		return []*turns.Turns{o.model}
	case workflows.IsBulk(workflow):
		return []*turns.Turns{o.bulk, o.turns}
	default:
		return []*turns.Turns{o.turns}
	}
}

// observe is the worker's middleware: it limits the number of concurrent steps and shares them between tenants, counts
// and times them, and adds their ids to their log lines.
func (o *observer) observe(
	ctx hatchetworker.HatchetContext,
	next func(hatchetworker.HatchetContext) error,
) error {
	o.n.Add(1)
	defer o.n.Add(-1)
	tenant := ctx.AdditionalMetadata()["tenant_id"] // "": a run of a cron
	if tenant != "" {
		o.crowd.See(tenant)
	}
	for _, shared := range o.turnsOf(ctx.ActionId()) {
		if err := shared.Acquire(ctx, tenant); err != nil {
			return err
		}
		defer shared.Release(tenant)
	}
	attrs := []slog.Attr{
		slog.String(
			"step",
			ctx.ActionId(),
		),
		slog.Int("attempt", ctx.RetryCount()+1),
		slog.String("run_id", ctx.WorkflowRunId()),
	}
	if id := ctx.AdditionalMetadata()["operation_id"]; id != "" { // a run of a cron has none
		attrs = append(attrs, slog.String("operation_id", id))
	}
	ctx.SetContext(telemetry.WithLog(ctx.GetContext(), attrs...))
	start := time.Now()
	err := next(ctx)
	took := time.Since(start)
	o.steps.ObserveDuration(ctx.ActionId(), took)
	switch {
	case err == nil:
		o.steps.Count(ctx.ActionId(), metrics.StepSucceeded)
		o.log.DebugContext(ctx, "step_succeeded", "seconds", took.Seconds())
	case errors.Is(err, context.Canceled), errors.Is(err, once.ErrYielded):
		o.steps.Count(ctx.ActionId(), metrics.StepCancelled)
	default:
		outcome := metrics.StepFailed
		if hatchetworker.IsNonRetryableError(err) { //nolint:staticcheck // as above
			outcome = metrics.StepRejected
		}
		o.steps.Count(ctx.ActionId(), outcome)
		o.log.WarnContext(ctx, "step_failed", "error", err.Error(), "seconds", took.Seconds())
	}
	return err
}
