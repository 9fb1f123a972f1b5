package steps_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// said is one session of the customer with one turn, and what the model reads in it.
type said struct {
	text  string
	field string
	value json.RawMessage // nil: the model finds nothing
	quote string          // empty: the text
	at    time.Time       // zero: at its acceptance
}

// hears saves a session, fills the scenario from it, and runs the writes of the fill.
func (w *world) hears(scenario uuid.UUID, s said) (fill vault.Event, calls int) {
	w.t.Helper()
	turn := vault.Turn{Speaker: vault.SpeakerCustomer, Text: s.text}
	if !s.at.IsZero() {
		turn.At = &s.at
	}
	session := newID()
	w.must(w.run(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
		SessionID: session, AgentID: w.agent, CustomerID: w.customer, Turns: []vault.Turn{turn},
	})), saveSession...))
	w.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
		if s.value == nil {
			return nil, nil
		}
		c := candidate(s.field, s.value, 0.97, s.quote)
		if c.Quote == "" {
			c.Quote = s.text
		}
		return []vault.Candidate{c}, nil
	}
	before := w.model.called("extract")
	return w.refills(scenario, session), w.model.called("extract") - before
}

// refills fills a scenario from a session, and runs the writes of the fill.
func (w *world) refills(scenario, session uuid.UUID) vault.Event {
	w.t.Helper()
	fill := w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: w.customer, ScenarioID: scenario, SessionID: &session,
	}))
	for _, write := range w.resolve(fill) {
		steps := writeValue
		if w.op(write).Workflow == vault.DeleteItem.Name {
			steps = deleteItem
		}
		w.must(w.run(write, steps...))
	}
	return fill
}

func TestFillGaps_CorrectionInAnotherSession(t *testing.T) {
	t.Parallel()
	mail := func(address string) said {
		return said{text: "My email is " + address + ".", field: "email", value: text(address), quote: "My email is " + address}
	}
	by := func(change ...func(*vault.WriteValueInput)) func(w *world, scenario uuid.UUID) {
		return func(w *world, _ uuid.UUID) { w.write("email", text("old@example.com"), change...) }
	}
	heard := func(s said) func(w *world, scenario uuid.UUID) {
		return func(w *world, scenario uuid.UUID) { w.hears(scenario, s) }
	}
	ago := func(s said, d time.Duration) said { s.at = time.Now().Add(-d); return s }
	for name, c := range map[string]struct {
		definition func(d *vault.Definition)
		stored     func(w *world, scenario uuid.UUID)
		said       said
		calls      int
		asks       bool
		want       []string
	}{
		"a new value replaces what was read before": {
			stored: heard(mail("old@example.com")), said: mail("new@example.com"), calls: 1,
			want: []string{"email old@example.com superseded", "email new@example.com active"},
		},
		"the same value changes nothing": {
			stored: heard(mail("old@example.com")), said: mail("old@example.com"), calls: 1,
			want: []string{"email old@example.com active"},
		},
		"nothing about the field changes nothing": {
			stored: heard(mail("old@example.com")), said: said{text: "Hello again."}, calls: 1,
			want: []string{"email old@example.com active"},
		},
		"a supposition changes nothing": {
			stored: heard(mail("old@example.com")), calls: 1,
			said: said{
				text: "Let's say my email is new@example.com.", field: "email", value: text("new@example.com"),
				quote: "my email is new@example.com",
			},
			want: []string{"email old@example.com active"},
		},
		"somebody else's value changes nothing": {
			stored: heard(mail("old@example.com")), calls: 1,
			said: said{
				text: "My wife's email is new@example.com.", field: "email", value: text("new@example.com"),
				quote: "email is new@example.com",
			},
			want: []string{"email old@example.com active"},
		},
		"an invented quote changes nothing": {
			stored: heard(mail("old@example.com")), calls: 1,
			said: said{text: "Hello.", field: "email", value: text("new@example.com"), quote: "my email is new@example.com"},
			want: []string{"email old@example.com active"},
		},
		"an older session is not read": {
			stored: heard(mail("old@example.com")), said: ago(mail("new@example.com"), time.Hour),
			want: []string{"email old@example.com active"},
		},
		"sessions of the past count by when they were said": {
			stored: heard(ago(mail("old@example.com"), 48*time.Hour)), said: ago(mail("new@example.com"), time.Hour), calls: 1,
			want: []string{"email old@example.com superseded", "email new@example.com active"},
		},
		"what the customer entered is asked about": {
			stored: by(), said: mail("new@example.com"), calls: 1, asks: true,
			want: []string{"email old@example.com active", "email new@example.com pending"},
		},
		"what a person entered is asked about": {
			stored: by(byPerson), said: mail("new@example.com"), calls: 1, asks: true,
			want: []string{"email old@example.com active", "email new@example.com pending"},
		},
		"a verified value is left to a person": {
			stored: by(byPerson, proven), said: mail("new@example.com"), calls: 1,
			want: []string{"email old@example.com active", "email new@example.com pending"},
		},
		"a verified value is asked about where the definition says so": {
			definition: func(d *vault.Definition) { d.OnConflict = vault.ConflictAsk },
			stored:     by(byPerson, proven), said: mail("new@example.com"), calls: 1, asks: true,
			want: []string{"email old@example.com active", "email new@example.com pending"},
		},
		"a value that is kept is not asked about": {
			definition: func(d *vault.Definition) { d.OnConflict = vault.ConflictKeep },
			stored:     by(), said: mail("new@example.com"), calls: 1,
			want: []string{"email old@example.com active", "email new@example.com pending"},
		},
		"the newest claim counts where the definition says so": {
			definition: func(d *vault.Definition) { d.OnConflict = vault.ConflictNewest },
			stored:     by(byPerson), said: mail("new@example.com"), calls: 1,
			want: []string{"email old@example.com superseded", "email new@example.com active"},
		},
		"a value that is written once is not read": {
			definition: func(d *vault.Definition) { d.WriteOnce = true },
			stored:     by(), said: mail("new@example.com"),
			want: []string{"email old@example.com active"},
		},
		"an unverified value that must be verified is corrected": {
			definition: func(d *vault.Definition) { d.RequiredVerification = true },
			stored:     heard(mail("old@example.com")), said: mail("new@example.com"), calls: 1,
			want: []string{"email old@example.com superseded", "email new@example.com active"},
		},
		"a value is taken back": {
			stored: heard(mail("old@example.com")), said: said{text: "My email is wrong, please forget my email."}, calls: 1,
			asks: true, want: []string{},
		},
		"a value is not taken back by an older session": {
			stored: heard(mail("old@example.com")),
			said:   said{text: "My email is wrong, please forget my email.", at: time.Now().Add(-time.Hour)},
			want:   []string{"email old@example.com active"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			def := vault.Definition{Name: "email", ValueType: vault.TypeEmail, CollectionPrompt: "What is your email address?"}
			if c.definition != nil {
				c.definition(&def)
			}
			w.define(def)
			scenario := w.scenario("Ask.").ID
			w.require(scenario, vault.Requirement{FieldName: "email"})
			c.stored(w, scenario)
			fill, calls := w.hears(scenario, c.said)
			w.equal("history", c.want, statusesOf(w.history("email")))
			w.equal("model calls", c.calls, calls)
			out, err := w.steps.Gaps.AskCustomer(t.Context(), fill)
			w.must(err)
			w.equal("asks", c.asks, out.Question != nil)
		})
	}
}

// A stored number, list and choice are corrected by the same rules, and one model call reads all fields.
func TestFillGaps_CorrectionsOfSeveralFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail},
		vault.Definition{Name: "age", ValueType: vault.TypeNumber},
		vault.Definition{Name: "allergies", ValueType: vault.TypeString, Multiple: true},
	)
	scenario := w.scenario("Ask.").ID
	w.require(scenario, vault.Requirement{FieldName: "email", FallbackAction: vault.FallbackSkip},
		vault.Requirement{FieldName: "age", FallbackAction: vault.FallbackSkip},
		vault.Requirement{FieldName: "allergies", FallbackAction: vault.FallbackSkip})
	w.hears(scenario, said{text: "My email is old@example.com", field: "email", value: text("old@example.com")})
	w.hears(scenario, said{text: "My age is 36", field: "age", value: number(36)})
	w.hears(scenario, said{text: "My allergies are nuts", field: "allergies", value: text("nuts"), quote: "nuts"})

	asked := []string{}
	session := w.session(nil, "My age is 37 now, my email is new@example.com and my allergies are nuts and milk.")
	w.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
		for _, d := range req.Definitions {
			asked = append(asked, d.Name)
		}
		return []vault.Candidate{
			candidate("email", text("new@example.com"), 0.97, "my email is new@example.com"),
			candidate("age", number(37), 0.97, "My age is 37"),
			candidate("allergies", text("milk"), 0.97, "my allergies are nuts and milk"),
		}, nil
	}
	w.refills(scenario, session)
	w.equal("fields that the one call read", []string{"age", "allergies", "email"}, sorted(asked))
	for name, want := range map[string]string{"email": `"new@example.com"`, "age": "37", "allergies": `["nuts", "milk"]`} {
		versions := w.history(name)
		last := versions[len(versions)-1]
		w.equal(name, []string{want, "active"}, []string{string(last.Value), string(last.Status)})
	}
}

// A session is read once for a stored field: a further fill calls the model only after the customer said more.
func TestFillGaps_StoredFieldIsReadOncePerTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail})
	scenario := w.scenario("Ask.").ID
	w.require(scenario, vault.Requirement{FieldName: "email"})
	w.write("email", text("ada@example.com"))
	session := w.session(nil, "Hello.")
	var fails bool
	w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) {
		if fails {
			return nil, errModel
		}
		return nil, nil
	}
	calls := func() int {
		before := w.model.called("extract")
		w.refills(scenario, session)
		return w.model.called("extract") - before
	}
	say := func(speaker vault.Speaker, text string) {
		w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
			SessionID: session, AgentID: w.agent, CustomerID: w.customer, Turns: []vault.Turn{{Speaker: speaker, Text: text}},
		})), saveSession...))
	}
	w.equal("calls of the first fill", 1, calls())
	w.equal("calls of the second fill", 0, calls())
	say(vault.SpeakerAgent, "How can I help?")
	w.equal("calls after the agent spoke", 0, calls())
	say(vault.SpeakerCustomer, "I lost my card.")
	fails = true
	w.equal("calls after the customer spoke", 1, calls())
	fails = false
	w.equal("calls after a reading that failed", 1, calls())
	w.equal("calls after a reading that succeeded", 0, calls())
	w.write("email", text("bob@example.com"))
	w.equal("calls after a write that is newer than the conversation", 0, calls())
}

// The value of a conversation holds from the time at which it was said.
func TestFillGaps_CollectedWhenSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber})
	scenario := w.scenario("Ask.").ID
	w.require(scenario, vault.Requirement{FieldName: "age", FallbackAction: vault.FallbackSkip})
	at := time.Now().Add(-72 * time.Hour).Truncate(time.Microsecond)
	w.hears(scenario, said{text: "My age is 36", field: "age", value: number(36), at: at})
	if stored := w.history("age")[0]; !stored.CollectedAt.Equal(at) {
		t.Errorf("the value was collected at %s, want %s", stored.CollectedAt, at)
	}
}
