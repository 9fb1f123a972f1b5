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
	"errors"
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

// Names of the two workers of a process in the engine's dashboard. ModelName runs the workflows that call the language
// model. The engine assigns steps by worker, so a model that hangs cannot use up the slots of Name.
const (
	Name      = "contextvault"
	ModelName = "contextvault-model"
)

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
	workers, err := register(gctx, r, engine)
	if workers == nil {
		return giveUp(err)
	}
	o.registered.Store(true)
	stop, started, err := startAll(workers, o)
	if err != nil {
		return giveUp(fmt.Errorf("start the worker: %w", err))
	}
	r.Log.InfoContext(ctx, "worker_started", "concurrency", cfg.Jobs.Hatchet.WorkerConcurrency,
		"model_concurrency", cfg.Jobs.Hatchet.ModelConcurrency)
	if opts.Ready != nil {
		opts.Ready()
	}

	g.Go(func() error { return r.Trigger.Run(gctx) })
	g.Go(func() error { return requeueDropped(gctx, r, started.Add(registrationTime)) })
	<-gctx.Done()
	if err := stop(); err != nil {
		r.Log.WarnContext(ctx, "worker_stop_failed")
	}
	left := o.wait(cfg.Worker.ShutdownGrace())
	r.Log.InfoContext(ctx, "worker_stopped", "steps_left", left)
	endServing()
	return g.Wait()
}

// startAll starts the workers. stop stops them; it waits until they are registered. started is the time of the last
// start.
func startAll(workers []*hatchet.Worker, o *observer) (stop func() error, started time.Time, err error) {
	var stops []func() error
	stop = func() error {
		time.Sleep(time.Until(started.Add(registrationTime)))
		var errs []error
		for _, stop := range stops {
			errs = append(errs, stop())
		}
		return errors.Join(errs...)
	}
	for _, w := range workers {
		w.Use(opentelemetry.NewMiddleware(otel.Tracer(tracerName)), o.observe)
		stopOne, err := w.Start()
		if err != nil {
			return nil, started, errors.Join(err, stop())
		}
		stops, started = append(stops, stopOne), time.Now()
	}
	return stop, started, nil
}

// slowEngine is the wait for the engine after which the worker logs engine_unreachable. The SDK gives up after 90
// seconds.
const slowEngine = 5 * time.Second

// register registers the workflows with the engine. It returns nil, nil if ctx ends first: the SDK takes no context,
// and the worker must honour a shutdown while the engine is down.
func register(ctx context.Context, r *app.Runtime, engine *hatchet.Client) ([]*hatchet.Worker, error) {
	type result struct {
		workers []*hatchet.Worker
		err     error
	}
	done := make(chan result, 1)
	go func() {
		workers, err := newWorkers(r, engine)
		done <- result{workers, err}
	}()
	slow := time.NewTimer(slowEngine)
	defer slow.Stop()
	for {
		select {
		case res := <-done:
			return res.workers, res.err
		case <-slow.C:
			r.Log.WarnContext(ctx, "engine_unreachable", "address", r.Config.Jobs.Hatchet.HostPort())
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// newWorkers returns the two workers of this process. The second one also runs the steps of its workflows that do not
// call the model, so it has slots for both kinds.
func newWorkers(r *app.Runtime, engine *hatchet.Client) ([]*hatchet.Worker, error) {
	h := r.Config.Jobs.Hatchet
	plain, model := workflows.Split(workflows.All(engine, r.Steps, workflows.Crons{
		ExpireValues:    h.CronExpireValues,
		DetectOrphans:   h.CronDetectOrphans,
		RelayOperations: h.CronRelayOperations,
		PurgeOperations: h.CronPurgeOperations,
		SealAudit:       h.CronSealAudit,
		DeliverWebhooks: h.CronDeliverWebhooks,
		ProposeMerges:   h.CronProposeMerges,
		RotateKeys:      h.CronRotateKeys,
		SealValues:      h.CronSealValues,

		ReadQuietSessions: h.CronReadQuietSessions,
		PurgeCustomers:    h.CronPurgeCustomers, RemoveExpired: h.CronRemoveExpired,
	}))
	var workers []*hatchet.Worker
	for _, group := range []struct {
		name      string
		workflows []hatchet.WorkflowBase
		steps     int
	}{{Name, plain, h.WorkerConcurrency}, {ModelName, model, h.WorkerConcurrency + h.ModelConcurrency}} {
		w, err := engine.NewWorker(group.name,
			hatchet.WithWorkflows(group.workflows...),
			hatchet.WithSlots(slotsPerStep*group.steps),
			hatchet.WithLogger(app.EngineLog()),
		)
		if err != nil {
			return nil, fmt.Errorf("register the workflows: %w", err)
		}
		workers = append(workers, w)
	}
	return workers, nil
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
