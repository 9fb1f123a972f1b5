package steps_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

var (
	addElement    = []string{"Values.ValidateElement", "Values.PersistAddition", "Caches.InvalidateAndAcknowledge"}
	removeElement = []string{"Values.ValidateElement", "Values.PersistRemoval", "Caches.InvalidateAndAcknowledge"}
)

// adding accepts the addition of an element without running its steps.
func (w *world) adding(name string, element json.RawMessage) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.AddElement, w.element(name, element)))
}

func (w *world) removing(name string, element json.RawMessage) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.RemoveElement, w.element(name, element)))
}

func (w *world) element(name string, element json.RawMessage) vault.WriteValueInput {
	return vault.WriteValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: name, Value: element, Source: vault.ValueUserProvided,
	}
}

func anAddition(w *world) vault.Event {
	withEmails(w)
	return w.adding("emails", text("ada@example.com"))
}

func anElementRemoval(w *world) vault.Event {
	withEmails(w)
	w.write("emails", json.RawMessage(`["ada@example.com", "bob@example.com"]`))
	return w.removing("emails", text("ada@example.com"))
}

func withEmails(w *world) {
	w.t.Helper()
	w.define(
		vault.Definition{Name: "emails", ValueType: vault.TypeEmail, Multiple: true, MaxElements: 3, EncryptionRequired: true},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
}

func TestElements_AddAndRemove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withEmails(w)
	w.must(w.twice(w.adding("emails", text("ada@Example.com")), addElement...))
	w.must(w.run(w.adding("emails", text("bob@example.com")), addElement...))
	w.must(w.run(w.adding("emails", text(" ada@example.com ")), addElement...)) // changes nothing
	w.equal("list", `["ada@example.com","bob@example.com"]`, w.active("emails"))
	w.equal("versions", 2, len(w.history("emails")))
	w.refused(w.adding("emails", text("nobody")), vault.CodeInvalid, []string{"emails", "is not an email address"}, addElement...)
	w.must(w.run(w.adding("emails", text("eve@example.com")), addElement...))
	w.refused(w.adding("emails", text("zoe@example.com")), vault.CodeInvalid, []string{"has more than 3 elements"}, addElement...)
	w.must(w.run(w.removing("emails", text("ada@example.com")), removeElement...))
	w.must(w.run(w.removing("emails", text("zoe@example.com")), removeElement...)) // changes nothing
	w.equal("list", `["bob@example.com","eve@example.com"]`, w.active("emails"))
	w.refused(w.adding("plan", text("gold")), vault.CodeInvalid, []string{"plan has one value and no elements"}, addElement...)
	w.refused(w.as(newID()).removing("emails", text("ada@example.com")), vault.CodeConflict,
		[]string{"no active emails"}, removeElement...)
	for i, v := range w.history("emails") {
		if last := i == 3; (v.Status == vault.StatusActive) != last || (v.SupersededByID == nil) != last {
			t.Errorf("version %d is %s", i, v.Status)
		}
	}
}

// An addition that runs late is not lost, and neither is one beside others.
func TestElements_OrderOfArrivalLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withEmails(w)
	first, second := w.adding("emails", text("ada@example.com")), w.adding("emails", text("bob@example.com"))
	w.must(w.run(second, addElement...))
	w.must(w.run(first, addElement...))
	w.equal("list", `["bob@example.com","ada@example.com"]`, w.active("emails"))
}

func TestMultiple_WriteImportAndAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withEmails(w)
	w.refused(w.accept("emails", json.RawMessage(`["ada@example.com", "nobody"]`)), vault.CodeInvalid,
		[]string{"emails: the value at [1] is not an email address"}, writeValue...)
	w.write("emails", json.RawMessage(`["ada@example.com", "ada@EXAMPLE.com"]`))
	w.equal("list", `["ada@example.com"]`, w.active("emails"))
	other := w.as(newID())
	ev := w.importing(true, other.fact("emails", "ada@example.com; bob@example.com"), w.as(newID()).fact("emails", "nobody"))
	w.must(w.run(ev, importValues...))
	w.equal("rejected", []int{1}, indexes(resultOf[vault.ImportResult](w, ev).Rejected))
	w.equal("list", `["ada@example.com","bob@example.com"]`, other.active("emails"))
	asked := w.as(newID())
	fill := asked.filling("emails", nil)
	asked.resolve(fill)
	asked.must(asked.run(asked.answer(asked.ask(fill).QuestionID, text("eve@example.com, zoe@example.com")), answerQuestion...))
	w.equal("list", `["eve@example.com","zoe@example.com"]`, asked.active("emails"))
}

func TestMultiple_ConversationNeedsAQuoteForEachElement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withEmails(w)
	const said = "My emails are ada@example.com and bob@example.com."
	w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) {
		return []vault.Candidate{
			candidate("emails", text("ada@example.com"), 0.97, said), candidate("emails", text("bob@example.com"), 0.96, said),
			candidate("emails", text("eve@example.com"), 0.99, said),
		}, nil
	}
	session := w.session(nil, said)
	for _, write := range w.resolve(w.filling("emails", &session)) {
		w.must(w.run(write, writeValue...))
	}
	w.equal("list", `["ada@example.com","bob@example.com"]`, w.active("emails"))
}
