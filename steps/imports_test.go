package steps_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// named sets the id of a write.
func named(id uuid.UUID) func(*vault.WriteValueInput) {
	return func(in *vault.WriteValueInput) { in.ItemID = &id }
}

func TestPersistImport_LateImportIsSuperseded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("old"))
	late := w.importing(false, w.fact("plan", "imported"), w.fact("email", "imported@example.com"))
	w.write("plan", text("newer"))
	w.must(w.twice(late, importValues...))
	w.equal("result", vault.ImportResult{Written: 2, Superseded: 1, Customers: 1}, resultOf[vault.ImportResult](w, late))
	w.equal("values", map[string]string{"plan": `"newer"`, "email": `"imported@example.com"`}, w.values(w.customer))
	w.equal("history", []string{`"old"`, `"imported"`, `"newer"`}, valuesOf(w.checkHistory("plan")))
}

func TestImport_InvalidWriteRejectsAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("silver"))
	ev := w.importing(false, w.fact("email", "nobody"), w.fact("plan", "gold"), w.fact("colour", "red"))
	w.refused(
		ev, vault.CodeInvalid,
		[]string{"writes[0]: Field validation failed: email", "writes[2]: Field validation failed: colour"}, importValues...,
	)
	if strings.Contains(w.op(ev).Error.Message, "nobody") {
		t.Error("the error quotes a value that is PII")
	}
	w.equal("values", map[string]string{"plan": `"silver"`}, w.values(w.customer))
}

func TestImport_SkipInvalidStoresTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	removed := newID()
	w.as(removed).write("plan", text("silver"))
	w.erase(removed)
	self, a, b := newID(), newID(), newID()
	writes := []vault.WriteValueInput{
		w.fact("email", "nobody"),
		w.fact("plan", "gold"),
		w.as(removed).fact("plan", "gold"),
		w.as(newID()).fact("plan", "round", named(a), from(b)), // a cycle of two
		w.as(newID()).fact("plan", "and round", named(b), from(a)),
		w.as(newID()).fact("plan", "of the cycle", named(self), from(a)), // its source is rejected
	}
	ev := w.bypass(vault.ImportValues.Name, w.customer, vault.ImportValuesInput{SkipInvalid: true, Writes: writes})
	w.must(w.twice(ev, importValues...))
	got := resultOf[vault.ImportResult](w, ev)
	w.equal("rejected", []int{0, 2, 3, 4}, indexes(got.Rejected))
	if got.Written != 2 || got.Customers != 2 {
		t.Errorf("got %+v, want 2 written", got)
	}
	for _, r := range got.Rejected {
		if !strings.HasPrefix(r.Message, fmt.Sprintf("writes[%d]: ", r.Index)) || strings.Contains(r.Message, "nobody") {
			t.Errorf("rejected with %q", r.Message)
		}
	}
	w.equal("values", map[string]string{"plan": `"gold"`}, w.values(w.customer))
	field, err := query.New(w.db, nil, w.sealer).Field(t.Context(), w.tenant, self)
	w.must(err)
	if field.Status != vault.StatusOrphaned {
		t.Errorf("what was derived from a write that was left out is %s", field.Status)
	}
}

func TestImport_SizeLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	var writes []vault.WriteValueInput
	for range vault.MaxImport + 1 {
		writes = append(writes, w.as(newID()).fact("plan", "gold"))
	}
	before := w.dump()
	_, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, vault.ImportValuesInput{Writes: writes})
	w.says(err, vault.CodeInvalid, "1001", "the limit is 1000", "split the import")
	w.unchanged(before, "an import that is too large")
	w.refused(
		w.bypass(vault.ImportValues.Name, w.customer, vault.ImportValuesInput{Writes: writes}), vault.CodeInvalid,
		[]string{"the limit is 1000"}, importValues...,
	)

	ev := w.importing(false, writes[:vault.MaxImport]...)
	w.must(w.twice(ev, importValues...))
	w.equal("result", vault.ImportResult{Written: 1000, Customers: 1000}, resultOf[vault.ImportResult](w, ev))
}

// Several writes of one field become versions in the order of the import, each after the one before it.
func TestImport_FieldSeveralTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("before"))
	ids := []uuid.UUID{newID(), newID(), newID()}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(b.String(), a.String()) }) // against the order
	ev := w.importing(
		false, w.fact("plan", "silver", named(ids[0])), w.fact("email", "ada@example.com"),
		w.fact("plan", "gold", named(ids[1])), w.fact("plan", "silver", named(ids[2])),
	)
	w.must(w.twice(ev, importValues...))
	w.equal("result", vault.ImportResult{Written: 4, Customers: 1}, resultOf[vault.ImportResult](w, ev))
	w.equal("history", []string{
		`"before" superseded`, `"silver" superseded`, `"gold" superseded`, `"silver" active`,
	}, w.standing("plan"))
	w.checkHistory("plan")
	w.equal("values", map[string]string{"plan": `"silver"`, "email": `"ada@example.com"`}, w.values(w.customer))
}

// One import leaves what imports of its writes one by one leave, whatever their sources, times and strengths.
func TestImport_EqualsSingleImports(t *testing.T) {
	t.Parallel()
	base := newWorld(t)
	defined(base)
	base.define(vault.Definition{Name: "code", ValueType: vault.TypeString})
	rapid.Check(t, func(rt *rapid.T) {
		together, apart := base.as(newID()), base.as(newID())
		sources := []vault.ValueSource{vault.ValueHumanEntered, vault.ValueUserProvided, vault.ValueLLMExtracted}
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		write := func(label string) func(w *world) vault.WriteValueInput {
			name := rapid.SampledFrom([]string{"plan", "code"}).Draw(rt, label+" name")
			value := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, label+" value")
			from := rapid.SampledFrom(sources).Draw(rt, label+" source")
			verified := rapid.Bool().Draw(rt, label+" verified")
			collected := day.AddDate(0, 0, rapid.IntRange(0, 3).Draw(rt, label+" day"))
			timed := rapid.Bool().Draw(rt, label+" timed")
			return func(w *world) vault.WriteValueInput {
				return w.fact(name, value, func(in *vault.WriteValueInput) {
					in.Source, in.Verified = from, verified
					if verified {
						in.VerificationMethod = "code"
					}
					if timed {
						in.CollectedAt = &collected
					}
				})
			}
		}
		for i := range rapid.IntRange(0, 2).Draw(rt, "before") {
			one := write(fmt.Sprint("before ", i))
			for _, w := range []*world{together, apart} {
				base.must(base.run(base.importing(true, one(w)), importValues...))
			}
		}
		var all []vault.WriteValueInput
		for i := range rapid.IntRange(2, 6).Draw(rt, "writes") {
			one := write(fmt.Sprint(i))
			all = append(all, one(together))
			base.must(base.run(base.importing(true, one(apart)), importValues...))
		}
		base.must(base.run(base.importing(true, all...), importValues...))
		for _, name := range []string{"plan", "code"} {
			if want, got := apart.standing(name), together.standing(name); !slices.Equal(want, got) {
				rt.Errorf("%s: one import leaves\n%v\nsingle ones\n%v", name, got, want)
			}
		}
	})
}

func TestImport_MergedCustomersShareAProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	source, target := newID(), newID()
	w.as(source).write("plan", text("silver"))
	w.as(target).write("plan", text("bronze"))
	w.merge(source, target)
	w.values(source) // fill the cache with both
	w.values(target)

	ev := w.importing(
		true, w.as(source).fact("plan", "gold"), w.as(target).fact("plan", "b"),
		w.as(target).fact("email", "ada@example.com"),
	)
	w.must(w.twice(ev, importValues...))
	got := resultOf[vault.ImportResult](w, ev)
	if got.Written != 3 || got.Customers != 1 {
		t.Errorf("got %+v, want three written to one profile", got)
	}
	want := map[string]string{"plan": `"b"`, "email": `"ada@example.com"`} // in the order of the import
	w.equal("the source's values", want, w.values(source))
	w.equal("the target's values", want, w.values(target))
}

func TestImport_HistoryAfterAMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	for range 8 { // the order of the two depends on their ids
		a, b := w.as(newID()), w.as(newID())
		first := a.accept("plan", text("late"))
		w.must(w.run(w.importing(false, a.fact("plan", "a"), b.fact("plan", "b")), importValues...))
		w.merge(a.customer, b.customer)
		b.write("plan", text("new"))
		w.must(w.run(first, writeValue...))
		b.checkHistory("plan")
		w.equal("values", map[string]string{"plan": `"new"`}, w.values(a.customer))
		w.unmerge(a.customer)
		w.equal("the source's", map[string]string{"plan": `"a"`}, w.values(a.customer))
		w.equal("the target's", map[string]string{"plan": `"new"`}, w.values(b.customer))
	}
	if broken := w.brokenHistories(); len(broken) > 0 {
		t.Error(broken)
	}
}

func TestImport_DeletedCustomerIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("silver"))
	w.erase(w.customer)
	ev := w.importing(false, w.as(newID()).fact("plan", "gold"), w.fact("plan", "gold"))
	w.refused(ev, vault.CodeUnknown, []string{"writes[1]", "unknown customer", w.customer.String()}, importValues...)
}

func TestImport_Lineage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.define(vault.Definition{Name: "code", ValueType: vault.TypeString})
	status := func(id uuid.UUID) vault.ItemStatus {
		field, err := query.New(w.db, nil, w.sealer).Field(t.Context(), w.tenant, id)
		w.must(err)
		return field.Status
	}

	t.Run("missing source: orphaned", func(t *testing.T) {
		id := newID()
		w.must(w.twice(w.importing(false, w.as(newID()).fact("plan", "gold", named(id), from(newID()))), importValues...))
		w.equal("status", vault.StatusOrphaned, status(id))
	})
	t.Run("another write of the import", func(t *testing.T) {
		first, second, third := newID(), newID(), newID()
		other := w.as(newID())
		ev := w.importing(false, other.fact("plan", "c", named(third), from(second)), other.fact("code", "a", named(first)),
			w.as(newID()).fact("plan", "b", named(second), from(first)))
		w.must(w.twice(ev, importValues...))
		for _, id := range []uuid.UUID{first, second, third} {
			w.equal("status", vault.StatusActive, status(id))
		}
		chain, err := query.New(w.db, w.cache, w.sealer).Chain(t.Context(), w.tenant, third, 0)
		w.must(err)
		if len(chain.Links) != 3 || chain.Links[0].ID != first || chain.Missing {
			t.Errorf("the chain is %+v", chain)
		}
	})
	t.Run("its own source", func(t *testing.T) {
		id := newID()
		in := vault.ImportValuesInput{
			Writes: []vault.WriteValueInput{
				w.as(newID()).fact("code", "a"), w.as(newID()).fact("plan", "gold", named(id), from(id)),
			},
		}
		_, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in)
		w.says(err, vault.CodeInvalid, "writes[1]", "source_item_id")
		w.refused(
			w.bypass(vault.ImportValues.Name, w.customer, in), vault.CodeInvalid, []string{"writes[1]", "source_item_id"},
			importValues...,
		)
		w.refused(
			w.bypass(vault.ImportValues.Name, w.customer, in), vault.CodeInvalid, []string{"writes[1]", "source_item_id"},
			importValues[1:]...,
		)
	})
	t.Run("cycle, also through stored items", func(t *testing.T) {
		a, b := newID(), newID()
		waiting := w.as(newID()).write("code", text("waits"), from(a)) // for a source in the import
		for _, in := range []vault.ImportValuesInput{
			{
				Writes: []vault.WriteValueInput{
					w.as(newID()).fact("plan", "a", named(a), from(b)), w.as(newID()).fact("plan", "b", named(b), from(a)),
				},
			},
			{
				Writes: []vault.WriteValueInput{
					w.as(newID()).fact("plan", "a", named(a), from(b)),
					w.as(newID()).fact("plan", "b", named(b), from(waiting.ItemID)),
				},
			},
		} {
			w.refused(
				w.bypass(vault.ImportValues.Name, w.customer, in), vault.CodeInvalid, []string{"writes[0]", "cycle"},
				importValues...,
			)
		}
	})
	t.Run("id of another item", func(t *testing.T) {
		for _, taken := range []uuid.UUID{w.as(newID()).write("plan", text("gold")).ItemID, w.addAsset("card").ItemID} {
			in := []vault.WriteValueInput{w.as(newID()).fact("plan", "gold"), w.as(newID()).fact("plan", "gold", named(taken))}
			w.refused(
				w.importing(false, in...), vault.CodeConflict, []string{"writes[1]", "item_id", taken.String(), "another item"},
				importValues...,
			)
			ev := w.importing(true, in...)
			w.must(w.twice(ev, importValues...))
			w.equal("rejected", []int{1}, indexes(resultOf[vault.ImportResult](w, ev).Rejected))
		}
	})
}

func TestImport_LateSourceCompletesTheChain(t *testing.T) {
	t.Parallel()
	for how, bring := range map[string]func(w *world, id uuid.UUID){
		"by a write": func(w *world, id uuid.UUID) { w.as(newID()).write("plan", text("source"), named(id)) },
		"by an import": func(w *world, id uuid.UUID) {
			w.must(w.run(w.importing(false, w.as(newID()).fact("plan", "source", named(id))), importValues...))
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			id := newID()
			item := w.write("plan", text("gold"), from(id))
			chain := func() vault.Chain {
				c, err := query.New(w.db, w.cache, w.sealer).Chain(t.Context(), w.tenant, item.ItemID, 0)
				w.must(err)
				return c
			}
			for range 2 {
				if c := chain(); !c.Missing || len(c.Links) != 1 {
					t.Errorf("before: %+v", c)
				}
			}
			bring(w, id)
			if c := chain(); c.Missing || len(c.Links) != 2 {
				t.Errorf("after: %+v", c)
			}
		})
	}
}

func TestImport_ConcurrentWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	customers := []uuid.UUID{newID(), newID(), newID(), newID()}
	var evs []vault.Event
	var names [][]string
	for i := range 24 {
		if i%3 == 0 {
			evs, names = append(evs, w.as(customers[i%4]).accept("plan", text(fmt.Sprint(i)))), append(names, writeValue)
			continue
		}
		var writes []vault.WriteValueInput
		for j := range customers { // each import orders the customers differently
			writes = append(writes, w.as(customers[(i+j*(1+i%2*2))%4]).fact("plan", fmt.Sprint(i)))
		}
		evs, names = append(evs, w.importing(false, writes...)), append(names, importValues)
	}
	_, errs := w.atOnce(len(evs), func(i int) (any, error) { return nil, w.run(evs[i], names[i]...) })
	for i, err := range errs {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for _, c := range customers {
		if got := len(w.as(c).checkHistory("plan")); got != 18 {
			t.Errorf("%d versions, want 18", got)
		}
		w.values(c)
	}
}

// A new customer of an import has version 1, needs no invalidation, and the fill that waits for it wakes.
func TestPersistImport_NewCustomerWakesItsFill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	known, waiting := newID(), newID()
	w.as(known).write("plan", text("silver"))
	fill := w.as(waiting).filling("plan", nil)
	w.must(w.run(fill, "Gaps.ResolveGaps"))
	w.ask(fill)
	w.sql("DELETE FROM fill_wakeups")
	if n := w.count("SELECT count(*) FROM customer_profiles WHERE customer_id = $1", waiting); n != 0 {
		t.Fatalf("the customer has %d profiles before the import", n)
	}
	ev := w.importing(false,
		w.as(waiting).fact("plan", "gold"), w.as(known).fact("plan", "gold"), w.as(newID()).fact("plan", "basic"))
	w.must(w.run(ev, importValues[:len(importValues)-1]...))
	if n := w.count("SELECT count(*) FROM pending_invalidations WHERE subject <> $1", known); n != 0 {
		t.Errorf("%d invalidations are pending for customers that no reader has seen", n)
	}
	if n := w.count("SELECT count(*) FROM pending_invalidations WHERE subject = $1", known); n != 1 {
		t.Errorf("%d invalidations are pending for the known customer, want 1", n)
	}
	before := len(w.engine.taken())
	w.must(w.run(ev, importValues...))
	if !slices.Contains(w.engine.taken()[before:], push{vault.FillGaps.Event, fill.OperationID}) {
		t.Error("the fill that waits for the new customer is not woken")
	}
	w.equal("customers", 3, resultOf[vault.ImportResult](w, ev).Customers)
	for customer, want := range map[uuid.UUID]int{waiting: 1, known: 2} {
		got := w.count("SELECT version FROM customer_profiles WHERE customer_id = $1", customer)
		w.equal("version", want, got)
		w.equal("values", map[string]string{"plan": `"gold"`}, w.values(customer))
	}
}
