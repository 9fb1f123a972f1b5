package eval

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// Direct is a trigger.Engine that runs the steps of the evaluated workflows in this process, one after the other,
// without the workflow engine. The steps and the PostgreSQL are the same, and it is a hundred times faster. It has no
// retries, and no run survives the process.
type Direct struct {
	Steps *steps.Steps // must be set before the first push
	Log   *slog.Logger

	mu      sync.Mutex
	waiting map[string]chan struct{} // by question
	running sync.WaitGroup
}

// Push implements trigger.Engine.
func (d *Direct) Push(ctx context.Context, event, scope string, ev vault.Event) error {
	if event == vault.EventQuestionClosed {
		d.resume(scope)
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	d.running.Go(func() {
		if err := d.run(ctx, event, ev); err != nil && !vault.Permanent(err) {
			d.Log.ErrorContext(ctx, "direct_run_failed", "event", event, "operation_id", ev.OperationID, "error", err.Error())
		}
	})
	return nil
}

// Wait waits until no run is left.
func (d *Direct) Wait() { d.running.Wait() }

// resume wakes the fill that waits for a question.
func (d *Direct) resume(question string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ch, ok := d.waiting[question]; ok {
		close(ch)
		delete(d.waiting, question)
	}
}

// wait returns a channel that resume closes. Registering before the fill checks the question avoids a missed event.
func (d *Direct) wait(question string) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting == nil {
		d.waiting = map[string]chan struct{}{}
	}
	ch, ok := d.waiting[question]
	if !ok {
		ch = make(chan struct{})
		d.waiting[question] = ch
	}
	return ch
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
	if event == vault.FillGaps.Event {
		return d.fill(ctx, ev)
	}
	for _, run := range map[string][]func(context.Context, vault.Event) error{
		vault.WriteValue.Event: {
			step(s.Values.ValidateValue),
			step(s.Values.PersistValue),
			step(s.Caches.InvalidateAndAcknowledge),
		},
		vault.SaveSession.Event: {step(s.Sessions.PersistSession), step(s.Caches.InvalidateAndAcknowledge)},
		vault.SaveDefinition.Event: {
			step(s.Definitions.ValidateDefinition),
			step(s.Definitions.EmbedDefinition),
			step(s.Definitions.PersistDefinition),
			step(s.Caches.InvalidateAndAcknowledge),
		},
		vault.SaveRequirement.Event: {
			step(s.Definitions.ValidateRequirement),
			step(s.Definitions.PersistRequirement),
			step(s.Caches.InvalidateAndAcknowledge),
		},
		vault.SaveScenario.Event: {step(s.Scenarios.PersistScenario), step(s.Scenarios.AnnounceSave)},
		vault.ExtractSchema.Event: {
			step(s.Extraction.LoadSchemaSource), step(s.Extraction.ProposeSchema),
			step(s.Extraction.MatchSchema), step(s.Extraction.PersistSchema),
			step(s.Caches.InvalidateAndAcknowledge),
		},
		vault.DecideReview.Event: {step(s.Definitions.PersistReview), step(s.Caches.InvalidateAndAcknowledge)},
		vault.AnswerQuestion.Event: {
			step(s.Answers.ValidateAnswer),
			step(s.Answers.PersistAnswer),
			step(s.Caches.InvalidateAndAcknowledge),
			step(s.Answers.AnnounceAnswer),
		},
		vault.CancelFill.Event: {step(s.Gaps.CancelFill), step(s.Gaps.AnnounceCancel)},
	}[event] {
		if err := run(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}

// fill does the same as the durable task of fill-gaps.
func (d *Direct) fill(ctx context.Context, ev vault.Event) error {
	for {
		if _, err := d.Steps.Gaps.FindMissing(ctx, ev); err != nil {
			return err
		}
		if _, err := d.Steps.Gaps.ResolveGaps(ctx, ev); err != nil {
			return err
		}
		next, err := d.Steps.Gaps.AskCustomer(ctx, ev)
		if err != nil || next.Done {
			return err
		}
		for _, write := range next.Writes {
			if err := d.run(ctx, vault.WriteValue.Event, write); err != nil && !vault.Permanent(err) {
				return err
			}
		}
		if next.Question == nil {
			continue
		}
		answered := d.wait(next.Question.QuestionID.String())
		// The event may have come before the wait was registered. The engine looks back for it; here a short poll does.
		select {
		case <-answered:
		case <-time.After(pollInterval):
		}
	}
}

// pollInterval is the interval at which a waiting fill checks its question.
const pollInterval = 200 * time.Millisecond
