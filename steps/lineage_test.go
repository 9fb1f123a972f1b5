package steps_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// Rule 4 with concurrency: a deletion and a concurrent derivation from the item see each other.
func TestDeleteItem_ConcurrentDerivation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	for name, derive := range map[string]func(w *world, source uuid.UUID) (vault.Event, []string){
		"a write": func(w *world, source uuid.UUID) (vault.Event, []string) {
			return w.accept("plan", text("derived"), from(source)), writeValue
		},
		"an import": func(w *world, source uuid.UUID) (vault.Event, []string) {
			return w.importing(true, w.fact("email", "ada@example.com"), w.fact("plan", "derived", from(source))), importValues
		},
	} {
		for round := range 20 {
			force := round%2 == 0
			source := w.as(newID()).write("plan", text("gold"))
			deletion := w.event(
				trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{
					ItemID: source.ItemID, Force: force,
				}),
			)
			derived := w.as(newID())
			ev, steps := derive(derived, source.ItemID)
			_, errs := w.atOnce(2, func(i int) (any, error) {
				if i == 0 {
					return nil, w.run(deletion, deleteItem...)
				}
				return nil, w.run(ev, steps...)
			})
			w.must(errs[1])
			want := []string{`"derived" orphaned`}
			if errs[0] != nil {
				w.says(errs[0], vault.CodeHasDependents, "Cannot delete: has dependents")
				want = []string{`"derived" active`}
			}
			if force {
				w.must(errs[0])
			}
			w.equal(fmt.Sprintf("%s, forced %t, the deletion's error %v", name, force, errs[0]), want, derived.standing("plan"))
			w.values(derived.customer)
		}
	}
}

func TestDeleteCustomer_ConcurrentDerivation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	for round := range 30 {
		force := round%2 == 0
		source, derived := w.as(newID()), w.as(newID())
		source.write("email", text("ada@example.com"))
		item := source.write("plan", text("gold")).ItemID
		removal := w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
				CustomerID: source.customer, Force: force,
			}),
		)
		ev := derived.accept("plan", text("derived"), from(item))
		_, errs := w.atOnce(2, func(i int) (any, error) {
			if i == 0 {
				return nil, w.run(removal, deleteCustomer...)
			}
			return nil, w.run(ev, writeValue[1:]...)
		})
		w.must(errs[1])
		want := []string{`"derived" orphaned`}
		if errs[0] != nil && !force {
			w.says(errs[0], vault.CodeHasDependents, "Cannot delete: has dependents")
			want = []string{`"derived" active`}
		} else {
			w.must(errs[0])
		}
		w.equal("what was derived", want, derived.standing("plan"))
		w.values(derived.customer)
	}
}

// Rule 5 with concurrency: of items that name each other as sources, the last one is rejected.
func TestLineage_ConcurrentWritesMakeNoCycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	for round := range 20 {
		ids := make([]uuid.UUID, 2+round%3)
		for i := range ids {
			ids[i] = newID()
		}
		evs := make([]vault.Event, len(ids))
		for i := range ids {
			evs[i] = w.as(newID()).accept("plan", text("gold"), named(ids[i]), from(ids[(i+1)%len(ids)]))
		}
		_, errs := w.atOnce(len(ids), func(i int) (any, error) { return nil, w.run(evs[i], writeValue...) })
		refused := 0
		for _, err := range errs {
			if err != nil {
				w.says(err, vault.CodeInvalid, "source_item_id", "cycle")
				refused++
			}
		}
		if refused != 1 {
			t.Fatalf("round %d: %d of %d items in a cycle were refused, want 1", round, refused, len(ids))
		}
	}
}
