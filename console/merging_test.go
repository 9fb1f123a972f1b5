package console_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// alike makes two customers with the same verified badge, and a proposal to merge them.
func alike(w *world) (older, newer uuid.UUID, proposal vault.MergeProposal) {
	w.t.Helper()
	w.define(nil, "badge", "city")
	verified := func(in *vault.WriteValueInput) { in.Verified, in.VerificationMethod = true, "card" }
	older, newer = testkit.ID(), testkit.ID()
	for _, c := range []struct {
		customer uuid.UUID
		city     string
	}{{older, "Oslo"}, {newer, "Bergen"}} {
		w.customer = c.customer
		w.write("badge", "B-77", verified)
		w.write("city", c.city)
	}
	apply(w, vault.SaveMergeRule, vault.SaveMergeRuleInput{MergeRuleID: testkit.ID(), Fields: []string{"badge"}})
	apply(w, vault.ProposeMerges, vault.ProposeMergesInput{})
	all, _, err := kit.Query.MergeProposalsPage(w.t.Context(), w.tenant, vault.MergePending, nil, nil, 10)
	if err != nil || len(all) != 1 {
		w.t.Fatalf("got %+v, %v", all, err)
	}
	return older, newer, all[0]
}

func (w *world) mergeOf(id uuid.UUID) vault.MergeProposal {
	w.t.Helper()
	all, _, err := kit.Query.MergeProposalsPage(w.t.Context(), w.tenant, "", nil, nil, 10)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range all {
		if m.ID == id {
			return m
		}
	}
	w.t.Fatalf("there is no proposal %s", id)
	return vault.MergeProposal{}
}

func TestInbox_ProposedMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	older, newer, m := alike(w)
	grace, ada := w.visitor(w.key), w.visitor(w.key)
	grace.get("/inbox").want(200).has(
		"Proposed merge: same badge", "B-77", older.String(), newer.String(), "Oslo", "Bergen", "Choose who remains")
	ada.get("/inbox").want(200)
	id := m.ID.String()
	ada.post("/inbox", "do", "approve:merge:"+id, "keep."+id, "youngest").want(422)
	ada.post("/inbox", "do", "approve:merge:"+id, "keep."+id, "newer").want(200).has("decide-merge succeeded")
	grace.post("/inbox", "do", "reject:merge:"+id).want(409).has("somebody else decided it meanwhile", "Nothing was changed.")
	if got := w.mergeOf(m.ID); got.Status != vault.MergeApproved || got.KeptCustomerID == nil || *got.KeptCustomerID != newer {
		t.Errorf("the proposal is %+v", got)
	}
}

// A proposed merge is approved by a click and rejected by the keyboard, as the other decisions are.
func TestBrowser_ProposedMerge(t *testing.T) {
	t.Parallel()
	for name, decide := range map[vault.MergeProposalStatus]func(b *browser){
		vault.MergeApproved: func(b *browser) { b.press("[data-item] [data-approve]", done) },
		vault.MergeRejected: func(b *browser) {
			b.focus("[data-item]")
			b.leave(done, chromedp.KeyEvent("r"))
		},
	} {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, _, m := alike(w)
			b := w.open()
			b.goTo("/inbox")
			b.has("Proposed merge: same badge", "B-77", "Created first", "Created later")
			b.do(chromedp.Evaluate(axe+"; 0", nil))
			b.accessible("inbox with a proposed merge")
			decide(b)
			b.has("decide-merge succeeded.", "Nothing waits for a decision.")
			if got := w.mergeOf(m.ID); got.Status != name {
				t.Errorf("the proposal is %+v", got)
			}
		})
	}
}
