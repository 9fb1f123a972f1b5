package steps_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

var (
	saveMergeRule   = []string{"Merges.SaveMergeRule", "Caches.InvalidateAndAcknowledge"}
	deleteMergeRule = []string{"Merges.DeleteMergeRule", "Caches.InvalidateAndAcknowledge"}
	proposeMerges   = []string{"Merges.ProposeMerges", "Caches.InvalidateAndAcknowledge"}
	decideMerge     = []string{"Merges.DecideMerge", "Caches.InvalidateAndAcknowledge"}
)

func verifiedBy(in *vault.WriteValueInput) { in.Verified, in.VerificationMethod = true, "email_link" }

// mergeRule accepts the save of a merge rule.
func (w *world) mergeRule(id uuid.UUID, fields ...string) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveMergeRule, vault.SaveMergeRuleInput{
		MergeRuleID: id, Fields: fields,
	}))
}

func (w *world) searchingMerges() vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ProposeMerges, vault.ProposeMergesInput{}))
}

// propose looks for customers once, twice each step, and returns the result.
func (w *world) propose() vault.ProposeMergesResult {
	w.t.Helper()
	ev := w.searchingMerges()
	w.must(w.twice(ev, proposeMerges...))
	return resultOf[vault.ProposeMergesResult](w, ev)
}

func (w *world) proposals(status vault.MergeProposalStatus) []vault.MergeProposal {
	w.t.Helper()
	page, _, err := query.New(w.db, w.cache, w.sealer).MergeProposalsPage(w.t.Context(), w.tenant, status, nil, nil, 100)
	w.must(err)
	return page
}

func (w *world) decidingMerge(proposal uuid.UUID, decision vault.Decision, keep vault.MergeKeep) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DecideMerge, vault.DecideMergeInput{
		ProposalID: proposal, Decision: decision, Keep: keep,
	}))
}

// sharing makes n customers who share a verified email, the oldest first, and a rule that finds them.
func sharing(w *world, n int) []uuid.UUID {
	w.t.Helper()
	defined(w)
	var out []uuid.UUID
	for i := range n {
		out = append(out, newID())
		address := "ada@example.com"
		if i%2 == 1 {
			address = "ADA@example.com"
		}
		w.as(out[i]).write("email", text(address), verifiedBy)
	}
	w.must(w.run(w.mergeRule(newID(), "email"), saveMergeRule...))
	return out
}

func aMergeRule(w *world) vault.Event {
	defined(w)
	return w.mergeRule(newID(), "email")
}

func aMergeRuleDeletion(w *world) vault.Event {
	sharing(w, 2)
	w.must(w.run(w.searchingMerges(), proposeMerges...))
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteMergeRule, vault.DeleteMergeRuleInput{
		MergeRuleID: w.proposals("")[0].MergeRuleID,
	}))
}

func aSearchForMerges(w *world) vault.Event {
	sharing(w, 3)
	return w.searchingMerges()
}

func aMergeDecision(decision vault.Decision) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		sharing(w, 3)
		w.must(w.run(w.searchingMerges(), proposeMerges...))
		return w.decidingMerge(w.proposals(vault.MergePending)[0].ID, decision, "")
	}
}

func TestProposeMerges_ApprovedPairIsMerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	customers := sharing(w, 2)
	w.as(newID()).write("email", text("ada@example.com")) // nobody verified it
	w.as(newID()).write("email", text("eve@example.com"), verifiedBy)
	if got := w.propose(); got.Proposed != 1 || got.Rules != 1 || got.Compared != 4 {
		t.Fatalf("got %+v", got)
	}
	if got := w.propose(); got.Proposed != 0 {
		t.Fatalf("again: %+v", got)
	}
	pending := w.proposals(vault.MergePending)
	if len(pending) != 1 || pending[0].OlderCustomerID != customers[0] || pending[0].NewerCustomerID != customers[1] {
		t.Fatalf("the proposals are %+v", pending)
	}
	reviews, _, err := query.New(w.db, w.cache, w.sealer).ReviewsPage(t.Context(), w.tenant, nil, 10)
	w.must(err)
	if len(reviews.Merges) != 1 {
		t.Errorf("the reviews are %+v", reviews)
	}
	for _, table := range []string{"merge_proposals", "events"} {
		if raw, err := json.Marshal(w.dump()[table]); err != nil || bytes.Contains(bytes.ToLower(raw), []byte("example.com")) {
			t.Errorf("%s has a value", table)
		}
	}
	w.must(w.twice(w.decidingMerge(pending[0].ID, vault.Approve, vault.KeepNewer), decideMerge...))
	for _, c := range customers {
		p, err := w.seen(c)
		w.must(err)
		w.equal("the customer", customers[1], p.CustomerID)
	}
	got := w.proposals("")[0]
	if got.Status != vault.MergeApproved || got.KeptCustomerID == nil || *got.KeptCustomerID != customers[1] {
		t.Errorf("the proposal is %+v", got)
	}
	w.unmerge(customers[0])
	if got := w.propose(); got.Proposed != 0 { // a person undid it
		t.Errorf("after the undo: %+v", got)
	}
}

func TestProposeMerges_RejectionIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	customers := sharing(w, 2)
	w.propose()
	w.must(w.twice(w.decidingMerge(w.proposals("")[0].ID, vault.Reject, ""), decideMerge...))
	w.as(customers[1]).write("email", text("other@example.com"), verifiedBy)
	w.as(customers[1]).write("email", text("ada@example.com"), verifiedBy) // a new version of the same value
	if got := w.propose(); got.Proposed != 0 {
		t.Errorf("the same value again: %+v", got)
	}
	for _, c := range customers {
		w.as(c).write("email", text("new@example.com"), verifiedBy)
	}
	if got := w.propose(); got.Proposed != 1 {
		t.Errorf("another value: %+v", got)
	}
	third := newID() // a pair that was kept apart stays so, also if one of them was merged since
	w.as(third).write("plan", text("gold"))
	again := w.proposals(vault.MergePending)[0]
	w.must(w.run(w.decidingMerge(again.ID, vault.Reject, ""), decideMerge...))
	w.merge(customers[1], third)
	if got := w.propose(); got.Proposed != 0 {
		t.Errorf("after a merge: %+v", got)
	}
}

func TestProposeMerges_LostGroundCloses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	customers := sharing(w, 2)
	w.propose()
	id := w.proposals("")[0].ID
	w.as(customers[1]).write("email", text("other@example.com"), verifiedBy)
	if got := w.propose(); got.Closed != 1 || got.Proposed != 0 {
		t.Errorf("got %+v", got)
	}
	if got := w.proposals("")[0]; got.Status != vault.MergeClosed || got.Reason != vault.MergeValueChanged {
		t.Errorf("the proposal is %+v", got)
	}
	w.refused(w.decidingMerge(id, vault.Reject, ""), vault.CodeConflict, []string{"was closed"}, decideMerge...)
	w.as(customers[1]).write("email", text("ada@example.com"), verifiedBy)
	if got := w.propose(); got.Proposed != 1 {
		t.Errorf("the value came back: %+v", got)
	}
	w.equal("the same proposal", id, w.proposals(vault.MergePending)[0].ID)
}

// Nobody decides by a ground that has gone: the decision is refused, and closes the proposal at once.
func TestDecideMerge_LostGroundCloses(t *testing.T) {
	t.Parallel()
	for _, decision := range []vault.Decision{vault.Approve, vault.Reject} {
		w := newWorld(t)
		customers := sharing(w, 2)
		w.propose()
		id := w.proposals("")[0].ID
		w.as(customers[1]).write("email", text("other@example.com"), verifiedBy)
		ev := w.decidingMerge(id, decision, "")
		for range 2 {
			err := w.run(ev, decideMerge...)
			if vault.CodeOf(err) != vault.CodeConflict || !strings.Contains(err.Error(), "do not share the values any more") {
				t.Errorf("%s: %v", decision, err)
			}
			if got := w.proposals("")[0]; got.Status != vault.MergeClosed || got.Reason != vault.MergeValueChanged {
				t.Errorf("%s: the proposal is %+v", decision, got)
			}
		}
		for _, c := range customers {
			p, err := w.seen(c)
			w.must(err)
			w.equal("the customer", c, p.CustomerID)
		}
		w.refused(w.decidingMerge(id, decision, ""), vault.CodeConflict, []string{"nothing was changed"}, decideMerge...)
		w.as(customers[1]).write("email", text("ada@example.com"), verifiedBy) // no decision was remembered
		if got := w.propose(); got.Proposed != 1 {
			t.Errorf("%s: the value came back: %+v", decision, got)
		}
	}
}

func TestProposeMerges_MergedAndErasedCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	customers := sharing(w, 3)
	w.propose()
	pending := w.proposals(vault.MergePending) // the first with the second, and with the third
	if len(pending) != 2 {
		t.Fatalf("the proposals are %+v", pending)
	}
	w.merge(customers[1], customers[2])
	w.refused(w.decidingMerge(pending[0].ID, vault.Approve, ""), vault.CodeConflict,
		[]string{"was merged into another one"}, decideMerge...)
	w.equal("the reason", vault.MergeCustomerMerged, w.proposals(vault.MergeClosed)[0].Reason)

	erased := w.as(customers[2]) // with what was merged into it
	w.must(w.run(erased.erasing(""), eraseCustomer...))
	w.refused(w.decidingMerge(pending[1].ID, vault.Approve, ""), vault.CodeUnknown, []string{"merge proposal"}, decideMerge...)
	if left := w.proposals(""); len(left) != 0 {
		t.Errorf("after the erasure: %+v", left)
	}
	if got := w.propose(); got.Proposed != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestProposeMerges_Chain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	customers := sharing(w, 2)
	w.define(vault.Definition{Name: "phone", ValueType: vault.TypePhone})
	w.must(w.run(w.mergeRule(newID(), "phone"), saveMergeRule...))
	third := newID()
	w.as(customers[1]).write("phone", text("+4915112345678"), verifiedBy)
	w.as(third).write("phone", text("+4915112345678"), verifiedBy)
	if got := w.propose(); got.Proposed != 2 || got.Rules != 2 {
		t.Fatalf("got %+v", got)
	}
	for _, m := range w.proposals(vault.MergePending) {
		if m.Fields[0] == "email" {
			w.must(w.run(w.decidingMerge(m.ID, vault.Approve, ""), decideMerge...))
		}
	}
	w.equal("the closed link", vault.MergeCustomerMerged, w.proposals(vault.MergeClosed)[0].Reason)
	w.propose()
	pending := w.proposals(vault.MergePending)
	if len(pending) != 1 || pending[0].OlderCustomerID != customers[0] || pending[0].NewerCustomerID != third {
		t.Fatalf("the chain goes on with %+v", pending)
	}
	w.must(w.run(w.decidingMerge(pending[0].ID, vault.Approve, ""), decideMerge...))
	p, err := w.seen(third)
	w.must(err)
	w.equal("the customer", customers[0], p.CustomerID)
}

func TestProposeMerges_LargeGroupIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sharing(w, vault.DefaultMergeGroup+1)
	if got := w.propose(); got.Proposed != 0 || got.TooLarge != 1 {
		t.Errorf("got %+v", got)
	}
}

// Each page counts once, also if the last one is full.
func TestProposeMerges_FullPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sharing(w, 2)
	for i := range 198 { // with these, a page of 200 values
		w.as(newID()).write("email", text(fmt.Sprintf("person%d@example.com", i)), verifiedBy)
	}
	if got := w.propose(); got.Compared != 200 || got.Proposed != 1 {
		t.Errorf("the result is %+v", got)
	}
}

func TestProposeMerges_SealedValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "passport", ValueType: vault.TypeString, EncryptionRequired: true, Searchable: true})
	for range 2 {
		w.as(newID()).write("passport", text("C01X00T47"), verifiedBy)
	}
	w.must(w.run(w.mergeRule(newID(), "passport"), saveMergeRule...))
	if got := w.propose(); got.Proposed != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestProposeMerges_AllFieldsMustBeEqual(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	for i := range 4 {
		c := w.as(newID())
		c.write("email", text("ada@example.com"), verifiedBy)
		c.write("plan", text(fmt.Sprint(i/2)), verifiedBy)
	}
	w.must(w.run(w.mergeRule(newID(), "email", "plan"), saveMergeRule...))
	if got := w.propose(); got.Proposed != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestProposeMerges_WithoutConsentNothingIsCompared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	customers := sharing(w, 2)
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail, Purposes: []string{"marketing"}})
	if got := w.propose(); got.Proposed != 0 {
		t.Errorf("without a consent: %+v", got)
	}
	for _, c := range customers {
		w.must(w.run(w.as(c).consent(true), recordConsent...))
	}
	if got := w.propose(); got.Proposed != 1 {
		t.Errorf("with a consent: %+v", got)
	}
}

func TestProposeMerges_CronCoversAllTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sharing(w, 2)
	w.must(w.run(vault.Event{}, proposeMerges...))
	w.must(w.run(vault.Event{}, proposeMerges...))
	if got := w.proposals(""); len(got) != 1 {
		t.Errorf("the proposals are %+v", got)
	}
}

// A rule that fails holds up neither the other rules of its tenant nor other tenants, also not one with its id.
func TestProposeMerges_FailingRuleHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sharing(w, 2)
	id, other := newID(), dbtest.Tenant(t, w.db)
	for _, tenant := range []uuid.UUID{w.tenant, other} {
		w.sql(fmt.Sprintf(`INSERT INTO merge_rules (tenant_id, id, name, fields, unverified, max_group, enabled, operation_id,
			accepted_at) VALUES ('%s', '%s', '', '{email}', false, 10, true, '%[2]s', now())`, tenant, id))
	}
	w.sql(`UPDATE merge_rules SET looked_at = '2000-01-01' WHERE id <> '` + id.String() + `'`) // it is the last one
	w.sql(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$`)
	w.sql(fmt.Sprintf(`CREATE TRIGGER broken BEFORE UPDATE ON merge_rules FOR EACH ROW
		WHEN (NEW.id = '%s' AND NEW.tenant_id = '%s') EXECUTE FUNCTION fail()`, id, w.tenant))
	looked := func() (n int) {
		dbtest.Scan(t, w.url, &n, "SELECT count(*) FROM merge_rules WHERE looked_at > '2001-01-01'")
		return n
	}
	w.must(w.run(vault.Event{}, proposeMerges...))
	w.must(w.run(vault.Event{}, proposeMerges...))
	w.equal("rules that were applied", 2, looked())
	if got := w.proposals(""); len(got) != 1 {
		t.Errorf("the proposals are %+v", got)
	}
	w.sql("DROP TRIGGER broken ON merge_rules")
	w.must(w.run(vault.Event{}, proposeMerges...))
	w.equal("rules that were applied after the repair", 3, looked())
}

func TestDecideMerge_ConcurrentDecisionsOneWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sharing(w, 2)
	w.propose()
	id := w.proposals("")[0].ID
	decisions := []vault.Event{
		w.decidingMerge(id, vault.Approve, ""), w.decidingMerge(id, vault.Reject, ""),
		w.decidingMerge(id, vault.Approve, vault.KeepNewer), w.decidingMerge(id, vault.Reject, ""),
	}
	_, errs := w.atOnce(len(decisions), func(i int) (any, error) { return nil, w.run(decisions[i], decideMerge...) })
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case vault.CodeOf(err) != vault.CodeConflict:
			t.Errorf("got %v, want a conflict", err)
		}
	}
	w.equal("decisions that were applied", 1, won)
}

func TestSaveMergeRule_BadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.define(
		vault.Definition{Name: "active", ValueType: vault.TypeBoolean},
		vault.Definition{Name: "born", ValueType: vault.TypeDate},
		vault.Definition{Name: "size", ValueType: vault.TypeString, AllowedValues: []json.RawMessage{text("s"), text("l")}},
		vault.Definition{Name: "secret", ValueType: vault.TypeString, EncryptionRequired: true},
		vault.Definition{Name: "tags", ValueType: vault.TypeString, Multiple: true},
	)
	for name, says := range map[string]string{
		"nothing": "no definition has this name", "active": "of type boolean", "size": "allowed_values",
		"secret": "searchable", "tags": "is a list", "born": "dates alone",
	} {
		w.refused(w.mergeRule(newID(), name), vault.CodeInvalid, []string{name, says}, saveMergeRule...)
	}
	w.must(w.twice(w.mergeRule(newID(), "email", "born"), saveMergeRule...))
}
