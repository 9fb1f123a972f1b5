package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	hatchetworker "github.com/hatchet-dev/hatchet/pkg/worker"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/workflows"
)

// Name is what the engine's dashboard calls this worker.
const Name = "contextvault"

// slotsPerStep is how many steps the engine may hand to this worker for each that it runs at a time; the others wait here. The
// engine takes finished slots back only once a second: with 10 slots it stalled for over a second at every tenth step, with
// 100 it did not (v0.104.7, measured).
const slotsPerStep = 10

// durableSlots is how many gap fills may hold a slot at once. When they run short, the longest waiting give theirs back.
const durableSlots = 1000

// registration is how long the SDK may take to register the worker with the engine, which it does in the background: stopped
// before that, it panics (v0.104.7, seen).
const registration = 2 * time.Second

// Options tune Run.
type Options struct {
	// Ready is called once the worker is started; the SDK then registers it with the engine by itself. nil: nobody is told.
	Ready func()
	// NoHealth leaves the HTTP endpoints out.
	NoHealth bool
}

// Run registers the workflows and works until ctx ends. Then it takes no more, lets the steps that run finish for as long as
// the configured grace, and returns. A step that does not finish in time is run again elsewhere: steps stand that.
func Run(ctx context.Context, r *Runtime, engine *hatchet.Client, opts Options) error {
	cfg := r.Config
	w, err := engine.NewWorker(Name,
		hatchet.WithWorkflows(workflows.All(engine, r.Steps, workflows.Crons{
			ExpireFields:  cfg.Jobs.Hatchet.CronExpireFields,
			DetectOrphans: cfg.Jobs.Hatchet.CronDetectOrphans,
			RelayIntents:  cfg.Jobs.Hatchet.CronRelayIntents,
			PurgeIntents:  cfg.Jobs.Hatchet.CronPurgeIntents,
		})...),
		hatchet.WithSlots(slotsPerStep*cfg.Jobs.Hatchet.WorkerConcurrency),
		hatchet.WithDurableSlots(durableSlots),
		hatchet.WithLogger(engineLog()),
	)
	if err != nil {
		return fmt.Errorf("register the workflows: %w", err)
	}
	m := newMetrics(r)
	w.Use(m.observe) //nolint:staticcheck // the SDK's only middleware
	started := time.Now()
	stop, err := w.Start()
	if err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	r.Log.InfoContext(ctx, "worker_started", "concurrency", cfg.Jobs.Hatchet.WorkerConcurrency)
	if opts.Ready != nil {
		opts.Ready()
	}

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.Trigger.Run(gctx) })
	g.Go(func() error { return hurryFirst(gctx, r, started.Add(registration)) })
	if !opts.NoHealth {
		g.Go(func() error { return serveHealth(gctx, r, m) })
	}
	<-gctx.Done()
	time.Sleep(time.Until(started.Add(registration)))
	if err := stop(); err != nil {
		r.Log.WarnContext(ctx, "worker_stop_failed")
	}
	left := m.drain(cfg.Worker.ShutdownGrace())
	r.Log.InfoContext(ctx, "worker_stopped", "steps_left", left)
	return g.Wait()
}

// hurryFirst has the relay make up, once the workflows are registered, for what the engine dropped before.
func hurryFirst(ctx context.Context, r *Runtime, at time.Time) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(time.Until(at)):
	}
	if err := r.Trigger.Started(ctx); err != nil && ctx.Err() == nil {
		r.Log.WarnContext(ctx, "first_intents_not_hurried", "error_code", vault.CodeOf(err)) // they are due in some minutes anyway
	}
	return nil
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

// observe is the worker's middleware: it bounds how many steps run at a time, and counts and times them. A durable task only
// waits: it takes no turn, and stop takes it out of this worker by itself.
func (m *metrics) observe(ctx hatchetworker.HatchetContext, next func(hatchetworker.HatchetContext) error) error { //nolint:staticcheck // the SDK's only middleware
	durable := ctx.StepName() == workflows.DurableTask
	if !durable {
		m.n.Add(1)
		defer m.n.Add(-1)
		select {
		case m.turns <- struct{}{}:
			defer func() { <-m.turns }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	start := time.Now()
	err := next(ctx)
	outcome := "succeeded"
	switch {
	case errors.Is(err, context.Canceled):
		outcome = "cancelled"
	case err != nil:
		outcome = "failed"
	}
	m.steps.WithLabelValues(ctx.ActionId(), outcome).Inc()
	if err != nil && outcome == "failed" {
		m.log.WarnContext(ctx, "step_failed", "step", ctx.ActionId(), "attempt", ctx.RetryCount()+1, "run_id", ctx.WorkflowRunId(), "error", err.Error())
	}
	if !durable {
		m.seconds.WithLabelValues(ctx.ActionId()).Observe(time.Since(start).Seconds())
	}
	return err
}
