package steps_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestSaveSession_LateSaveKeepsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := newID()
	save := func(said string, variables map[string]json.RawMessage) vault.Event {
		return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
			SessionID: session, AgentID: w.agent, CustomerID: w.customer, Variables: variables,
			Turns: []vault.Turn{
				{Speaker: vault.SpeakerAgent, Text: said + "?"}, {Speaker: vault.SpeakerCustomer, Text: said + "!"},
			},
		}))
	}
	first := save("one", map[string]json.RawMessage{"plan": text("silver"), "country": text("Norway")})
	second := save("two", map[string]json.RawMessage{"plan": text("gold"), "seats": json.RawMessage("2")})
	third := save("three", map[string]json.RawMessage{"seats": json.RawMessage("3")})
	for _, ev := range []vault.Event{third, first, second} {
		w.must(w.twice(ev, saveSession...))
	}
	got, err := query.New(w.db, w.cache, w.sealer).Session(t.Context(), w.tenant, session)
	w.must(err)
	if v := got.Variables; string(v["plan"]) != `"gold"` || string(v["country"]) != `"Norway"` ||
		string(v["seats"]) != "3" || len(v) != 3 {
		t.Errorf("the variables are %s", v)
	}
	var said []string
	for _, turn := range got.Turns {
		said = append(said, turn.Text)
	}
	if want := []string{"one?", "one!", "two?", "two!", "three?", "three!"}; !slices.Equal(said, want) {
		t.Errorf("the conversation is %q, want %q", said, want)
	}
}

// A customer who is recognised during a conversation is merged into another one and continues the conversation.
func TestSaveSession_MergedCustomerContinues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	known := w.as(newID())
	known.write("plan", text("gold"))
	w.write("email", text("ada@example.com"))
	session := w.session(map[string]json.RawMessage{"country": text("Norway")}, "Hello.")
	save := func(w *world) vault.Event {
		return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
			SessionID: session, AgentID: w.agent, CustomerID: w.customer,
			Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "It is me."}},
		}))
	}
	w.refused(save(known), vault.CodeConflict, []string{"belongs to another customer or agent"}, saveSession...)
	w.merge(w.customer, known.customer)
	w.must(w.twice(save(known), saveSession...))
	w.must(w.twice(save(w), saveSession...))
	got, err := query.New(w.db, w.cache, w.sealer).Session(t.Context(), w.tenant, session)
	w.must(err)
	if len(got.Turns) != 3 || got.CustomerID != w.customer {
		t.Errorf("the session is %+v", got)
	}
	w.agent = newID()
	w.refused(save(w), vault.CodeConflict, []string{"belongs to another customer or agent"}, saveSession...)
	w.unmerge(w.customer)
	w.agent = known.agent
	w.refused(save(known), vault.CodeConflict, []string{"belongs to another customer or agent"}, saveSession...)
}
