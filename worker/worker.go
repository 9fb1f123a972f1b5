// Package worker runs the worker process: it registers the workflows with the engine, runs their steps, serves health
// and metrics, and shuts down without unfinished steps.
//
//   - worker.go: Run;
//   - health.go: the HTTP endpoints;
//   - observe.go: the middleware of each step: concurrency limit, metrics, log and trace.
package worker

import (
	"cmp"
	"context"
	"fmt"
	"time"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/hatchet-dev/hatchet/sdks/go/opentelemetry"
	"go.opentelemetry.io/otel"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/metrics"
	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/workflows"
)

// Name is the name of the worker in the engine's dashboard.
const Name = "contextvault"

// slotsPerStep is the number of steps that the engine may assign to this worker for each step that it runs; the others
// wait in the worker. The engine frees finished slots only once a second: with 10 slots it stalled for over a second at
// every tenth step, with 100 it did not (v0.104.7, measured).
const slotsPerStep = 10

// registrationTime is how long the SDK needs to register the worker with the engine in the background. The SDK panics
// if it is stopped earlier (v0.104.7, observed).
const registrationTime = 2 * time.Second

// Options configure Run.
type Options struct {
	// Ready is called when the worker has started. The SDK registers it with the engine after that. nil: no call.
	Ready func()
	// NoHealth disables the HTTP endpoints.
	NoHealth bool
}

// Run waits for the engine, registers the workflows and runs steps until ctx ends. Then it accepts no more steps, waits
// for the running ones for at most the configured grace period, and returns. The engine runs an unfinished step again
// on another worker; steps are idempotent.
//
// Run returns an error at once if the configuration of the language model is bad.
func Run(ctx context.Context, r *app.Runtime, engine *hatchet.Client, opts Options) error {
	if r.ModelError != nil {
		return r.ModelError
	}
	cfg := r.Config
	counts := metrics.NewCounts(r.DB, r.Log, cfg.Worker.Counts())
	o := newObserver(r, counts)
	ctx, end := context.WithCancel(ctx)
	defer end()
	g, gctx := errgroup.WithContext(ctx)
	serving, endServing := context.WithCancel(context.WithoutCancel(ctx)) // until the last step has ended
	defer endServing()
	if !opts.NoHealth {
		g.Go(func() error { return counts.Run(gctx) })
		g.Go(func() error { return serveHealth(serving, gctx, r, o) })
	}
	giveUp := func(err error) error {
		end()
		endServing()
		return cmp.Or(err, g.Wait())
	}
	w, err := register(gctx, r, engine)
	if w == nil {
		return giveUp(err)
	}
	o.registered.Store(true)
	w.Use(
		opentelemetry.NewMiddleware(otel.Tracer(tracerName)),
		o.observe,
	)
	started := time.Now()
	stop, err := w.Start()
	if err != nil {
		return giveUp(fmt.Errorf("start the worker: %w", err))
	}
	r.Log.InfoContext(ctx, "worker_started", "concurrency", cfg.Jobs.Hatchet.WorkerConcurrency)
	if opts.Ready != nil {
		opts.Ready()
	}

	g.Go(func() error { return r.Trigger.Run(gctx) })
	g.Go(func() error { return requeueDropped(gctx, r, started.Add(registrationTime)) })
	<-gctx.Done()
	time.Sleep(time.Until(started.Add(registrationTime)))
	if err := stop(); err != nil {
		r.Log.WarnContext(ctx, "worker_stop_failed")
	}
	left := o.wait(cfg.Worker.ShutdownGrace())
	r.Log.InfoContext(ctx, "worker_stopped", "steps_left", left)
	endServing()
	return g.Wait()
}

// slowEngine is the wait for the engine after which the worker logs engine_unreachable. The SDK gives up after 90
// seconds.
const slowEngine = 5 * time.Second

// register registers the workflows with the engine. It returns nil, nil if ctx ends first: the SDK takes no context,
// and the worker must honour a shutdown while the engine is down.
func register(ctx context.Context, r *app.Runtime, engine *hatchet.Client) (*hatchet.Worker, error) {
	type result struct {
		worker *hatchet.Worker
		err    error
	}
	done := make(chan result, 1)
	go func() {
		w, err := newWorker(r, engine)
		done <- result{w, err}
	}()
	slow := time.NewTimer(slowEngine)
	defer slow.Stop()
	for {
		select {
		case res := <-done:
			return res.worker, res.err
		case <-slow.C:
			r.Log.WarnContext(ctx, "engine_unreachable", "address", r.Config.Jobs.Hatchet.HostPort())
		case <-ctx.Done():
			return nil, nil
		}
	}
}

func newWorker(r *app.Runtime, engine *hatchet.Client) (*hatchet.Worker, error) {
	cfg := r.Config
	w, err := engine.NewWorker(Name,
		hatchet.WithWorkflows(workflows.All(engine, r.Steps, workflows.Crons{
			ExpireValues:    cfg.Jobs.Hatchet.CronExpireValues,
			DetectOrphans:   cfg.Jobs.Hatchet.CronDetectOrphans,
			RelayOperations: cfg.Jobs.Hatchet.CronRelayOperations,
			PurgeOperations: cfg.Jobs.Hatchet.CronPurgeOperations,
		})...),
		hatchet.WithSlots(slotsPerStep*cfg.Jobs.Hatchet.WorkerConcurrency),
		hatchet.WithLogger(app.EngineLog()),
	)
	if err != nil {
		return nil, fmt.Errorf("register the workflows: %w", err)
	}
	return w, nil
}

// requeueDropped requeues the operations whose events the engine dropped before the workflows were registered. at is
// the time from which the registration is complete.
func requeueDropped(ctx context.Context, r *app.Runtime, at time.Time) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(time.Until(at)):
	}
	if err := r.Trigger.Started(ctx); err != nil && ctx.Err() == nil {
		// The relay pushes them some minutes later anyway.
		r.Log.WarnContext(ctx, "dropped_operations_not_requeued", "error_code", vault.CodeOf(err))
	}
	return nil
}
