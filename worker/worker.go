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

	"github.com/contextvault/contextvault/metrics"
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

// Run registers the workflows, for which it waits for the engine a while, and works until ctx ends. Then it takes no more, lets the
// steps that run finish for as long as the configured grace, and returns. A step that does not finish in time is run again
// elsewhere: steps stand that.
func Run(ctx context.Context, r *Runtime, engine *hatchet.Client, opts Options) error {
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
	w.Use(opentelemetry.NewMiddleware(otel.Tracer(tracerName)), o.observe) //nolint:staticcheck // the SDK's only middleware
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
	g.Go(func() error { return hurryFirst(gctx, r, started.Add(registration)) })
	<-gctx.Done()
	time.Sleep(time.Until(started.Add(registration)))
	if err := stop(); err != nil {
		r.Log.WarnContext(ctx, "worker_stop_failed")
	}
	left := o.drain(cfg.Worker.ShutdownGrace())
	r.Log.InfoContext(ctx, "worker_stopped", "steps_left", left)
	endServing()
	return g.Wait()
}

// awaited is when it is said that the engine does not answer. The SDK gives up by itself, after a minute and a half.
const awaited = 5 * time.Second

// register registers the workflows with the engine. It gives nil where ctx ends before: the SDK knows no context, and a worker that
// starts while the engine is down must not be deaf to whoever stops it.
func register(ctx context.Context, r *Runtime, engine *hatchet.Client) (*hatchet.Worker, error) {
	type made struct {
		worker *hatchet.Worker
		err    error
	}
	done := make(chan made, 1)
	go func() {
		w, err := newWorker(r, engine)
		done <- made{w, err}
	}()
	slow := time.NewTimer(awaited)
	defer slow.Stop()
	for {
		select {
		case m := <-done:
			return m.worker, m.err
		case <-slow.C:
			r.Log.WarnContext(ctx, "engine_awaited", "address", r.Config.Jobs.Hatchet.HostPort())
		case <-ctx.Done():
			return nil, nil
		}
	}
}

func newWorker(r *Runtime, engine *hatchet.Client) (*hatchet.Worker, error) {
	cfg := r.Config
	w, err := engine.NewWorker(Name,
		hatchet.WithWorkflows(workflows.All(engine, r.Steps, workflows.Crons{
			ExpireValues:    cfg.Jobs.Hatchet.CronExpireValues,
			DetectOrphans:   cfg.Jobs.Hatchet.CronDetectOrphans,
			RelayOperations: cfg.Jobs.Hatchet.CronRelayOperations,
			PurgeOperations: cfg.Jobs.Hatchet.CronPurgeOperations,
		})...),
		hatchet.WithSlots(slotsPerStep*cfg.Jobs.Hatchet.WorkerConcurrency),
		hatchet.WithDurableSlots(durableSlots),
		hatchet.WithLogger(engineLog()),
	)
	if err != nil {
		return nil, fmt.Errorf("register the workflows: %w", err)
	}
	return w, nil
}

// hurryFirst has the relay make up, once the workflows are registered, for what the engine dropped before.
func hurryFirst(ctx context.Context, r *Runtime, at time.Time) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(time.Until(at)):
	}
	if err := r.Trigger.Started(ctx); err != nil && ctx.Err() == nil {
		r.Log.WarnContext(ctx, "first_operations_not_requeued", "error_code", vault.CodeOf(err)) // they are due in some minutes anyway
	}
	return nil
}
