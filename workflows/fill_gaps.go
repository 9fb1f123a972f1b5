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

// advanceGaps moves a gap fill on as far as it goes without waiting. fill-gaps starts it, again and again.
func advanceGaps(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowAdvanceGaps)
	find := w.NewTask("find-missing", task(rejectable(s.Gaps.FindMissing)), quick()...)
	resolve := w.NewTask("resolve", task(rejectable(s.Gaps.ResolveGaps)), model(find)...)
	w.NewTask(taskAsk, task(rejectable(s.Gaps.AskCustomer)), quick(resolve)...)
	return w
}

// DurableTask is the name of the one task that waits for people.
const DurableTask = "fill"

const taskAsk = "ask"

// fillGaps fills what a scenario needs of a customer, and waits for the customer where it must: for hours, across restarts.
func fillGaps(c *hatchet.Client, advance, write *hatchet.Workflow) *hatchet.Workflow {
	w := c.NewWorkflow(vault.FillGaps.Name, hatchet.WithWorkflowEvents(vault.FillGaps.Event), onePerSubject())
	w.NewDurableTask(DurableTask, func(ctx hatchet.DurableContext, ev vault.Event) (Filled, error) {
		return fill(durable{ctx: ctx, advanceGaps: advance, writeValue: write}, ctx.RetryCount(), ev)
	}, waiting()...)
	return w
}

// Filled is how often a gap fill went on.
type Filled struct {
	Rounds int `json:"rounds"`
}

// gapRunner is what the durable task of a gap fill does between its decisions. The engine keeps the outcome of each, and
// gives it back when the task is replayed.
type gapRunner interface {
	advance(round int, ev vault.Event) (gapfill.Advanced, error)
	write(round int, evs []vault.Event) error
	wait(question gapfill.Waiting, pause time.Duration) error // at most for the pause
}

// maxStuck is how often the same writes may come back before the attempt fails, and is retried later with a back-off.
const maxStuck = 3

var errStuck = errors.New("unavailable: the writes of this gap fill do not finish")

// fill must be deterministic: it decides by what gapRunner returns, and by nothing else. A run that is retried or replayed is
// given the outcomes that the engine kept, failures included: fill goes past as many failures as there were attempts before
// this one, and so does something new.
func fill(run gapRunner, attemptsBefore int, ev vault.Event) (Filled, error) {
	var last []vault.Event
	var watch watch
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
			if err := run.wait(*next.Question, watch.pause(*next.Question)); err != nil {
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

// watch says for how long a fill waits before it looks by itself: should the event that wakes it be lost, or the fact come from
// elsewhere, which pushes none.
type watch struct {
	question uuid.UUID
	waited   time.Duration
}

// firstLook is when a fill looks for the first time. After that it waits as long again as it has waited: a lost event at most
// doubles the customer's time, and a question that is open for thirty days costs sixteen looks.
const firstLook = time.Minute

// pause gives how long to wait for the settlement of a question this time, so that the last one ends after its deadline. One that is
// still open then has an answer that is not looked at yet.
func (w *watch) pause(q gapfill.Waiting) time.Duration {
	if q.QuestionID != w.question {
		*w = watch{question: q.QuestionID}
	}
	left := q.DeadlineAt.Sub(q.OpenedAt) + afterDeadline - w.waited
	pause := min(max(firstLook, w.waited), max(left, afterDeadline))
	if left < 0 {
		pause = min(max(afterDeadline, -left), firstLook)
	}
	w.waited += pause
	return pause
}

// durable is the gapRunner over the engine.
type durable struct {
	ctx         hatchet.DurableContext
	advanceGaps *hatchet.Workflow
	writeValue  *hatchet.Workflow
}

func (d durable) advance(round int, ev vault.Event) (gapfill.Advanced, error) {
	var out outcome[gapfill.Advanced]
	result, err := d.advanceGaps.Run(d.ctx, ev, hatchet.WithRunKey(fmt.Sprintf("advance-%d", round)))
	if err != nil {
		return out.Result, err
	}
	if err := result.TaskOutput(taskAsk).Into(&out); err != nil {
		return out.Result, err
	}
	return out.value()
}

// write runs writes one after the other: they are of one profile. One that is rejected is an outcome, which advance reads.
func (d durable) write(round int, evs []vault.Event) error {
	for i, ev := range evs {
		_, _ = d.writeValue.Run(d.ctx, ev, hatchet.WithRunKey(fmt.Sprintf("write-%d-%d", round, i)))
		if err := d.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// lookBack covers the difference between the clocks of the database, which says when a question was opened, and the engine.
const lookBack = time.Minute

// afterDeadline makes sure that a wait which ran out ends after the deadline.
const afterDeadline = 2 * time.Second

// wait waits until the question is settled or the pause is over. The scope and the look-back make sure that an answer which comes
// before the wait is registered is seen: the engine (v0.104.7) commits an event before it matches it to waits, and a wait before it
// looks back.
func (d durable) wait(q gapfill.Waiting, pause time.Duration) error {
	_, err := d.ctx.WaitFor(hatchet.OrCondition(
		hatchet.UserEventCondition(vault.EventQuestionSettled, "true",
			hatchet.WithEventScope(q.QuestionID.String()), hatchet.WithConsiderEventsSince(q.OpenedAt.Add(-lookBack))),
		hatchet.SleepCondition(pause),
	))
	return err
}
