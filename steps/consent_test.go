package steps_test

import (
	"strings"
	"testing"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// consents records a consent of the customer.
func (w *world) consents(purpose string, granted bool) {
	w.t.Helper()
	w.runTwice(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.RecordConsent, vault.RecordConsentInput{
		CustomerID: w.customer, Purpose: purpose, Granted: granted,
	})), "Customers.RecordConsent", "Caches.InvalidateAndAcknowledge")
}

// A consent can be older than the definition that asks for it: it is recorded, and the result says that it has no effect
// yet. A key with such a purpose would see nothing of what needs a purpose, so it is refused.
func TestConsent_UnknownPurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	warnings := func() []string {
		ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.RecordConsent, vault.RecordConsentInput{
			CustomerID: w.customer, Purpose: "offers", Granted: true,
		}))
		w.must(w.run(ev, recordConsent...))
		return resultOf[vault.CustomerResult](w, ev).Warnings
	}
	key := func(purpose string) error {
		return w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CreateKey, vault.CreateKeyInput{
			Name: "runtime", Scopes: []string{"read"}, Purpose: purpose,
			KeyHash: strings.ReplaceAll(newID().String()+newID().String(), "-", ""),
		})), "APIKeys.CreateKey")
	}
	if got := warnings(); len(got) != 1 || !strings.HasPrefix(got[0], "purpose: no definition names this purpose") {
		t.Errorf("the record of an unknown purpose warns %q", got)
	}
	w.says(key("offers"), vault.CodeInvalid, "purpose: no definition names a purpose yet; save the definition")
	w.define(
		vault.Definition{Name: "passport", ValueType: vault.TypeString, Purposes: []string{"support", "offers"}},
		vault.Definition{Name: "plan", ValueType: vault.TypeString, Purposes: []string{"support", "billing"}},
	)
	if got := warnings(); len(got) != 0 {
		t.Errorf("the record of a known purpose warns %q", got)
	}
	w.says(key("marketing"), vault.CodeInvalid, "purpose: no definition names this purpose; the purposes of the "+
		"definitions are billing, offers, support")
	w.must(key("offers"))
	w.must(key(""))
	w.write("passport", text("X1")) // the first record counts too
}

func TestConsent_EachWayOfWriting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "passport", ValueType: vault.TypeString, Purposes: []string{"support", "offers"}})
	w.says(w.run(w.accept("passport", text("X1")), writeValue...), vault.CodeConsentRequired, "consent required", "passport")
	w.consents("offers", true) // one of the purposes is enough
	w.write("passport", text("X1"))
	pending := w.write("passport", text("X2"), func(in *vault.WriteValueInput) { in.Source = vault.ValueSystemInferred })
	w.consents("offers", false)
	before := w.history("passport")
	w.says(w.run(w.accept("passport", text("X3")), writeValue...), vault.CodeConsentRequired, "consent required")
	w.says(w.run(w.importing(false, w.fact("passport", "X4")), importValues...), vault.CodeConsentRequired, "consent required")
	w.must(w.run(w.importing(true, w.fact("passport", "X5")), importValues...))
	batch := []vault.Event{w.accept("passport", text("X6")), w.accept("passport", text("X7"))}
	_ = w.writeBatch(w.batch(batch...)) // the errors are in the operations
	for _, ev := range batch {
		w.equal("the outcome in a batch", vault.CodeConsentRequired, w.op(ev).Error.Code)
	}
	w.says(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CorrectValue, vault.CorrectValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "passport", Value: text("X8"), Reason: "typing error",
	})), "Values.ValidateCorrection", "Values.PersistCorrection"), vault.CodeConsentRequired, "consent required")
	w.says(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DecideValue, vault.DecideValueInput{
		ItemID: pending.ItemID, Decision: vault.Approve,
	})), "Values.PersistDecision"), vault.CodeConsentRequired, "consent required")
	w.equal("the history after the withdrawal", jsonOf(before), jsonOf(w.history("passport")))
}

// A withdrawal cancels the open question of a running fill, which then ends and says so.
func TestConsent_WithdrawalEndsTheQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "passport", ValueType: vault.TypeString, Purposes: []string{"support"}})
	scenario := w.scenario("Ask.").ID
	w.require(scenario, vault.Requirement{FieldName: "passport"})
	w.consents("support", true)
	fill := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: w.customer, ScenarioID: scenario,
	}))
	w.resolve(fill)
	asked := w.ask(fill)
	w.consents("support", false)
	for range 2 {
		w.must(w.run(fill, "Gaps.FindMissing", "Gaps.ResolveGaps", "Gaps.AskCustomer"))
	}
	question, err := w.db.Tenant(w.tenant).GetQuestion(t.Context(), w.tenant, asked.QuestionID)
	w.must(err)
	w.equal("the question", string(vault.QuestionCancelled), question.Status)
	result := resultOf[vault.FillResult](w, fill)
	w.equal("the fields", []vault.GapResult{{FieldName: "passport", Action: "withheld"}}, result.Fields)

	// Another fill asks nothing.
	w.customer = newID()
	fill = w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: w.customer, ScenarioID: scenario,
	}))
	w.must(w.run(fill, "Gaps.FindMissing", "Gaps.ResolveGaps", "Gaps.AskCustomer"))
	w.equal("the fields", []vault.GapResult{{FieldName: "passport", Action: "withheld"}}, resultOf[vault.FillResult](w, fill).Fields)
}
