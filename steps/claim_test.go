package steps_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func (w *world) claim(question uuid.UUID, channel string) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ClaimQuestion, vault.ClaimQuestionInput{
		QuestionID: question, Channel: channel, Seconds: 30,
	}))
}

func (w *world) questionOf(id uuid.UUID) vault.Question {
	w.t.Helper()
	row, err := w.db.Tenant(w.tenant).GetQuestion(w.t.Context(), w.tenant, id)
	w.must(err)
	return db.QuestionOf(row)
}

func TestClaimQuestion_OneChannelAsks(t *testing.T) {
	t.Parallel()
	q := asking(t, vault.FillGapsInput{}, nil, vault.Definition{
		Name: "email", ValueType: vault.TypeEmail, AskChannels: []string{"phone", "chat"},
	})
	id := q.question().ID
	claim := func(channel string) error { return q.run(q.claim(id, channel), "Answers.ClaimQuestion") }
	q.equal("a channel that may not ask", vault.CodeInvalid, vault.CodeOf(claim("letter")))
	q.must(claim("phone"))
	q.must(claim("phone")) // renewed
	q.equal("another channel", vault.CodeConflict, vault.CodeOf(claim("chat")))
	open := q.questionOf(id)
	now := time.Now()
	for channel, may := range map[string]bool{"phone": true, "chat": false, "letter": false, "": false} {
		if open.MayAsk(channel, now) != may {
			t.Errorf("channel %q may ask: %t", channel, !may)
		}
	}
	if later := now.Add(time.Minute); !open.MayAsk("chat", later) || open.MayAsk("letter", later) {
		t.Error("a claim does not end, or lets every channel ask")
	}
	q.later(time.Minute)
	q.must(claim("chat"))

	// What the customer says counts on every channel, and the question says where it came from.
	q.must(q.run(q.event(trigger.Submit(t.Context(), q.trigger, q.tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
		QuestionID: id, Value: text("ada@example.com"), Channel: "web",
	})), answerQuestion...))
	q.equal("answered on", "web", q.questionOf(id).AnsweredOn)
	q.equal("a closed question", vault.CodeConflict, vault.CodeOf(claim("chat")))
}

// A turn answers only a question that its channel may ask.
func TestTakeTurn_QuestionOfAnotherChannel(t *testing.T) {
	t.Parallel()
	c := converse(t)
	customer := c.take(c.turn("Hello")).CustomerID
	c.sql("UPDATE questions SET channels = '{phone}' WHERE status = 'open'")
	if got := c.take(c.turn("ada@example.com")); got.Answer != nil {
		t.Errorf("a turn of the chat answered the question of the phone: %+v", got.Answer)
	}
	got := c.take(c.turn("ada@example.com", func(in *vault.TakeTurnInput) {
		in.CustomerID, in.Channel = customer, "phone"
	}))
	if got.Answer == nil || got.Answer.Outcome != vault.TurnAnswered {
		t.Errorf("the turn of the phone is %+v", got)
	}
	c.equal("answered on", "phone", c.questionOf(got.Answer.QuestionID).AnsweredOn)
}
