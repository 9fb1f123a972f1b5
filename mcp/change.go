package mcp

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// questionWait is the time that next_question waits for the first question of a gap fill that it starts.
const questionWait = 20 * time.Second

func (s *Server) changeTools() {
	add(s, tool{
		name:  "take_turn",
		title: "Take a turn of the conversation",
		description: "Call it once for each message of the customer, and for each of your own with speaker agent. It " +
			"finds or " +
			"creates the customer, saves the message, answers the open question with it, stores the facts that it states, " +
			"and returns what was learned and refused, what is missing, the next question, and the context block.",
		limits: map[string]map[string]any{
			"speaker": enum([]vault.Speaker{vault.SpeakerCustomer, vault.SpeakerAgent}), "text": {"minLength": 1},
		},
	}, s.takeTurn)
	add(s, tool{
		name:  "next_question",
		title: "Get the next question to the customer",
		description: "Returns the oldest open question to a customer, or none. With a scenario and no open question, " +
			"it starts to collect what the scenario misses.",
	}, s.nextQuestion)
	add(s, tool{
		name: "answer_question", title: "Answer a question",
		description: "Answers an open question with the customer's own words or a value. A refusal or an unclear answer is " +
			"recognised.",
		names: map[string]string{"value": "answer"},
	}, s.answerQuestion)
	add(s, tool{
		name:  "confirm",
		title: "Confirm or deny a value",
		description: "Answers a question of the kind confirm: the customer says that the value is right, or wrong, or " +
			"states the right one.",
		names: map[string]string{"value": "correction"},
	}, s.confirm)
	add(s, tool{
		name:  "forget",
		title: "Ask to forget a value",
		description: "Asks a person to delete a value of a customer. It deletes nothing by itself: the value stays " +
			"until the person has decided.",
		limits: map[string]map[string]any{"reason": enum(vault.DeletionReasons)},
		names:  map[string]string{"name": "field"},
	}, s.forget)
}

type forgetInput struct {
	Customer uuid.UUID            `json:"customer_id" jsonschema:"The id of the customer."`
	Field    string               `json:"field" jsonschema:"The name of the field."`
	Reason   vault.DeletionReason `json:"reason" jsonschema:"Why the value should be deleted."`
}

func (s *Server) forget(ctx context.Context, in forgetInput) (answer, error) {
	op, err := s.client.ProposeDeletion(ctx, vault.ProposeDeletionInput{
		CustomerID: in.Customer, Name: in.Field, Reason: in.Reason,
	}, client.Wait(changeWait))
	if err != nil || !op.Status.Finished() {
		return outcome(op, err)
	}
	return data(struct {
		ItemID uuid.UUID `json:"item_id"`
		Review string    `json:"review"`
		Note   string    `json:"note"`
	}{op.Result.ItemID, "open", "The value is still there. A person decides about its deletion."})
}

type turnInput struct {
	Text           string        `json:"text" jsonschema:"The message, word by word, at most 64 KiB."`
	Speaker        vault.Speaker `json:"speaker,omitempty" jsonschema:"The author of the message. Absent: customer."`
	Customer       uuid.UUID     `json:"customer_id,omitzero" jsonschema:"The id of the customer. Absent: the customer of channel and external_id."`
	Channel        string        `json:"channel,omitempty" jsonschema:"The channel of the customer's identity, such as whatsapp."`
	ExternalID     string        `json:"external_id,omitempty" jsonschema:"The identity of the customer on the channel. An unknown one creates a customer."`
	SessionKey     string        `json:"session_key,omitempty" jsonschema:"Your own name of this conversation: the same name in each turn of it. Required without session_id."`
	Session        uuid.UUID     `json:"session_id,omitzero" jsonschema:"The id of the session. Absent: the session of session_key."`
	Scenario       uuid.UUID     `json:"scenario_id,omitzero" jsonschema:"The scenario to move on. Absent: the scenario that the server was started with, if any."`
	At             time.Time     `json:"at,omitzero" jsonschema:"The time of the message, not in the future. Absent: now."`
	IdempotencyKey string        `json:"idempotency_key,omitempty" jsonschema:"A name of this message. A repeat with the same name takes no second turn."`
}

func (s *Server) takeTurn(ctx context.Context, in turnInput) (answer, error) {
	turn := vault.TakeTurnInput{
		CustomerID: in.Customer, Channel: in.Channel, ExternalID: in.ExternalID, SessionID: in.Session,
		SessionKey: in.SessionKey, AgentID: s.agent, ScenarioID: s.scenarioOf(in.Scenario), Speaker: in.Speaker,
		Text: in.Text,
	}
	if !in.At.IsZero() {
		turn.At = &in.At
	}
	opts := []client.Option{client.Wait(changeWait)}
	if in.IdempotencyKey != "" {
		opts = append(opts, client.IdempotencyKey(in.IdempotencyKey))
	}
	op, err := s.client.TakeTurn(ctx, turn, opts...)
	if err != nil || !op.Status.Finished() {
		return outcome(op, err)
	}
	block := op.Result.Context
	op.Result.Context = "" // a text of its own: inside of JSON its lines would be escapes
	out, err := data(op.Result)
	if block != "" {
		out.texts = append(out.texts, block)
	}
	return out, err
}

type questionInput struct {
	Customer uuid.UUID `json:"customer_id" jsonschema:"The id of the customer."`
	Channel  string    `json:"channel,omitempty" jsonschema:"The channel that asks, such as phone. Absent: each."`
	Scenario uuid.UUID `json:"scenario_id,omitzero" jsonschema:"The scenario whose missing fields are collected if no question is open. Absent: the scenario that the server was started with, if any."`
	Session  uuid.UUID `json:"session_id,omitzero" jsonschema:"The conversation from which values may be read before the customer is asked."`
}

func (s *Server) nextQuestion(ctx context.Context, in questionInput) (answer, error) {
	next, err := s.openQuestion(ctx, in)
	scenario := s.scenarioOf(in.Scenario)
	if err == nil && next == nil && scenario != uuid.Nil {
		if err = s.startFill(ctx, in, scenario); err == nil {
			next, err = s.openQuestion(ctx, in)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return data(map[string]any{"question": next})
}

// openQuestion returns the oldest open question to a customer that the channel may ask, nil if there is none.
func (s *Server) openQuestion(ctx context.Context, in questionInput) (*vault.Question, error) {
	open, err := s.client.AwaitQuestions(ctx, in.Customer, in.Channel, 0)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	return &open[0], nil
}

// startFill starts a gap fill, and waits until it asks or ends.
func (s *Server) startFill(ctx context.Context, in questionInput, scenario uuid.UUID) error {
	op, err := s.client.FillGaps(ctx, vault.FillGapsInput{
		CustomerID: in.Customer, ScenarioID: scenario, SessionID: pointer(in.Session),
	})
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, questionWait)
	defer cancel()
	if _, err := op.WaitOrAsk(waiting); err != nil && waiting.Err() == nil {
		return err
	}
	return ctx.Err()
}

type answerInput struct {
	Question uuid.UUID       `json:"question_id" jsonschema:"The id of the question."`
	Answer   json.RawMessage `json:"answer" jsonschema:"The words of the customer as a string, or a value of the type of the field."`
	Session  uuid.UUID       `json:"session_id,omitzero" jsonschema:"The conversation of the answer."`
	Channel  string          `json:"channel,omitempty" jsonschema:"The channel of the answer, such as phone."`
}

func (s *Server) answerQuestion(ctx context.Context, in answerInput) (answer, error) {
	return outcome(s.client.AnswerQuestion(ctx, vault.AnswerQuestionInput{
		QuestionID: in.Question, Value: in.Answer, SessionID: pointer(in.Session), Channel: in.Channel,
	}, client.Wait(changeWait)))
}

type confirmInput struct {
	Question   uuid.UUID       `json:"question_id" jsonschema:"The id of a question of the kind confirm."`
	Confirmed  bool            `json:"confirmed" jsonschema:"true: the customer said that the value is right."`
	Correction json.RawMessage `json:"correction,omitempty" jsonschema:"The right value, in the customer's words. Only with confirmed false."`
	Session    uuid.UUID       `json:"session_id,omitzero" jsonschema:"The conversation of the answer."`
}

func (s *Server) confirm(ctx context.Context, in confirmInput) (answer, error) {
	if in.Confirmed && in.Correction != nil {
		return answer{}, vault.Invalid("correction", "is only allowed with confirmed false")
	}
	q, err := s.client.GetQuestion(ctx, in.Question)
	if err != nil {
		return answer{}, err
	}
	if q.Kind != vault.QuestionConfirm {
		return answer{}, vault.Invalid("question_id",
			"is a question for a value, which cannot be confirmed; use answer_question with the customer's words")
	}
	value := in.Correction
	switch {
	case in.Confirmed:
		value = json.RawMessage(`"yes"`)
	case value == nil:
		value = json.RawMessage(`"no"`)
	}
	return outcome(s.client.AnswerQuestion(ctx, vault.AnswerQuestionInput{
		QuestionID: in.Question, Value: value, SessionID: pointer(in.Session),
	}, client.Wait(changeWait)))
}
