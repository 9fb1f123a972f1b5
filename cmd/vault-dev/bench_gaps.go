package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

const gapFields = 2 // of the scenario: a fill asks for one, and after its answer for the other

// gapScenario saves a scenario that needs gapFields fields of a customer.
func (b *benchmarks) gapScenario(ctx context.Context) (uuid.UUID, error) {
	scenario := uuid.Must(uuid.NewV7())
	err := b.submitted(trigger.Submit(ctx, b.Trigger, b.tenant, vault.SaveScenario, vault.Scenario{
		ID: scenario, AgentID: b.agent, Name: "Bench gaps",
	}))(ctx)
	for i := range gapFields {
		if err != nil {
			break
		}
		err = b.submitted(trigger.Submit(ctx, b.Trigger, b.tenant, vault.SaveRequirement, vault.Requirement{
			AgentID: b.agent, ScenarioID: scenario, FieldName: fieldName(i), RequiredLevel: vault.LevelHard,
			FallbackAction: vault.FallbackAsk, Order: i,
		}))(ctx)
	}
	return scenario, err
}

// submitted returns a function that waits for an operation.
func (b *benchmarks) submitted(r trigger.Receipt, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err == nil {
			_, err = r.Wait(ctx)
		}
		return err
	}
}

// ask starts a fill for a new customer and returns its first question once it is visible.
func (b *benchmarks) ask(ctx context.Context, scenario uuid.UUID) (vault.Question, error) {
	customer := uuid.Must(uuid.NewV7())
	_, err := trigger.Submit(ctx, b.Trigger, b.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: customer, ScenarioID: scenario,
	})
	if err != nil {
		return vault.Question{}, err
	}
	return b.nextQuestion(ctx, customer, uuid.Nil)
}

// nextQuestion returns the first open question of a customer that is not the known one.
func (b *benchmarks) nextQuestion(ctx context.Context, customer, known uuid.UUID) (vault.Question, error) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		open, err := b.Query.Questions(ctx, b.tenant, customer)
		if err != nil {
			return vault.Question{}, err
		}
		for _, q := range open {
			if q.ID != known {
				return q, nil
			}
		}
		select {
		case <-ctx.Done():
			return vault.Question{}, ctx.Err()
		case <-tick.C:
		}
	}
}

func (b *benchmarks) fillToQuestion(ctx context.Context) (measured, error) {
	scenario, err := b.gapScenario(ctx)
	if err != nil {
		return measured{}, err
	}
	return b.compare(measured{
		Name: "fill accepted to first question visible", Ceiling: "empty Hatchet workflow of 3 steps", Target: 2,
		Between: "the operation, the durable task, the reads of what is known",
	}, runs, func() error {
		_, err := b.ask(ctx, scenario)
		return err
	}, func() error { return b.runEmpty(ctx, 3) })
}

func (b *benchmarks) answerToQuestion(ctx context.Context) (measured, error) {
	scenario, err := b.gapScenario(ctx)
	if err != nil {
		return measured{}, err
	}
	perRound := max(1, b.effort.of(runs)/b.effort.rounds)
	var asked []vault.Question // one for each call of the measured function
	for range perRound * (b.effort.rounds + 1) {
		q, err := b.ask(ctx, scenario)
		if err != nil {
			return measured{}, err
		}
		asked = append(asked, q)
	}
	return b.compare(measured{
		Name: "answer accepted to next question visible", Ceiling: "empty Hatchet workflow of 3 steps", Target: 2.5,
		Between: "the operation, the check of the answer, the write of the value, the next question",
	}, runs, func() error {
		q := asked[0]
		asked = asked[1:]
		_, err := trigger.Submit(ctx, b.Trigger, b.tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
			QuestionID: q.ID, Value: text("a text"),
		})
		if err == nil {
			_, err = b.nextQuestion(ctx, q.CustomerID, q.ID)
		}
		return err
	}, func() error { return b.runEmpty(ctx, 3) })
}

// turnToQuestion measures turns that answer a question. Pure rules read them, so no model is called.
func (b *benchmarks) turnToQuestion(ctx context.Context) (measured, error) {
	scenario, err := b.gapScenario(ctx)
	if err != nil {
		return measured{}, err
	}
	take := func(customer uuid.UUID, said string) (vault.TurnResult, error) {
		var out vault.TurnResult
		r, err := trigger.Submit(ctx, b.Trigger, b.tenant, vault.TakeTurn, vault.TakeTurnInput{
			CustomerID: customer, SessionKey: customer.String(), ScenarioID: scenario, Text: said,
		})
		if err != nil {
			return out, err
		}
		op, err := r.Wait(ctx)
		if err == nil {
			err = json.Unmarshal(op.Result, &out)
		}
		return out, err
	}
	perRound := max(1, b.effort.of(runs)/b.effort.rounds)
	var asked []vault.Question // one for each call of the measured function
	for range perRound * (b.effort.rounds + 1) {
		customer := uuid.Must(uuid.NewV7())
		if _, err := take(customer, "Hello"); err != nil {
			return measured{}, err
		}
		q, err := b.nextQuestion(ctx, customer, uuid.Nil)
		if err != nil {
			return measured{}, err
		}
		asked = append(asked, q)
	}
	return b.compare(measured{
		Name: "turn accepted to acknowledged, with the next question", Ceiling: "empty Hatchet workflow of 3 steps",
		Target:  3,
		Between: "the operation, the turn, the answer, the write of the value, the next question, the invalidation",
	}, runs, func() error {
		q := asked[0]
		asked = asked[1:]
		got, err := take(q.CustomerID, "a text")
		if err == nil && (got.Answer == nil || got.Answer.Outcome != vault.TurnAnswered) {
			err = errors.New("the turn did not answer the question")
		}
		if err == nil {
			_, err = b.nextQuestion(ctx, q.CustomerID, q.ID)
		}
		return err
	}, func() error { return b.runEmpty(ctx, 3) })
}
