package eval

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/upkeep"
	"github.com/contextvault/contextvault/vault"
)

// Direct is a trigger.Engine that runs the steps of the evaluated workflows in this process, one after the other,
// without the workflow engine. The steps and the PostgreSQL are the same, and it is a hundred times faster. A failed
// run is not retried before its operation is due, and no run survives the process.
type Direct struct {
	Steps *steps.Steps // must be set before the first push
	Log   *slog.Logger

	running sync.WaitGroup
	relay   sync.Once
	stop    context.CancelFunc
}

// Push implements trigger.Engine.
func (d *Direct) Push(ctx context.Context, event string, batch vault.Batch) error {
	ctx = context.WithoutCancel(ctx)
	d.relay.Do(func() {
		relaying, stop := context.WithCancel(ctx)
		d.stop = stop
		d.running.Go(func() { d.relayOwed(relaying) })
	})
	d.running.Go(func() {
		for _, ev := range batch.Events() {
			if err := d.run(ctx, event, ev); err != nil && !vault.Permanent(err) {
				d.Log.ErrorContext(ctx, "direct_run_failed", "event", event, "operation_id", ev.OperationID, "error", err.Error())
			}
		}
	})
	return nil
}

// relayEvery is how often relay-operations runs by default.
const relayEvery = time.Second

// relayOwed does what the cron of relay-operations does: a gap fill whose wake-up was committed while its last run
// started is woken by nobody else.
func (d *Direct) relayOwed(ctx context.Context) {
	tick := time.NewTicker(relayEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := d.Steps.Operations.RelayOperations(ctx, vault.Event{}); err != nil && ctx.Err() == nil {
			d.Log.WarnContext(ctx, "direct_relay_failed", "error", err.Error())
		}
	}
}

// Wait stops the relay and waits until no run is left. Nothing may be pushed after it.
func (d *Direct) Wait() {
	d.relay.Do(func() { d.stop = func() {} })
	d.stop()
	d.running.Wait()
}

// step drops the output of a step.
func step[Out any](run func(context.Context, vault.Event) (Out, error)) func(context.Context, vault.Event) error {
	return func(ctx context.Context, ev vault.Event) error {
		_, err := run(ctx, ev)
		return err
	}
}

func (d *Direct) run(ctx context.Context, event string, ev vault.Event) error {
	s := d.Steps
	acknowledge := step(func(ctx context.Context, ev vault.Event) (upkeep.Invalidated, error) {
		return s.Caches.InvalidateAndAcknowledge(ctx, vault.BatchOf(ev))
	})
	for _, run := range map[string][]func(context.Context, vault.Event) error{
		vault.WriteValue.Event: {
			step(s.Values.ValidateValue),
			step(s.Values.PersistValue),
			acknowledge,
		},
		vault.SaveSession.Event: {step(s.Sessions.PersistSession), acknowledge},
		vault.SaveDefinition.Event: {
			step(s.Definitions.ValidateDefinition),
			step(s.Definitions.PersistDefinition),
			acknowledge,
		},
		vault.SaveRequirement.Event: {
			step(s.Definitions.ValidateRequirement),
			step(s.Definitions.PersistRequirement),
			acknowledge,
		},
		vault.SaveScenario.Event: {step(s.Scenarios.PersistScenario), step(s.Scenarios.AnnounceSave)},
		vault.ExtractSchema.Event: {
			step(s.Extraction.LoadSchemaSource), step(s.Extraction.ProposeSchema),
			step(s.Extraction.MatchSchema), step(s.Extraction.PersistSchema),
			acknowledge,
		},
		vault.DecideReview.Event: {step(s.Definitions.PersistReview), acknowledge},
		vault.AnswerQuestion.Event: {
			step(s.Answers.ValidateAnswer),
			step(s.Answers.PersistAnswer),
			acknowledge,
		},
		vault.CancelFill.Event: {step(s.Gaps.CancelFill), acknowledge},
		vault.FillGaps.Event:   {step(s.Gaps.FindMissing), step(s.Gaps.ResolveGaps), step(s.Gaps.AskCustomer)},
	}[event] {
		if err := run(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}
