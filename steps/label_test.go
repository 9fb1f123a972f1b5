package steps_test

import (
	"testing"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func aLabel(w *world) vault.Event {
	defined(w)
	w.write("plan", text("gold"))
	return w.labelling("VIP")
}

func (w *world) labelling(label string) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SetCustomerLabel,
		vault.SetCustomerLabelInput{CustomerID: w.customer, Label: label}))
}

func TestSetLabel_LateOneDoesNotReplaceNewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("gold"))
	steps := []string{"Customers.SetLabel", "Caches.InvalidateAndAcknowledge"}
	older, newer := w.labelling("older"), w.labelling("newer")
	w.must(w.run(newer, steps...))
	w.must(w.run(older, steps...))
	w.equal("label", "newer", w.label())
	w.must(w.run(w.labelling(""), steps...))
	w.equal("label", "", w.label())
}

func TestSetLabel_UnknownCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(w.run(w.labelling("VIP"), "Customers.SetLabel"), vault.CodeUnknown, "unknown customer")
}

func (w *world) label() string {
	w.t.Helper()
	p, err := w.seen(w.customer)
	w.must(err)
	return p.Label
}
