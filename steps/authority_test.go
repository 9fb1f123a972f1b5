package steps_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

var (
	decideValue  = []string{"Values.PersistDecision", "Caches.InvalidateAndAcknowledge"}
	correctValue = []string{"Values.ValidateCorrection", "Values.PersistCorrection", "Caches.InvalidateAndAcknowledge"}
)

func byPerson(in *vault.WriteValueInput) { in.Source = vault.ValueHumanEntered }

func byGuess(in *vault.WriteValueInput) {
	in.Source, in.Confidence = vault.ValueSystemInferred, ptr(0.01)
}

func proven(in *vault.WriteValueInput) {
	in.Verified, in.VerificationMethod, in.VerifiedBy = true, "kyc", "back office"
}

// aConflict is a pending value beside a stronger one.
func aConflict(w *world) (active, pending uuid.UUID) {
	defined(w)
	active = w.write("plan", text("gold"), byPerson, proven).ItemID
	out := w.write("plan", text("silver"), byGuess)
	w.equal("status of the weaker claim", vault.StatusPending, out.Status)
	return active, out.ItemID
}

func (w *world) decidingValue(item uuid.UUID, d vault.Decision) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DecideValue, vault.DecideValueInput{
		ItemID: item, Decision: d, DecidedBy: "Grace", Note: "saw the letter",
	}))
}

func aValueDecision(d vault.Decision) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		_, pending := aConflict(w)
		return w.decidingValue(pending, d)
	}
}

func aCorrection(w *world) vault.Event {
	aConflict(w)
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.CorrectValue, vault.CorrectValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "plan", Value: text("bronze"), Reason: "typing error", CorrectedBy: "Grace",
	}))
}

func TestDecideValue_Outcomes(t *testing.T) {
	t.Parallel()
	t.Run("a weaker claim waits beside the active value", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		active, pending := aConflict(w)
		p, err := w.seen(w.customer)
		w.must(err)
		w.equal("active", active, p.Fields["plan"].ID)
		w.equal("pending", 1, len(p.Pending))
		w.equal("the pending one", pending, p.Pending[0].ID)
		w.equal("what it yields to", active, *p.Pending[0].YieldsToID)
		reviews, _, err := query.New(w.db, nil, w.sealer).ReviewsPage(t.Context(), w.tenant, nil, 10)
		w.must(err)
		w.equal("reviews", 1, len(reviews.Values))
		w.equal("reviewed customer", w.customer, reviews.Values[0].CustomerID)
		w.equal("reviewed value", `"silver"`, string(reviews.Values[0].Pending.Value))
		w.equal("beside", `"gold"`, string(reviews.Values[0].Active.Value))
	})
	t.Run("approved", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		active, pending := aConflict(w)
		w.must(w.twice(w.decidingValue(pending, vault.Approve), decideValue...))
		p, err := w.seen(w.customer)
		w.must(err)
		got := p.Fields["plan"]
		w.equal("active", pending, got.ID)
		w.equal("decision", vault.DecisionAccepted, got.Decision)
		w.equal("decided by", "Grace", got.DecidedBy)
		w.equal("note", "saw the letter", got.DecisionNote)
		w.equal("source", vault.ValueSystemInferred, got.Source)
		w.equal("pending", 0, len(p.Pending))
		w.equal("history", []string{"plan gold superseded", "plan silver active"}, statusesOf(w.history("plan")))
		w.equal("the superseded one", active, w.history("plan")[0].ID)
		w.must(w.run(w.decidingValue(pending, vault.Approve), decideValue...)) // the same decision again
		w.refused(w.decidingValue(pending, vault.Reject), vault.CodeConflict, []string{"accepted already", "correct"}, decideValue...)
		// What a person decided yields to a person only.
		w.equal("a later guess", vault.StatusPending, w.write("plan", text("iron"), byGuess).Status)
		w.equal("a later entry", vault.StatusActive, w.write("plan", text("tin"), byPerson).Status)
	})
	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		_, pending := aConflict(w)
		w.must(w.twice(w.decidingValue(pending, vault.Reject), decideValue...))
		w.equal("history", []string{"plan gold active", "plan silver superseded"}, statusesOf(w.history("plan")))
		w.equal("decision", vault.DecisionRejected, w.history("plan")[1].Decision)
		w.equal("a late write after it", vault.StatusActive, w.write("plan", text("tin"), byPerson, proven).Status)
	})
	t.Run("of what is not pending", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		active, _ := aConflict(w)
		w.refused(w.decidingValue(active, vault.Approve), vault.CodeConflict, []string{active.String(), "only a pending value"}, decideValue...)
		card := w.addAsset("card").ItemID
		w.refused(w.decidingValue(card, vault.Approve), vault.CodeInvalid, []string{"is an asset"}, decideValue...)
		w.refused(w.decidingValue(newID(), vault.Approve), vault.CodeUnknown, nil, decideValue...)
	})
	t.Run("after the active value expired", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		defined(w)
		w.write("plan", text("gold"), byPerson, func(in *vault.WriteValueInput) { in.ExpiresAt = ptr(time.Now().Add(time.Hour)) })
		pending := w.write("plan", text("silver")).ItemID
		w.later(2 * time.Hour)
		w.must(w.run(vault.Event{}, "Sweeps.ExpireValues"))
		w.must(w.run(w.decidingValue(pending, vault.Approve), decideValue...))
		w.equal("history", []string{"plan gold superseded", "plan silver active"}, statusesOf(w.history("plan")))
	})
}

func statusesOf(versions []vault.Value) []string {
	out := make([]string, len(versions))
	for i, v := range versions {
		out[i] = fmt.Sprintf("%s %s %s", v.Name, strings.Trim(string(v.Value), `"`), v.Status)
	}
	return out
}

func TestPersistValue_PendingExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("gold"), byPerson)
	w.write("plan", text("silver"), func(in *vault.WriteValueInput) { in.ExpiresAt = ptr(time.Now().Add(time.Hour)) })
	w.later(2 * time.Hour)
	w.must(w.run(vault.Event{}, "Sweeps.ExpireValues"))
	w.equal("history", []string{"plan gold active", "plan silver expired"}, statusesOf(w.history("plan")))
}

func TestPersistValue_OnConflict(t *testing.T) {
	t.Parallel()
	for onConflict, want := range map[vault.OnConflict]vault.ItemStatus{
		vault.ConflictNewest: vault.StatusActive, vault.ConflictKeep: vault.StatusPending, vault.ConflictReview: vault.StatusPending,
	} {
		t.Run(string(onConflict), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString, OnConflict: onConflict})
			w.write("plan", text("gold"), byPerson)
			w.equal("status", want, w.write("plan", text("silver")).Status)
			reviews, _, err := query.New(w.db, nil, w.sealer).ReviewsPage(t.Context(), w.tenant, nil, 10)
			w.must(err)
			waiting := 0
			if onConflict == vault.ConflictReview {
				waiting = 1
			}
			w.equal("reviews", waiting, len(reviews.Values))
		})
	}
}

func TestPersistValue_OldCollectionIsSuperseded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("gold"))
	old := func(in *vault.WriteValueInput) { in.CollectedAt = ptr(time.Now().AddDate(-2, 0, 0)); byPerson(in) }
	w.equal("written", vault.StatusSuperseded, w.write("plan", text("silver"), old).Status)
	ev := w.importing(false, w.fact("plan", "tin", old))
	w.must(w.run(ev, importValues...))
	p, err := w.seen(w.customer)
	w.must(err)
	w.equal("value", `"gold"`, string(p.Fields["plan"].Value))
}

func TestPersistImport_PendingClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("gold"), byPerson)
	ev := w.importing(false, w.fact("plan", "silver", byGuess))
	w.must(w.run(ev, importValues...))
	ev = w.importing(false, w.fact("plan", "tin", func(in *vault.WriteValueInput) { in.Source = vault.ValueUserProvided }))
	w.must(w.run(ev, importValues...))
	w.equal("history", []string{"plan gold active", "plan silver superseded", "plan tin pending"}, statusesOf(w.history("plan")))
}

func TestCorrectValue_ReplacesVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.twice(aCorrection(w), correctValue...))
	history := w.history("plan")
	w.equal("history", []string{"plan gold superseded", "plan silver superseded", "plan bronze active"}, statusesOf(history))
	got := history[2]
	w.equal("decision", vault.DecisionCorrected, got.Decision)
	w.equal("reason", "typing error", got.DecisionNote)
	w.equal("by", "Grace", got.DecidedBy)
	w.equal("source", vault.ValueHumanEntered, got.Source)
}

func TestDeleteItem_RestoresPrevious(t *testing.T) {
	t.Parallel()
	remove := func(w *world, item uuid.UUID, restore bool) vault.DeleteResult {
		ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{
			ItemID: item, RestorePrevious: restore,
		}))
		w.must(w.twice(ev, deleteItem...))
		return resultOf[vault.DeleteResult](w, ev)
	}
	w := newWorld(t)
	defined(w)
	first := w.write("plan", text("gold"), byPerson).ItemID
	rejected := w.write("plan", text("silver")).ItemID
	w.must(w.run(w.decidingValue(rejected, vault.Reject), decideValue...))
	second := w.write("plan", text("bronze"), byPerson).ItemID
	third := w.write("plan", text("tin"), byPerson).ItemID

	offered := remove(w, third, false)
	w.equal("offered", second, *offered.PreviousID)
	w.equal("restored", false, offered.Restored)
	w.restore(third)

	restored := remove(w, third, true)
	w.equal("restored", true, restored.Restored)
	w.equal("previous", second, *restored.PreviousID)
	restored = remove(w, second, true)
	w.equal("not the rejected one", first, *restored.PreviousID)
	p, err := w.seen(w.customer)
	w.must(err)
	w.equal("active", first, p.Fields["plan"].ID)
	last := remove(w, first, true)
	w.equal("nothing is left", false, last.Restored)
	if last.PreviousID != nil {
		t.Errorf("previous is %s", last.PreviousID)
	}
}

func TestMerge_WeakerCustomerDisplacesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	other := w.as(newID())
	strong, weak := w.customer, other.customer
	w.write("plan", text("gold"), byPerson, proven)
	other.write("plan", text("tin"))
	other.write("plan", text("silver"))
	w.merge(weak, strong)
	w.equal("merged", []string{"plan gold active", "plan tin superseded", "plan silver pending"}, statusesOf(w.history("plan")))
	w.unmerge(weak)
	w.equal("the strong one", []string{"plan gold active"}, statusesOf(w.history("plan")))
	w.equal("the weak one", []string{"plan tin superseded", "plan silver active"}, statusesOf(other.history("plan")))
	// The other direction, with a write in between that stays with the target.
	w.merge(strong, weak)
	w.equal("merged", []string{"plan gold active", "plan tin superseded", "plan silver pending"}, statusesOf(other.history("plan")))
	w.equal("a claim to both", vault.StatusPending, other.write("plan", text("iron")).Status)
	w.unmerge(strong)
	w.equal("the strong one again", []string{"plan gold active"}, statusesOf(w.history("plan")))
	w.equal("the weak one again", []string{"plan tin superseded", "plan silver superseded", "plan iron active"}, statusesOf(other.history("plan")))
}

// A fill asks the customer about a pending value that the customer said.
func TestAskCustomer_PendingValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		verified bool
		answer   string
		want     []string
	}{
		"yes":                          {false, "yes", []string{"plan gold superseded", "plan silver active"}},
		"no":                           {false, "no", []string{"plan gold active", "plan silver superseded"}},
		"a verified value is a review": {true, "", []string{"plan gold active", "plan silver pending"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			if c.verified {
				w.write("plan", text("gold"), byPerson, proven)
			} else {
				w.write("plan", text("gold"), byPerson)
			}
			w.write("plan", text("silver"))
			scenario := w.scenario("Ask.").ID
			w.require(scenario, vault.Requirement{FieldName: "plan"})
			fill := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: w.customer, ScenarioID: scenario,
			}))
			w.resolve(fill)
			if c.answer == "" {
				w.must(w.run(fill, "Gaps.AskCustomer"))
				w.equal("fill", vault.OperationSucceeded, w.op(fill).Status)
			} else {
				question := w.ask(fill)
				w.equal("prompts", 1, w.count("SELECT count(*) FROM questions WHERE id = $1 AND prompt = $2", question.QuestionID,
					"plan: silver. Does this replace what we have on record?"))
				w.must(w.run(w.answer(question.QuestionID, text(c.answer)), answerQuestion...))
				w.resolve(fill)
				w.must(w.run(fill, "Gaps.AskCustomer"))
				w.equal("fill", vault.OperationSucceeded, w.op(fill).Status)
			}
			w.equal("history", c.want, statusesOf(w.history("plan")))
		})
	}
}
