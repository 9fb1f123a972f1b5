package steps_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// The steps of read-conversation.
var readConversation = []string{
	"Conversations.ReadConversation", "Conversations.PersistConversation", "Caches.InvalidateAndAcknowledge",
}

// quiet lets sessions be quiet after an hour.
func quiet(d *steps.Deps) { d.Settings.QuietAfter = time.Hour }

func (w *world) reading(session uuid.UUID) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ReadConversation, vault.ReadConversationInput{
		SessionID: session,
	}))
}

// read reads a session and performs the writes that follow.
func (w *world) read(session uuid.UUID) vault.ReadConversationResult {
	w.t.Helper()
	ev := w.reading(session)
	w.must(w.run(ev, readConversation...))
	out := resultOf[vault.ReadConversationResult](w, ev)
	for _, f := range out.Fields {
		if f.WriteID != nil {
			w.must(w.run(w.eventOf(*f.WriteID), writeValue...))
		}
	}
	return out
}

// talk adds turns of the customer to a session.
func (w *world) talk(session uuid.UUID, ended bool, said ...string) {
	w.t.Helper()
	in := vault.SaveSessionInput{SessionID: session, AgentID: w.agent, CustomerID: w.customer, Ended: ended}
	for _, text := range said {
		in.Turns = append(in.Turns, vault.Turn{Speaker: vault.SpeakerCustomer, Text: text})
	}
	w.must(w.run(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveSession, in)), saveSession...))
}

// readDue returns whether a session is due to be read: "no", "later" or "now".
func (w *world) readDue(session uuid.UUID) string {
	w.t.Helper()
	var due string
	dbtest.Scan(w.t, w.url, &due, `SELECT CASE WHEN read_due_at IS NULL THEN 'no' WHEN read_due_at <= clock_timestamp()
		THEN 'now' ELSE 'later' END FROM sessions WHERE id = '`+session.String()+`'`)
	return due
}

func TestReadConversation_WithoutFill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true},
		vault.Definition{Name: "phone", ValueType: vault.TypePhone, IsPII: true},
		vault.Definition{Name: "disabled", ValueType: vault.TypeString},
	)
	w.sql("UPDATE definitions SET enabled = false WHERE name = 'disabled'")
	session := w.session(nil, "My email is ada@example.com", "What does it cost?")
	got := w.read(session)
	if got.Outcome != vault.ReadDone || got.ModelCalls != 1 || len(got.Fields) != 1 || got.Fields[0].WriteID == nil {
		t.Fatalf("the reading is %+v", got)
	}
	w.equal("email", `"ada@example.com"`, w.active("email"))
	history := w.history("email")
	if v := history[0]; v.Source != vault.ValueLLMExtracted || v.SourceSessionID == nil || *v.SourceSessionID != session {
		t.Errorf("the value is %+v", v)
	}
	// Nothing new was said: no model is called, and nothing is written.
	again := w.read(session)
	if again.Outcome != vault.ReadNothingNew || again.ModelCalls != 0 || len(again.Fields) != 0 ||
		w.model.called("extract") != 1 {
		t.Errorf("the second reading is %+v", again)
	}
	// New turns are read, and the same value is not written again.
	w.talk(session, false, "My phone number is +44 20 7946 0958, and my email is ada@example.com")
	third := w.read(session)
	actions := map[string]string{}
	for _, f := range third.Fields {
		actions[f.FieldName] = f.Action
	}
	w.equal("actions", map[string]string{"email": "unchanged", "phone": ""}, actions)
	w.equal("versions", 1, len(w.history("email")))
	w.equal("phone", `"+442079460958"`, w.active("phone"))
}

// A definition that forbids extraction is not read, and a model that reads it all the same stores nothing.
func TestReadConversation_ForbiddenExtraction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail},
		vault.Definition{Name: "backup_email", ValueType: vault.TypeEmail, ForbidExtraction: true},
	)
	var asked, others []string
	w.model.extract = func(in llm.ExtractRequest) ([]vault.Candidate, error) {
		for _, d := range in.Definitions {
			asked = append(asked, d.Name)
		}
		for _, d := range in.Others {
			others = append(others, d.Name)
		}
		return []vault.Candidate{{
			FieldName: "backup_email", Value: text("ada@example.com"), Confidence: 1, Quote: "My backup email is ada@example.com",
		}}, nil
	}
	got := w.read(w.session(nil, "My backup email is ada@example.com"))
	w.equal("asked", []string{"email"}, asked)
	w.equal("others", []string{"backup_email"}, others)
	if got.Outcome != vault.ReadDone || len(got.Fields) != 0 {
		t.Errorf("the reading is %+v", got)
	}
	w.equal("backup_email", "", w.active("backup_email"))
}

// What a customer says in a chat does not displace a stronger value: it waits beside it.
func TestReadConversation_WeakerIsPending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true})
	in := w.fact("email", "ada@example.com")
	in.Source = vault.ValueHumanEntered
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.WriteValue, in)), writeValue...))
	got := w.read(w.session(nil, "My email is quill@example.com"))
	if len(got.Fields) != 1 || got.Fields[0].WriteID == nil {
		t.Fatalf("the reading is %+v", got)
	}
	w.equal("active", `"ada@example.com"`, w.active("email"))
	history := w.history("email")
	w.equal("status", vault.StatusPending, history[len(history)-1].Status)
}

// A value without evidence in the customer's words is not written.
func TestReadConversation_EvidenceGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail}, vault.Definition{
		Name: "birthday", ValueType: vault.TypeDate, WriteOnce: true,
	})
	in := w.fact("birthday", "1990-01-02")
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.WriteValue, in)), writeValue...))
	w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) {
		return []vault.Candidate{
			{FieldName: "email", Value: text("made@example.com"), Confidence: 1, Quote: "made@example.com"},
			{FieldName: "birthday", Value: text("1991-01-02"), Confidence: 1, Quote: "I was born on 1991-01-02"},
		}, nil
	}
	got := w.read(w.session(nil, "I was born on 1991-01-02"))
	actions := map[string]string{}
	for _, f := range got.Fields {
		actions[f.FieldName] = f.Action
	}
	w.equal("actions", map[string]string{"email": "candidate", "birthday": "write_once"}, actions)
	w.equal("email", "", w.active("email"))
}

// A failed model fails the step, so that the engine retries it, and marks nothing as read.
func TestReadConversation_ModelFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail})
	session := w.session(nil, "My email is ada@example.com")
	w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) { return nil, errModel }
	ev := w.reading(session)
	if err := w.run(ev, readConversation...); vault.CodeOf(err) != vault.CodeUnavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
	w.model.extract = nil
	w.must(w.run(ev, readConversation...))
	w.equal("outcome", vault.ReadDone, resultOf[vault.ReadConversationResult](w, ev).Outcome)
}

// A gap fill that has not ended reads the session itself, whether it started before the reading or during it.
func TestReadConversation_FillRunning(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]int{"before the reading": 0, "during the reading": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, quiet)
			defined(w)
			session := w.session(nil, "My plan is gold.")
			ev := w.reading(session)
			w.must(w.run(ev, readConversation[:before]...))
			fill := w.filling("email", &session)
			w.must(w.run(fill, fillGaps...))
			w.must(w.run(ev, readConversation[before:]...))
			got := resultOf[vault.ReadConversationResult](w, ev)
			if got.Outcome != vault.ReadFillRunning || len(got.Fields) != 0 {
				t.Errorf("the reading is %+v", got)
			}
			w.equal("due", "later", w.readDue(session))
			w.sql("UPDATE gap_fills SET ended_at = clock_timestamp()")
			got = w.read(session)
			if got.Outcome != vault.ReadDone {
				t.Errorf("after the fill the reading is %+v", got)
			}
			w.equal("plan", `"gold"`, w.active("plan"))
			w.equal("due", "no", w.readDue(session))
		})
	}
}

// Two operations for one session, at the same time, write a fact once.
func TestReadConversation_TwoAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail})
	session := w.session(nil, "My email is ada@example.com")
	events := []vault.Event{w.reading(session), w.reading(session)}
	_, errs := w.atOnce(2, func(i int) (any, error) { return nil, w.run(events[i], readConversation...) })
	writes := 0
	for i, err := range errs {
		w.must(err)
		for _, f := range resultOf[vault.ReadConversationResult](w, events[i]).Fields {
			if f.WriteID != nil {
				writes++
			}
		}
	}
	w.equal("writes", 1, writes)
}

func TestReadConversation_DeletedCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.must(w.run(w.accept("plan", text("gold")), writeValue...))
	session := w.session(nil, "My email is ada@example.com")
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
		CustomerID: w.customer,
	})), "Customers.DeleteCustomer", "Caches.InvalidateAndAcknowledge"))
	w.equal("outcome", vault.ReadCustomerDeleted, w.read(session).Outcome)
	w.equal("calls of the model", 0, w.model.called("extract"))
}

func TestQueueQuietSessions_EndedAndQuiet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, quiet)
	defined(w)
	talking, silent := w.session(nil, "Hello."), w.session(map[string]json.RawMessage{"plan": text("gold")})
	ended, busy := w.session(nil, "My email is ada@example.com"), w.session(nil, "Hello.")
	w.talk(ended, true)
	w.must(w.run(w.filling("email", &busy), fillGaps...))
	w.talk(busy, true)
	w.equal("due", []string{"later", "no", "now", "now"}, []string{
		w.readDue(talking), w.readDue(silent), w.readDue(ended), w.readDue(busy),
	})
	operations := func() int {
		var n int
		dbtest.Scan(t, w.url, &n, "SELECT count(*) FROM operations WHERE workflow = 'read-conversation'")
		return n
	}
	w.must(w.run(vault.Event{}, "Conversations.QueueQuietSessions"))
	w.equal("queued", 1, operations())
	w.equal("due after the sweep", []string{"later", "no", "no", "later"}, []string{
		w.readDue(talking), w.readDue(silent), w.readDue(ended), w.readDue(busy),
	})
	w.sql("UPDATE sessions SET read_due_at = clock_timestamp() - interval '1 second' WHERE read_due_at IS NOT NULL")
	w.sql("UPDATE gap_fills SET ended_at = clock_timestamp()")
	w.must(w.run(vault.Event{}, "Conversations.QueueQuietSessions"))
	w.equal("queued once they are quiet", 3, operations())
	w.must(w.run(vault.Event{}, "Conversations.QueueQuietSessions"))
	w.equal("queued again", 3, operations())
}

// Without a quiet period, sessions are read on request only.
func TestQueueQuietSessions_Off(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.session(nil, "Hello.")
	w.talk(session, true)
	w.equal("due", "no", w.readDue(session))
}
