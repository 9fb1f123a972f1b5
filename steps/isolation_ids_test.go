package steps_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// TestIsolation_ItemIDs writes values with ids that exist in another tenant. They must behave as unused ids.
func TestIsolation_ItemIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "email", ValueType: vault.TypeEmail})
	value, asset := w.write("plan", text("theirs")).ItemID, w.addAsset("card").ItemID
	dependent := w.write("email", text("a@example.com"), from(value)).ItemID
	before := w.rowsOf(w.tenant)

	mine := *w
	mine.tenant, mine.agent, mine.customer = dbtest.Tenant(t, w.db), newID(), newID()
	mine.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	chosen := func(id uuid.UUID) func(*vault.WriteValueInput) {
		return func(in *vault.WriteValueInput) { in.ItemID = &id }
	}
	for what, id := range map[string]uuid.UUID{"unused": newID(), "value": value, "asset": asset, "derived": dependent} {
		customer := mine.as(newID())
		if r := customer.write("plan", text("mine"), chosen(id)); r.ItemID != id || r.Status != vault.StatusActive {
			t.Errorf("the id of another tenant's %s gives %+v", what, r)
		}
		if got := customer.values(customer.customer)["plan"]; got == "" {
			t.Errorf("the value with the id of another tenant's %s is not found", what)
		}
		// In the same tenant the id is taken now.
		ev := mine.as(newID()).accept("plan", text("again"), chosen(id))
		if err := mine.run(ev, writeValue...); vault.CodeOf(err) != vault.CodeConflict {
			t.Errorf("an id of the same tenant (%s): got %v, want a conflict", what, err)
		}
		imported := vault.WriteValueInput{
			AgentID: mine.agent, CustomerID: newID(), Name: "plan", Value: text("b"), Source: vault.ValueUserProvided,
			ItemID: &id,
		}
		err := mine.run(mine.event(trigger.Submit(t.Context(), mine.trigger, mine.tenant, vault.ImportValues,
			vault.ImportValuesInput{Writes: []vault.WriteValueInput{imported}})), importValues...)
		if vault.CodeOf(err) != vault.CodeConflict {
			t.Errorf("an import with an id of the same tenant (%s): got %v, want a conflict", what, err)
		}
	}
	// Changes of the one item leave the other alone.
	mine.remove(value, true)
	if got := w.values(w.customer)["plan"]; got == "" {
		t.Error("the deletion of an item removed an item of another tenant with the same id")
	}
	mine.later(1)
	for _, sweep := range []string{"Sweeps.ExpireValues", "Sweeps.DetectOrphans"} {
		spec := vault.ExpireValues
		if sweep == "Sweeps.DetectOrphans" {
			spec = vault.DetectOrphans
		}
		in := vault.Sweep{AllTenants: true}
		w.must(mine.run(mine.event(trigger.Submit(t.Context(), w.trigger, mine.tenant, spec, in)), sweep))
	}
	// An asset of the same tenant, also of another customer, keeps its id.
	own := mine.addAsset("card").ItemID
	if err := mine.run(mine.as(newID()).accept("plan", text("x"), chosen(own)), writeValue...); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("the id of an asset of the tenant: got %v, want a conflict", err)
	}
	w.equal("the rows of the other tenant", before, w.rowsOf(w.tenant))
}

// TestSweeps_SameIDInTwoTenants expires and orphans one of two values with the same id.
func TestSweeps_SameIDInTwoTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	other := *w
	other.tenant, other.agent, other.customer = dbtest.Tenant(t, w.db), newID(), newID()
	other.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	due, derived, source := newID(), newID(), newID()
	status := func(tenant, id uuid.UUID) (s string) {
		dbtest.Scan(t, w.url, &s, "SELECT status FROM customer_values WHERE tenant_id = $1 AND id = $2", tenant, id)
		return s
	}
	for _, world := range []*world{w, &other} {
		for _, id := range []uuid.UUID{due, source} {
			world.as(newID()).write("plan", text("x"), func(in *vault.WriteValueInput) { in.ItemID = &id })
		}
		world.as(newID()).write("plan", text("x"), from(source), func(in *vault.WriteValueInput) { in.ItemID = &derived })
	}
	w.sql("UPDATE customer_values SET expires_at = now() - interval '1 hour' WHERE tenant_id = $1 AND id = $2", w.tenant, due)
	w.sql("DELETE FROM customer_values WHERE tenant_id = $1 AND id = $2", w.tenant, source)
	all := vault.Sweep{AllTenants: true}
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ExpireValues, all)),
		"Sweeps.ExpireValues"))
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DetectOrphans, all)),
		"Sweeps.DetectOrphans"))
	for id, want := range map[uuid.UUID]string{due: "expired", derived: "orphaned"} {
		if got := status(w.tenant, id); got != want {
			t.Errorf("the status is %s, want %s", got, want)
		}
		if got := status(other.tenant, id); got != "active" {
			t.Errorf("the status in the other tenant is %s, want active", got)
		}
	}
}
