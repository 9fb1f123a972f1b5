package steps_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestMergeCustomers_MovesEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.define(vault.Definition{Name: "code", ValueType: vault.TypeString})
	source, target := w.as(newID()), w.as(newID())
	source.write("plan", text("source, old"))
	target.write("plan", text("target"))
	plan := source.write("plan", text("source, newest"))
	card := source.addAsset("source.png")
	code := source.write("code", text("source"), from(plan.ItemID))
	derived := w.as(newID()).write("plan", text("of another"), from(code.ItemID))
	target.write("email", text("target@example.com"))
	target.addAsset("target.png")
	w.must(w.run(source.link("whatsapp", "ada"), linkChannel...))
	w.must(w.run(target.link("sms", "ada"), linkChannel...))
	w.must(w.run(source.consent(true), recordConsent...))
	w.must(w.run(target.consent(false), recordConsent...))
	late := source.accept("email", text("late@example.com"))
	w.values(source.customer) // now they are in the cache
	w.values(target.customer)
	chain, err := query.New(w.db, w.cache, w.sealer).Chain(t.Context(), w.tenant, derived.ItemID, 0)
	w.must(err)

	w.must(w.twice(w.merging(source.customer, target.customer), mergeCustomers...))
	want := map[string]string{"plan": `"source, newest"`, "code": `"source"`, "email": `"target@example.com"`}
	history := []string{`"source, old" superseded`, `"target" superseded`, `"source, newest" active`}
	for name, c := range map[string]*world{"the source": source, "the target": target} { // both are the target
		w.equal(name+" values", want, w.values(c.customer))
		w.equal(name+" history", history, c.standing("plan"))
		c.checkHistory("plan")
		p, err := w.seen(c.customer)
		w.must(err)
		if p.CustomerID != target.customer || len(p.Assets) != 2 || len(p.Channels) != 2 || len(p.Consents) != 1 ||
			p.Consents[0].Granted {
			t.Errorf(
				"%s: %d assets, %d channels, consents %+v of %s", name, len(p.Assets), len(p.Channels), p.Consents, p.CustomerID,
			)
		}
		if p.Fields["plan"].ID != plan.ItemID {
			t.Errorf("%s: the item has another id", name)
		}
	}
	after, err := query.New(w.db, w.cache, w.sealer).Chain(t.Context(), w.tenant, derived.ItemID, 0)
	w.must(err)
	w.equal("the chain of what was derived", jsonOf(chain), jsonOf(after))
	if links := after.Links; len(links) != 3 || links[0].ID != plan.ItemID || links[1].ID != code.ItemID {
		t.Errorf("the chain is %+v", links)
	}

	// Writes to the source go to the target, also late ones, and readers of both ids see them.
	w.must(w.twice(late, writeValue...))
	source.write("plan", text("to the source"))
	source.addAsset("since.png")
	w.must(w.twice(source.consent(true), recordConsent...))
	w.must(w.twice(source.link("mail", "ada"), linkChannel...))
	w.remove(card.ItemID, false)
	want["plan"], want["email"] = `"to the source"`, `"late@example.com"`
	for _, c := range []*world{source, target} {
		w.equal("values since", want, w.values(c.customer))
		w.equal("assets since", []string{"since.png", "target.png"}, w.assetsOf(c.customer))
		p, err := w.seen(c.customer)
		w.must(err)
		if len(p.Channels) != 3 || !p.Consents[0].Granted {
			t.Errorf("%d channels, consents %+v", len(p.Channels), p.Consents)
		}
	}
	if broken := w.brokenHistories(); len(broken) > 0 {
		t.Error(broken)
	}
}

func TestMergeCustomers_InvalidPairIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	ids := make([]uuid.UUID, 4) // the last one is deleted
	for i := range ids {
		ids[i] = newID()
		w.as(ids[i]).write("plan", text("gold"))
	}
	w.erase(ids[3])
	before := w.dump()
	_, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
		SourceCustomerID: ids[0], TargetCustomerID: ids[0],
	})
	w.says(err, vault.CodeInvalid, "target_customer_id", "two different customers")
	w.unchanged(before, "a merge of a customer into itself")
	itself := w.bypass(vault.MergeCustomers.Name, ids[0], vault.MergeCustomersInput{
		SourceCustomerID: ids[0], TargetCustomerID: ids[0],
	})
	w.refused(itself, vault.CodeInvalid, []string{"two different customers"}, mergeCustomers...)
	for _, pair := range [][2]uuid.UUID{{ids[0], someID}, {someID, ids[0]}, {ids[0], ids[3]}, {ids[3], ids[0]}} {
		w.refused(w.merging(pair[0], pair[1]), vault.CodeUnknown, []string{"unknown customer"}, mergeCustomers...)
	}
	w.refused(w.unmerging(ids[0]), vault.CodeConflict, []string{"is not merged"}, unmergeCustomer...)
	w.refused(w.unmerging(someID), vault.CodeUnknown, []string{"unknown customer"}, unmergeCustomer...)

	w.merge(ids[0], ids[1])
	for _, pair := range [][2]uuid.UUID{{ids[0], ids[1]}, {ids[0], ids[2]}, {ids[2], ids[0]}, {ids[1], ids[0]}} {
		w.refused(
			w.merging(pair[0], pair[1]), vault.CodeConflict,
			[]string{ids[0].String(), "is already merged into another customer"}, mergeCustomers...,
		)
	}
	w.unmerge(ids[0])
	w.refused(w.unmerging(ids[0]), vault.CodeConflict, []string{"is not merged"}, unmergeCustomer...)
	w.merge(ids[0], ids[1]) // again
	w.erase(ids[0])         // deletes both
	w.gone(ids[1])
	w.refused(w.unmerging(ids[0]), vault.CodeConflict, []string{ids[1].String(), "deleted since"}, unmergeCustomer...)
}

// three customers, each with a value of its own, a value that all have, an asset, a channel and a consent.
func three(w *world) (customers []uuid.UUID, before map[uuid.UUID]string) {
	w.t.Helper()
	defined(w)
	before = map[uuid.UUID]string{}
	for i := range 3 {
		c := w.as(newID())
		customers = append(customers, c.customer)
		w.define(vault.Definition{Name: fmt.Sprint("own_", i), ValueType: vault.TypeString})
		c.write(fmt.Sprint("own_", i), text("own"))
		c.write("plan", text("old"))
		c.addAsset(fmt.Sprint(i))
		w.must(w.run(c.link("sms", fmt.Sprint(i)), linkChannel...))
		w.must(w.run(c.consent(i%2 == 0), recordConsent...))
	}
	for i, c := range customers {
		w.as(c).write("plan", text(fmt.Sprint("new ", i)))
	}
	for _, c := range customers {
		before[c] = w.all(c)
	}
	return customers, before
}

// all returns what a reader sees of a customer, without versions and times.
func (w *world) all(customer uuid.UUID) string {
	w.t.Helper()
	p, err := w.seen(customer)
	w.must(err)
	out := fmt.Sprintln(p.CustomerID, w.values(customer), w.assetsOf(customer), w.as(customer).standing("plan"))
	for _, c := range p.Channels {
		out += c.ExternalID + " "
	}
	for _, c := range p.Consents {
		out += fmt.Sprint(c.Granted, c.AcceptedAt)
	}
	return out
}

func TestUnmergeCustomer_Order(t *testing.T) {
	t.Parallel()
	t.Run("chain, last merge first", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		c, before := three(w)
		w.merge(c[0], c[1])
		middle := w.all(c[1])
		w.merge(c[1], c[2])
		for _, id := range c {
			w.equal("in one", w.all(c[2]), w.all(id))
		}
		w.refused(
			w.unmerging(c[0]), vault.CodeConflict, []string{c[1].String(), "was merged itself since; undo that merge first"},
			unmergeCustomer...,
		)
		w.must(w.twice(w.unmerging(c[1]), unmergeCustomer...))
		w.equal("the last, undone", before[c[2]], w.all(c[2]))
		w.equal("the middle, after the first was undone", middle, w.all(c[1]))
		w.equal("what leads to the middle", middle, w.all(c[0]))
		w.must(w.twice(w.unmerging(c[0]), unmergeCustomer...))
		for _, id := range c {
			w.equal("all undone", before[id], w.all(id))
		}
	})
	for name, order := range map[string][]int{"the last first": {1, 0}, "the first first": {0, 1}} {
		t.Run("two sources, "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c, before := three(w)
			w.merge(c[0], c[2])
			w.merge(c[1], c[2])
			for i, at := range order {
				w.must(w.twice(w.unmerging(c[at]), unmergeCustomer...))
				w.equal("the source", before[c[at]], w.all(c[at]))
				if broken := w.brokenHistories(); len(broken) > 0 {
					t.Errorf("after %d: %v", i, broken)
				}
			}
			for _, id := range c {
				w.equal("all undone", before[id], w.all(id))
			}
		})
	}
	t.Run("two sources, target has the oldest value", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		defined(w)
		c := []uuid.UUID{newID(), newID(), newID()}
		for i, id := range []uuid.UUID{c[2], c[0], c[1]} { // the target has the oldest value
			w.as(id).write("plan", text(fmt.Sprint(i)))
		}
		w.merge(c[0], c[2])
		w.merge(c[1], c[2])
		w.unmerge(c[0]) // removes the version that superseded the target's own
		w.equal("the target's", []string{`"0" superseded`, `"2" active`}, w.as(c[2]).standing("plan"))
		w.unmerge(c[1])
		w.equal("the target's", []string{`"0" active`}, w.as(c[2]).standing("plan"))
	})
}

func TestUnmergeCustomer_LaterChangesStayWithTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	source, target := w.as(newID()), w.as(newID())
	late := target.accept("plan", text("late"))
	target.write("plan", text("target"))
	source.write("plan", text("source"))
	email := source.write("email", text("ada@example.com"))
	w.merge(source.customer, target.customer)
	w.must(w.run(late, writeValue...)) // behind both
	source.write("plan", text("since"))
	w.remove(email.ItemID, false)
	source.addAsset("since")
	w.must(w.twice(w.unmerging(source.customer), unmergeCustomer...))
	w.equal("the source's plan", []string{`"source" active`}, source.standing("plan"))
	w.equal(
		"the target's plan", []string{`"late" superseded`, `"target" superseded`, `"since" active`}, target.standing("plan"),
	)
	w.equal("the source's values", map[string]string{"plan": `"source"`}, w.values(source.customer)) // the deletion stays
	w.equal("the target's values", map[string]string{"plan": `"since"`}, w.values(target.customer))
	w.equal("the target's assets", []string{"since"}, w.assetsOf(target.customer))
	w.restore(email.ItemID)
	w.equal(
		"the source's values", map[string]string{"plan": `"source"`, "email": `"ada@example.com"`}, w.values(source.customer),
	)
	if broken := w.brokenHistories(); len(broken) > 0 {
		t.Error(broken)
	}
}

func TestMergeCustomers_OppositeMergesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	for round := range 20 {
		a, b := w.as(newID()), w.as(newID())
		a.write("plan", text("a"))
		b.write("plan", text("b"))
		evs := []vault.Event{w.merging(a.customer, b.customer), w.merging(b.customer, a.customer)}
		_, errs := w.atOnce(2, func(i int) (any, error) { return nil, w.run(evs[i], mergeCustomers...) })
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: %v and %v, want one to win", round, errs[0], errs[1])
		}
		for _, err := range errs {
			if err != nil {
				w.says(err, vault.CodeConflict, "is already merged into another customer")
			}
		}
		want := map[string]string{"plan": `"b"`}
		w.equal("a", want, w.values(a.customer))
		w.equal("b", want, w.values(b.customer))
	}
}

func TestMergeCustomers_ConcurrentUnmergeAndWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	var customers []uuid.UUID
	for range 4 {
		customers = append(customers, newID())
		w.as(customers[len(customers)-1]).write("plan", text("first"))
	}
	for round := range 6 {
		type run struct {
			ev    vault.Event
			steps []string
		}
		var runs []run
		for i, c := range customers {
			next := customers[(i+1+round%2)%len(customers)]
			runs = append(runs,
				run{w.merging(c, next), mergeCustomers}, run{w.unmerging(c), unmergeCustomer},
				run{w.as(c).accept("plan", text(fmt.Sprint(round))), writeValue},
				run{w.importing(false, w.as(c).fact("email", "a@example.com")), importValues},
				run{w.as(c).link("sms", c.String()), linkChannel})
		}
		_, errs := w.atOnce(len(runs), func(i int) (any, error) { return nil, w.run(runs[i].ev, runs[i].steps...) })
		for i, err := range errs {
			// A merge may be too late, and an identity linked during the merge stays with the target.
			if mayConflict := i%5 < 2 || i%5 == 4; err != nil && (!mayConflict || vault.CodeOf(err) != vault.CodeConflict) {
				t.Errorf("round %d, %v: %v", round, runs[i].steps, err)
			}
		}
		if broken := w.brokenHistories(); len(broken) > 0 {
			t.Fatalf("round %d: %v", round, broken)
		}
		if stale := w.staleReads(t.Context(), customers); len(stale) > 0 {
			t.Fatalf("round %d: %v", round, stale)
		}
	}
	if n := w.count(
		"SELECT count(*) FROM customer_profiles a JOIN customer_profiles b ON b.id = a.merged_into_id WHERE " +
			"b.merged_into_id IS NOT NULL OR a.deleted_at IS NULL",
	); n > 0 {
		t.Errorf("%d profiles lead to one that leads on", n)
	}
}

// act is one random operation on two customers. pick chooses among existing items.
type act struct{ kind, who, name, pick int }

var (
	actKinds  = []string{"write", "derive", "accept", "run late", "delete", "restore", "expire"}
	actFields = []string{"plan", "email", "code"}
)

func acts(rt *rapid.T, label string, most int) []act {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) act {
		return act{
			rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3, 4, 5, 6}).Draw(rt, "kind"), rapid.IntRange(0, 1).Draw(rt, "who"),
			rapid.IntRange(0, len(actFields)-1).Draw(rt, "name"), rapid.IntRange(0, 100).Draw(rt, "pick"),
		}
	}), 0, most).Draw(rt, label)
}

// pair is two customers and the operations on them.
type pair struct {
	w         *world
	customers [2]uuid.UUID
	items     []uuid.UUID
	late      []vault.Event
	expired   map[uuid.UUID]bool // versions that were made to expire
	n         int
}

func (p *pair) do(acts []act) {
	w := p.w
	w.t.Helper()
	tolerate := func(err error) {
		w.t.Helper()
		if err != nil && !vault.Permanent(err) {
			w.t.Fatal(err)
		}
	}
	for _, a := range acts {
		c := w.as(p.customers[a.who])
		p.n++
		value := text(fmt.Sprintf("v%d@example.com", p.n))
		id := newID()
		write := []func(*vault.WriteValueInput){named(id)}
		switch kind := actKinds[a.kind]; {
		case kind == "write", kind == "derive", kind == "accept":
			if kind == "derive" && len(p.items) > 0 {
				write = append(write, from(p.items[a.pick%len(p.items)]))
			}
			ev := c.accept(actFields[a.name], value, write...)
			p.items = append(p.items, id)
			if kind == "accept" {
				p.late = append(p.late, ev)
				continue
			}
			tolerate(w.run(ev, writeValue...))
		case kind == "run late" && len(p.late) > 0:
			i := a.pick % len(p.late)
			tolerate(w.run(p.late[i], writeValue...))
			p.late = slices.Delete(p.late, i, i+1)
		case kind == "delete" && len(p.items) > 0:
			ev := w.bypass(vault.DeleteItem.Name, c.customer, vault.DeleteItemInput{
				ItemID: p.items[a.pick%len(p.items)], Force: a.who == 0,
			})
			tolerate(w.run(ev, deleteItem...))
		case kind == "restore" && len(p.items) > 0:
			tolerate(
				w.run(
					w.bypass(vault.RestoreItem.Name, c.customer, vault.RestoreItemInput{ItemID: p.items[a.pick%len(p.items)]}),
					restoreItem...,
				),
			)
		case kind == "expire" && len(p.items) > 0:
			item := p.items[a.pick%len(p.items)]
			p.expired[item] = true
			w.sql(
				"UPDATE customer_values SET expires_at = now() - interval '1 minute' WHERE id = $1 AND status = 'active'", item,
			)
			w.must(w.run(vault.Event{}, "Sweeps.ExpireValues"))
		}
	}
}

// An unmerge restores the state before the merge and keeps later changes, for random operations before and after the
// merge.
func TestUnmergeCustomer_RestoresTheExactState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.define(vault.Definition{Name: "code", ValueType: vault.TypeString}, vault.Definition{
		Name: "email", ValueType: vault.TypeString,
	})
	rapid.Check(t, func(rt *rapid.T) {
		p := &pair{w: w, expired: map[uuid.UUID]bool{}, customers: [2]uuid.UUID{newID(), newID()}}
		source, target := p.customers[0], p.customers[1]
		for _, c := range p.customers { // both exist
			w.as(c).write("plan", text("first"))
		}
		p.do(acts(rt, "before", 12))
		holds := func(when string) {
			if broken := w.brokenHistories(); len(broken) > 0 {
				rt.Fatalf("%s: %v", when, broken)
			}
			if stale := w.staleReads(t.Context(), p.customers[:]); len(stale) > 0 {
				rt.Fatalf("%s: %v", when, stale)
			}
		}
		before := w.versions()
		w.merge(source, target)
		holds("merged")
		merged := w.versions()
		for id := range before {
			if merged[id].Customer == source {
				rt.Fatalf("%s is left with the source", merged[id])
			}
		}
		p.expired = map[uuid.UUID]bool{}
		p.do(acts(rt, "since", 8))
		holds("since")
		since := w.versions()
		w.unmerge(source)
		holds("undone")
		after := w.versions()
		for _, v := range after {
			if v.Status == "active" && !v.Deleted && v.sourceGone(after) {
				rt.Fatalf("%s is active without its source", v)
			}
		}
		w.sql("DELETE FROM customer_values") // the next pair starts empty
		touched := map[uuid.UUID]bool{}      // changed after the merge
		for id, now := range since {
			was, known := merged[id]
			if !known || p.expired[id] || was.Deleted != now.Deleted ||
				(was.Status != now.Status && now.Status != "superseded") {
				touched[id] = true
			}
		}
		for id, now := range after {
			was, known := before[id]
			switch {
			case !known && now.Customer != target:
				rt.Fatalf("%s was written since, and is not the target's", now)
			case !known:
			case now.Customer != was.Customer:
				rt.Fatalf("%s was %s's, and is %s's", now, was.Customer, now.Customer)
			case touched[id] || now.String() == was.String():
			case now.SupersededBy != nil && touched[*now.SupersededBy]: // by a newer write or a restored version
			// its source was deleted since
			case was.Status == "active" && now.Status == "orphaned" && now.sourceGone(after) && !was.sourceGone(before):
			default:
				rt.Fatalf("was %s, is %s", was, now)
			}
		}
	})
}
