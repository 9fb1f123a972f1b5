package steps_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// runTwice runs each step twice, as the engine may.
func (w *world) runTwice(ev vault.Event, names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.must(w.run(ev, name, name))
	}
}

// isStale reports whether the newest version of a field of the customer is stale.
func (w *world) isStale(name string) bool {
	w.t.Helper()
	versions := w.history(name)
	return versions[len(versions)-1].StaleSince != nil
}

// derivations stores plan <- tier <- offer, the last for another customer, and returns the world of that customer.
func derivations(w *world) (plan vault.ItemResult, other *world) {
	w.t.Helper()
	w.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "tier", ValueType: vault.TypeString},
		vault.Definition{Name: "offer", ValueType: vault.TypeString},
	)
	plan = w.write("plan", text("silver"))
	tier := w.write("tier", text("second"), from(plan.ItemID))
	other = w.as(newID())
	other.write("offer", text("upgrade"), from(tier.ItemID))
	return plan, other
}

func TestStale_EachWayOfReplacement(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(w *world, plan vault.ItemResult){
		"a write": func(w *world, _ vault.ItemResult) { w.runTwice(w.accept("plan", text("gold")), writeValue...) },
		"a batch": func(w *world, _ vault.ItemResult) {
			events := []vault.Event{w.accept("plan", text("gold")), w.accept("plan", text("iron"))}
			b := w.batch(events...)
			for range 2 {
				w.must(w.writeBatch(b))
			}
		},
		"an import": func(w *world, _ vault.ItemResult) {
			w.runTwice(w.importing(true, w.fact("plan", "gold")), importValues...)
		},
		"a correction": func(w *world, _ vault.ItemResult) {
			w.runTwice(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CorrectValue, vault.CorrectValueInput{
				AgentID: w.agent, CustomerID: w.customer, Name: "plan", Value: text("gold"), CorrectedBy: "ada",
				Reason: "typing error",
			})), "Values.ValidateCorrection", "Values.PersistCorrection", "Caches.InvalidateAndAcknowledge")
		},
		"a decision": func(w *world, _ vault.ItemResult) {
			claim := w.write("plan", text("gold"), func(in *vault.WriteValueInput) { in.Source = vault.ValueSystemInferred })
			w.equal("stale because of a pending value", false, w.isStale("tier"))
			w.runTwice(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DecideValue, vault.DecideValueInput{
				ItemID: claim.ItemID, Decision: vault.Approve, DecidedBy: "ada",
			})), "Values.PersistDecision", "Caches.InvalidateAndAcknowledge")
		},
		"a merge": func(w *world, _ vault.ItemResult) {
			newer := w.as(newID())
			newer.write("plan", text("gold"))
			w.runTwice(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
				SourceCustomerID: newer.customer, TargetCustomerID: w.customer,
			})), "Merges.MergeCustomers", "Caches.InvalidateAndAcknowledge")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plan, other := derivations(w)
			reads := query.New(w.db, w.cache, w.sealer)
			profile, err := reads.Profile(t.Context(), w.tenant, other.customer) // it is cached now
			w.must(err)
			offer := profile.Fields["offer"]
			_, err = reads.Chain(t.Context(), w.tenant, offer.ID, 0)
			w.must(err)
			w.equal("stale before", false, w.isStale("tier") || other.isStale("offer"))
			replace(w, plan)
			w.equal("stale after", true, w.isStale("tier") && other.isStale("offer"))
			w.equal("the new version is stale", false, w.isStale("plan"))

			profile, err = reads.Profile(t.Context(), w.tenant, other.customer)
			w.must(err)
			w.equal("the profile says so", true, profile.Fields["offer"].StaleSince != nil)
			chain, err := reads.Chain(t.Context(), w.tenant, offer.ID, 0)
			w.must(err)
			w.equal("the chain says so", []bool{false, true, true}, staleLinks(chain))

			own, err := reads.Profile(t.Context(), w.tenant, w.customer)
			w.must(err)
			tier := w.write("tier", text("first"), from(own.Fields["plan"].ID))
			w.equal("stale after a new derivation", false, w.isStale("tier"))
			w.equal("what was derived from the old one", true, other.isStale("offer"))
			other.write("offer", text("none"), from(tier.ItemID))
			w.equal("stale after all derivations are new", false, other.isStale("offer"))
		})
	}
}

func staleLinks(c vault.Chain) []bool {
	out := make([]bool, len(c.Links))
	for i, l := range c.Links {
		out[i] = l.StaleSince != nil
	}
	return out
}

func TestStale_Expiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "tier", ValueType: vault.TypeString},
	)
	soon := time.Now().Add(time.Hour)
	plan := w.write("plan", text("gold"), func(in *vault.WriteValueInput) { in.ExpiresAt = &soon })
	w.write("tier", text("first"), from(plan.ItemID))
	w.later(2 * time.Hour)
	for range 2 {
		_, err := w.steps.Sweeps.ExpireValues(t.Context(), vault.Event{})
		w.must(err)
		_, err = w.steps.Caches.FlushPending(t.Context())
		w.must(err)
	}
	w.equal("stale", true, w.isStale("tier"))
	// A derivation from an expired source is stale from the beginning.
	w.write("tier", text("second"), from(plan.ItemID))
	w.equal("stale from the beginning", true, w.isStale("tier"))
}

// An unmerge gives a source back its place, so what was derived from it is not stale any more.
func TestStale_UnmergeClears(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, other := derivations(w)
	newer := w.as(newID())
	newer.write("plan", text("gold"))
	w.runTwice(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
		SourceCustomerID: newer.customer, TargetCustomerID: w.customer,
	})), "Merges.MergeCustomers", "Caches.InvalidateAndAcknowledge")
	w.equal("stale after the merge", true, other.isStale("offer"))
	w.runTwice(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.UnmergeCustomer, vault.UnmergeCustomerInput{
		CustomerID: newer.customer,
	})), "Merges.UnmergeCustomer", "Caches.InvalidateAndAcknowledge")
	w.equal("stale after its undo", false, other.isStale("offer") || w.isStale("tier"))
}

// A change of a source and a concurrent derivation from it see each other.
func TestStale_ConcurrentDerivation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	for round := range 20 {
		source, derived := w.as(newID()), w.as(newID())
		item := source.write("plan", text("silver")).ItemID
		evs := []vault.Event{source.accept("plan", text("gold")), derived.accept("plan", text("derived"), from(item))}
		_, errs := w.atOnce(2, func(i int) (any, error) { return nil, w.run(evs[i], writeValue...) })
		for _, err := range errs {
			w.must(err)
		}
		w.equal(fmt.Sprintf("round %d: stale", round), true, derived.isStale("plan"))
	}
}

// After any sequence of writes, exactly the items are stale that rules.StaleItems names.
func TestStale_Property(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []string{"a", "b", "c", "d"}
	for _, name := range names {
		w.define(vault.Definition{Name: name, ValueType: vault.TypeString})
	}
	rapid.Check(t, func(rt *rapid.T) {
		at := w.as(newID())
		var ids []uuid.UUID
		for i := range rapid.IntRange(2, 8).Draw(rt, "writes") {
			change := []func(*vault.WriteValueInput){}
			if len(ids) > 0 && rapid.IntRange(0, 3).Draw(rt, "derived") > 0 {
				change = append(change, from(rapid.SampledFrom(ids).Draw(rt, "source")))
			}
			name := rapid.SampledFrom(names).Draw(rt, "name")
			ids = append(ids, at.write(name, text(fmt.Sprint(i)), change...).ItemID)
		}
		var items []rules.StaleItem
		got := map[uuid.UUID]bool{}
		for _, name := range names {
			for _, v := range at.history(name) {
				items = append(items, rules.StaleItem{ID: v.ID, SourceID: v.SourceItemID, Status: v.Status})
				if v.Status == vault.StatusActive {
					got[v.ID] = v.StaleSince != nil
				}
			}
		}
		stale := rules.StaleItems(items)
		for id, is := range got {
			if is != stale[id] {
				rt.Fatalf("item %s is stale: %t, want %t", id, is, stale[id])
			}
		}
	})
}
