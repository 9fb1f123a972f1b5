package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/gapfill"
	"github.com/contextvault/contextvault/vault"
)

// advanceGaps advances a gap fill until it has to wait. fill-gaps starts it once per round.
func advanceGaps(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowAdvanceGaps)
	find := w.NewTask("find-missing", task(withRejection(s.Gaps.FindMissing)), quick()...)
	resolve := w.NewTask("resolve", task(withRejection(s.Gaps.ResolveGaps)), model(find)...)
	w.NewTask(taskAsk, task(withRejection(s.Gaps.AskCustomer)), quick(resolve)...)
	return w
}

// DurableTask is the name of the only task that waits for people.
const DurableTask = "fill"

const taskAsk = "ask"

// fillGaps fills the fields that a scenario needs of a customer. It waits for the customer's answers, for hours and
// across restarts.
func fillGaps(c *hatchet.Client, advance, write *hatchet.Workflow) *hatchet.Workflow {
	w := c.NewWorkflow(vault.FillGaps.Name, hatchet.WithWorkflowEvents(vault.FillGaps.Event), onePerSubject())
	w.NewDurableTask(DurableTask, func(ctx hatchet.DurableContext, ev vault.Event) (Filled, error) {
		return fill(durable{ctx: ctx, advanceGaps: advance, writeValue: write}, ctx.RetryCount(), ev)
	}, waiting()...)
	return w
}

// Filled counts the rounds of a gap fill.
type Filled struct {
	Rounds int `json:"rounds"`
}

// gapRunner runs the actions of a gap fill. The engine stores the outcome of each action and returns it when the
// durable task is replayed.
type gapRunner interface {
	advance(round int, ev vault.Event) (gapfill.Advanced, error)
	write(round int, evs []vault.Event) error
	wait(question gapfill.Waiting, pause time.Duration) error // up to pause
}

// maxStuck is how often the same unfinished writes may come back before the attempt fails and is retried with a
// backoff.
const maxStuck = 3

var errStuck = errors.New("unavailable: the writes of this gap fill do not finish")

// fill must be deterministic: it decides only by the results of gapRunner. The engine replays the stored outcomes,
// failures included, to a run that is retried or replayed: fill skips as many failures as there were earlier attempts,
// and then makes progress.
func fill(run gapRunner, attemptsBefore int, ev vault.Event) (Filled, error) {
	var last []vault.Event
	var poller poller
	failures := 0
	for round, stuck := 1, 0; ; round++ {
		next, err := run.advance(round, ev)
		switch {
		case err != nil:
			if failures++; failures > attemptsBefore {
				return Filled{Rounds: round}, err
			}
			continue
		case next.Done:
			return Filled{Rounds: round}, nil
		case next.Question != nil:
			if err := run.wait(*next.Question, poller.pause(*next.Question)); err != nil {
				return Filled{Rounds: round}, err
			}
			continue
		case slices.Equal(next.Writes, last):
			stuck++
		default:
			stuck = 0
		}
		if stuck == maxStuck {
			if failures++; failures > attemptsBefore {
				return Filled{Rounds: round}, errStuck
			}
			stuck = 0
		}
		last = next.Writes
		if err := run.write(round, next.Writes); err != nil {
			return Filled{Rounds: round}, err
		}
	}
}

// poller computes how long a fill waits before it polls the database. Polling covers a lost event and a value that
// comes from another source, for which no event is pushed.
type poller struct {
	question uuid.UUID
	waited   time.Duration
}

// firstPoll is the time until the first poll. Each further wait is as long as all waits before it: a lost event at most
// doubles the waiting time, and a question that is open for thirty days costs sixteen polls.
const firstPoll = time.Minute

// pause returns how long to wait for a question to be closed this time. The last wait ends after the deadline. A
// question that is open after that has an accepted answer that is not processed yet.
func (p *poller) pause(q gapfill.Waiting) time.Duration {
	if q.QuestionID != p.question {
		*p = poller{question: q.QuestionID}
	}
	left := q.DeadlineAt.Sub(q.OpenedAt) + afterDeadline - p.waited
	pause := min(max(firstPoll, p.waited), max(left, afterDeadline))
	if left < 0 {
		pause = min(max(afterDeadline, -left), firstPoll)
	}
	p.waited += pause
	return pause
}

// durable is the gapRunner that uses the engine.
type durable struct {
	ctx         hatchet.DurableContext
	advanceGaps *hatchet.Workflow
	writeValue  *hatchet.Workflow
}

func (d durable) advance(round int, ev vault.Event) (gapfill.Advanced, error) {
	var out resultOrRejection[gapfill.Advanced]
	result, err := d.advanceGaps.Run(d.ctx, ev, hatchet.WithRunKey(fmt.Sprintf("advance-%d", round)))
	if err != nil {
		return out.Result, err
	}
	if err := result.TaskOutput(taskAsk).Into(&out); err != nil {
		return out.Result, err
	}
	return out.unwrap()
}

// write runs the writes one after the other, because they are for one profile. A rejected write is an outcome, which
// the next advance reads.
func (d durable) write(round int, evs []vault.Event) error {
	for i, ev := range evs {
		_, _ = d.writeValue.Run(d.ctx, ev, hatchet.WithRunKey(fmt.Sprintf("write-%d-%d", round, i)))
		if err := d.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// eventLookback covers the clock difference between the database, which sets a question's time of opening, and the
// engine.
const eventLookback = time.Minute

// afterDeadline ensures that the last wait ends after the deadline.
const afterDeadline = 2 * time.Second

// wait waits until the question is closed or the pause is over. The scope and the lookback find an answer that comes
// before the wait is registered: the engine (v0.104.7) commits an event before it matches the event to waits, and
// commits a wait before it looks back.
func (d durable) wait(q gapfill.Waiting, pause time.Duration) error {
	_, err := d.ctx.WaitFor(hatchet.OrCondition(
		hatchet.UserEventCondition(vault.EventQuestionClosed, "true",
			hatchet.WithEventScope(q.QuestionID.String()), hatchet.WithConsiderEventsSince(q.OpenedAt.Add(-eventLookback))),
		hatchet.SleepCondition(pause),
	))
	return err
}
