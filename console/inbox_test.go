package console_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// A decision that somebody else made meanwhile is not made again, and the page says so.
func TestInbox_StaleDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan")
	pending := w.conflict("plan", "gold", "silver")
	w.scenario(insurance)
	grace, ada := w.visitor(w.key), w.visitor(w.key)
	page := grace.get("/inbox").want(200).has("silver", "gold", "Pending value: plan", "Evidence:")
	ada.get("/inbox").want(200)
	if !strings.Contains(page.body, "<mark>") {
		t.Errorf("no evidence is marked: %s", page.body)
	}
	names := regexp.MustCompile(`name="pick" value="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(names) < 2 {
		t.Fatalf("the inbox has %v", names)
	}
	fields := []string{"do", "approve"}
	for _, name := range names {
		fields = append(fields, "pick", name[1])
	}
	ada.post("/inbox", fields...).want(200).has("Nothing waits for a decision.", "decide-review succeeded")
	for _, name := range names {
		grace.post("/inbox", "do", "reject:"+name[1]).want(409).has("somebody else decided it meanwhile", "Nothing was changed.")
	}
	if w.active("plan") != pending {
		t.Error("the approved value is not active")
	}
	grace.post("/inbox", "do", "approve").want(422).has("nothing is selected")
}

func TestInbox_ErrorIsBesideItsField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan")
	pending := w.conflict("plan", "gold", "silver")
	active := w.active("plan")
	v := w.visitor(w.key)
	v.get("/inbox").want(200)
	id, note := pending.String(), strings.Repeat("long ", 101)
	p := v.post("/inbox", "do", "approve:value:"+id, "edited."+id, "yes", "note."+id, note).want(422)
	beside := regexp.MustCompile(`(?s)id="note-error-` + id + `"[^>]*>([^<]+)<`).FindStringSubmatch(p.body)
	if beside == nil || strings.TrimSpace(beside[1]) == "" || !strings.Contains(p.body, note) {
		t.Errorf("the error is not beside its field, or what was typed is gone: %s", p.body)
	}
	if w.active("plan") != active {
		t.Error("a wrong form changed the value")
	}
	v.post("/inbox", "do", "approve:value:"+id, "note."+id, "She showed the letter.").want(200).has("decide-value succeeded")
}

// An extracted requirement is edited and approved. A condition that is no condition is refused beside its field, and
// what was typed stays.
func TestInbox_Requirement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan")
	scenario := w.scenario(insurance)
	r := w.waiting().Requirements
	if len(r) == 0 {
		t.Fatal("no requirement waits")
	}
	v := w.visitor(w.key)
	v.get("/inbox").want(200).has("Requirement: "+r[0].FieldName, "Evidence: "+r[0].Quote, "Travel insurance")
	id := r[0].ID.String()
	form := func(do, when string) []string {
		return []string{
			"do", do + ":requirement:" + id, "edited." + id, "yes", "level." + id, "soft", "fallback." + id, "skip",
			"when." + id, when,
		}
	}
	p := v.post("/inbox", form("approve", "fields.plan ==")...).want(422)
	beside := regexp.MustCompile(`(?s)id="when-error-` + id + `"[^>]*>([^<]+)<`).FindStringSubmatch(p.body)
	if beside == nil || strings.TrimSpace(beside[1]) == "" || !strings.Contains(p.body, `value="fields.plan =="`) {
		t.Errorf("the error is not beside its field, or what was typed is gone: %s", p.body)
	}
	if now := w.requirement(scenario, r[0].ID); now.Review != vault.ReviewPending {
		t.Errorf("a wrong form made it %s", now.Review)
	}
	v.post("/inbox", form("approve", "has(fields.plan)")...).want(200).has("decide-review succeeded")
	now := w.requirement(scenario, r[0].ID)
	if now.Review != vault.ReviewApproved || now.RequiredLevel != vault.LevelSoft ||
		now.FallbackAction != vault.FallbackSkip || now.WhenCondition != "has(fields.plan)" {
		t.Errorf("the approved requirement is %+v", now)
	}
	v.post("/inbox", form("reject", "")...).want(409).has("somebody else decided it meanwhile", "Nothing was changed.")
}

// Everything that an extraction suggests is rejected at once, though the rejection of a definition rejects its
// requirements too.
func TestInbox_RejectsAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := w.scenario(insurance)
	waiting := w.waiting()
	if len(waiting.Requirements) == 0 {
		t.Fatal("no requirement waits")
	}
	fields := []string{"do", "reject"}
	for _, d := range waiting.Definitions {
		fields = append(fields, "pick", "definition:"+d.ID.String())
	}
	for _, r := range waiting.Requirements {
		fields = append(fields, "pick", "requirement:"+r.ID.String())
	}
	v := w.visitor(w.key)
	v.get("/inbox").want(200)
	v.post("/inbox", fields...).want(200).has("Nothing waits for a decision.").lacks("failed")
	for _, r := range waiting.Requirements {
		if now := w.requirement(scenario, r.ID); now.Review != vault.ReviewRejected {
			t.Errorf("%s is %s", now.FieldName, now.Review)
		}
	}
}

// A form that was opened for a pending value never deletes it, and a deletion that others depend on says so.
func TestInbox_ProposedDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan", "tier")
	plan := w.write("plan", "gold")
	tier := w.write("tier", "first", from(plan))
	propose := func(name string) {
		apply(w, vault.ProposeDeletion, vault.ProposeDeletionInput{
			CustomerID: w.customer, Name: name, Reason: vault.DeletionAsked,
		})
	}
	propose("tier")
	v := w.visitor(w.key)
	v.get("/inbox").want(200).has("Proposed deletion: tier", "customer asked", "first").lacks("Pending value")
	v.post("/inbox", "do", "approve:value:"+tier.String()).want(409).has("Nothing was changed.")
	v.post("/inbox", "do", "reject:deletion:"+tier.String()).want(200).has("Nothing waits for a decision.")
	if w.active("tier") != tier {
		t.Error("a rejected deletion deleted the value")
	}
	propose("plan")
	v.post("/inbox", "do", "approve:deletion:"+plan.String()).want(409).has("Cannot delete", "Nothing was changed.")
	if w.active("plan") != plan {
		t.Error("a value with dependents was deleted")
	}
	propose("tier")
	v.post("/inbox", "do", "approve:deletion:"+tier.String()).want(200).has("decide-value succeeded")
	if w.active("tier") != uuid.Nil {
		t.Error("an approved deletion kept the value")
	}
}

// waiting returns what waits for a decision.
func (w *world) waiting() vault.Reviews {
	w.t.Helper()
	r, _, err := kit.Query.ReviewsPage(w.t.Context(), w.tenant, nil, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// requirement returns a requirement of a scenario.
func (w *world) requirement(scenario, id uuid.UUID) vault.Requirement {
	w.t.Helper()
	all, err := kit.Query.Requirements(w.t.Context(), w.tenant, scenario)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range all {
		if r.ID == id {
			return r
		}
	}
	w.t.Fatalf("the scenario has no requirement %s", id)
	return vault.Requirement{}
}
