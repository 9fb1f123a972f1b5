package steps_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// The steps of take-turn.
var takeTurn = []string{"Turns.ReadTurn", "Turns.PersistTurn", "Caches.InvalidateAndAcknowledge"}

// conversing is a customer who talks to an agent about a scenario that needs three fields.
type conversing struct {
	*world
	scenario uuid.UUID
}

func converse(t *testing.T) conversing {
	t.Helper()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true},
		vault.Definition{Name: "phone", ValueType: vault.TypePhone, IsPII: true},
		vault.Definition{Name: "country", ValueType: vault.TypeString},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	c := conversing{w, w.scenario().ID}
	c.require(c.scenario, vault.Requirement{FieldName: "email"}, vault.Requirement{FieldName: "phone"},
		vault.Requirement{FieldName: "country"})
	return c
}

// turn is a turn of the customer's own session about the scenario.
func (c conversing) turn(said string, change ...func(*vault.TakeTurnInput)) vault.TakeTurnInput {
	in := vault.TakeTurnInput{
		Channel: "chat", ExternalID: "ada-42", SessionKey: "chat-1", AgentID: c.agent, ScenarioID: c.scenario, Text: said,
	}
	for _, f := range change {
		f(&in)
	}
	return in
}

func (w *world) accepted(in vault.TakeTurnInput) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.TakeTurn, in))
}

// take takes a turn.
func (w *world) take(in vault.TakeTurnInput) vault.TurnResult {
	w.t.Helper()
	ev := w.accepted(in)
	w.must(w.run(ev, takeTurn...))
	return resultOf[vault.TurnResult](w, ev)
}

// openFields returns the fields of the open questions of a customer.
func (w *world) openFields(customer uuid.UUID) string {
	w.t.Helper()
	rows, err := w.db.Tenant(w.tenant).PageOpenQuestions(w.t.Context(), dbgen.PageOpenQuestionsParams{
		TenantID: w.tenant, CustomerID: &customer, MaxRows: 10,
	})
	w.must(err)
	var out []string
	for _, q := range rows {
		out = append(out, q.FieldName)
	}
	return strings.Join(out, " ")
}

func learned(r vault.TurnResult) string {
	var out []string
	for _, f := range r.Learned {
		out = append(out, strings.TrimSpace(f.FieldName+" "+string(f.Status)))
	}
	return strings.Join(sorted(out), ", ")
}

func TestTakeTurn_Conversation(t *testing.T) {
	t.Parallel()
	c := converse(t)
	first := c.take(c.turn("Hello, I am new here."))
	if !first.Created || first.FillID == nil || first.Answer != nil || len(first.Learned) != 0 ||
		first.SessionID != vault.SessionOfKey(c.agent, "chat-1") || first.TurnIndex != 0 {
		t.Fatalf("the first turn is %+v", first)
	}
	customer := first.CustomerID
	c.equal("question", "email", c.openFields(customer))

	// The turn answers the open question, and states another field beside it.
	second := c.take(c.turn("ada@example.com, and my phone number is +44 20 7946 0958"))
	if second.Created || second.CustomerID != customer || second.Answer == nil ||
		second.Answer.Outcome != vault.TurnAnswered || *second.FillID != *first.FillID {
		t.Fatalf("the second turn is %+v", second)
	}
	c.equal("learned", "email active, phone active", learned(second))
	c.equal("values", map[string]string{"email": `"ada@example.com"`, "phone": `"+442079460958"`}, c.values(customer))
	c.equal("question", "country", c.openFields(customer))

	// What the agent says is saved, and neither answers nor says anything.
	calls := c.model.called("extract")
	agent := c.take(c.turn("My email is agent@example.com", func(in *vault.TakeTurnInput) {
		in.Speaker = vault.SpeakerAgent
	}))
	if agent.Answer != nil || len(agent.Learned) != 0 || agent.ModelCalls != 0 || c.model.called("extract") != calls {
		t.Errorf("the turn of the agent is %+v", agent)
	}

	// A turn that says something else leaves the question open, and uses no attempt.
	other := c.take(c.turn("One moment please"))
	if other.Answer == nil || other.Answer.Outcome != vault.TurnNotAnswered {
		t.Errorf("the other turn is %+v", other)
	}
	c.equal("question", "country", c.openFields(customer))

	last := c.take(c.turn("Norway"))
	c.equal("learned", "country active", learned(last))
	c.equal("question", "", c.openFields(customer))
	var turns int64
	turns, err := c.db.Tenant(c.tenant).CountTurns(t.Context(), c.tenant, first.SessionID)
	c.must(err)
	c.equal("turns", int64(5), turns)

	// With nothing left to ask, another turn starts no other fill.
	if after := c.take(c.turn("Thank you")); after.FillID != nil && *after.FillID != *first.FillID {
		t.Errorf("the turn after the last question started the fill %s", after.FillID)
	}
}

func TestTakeTurn_InvalidAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	c := converse(t)
	customer := c.take(c.turn("Hello")).CustomerID
	got := c.take(c.turn("ada@"))
	if got.Answer == nil || got.Answer.Outcome != vault.TurnInvalid || len(got.Refused) != 1 ||
		got.Refused[0].FieldName != "email" || strings.Contains(got.Refused[0].Detail, "ada@") {
		t.Errorf("the answer is %+v, refused %+v", got.Answer, got.Refused)
	}
	c.equal("question", "email", c.openFields(customer))
	// A customer who refuses is not asked for the field again, neither by this fill nor by the next turn.
	got = c.take(c.turn("I don't want to tell you my email"))
	if got.Answer == nil || got.Answer.Outcome != vault.TurnRefused {
		t.Errorf("the refusal is %+v", got.Answer)
	}
	c.equal("question", "phone", c.openFields(customer))
}

// A fact that the customer did not say is not stored, whatever the model finds.
func TestTakeTurn_EvidenceGate(t *testing.T) {
	t.Parallel()
	c := converse(t)
	c.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
		last := req.Turns[len(req.Turns)-1]
		return []vault.Candidate{
			{FieldName: "email", Value: text("eve@example.com"), Quote: "eve@example.com", Turn: last.Index, Confidence: 1},
			{FieldName: "country", Value: text("Norway"), Quote: "in Norway", Turn: last.Index, Confidence: 1},
		}, nil
	}
	got := c.take(c.turn("I live in Norway"))
	if len(got.Refused) != 1 || got.Refused[0].FieldName != "email" || strings.Count(got.Refused[0].Detail, "email:") != 1 {
		t.Errorf("refused %+v", got.Refused)
	}
	c.equal("values", map[string]string{"country": `"Norway"`}, c.values(got.CustomerID))
}

// A weaker value is pending beside the one of a person, and the same value is not written again.
func TestTakeTurn_PendingAndUnchanged(t *testing.T) {
	t.Parallel()
	c := converse(t)
	in := c.fact("email", "ada@example.com")
	in.Source = vault.ValueHumanEntered
	c.must(c.run(c.event(trigger.Submit(t.Context(), c.trigger, c.tenant, vault.WriteValue, in)), writeValue...))
	ours := func(in *vault.TakeTurnInput) { in.CustomerID, in.ScenarioID = c.customer, uuid.Nil }
	c.equal("the same", "email", learned(c.take(c.turn("My email is ada@example.com", ours))))
	c.equal("another", "email pending", learned(c.take(c.turn("My email is quill@example.com", ours))))
	c.equal("active", `"ada@example.com"`, c.values(c.customer)["email"])
}

// A model that fails delays nothing: the turn is saved, the question is asked, and the words are read later.
func TestTakeTurn_ModelFails(t *testing.T) {
	t.Parallel()
	c := converse(t)
	c.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) { return nil, errModel }
	got := c.take(c.turn("My email is ada@example.com"))
	if len(got.Warnings) == 0 || len(got.Learned) != 0 || got.FillID == nil {
		t.Fatalf("the turn is %+v", got)
	}
	c.model.extract = nil
	fill := c.eventOf(*got.FillID)
	for _, write := range c.resolve(fill) {
		c.must(c.run(write, writeValue...))
	}
	c.equal("values", map[string]string{"email": `"ada@example.com"`}, c.values(got.CustomerID))
}

func TestTakeTurn_Refused(t *testing.T) {
	t.Parallel()
	c := converse(t)
	c.take(c.turn("Hello"))
	before := c.dump()
	for name, bad := range map[string]struct {
		change func(*vault.TakeTurnInput)
		code   vault.Code
	}{
		"the session of another customer": {func(in *vault.TakeTurnInput) { in.ExternalID = "eve" }, vault.CodeConflict},
		"the session of another agent": {func(in *vault.TakeTurnInput) {
			in.SessionKey, in.SessionID = "", vault.SessionOfKey(c.agent, "chat-1")
			in.AgentID, in.ScenarioID = newID(), uuid.Nil
		}, vault.CodeConflict},
		"no customer":        {func(in *vault.TakeTurnInput) { in.ExternalID = "" }, vault.CodeInvalid},
		"no session":         {func(in *vault.TakeTurnInput) { in.SessionKey = "" }, vault.CodeInvalid},
		"two sessions":       {func(in *vault.TakeTurnInput) { in.SessionID = newID() }, vault.CodeInvalid},
		"no agent":           {func(in *vault.TakeTurnInput) { in.AgentID, in.ScenarioID = uuid.Nil, uuid.Nil }, vault.CodeInvalid},
		"no text":            {func(in *vault.TakeTurnInput) { in.Text = "" }, vault.CodeInvalid},
		"a text of 64 KiB+1": {func(in *vault.TakeTurnInput) { in.Text = strings.Repeat("a", 64<<10+1) }, vault.CodeInvalid},
		"a NUL":              {func(in *vault.TakeTurnInput) { in.Text = "a\x00b" }, vault.CodeInvalid},
		"a turn of tomorrow": {func(in *vault.TakeTurnInput) {
			at := time.Now().AddDate(0, 0, 1)
			in.At = &at
		}, vault.CodeInvalid},
		"another speaker": {func(in *vault.TakeTurnInput) { in.Speaker = "system" }, vault.CodeInvalid},
		"an unknown scenario": {func(in *vault.TakeTurnInput) {
			in.ScenarioID = newID()
		}, vault.CodeUnknown},
		"the scenario of another agent": {func(in *vault.TakeTurnInput) { in.AgentID = newID() }, vault.CodeInvalid},
	} {
		r, err := trigger.Submit(t.Context(), c.trigger, c.tenant, vault.TakeTurn, c.turn("Hello again", bad.change))
		if err == nil {
			err = c.run(c.event(r, nil), takeTurn...)
		}
		if vault.CodeOf(err) != bad.code {
			t.Errorf("%s: got %v, want %s", name, err, bad.code)
		}
	}
	c.sameBut(before, "a refused turn", "operations")
}

func TestTakeTurn_SameKeyIsOneTurn(t *testing.T) {
	t.Parallel()
	c := converse(t)
	key := trigger.IdempotencyKey("m-1")
	first, err := trigger.Submit(t.Context(), c.trigger, c.tenant, vault.TakeTurn, c.turn("My email is a@example.com"), key)
	c.must(c.run(c.event(first, err), takeTurn...))
	before := c.dump()
	again, err := trigger.Submit(t.Context(), c.trigger, c.tenant, vault.TakeTurn, c.turn("My email is a@example.com"), key)
	c.must(c.run(c.event(again, err), takeTurn...))
	c.equal("operation", first.ID, again.ID)
	c.unchanged(before, "the same turn")
	_, err = trigger.Submit(t.Context(), c.trigger, c.tenant, vault.TakeTurn, c.turn("Something else"), key)
	c.equal("another turn with the key", vault.CodeConflict, vault.CodeOf(err))
}
