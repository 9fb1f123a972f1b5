package steps_test

import (
	"testing"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

var proposeDeletion = []string{"Values.ProposeDeletion", "Caches.InvalidateAndAcknowledge"}

func (w *world) proposingDeletion(name string) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ProposeDeletion,
		vault.ProposeDeletionInput{CustomerID: w.customer, Name: name, Reason: vault.DeletionAsked}))
}

func aProposedDeletion(w *world) vault.Event {
	defined(w)
	w.write("plan", text("gold"))
	return w.proposingDeletion("plan")
}

func TestProposeDeletion_PersonDecides(t *testing.T) {
	t.Parallel()
	for decision, want := range map[vault.Decision]bool{vault.Approve: false, vault.Reject: true} {
		w := newWorld(t)
		w.must(w.twice(aProposedDeletion(w), proposeDeletion...))
		plan, err := w.seen(w.customer)
		w.must(err)
		value := plan.Fields["plan"]
		if value.DeletionProposedAt == nil || value.DeletionReason != vault.DeletionAsked || value.Status != vault.StatusActive {
			t.Fatalf("after the proposal: %+v", value)
		}
		w.must(w.twice(w.decidingValue(value.ID, decision), decideValue...))
		plan, err = w.seen(w.customer)
		w.must(err)
		after, kept := plan.Fields["plan"]
		if kept != want || after.DeletionProposedAt != nil {
			t.Errorf("after %s: %+v, %t", decision, after, kept)
		}
	}
}

func TestProposeDeletion_Refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refused(w.proposingDeletion("plan"), vault.CodeUnknown, []string{"unknown customer"}, proposeDeletion...)
	defined(w)
	w.write("plan", text("gold"))
	w.refused(w.proposingDeletion("email"), vault.CodeConflict, []string{"no active email"}, proposeDeletion...)
	old := w.proposingDeletion("plan")
	w.write("plan", text("silver"))
	w.refused(old, vault.CodeConflict, []string{"replaced"}, proposeDeletion...)
}
