package steps_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// feed reads the events of the tenant after a position, page by page.
func (w *world) feed(after *int64, filter vault.EventFilter) []vault.FeedEvent {
	w.t.Helper()
	reader := query.New(w.db, w.cache, w.sealer)
	var out []vault.FeedEvent
	for {
		page, err := reader.EventsPage(w.t.Context(), w.tenant, filter, after, 3, false)
		w.must(err)
		out = append(out, page.Items...)
		if !page.More {
			return out
		}
		next := page.Next
		after = &next
	}
}

// told lists the events of the customer since the last call, without those of set-up.
func (w *world) told(since *int64) []string {
	w.t.Helper()
	var out []string
	for _, e := range w.feed(since, vault.EventFilter{}) {
		*since = e.ID
		text := []string{string(e.Type)}
		for _, part := range []string{e.Kind, e.Name, e.Status} {
			if part != "" {
				text = append(text, part)
			}
		}
		if e.CustomerID != nil && *e.CustomerID != w.customer {
			text = append(text, "of another")
		}
		if e.IntoCustomerID != nil && *e.IntoCustomerID == w.customer {
			text = append(text, "into it")
		}
		out = append(out, strings.Join(text, " "))
	}
	return out
}

// Every type of events comes from the workflows that make the change.
func TestEvents_EachType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var since int64
	tells := func(what string, want ...string) {
		t.Helper()
		if got := w.told(&since); !slices.Equal(got, want) {
			t.Errorf("%s tells\n %s\nwant\n %s", what, strings.Join(got, "\n "), strings.Join(want, "\n "))
		}
	}
	defined(w)
	w.define(vault.Definition{Name: "code", ValueType: vault.TypeString, OnConflict: vault.ConflictKeep})
	tells("a definition of a person")

	// Values.
	source := w.write("code", text("A1"))
	tells("a first write", "value.changed code")
	w.write("code", text("A2"), byPerson)
	tells("a newer write", "value.changed code")
	w.write("code", text("A3"), byGuess)
	tells("a weaker claim that nobody decides", "value.pending code")
	active, weaker := aConflict(w)
	_ = active
	if got := w.told(&since); !slices.Contains(got, "value.pending plan") || !slices.Contains(got, "review.opened value plan") {
		t.Errorf("a weaker claim tells %q", got)
	}
	w.must(w.run(w.decidingValue(weaker, vault.Approve), decideValue...))
	if got := w.told(&since); !slices.Contains(got, "value.changed plan") ||
		!slices.Contains(got, "review.settled value plan active") {
		t.Errorf("its approval tells %q", got)
	}
	w.must(w.run(w.proposingDeletion("plan"), "Values.ProposeDeletion", "Caches.InvalidateAndAcknowledge"))
	tells("a proposed deletion", "review.opened value plan")
	w.write("email", text("ada@example.com"))
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.VerifyValue, vault.VerifyValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "email", Method: "link",
	})), verifyValue...))
	tells("a verification", "value.changed email", "value.verified email")
	if err := w.run(w.accept("email", text("nobody")), writeValue...); err == nil {
		t.Error("it was accepted")
	}
	tells("a failed write", "operation.failed write-value invalid_input")

	// Sweeps, deletion and restoration.
	soon := time.Now().Add(time.Hour)
	dependent := w.as(newID())
	first := dependent.write("code", text("B1"))
	dependent.write("plan", text("gold"), from(first.ItemID))
	w.remove(first.ItemID, true)
	w.must(w.run(vault.Event{}, "Sweeps.DetectOrphans"))
	got := dependent.told(&since)
	if !slices.Contains(got, "value.deleted code") || !slices.Contains(got, "value.orphaned plan") {
		t.Errorf("a forced deletion tells %q", got)
	}
	dependent.write("email", text("eve@example.com"), func(in *vault.WriteValueInput) { in.ExpiresAt = &soon })
	w.later(2 * time.Hour)
	w.must(w.run(vault.Event{}, "Sweeps.ExpireValues"))
	if got := dependent.told(&since); !slices.Equal(got, []string{"value.changed email", "value.expired email"}) {
		t.Errorf("an expiry tells %q", got)
	}
	_ = source

	// Documents and consents.
	asset := w.addAsset("1")
	w.must(w.run(w.consent(true), recordConsent...))
	w.must(w.run(w.consent(false), recordConsent...))
	w.remove(asset.ItemID, false)
	tells("a document and consents", "asset.changed id card", "consent.changed marketing granted",
		"consent.changed marketing withdrawn", "asset.deleted id card")

	// Reviews of configuration.
	_, requirement, definition := pending(w)
	got = w.told(&since)
	slices.Sort(got)
	if !slices.Equal(got, []string{"review.opened definition income", "review.opened requirement income"}) {
		t.Errorf("an extraction tells %q", got)
	}
	w.must(w.run(w.deciding(vault.ReviewOfRequirement, requirement, vault.Approve, nil), decideReview...))
	w.must(w.run(w.deciding(vault.ReviewOfDefinition, definition, vault.Reject, nil), decideReview...))
	tells("decisions", "review.settled requirement income approved", "review.settled definition income rejected")

	// A gap fill with a question.
	other := *w
	other.customer = newID()
	fill := answered(&other)
	w.must(w.run(fill, "Gaps.AskCustomer"))
	got = other.told(&since)
	for _, want := range []string{"question.opened value age", "question.settled value age answered", "fill.done ended"} {
		if !slices.Contains(got, want) {
			t.Errorf("a gap fill does not tell %q: %q", want, got)
		}
	}
	if at := slices.Index(got, "fill.done ended"); at != len(got)-1 {
		t.Errorf("a gap fill tells %q", got)
	}

	// Customers.
	merged := newID()
	w.as(merged).write("plan", text("silver"))
	w.merge(merged, w.customer)
	w.unmerge(merged)
	if got := w.told(&since); !slices.Equal(slices.DeleteFunc(got, func(e string) bool {
		return !strings.HasPrefix(e, "customer.")
	}), []string{"customer.merged of another into it", "customer.unmerged of another into it"}) {
		t.Errorf("a merge and its undo tell %q", got)
	}
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer,
		vault.DeleteCustomerInput{CustomerID: w.customer})), deleteCustomer...))
	if got := w.told(&since); !slices.Contains(got, "customer.deleted") {
		t.Errorf("a deletion tells %q", got)
	}
	seen := map[vault.EventType]bool{vault.EventCustomerErased: true}
	for _, e := range w.feed(nil, vault.EventFilter{}) {
		seen[e.Type] = true
	}
	for _, kind := range vault.EventTypes {
		if !seen[kind] {
			t.Errorf("nothing told %s", kind)
		}
	}

	// An erasure, of all that was told of the customer.
	w.must(w.run(w.erasing(""), eraseCustomer...))
	tells("an erasure", "customer.erased")
	own := w.feed(nil, vault.EventFilter{CustomerID: &w.customer})
	if len(own) != 1 || own[0].Type != vault.EventCustomerErased || own[0].SubjectID != nil || own[0].OperationID != nil {
		t.Errorf("of the erased customer there is %+v", own)
	}
}

// The types of package vault are those of the table.
func TestEvents_TypesOfTheTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var check string
	dbtest.Scan(t, w.url, &check, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'events_type_check'")
	for _, kind := range vault.EventTypes {
		if !strings.Contains(check, "'"+string(kind)+"'") {
			t.Errorf("the table does not have %s", kind)
		}
	}
	if n := strings.Count(check, "'::text"); n != len(vault.EventTypes) {
		t.Errorf("the table has %d types, package vault %d", n, len(vault.EventTypes))
	}
}

// An event of a transaction that commits after a later one is not skipped, and nobody waits for it.
func TestEvents_LateCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	late, next := newID(), newID()
	slow, err := pgx.Connect(t.Context(), w.url)
	w.must(err)
	defer slow.Close(context.WithoutCancel(t.Context()))
	tx, err := slow.Begin(t.Context())
	w.must(err)
	_, err = tx.Exec(t.Context(), "INSERT INTO events (tenant_id, type, customer_id) VALUES ($1, 'customer.deleted', $2)",
		w.tenant, late)
	w.must(err)
	w.as(next).write("plan", text("gold"))
	before := w.feed(nil, vault.EventFilter{})
	if len(before) != 1 || *before[0].CustomerID != next {
		t.Fatalf("before the commit there is %+v", before)
	}
	w.must(tx.Commit(t.Context()))
	after := w.feed(&before[0].ID, vault.EventFilter{})
	if len(after) != 1 || *after[0].CustomerID != late {
		t.Errorf("after the commit follows %+v", after)
	}
	if all := w.feed(nil, vault.EventFilter{}); jsonOf(all) != jsonOf(append(before, after...)) {
		t.Errorf("the feed from the start is %+v", all)
	}
}

// Readers that follow the feed while customers are written to see what a reader sees who comes later, in the order in
// which each customer's values changed.
func TestEvents_FollowedWhileWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	customers := []uuid.UUID{newID(), newID(), newID()}
	const writers, writes = 4, 8
	done := make(chan struct{})
	followed := make([][]vault.FeedEvent, 3)
	var readers, writing sync.WaitGroup
	for i := range followed {
		readers.Go(func() {
			var after int64
			for last := false; ; {
				got := w.feed(&after, vault.EventFilter{})
				followed[i] = append(followed[i], got...)
				if len(got) > 0 {
					after = got[len(got)-1].ID
				}
				if last {
					return
				}
				select {
				case <-done:
					last = true
				default:
				}
			}
		})
	}
	for n := range writers {
		writing.Go(func() {
			for i := range writes {
				w.as(customers[(n+i)%len(customers)]).write("plan", text(fmt.Sprintf("plan %d %d", n, i)), byPerson)
			}
		})
	}
	writing.Wait()
	close(done)
	readers.Wait()
	all := w.feed(nil, vault.EventFilter{})
	for i, got := range followed {
		if jsonOf(got) != jsonOf(all) {
			t.Errorf("reader %d saw %d events, or others than the %d of the feed", i, len(got), len(all))
		}
	}
	for _, customer := range customers {
		own := w.feed(nil, vault.EventFilter{CustomerID: &customer})
		if len(own) == 0 {
			t.Fatal("a customer has no event")
		}
		last := own[len(own)-1] // the last change is that of the active version
		active := w.as(customer).history("plan")
		current := slices.IndexFunc(active, func(v vault.Value) bool { return v.Status == vault.StatusActive })
		if *last.SubjectID != active[current].ID {
			t.Errorf("the last event of %s is about another version than the active one", customer)
		}
		if !slices.IsSortedFunc(own, func(a, b vault.FeedEvent) int { return a.At.Compare(b.At) }) {
			t.Errorf("the events of %s are not in the order of their times", customer)
		}
	}
}

func TestEvents_PurgedCursorExpires(t *testing.T) {
	t.Parallel()
	for _, published := range []bool{true, false} {
		w := newWorld(t)
		defined(w)
		w.write("plan", text("silver"))
		first := w.feed(nil, vault.EventFilter{})[0].ID
		w.write("plan", text("gold"))
		w.write("plan", text("basic"))
		if published {
			w.feed(nil, vault.EventFilter{})
		}
		w.sql("UPDATE events SET at = at - interval '2 days' WHERE tenant_id = $1", w.tenant)
		w.write("email", text("ada@example.com"))
		w.must(w.run(vault.Event{}, "Operations.PurgeOperations"))
		reader := query.New(w.db, w.cache, w.sealer)
		_, err := reader.EventsPage(t.Context(), w.tenant, vault.EventFilter{}, &first, 10, false)
		if vault.CodeOf(err) != vault.CodeExpired || !strings.Contains(err.Error(), "start without it") {
			t.Errorf("a cursor before what was removed says %v", err)
		}
		kept := w.feed(nil, vault.EventFilter{})
		if len(kept) != 1 || kept[0].Name != "email" || kept[0].ID <= first+1 {
			t.Errorf("what is kept is %+v", kept)
		}
		if again := w.feed(&kept[0].ID, vault.EventFilter{}); len(again) != 0 {
			t.Errorf("after the last event there is %+v", again)
		}
		future := kept[0].ID + 1
		_, err = reader.EventsPage(t.Context(), w.tenant, vault.EventFilter{}, &future, 10, false)
		if vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("a cursor of the future says %v", err)
		}
		w.must(w.run(vault.Event{}, "Operations.PurgeOperations")) // nothing is left to remove
		if again := w.feed(nil, vault.EventFilter{}); jsonOf(again) != jsonOf(kept) {
			t.Errorf("a second purge leaves %+v", again)
		}
	}
}

func TestEvents_Filters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	other := *w
	other.customer, other.agent = newID(), newID()
	other.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber})
	w.write("plan", text("gold"))
	other.write("age", json.RawMessage("36"))
	_ = w.run(w.accept("email", text("nobody")), writeValue...)
	w.merge(other.customer, w.customer)
	for _, c := range []struct {
		filter vault.EventFilter
		want   int
	}{
		{vault.EventFilter{}, 4},
		{vault.EventFilter{Types: []vault.EventType{vault.EventValueChanged}}, 2},
		{vault.EventFilter{Types: []vault.EventType{vault.EventOperationFailed, vault.EventCustomerMerged}}, 2},
		{vault.EventFilter{AgentID: &other.agent}, 1},
		{vault.EventFilter{CustomerID: &other.customer}, 2},
		{vault.EventFilter{CustomerID: &w.customer}, 3}, // the merge is about both
		{vault.EventFilter{CustomerID: &w.customer, Types: []vault.EventType{vault.EventCustomerMerged}}, 1},
	} {
		if got := w.feed(nil, c.filter); len(got) != c.want {
			t.Errorf("%s selects %d events, want %d: %s", jsonOf(c.filter), len(got), c.want, jsonOf(got))
		}
	}
	_, err := query.New(w.db, w.cache, w.sealer).EventsPage(t.Context(), w.tenant,
		vault.EventFilter{Types: []vault.EventType{"value.changed", "hunter2"}}, nil, 10, false)
	if vault.CodeOf(err) != vault.CodeInvalid || strings.Contains(err.Error(), "hunter2") ||
		!strings.Contains(err.Error(), "question.opened") {
		t.Errorf("an unknown type says %v", err)
	}
}

// What an import writes in one statement is told value by value.
func TestEvents_OfImports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *steps.Deps) { d.Settings.SweepBatch = 100 })
	defined(w)
	in := vault.ImportValuesInput{}
	for range 20 {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: newID(), Name: "plan", Value: text("gold"), Source: vault.ValueHumanEntered,
		})
	}
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in)), importValues...))
	told := map[uuid.UUID]int{}
	for _, e := range w.feed(nil, vault.EventFilter{}) {
		if e.Type == vault.EventValueChanged && e.AgentID != nil && *e.AgentID == w.agent {
			told[*e.CustomerID]++
		}
	}
	for _, write := range in.Writes {
		if told[write.CustomerID] != 1 {
			t.Errorf("a customer of the import has %d events", told[write.CustomerID])
		}
	}
}
