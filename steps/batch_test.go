package steps_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// batch returns a batch of operations.
func (w *world) batch(events ...vault.Event) vault.Batch {
	b := vault.Batch{ID: newID(), TenantID: w.tenant}
	for _, ev := range events {
		b.Operations = append(b.Operations, vault.Pushed{ID: ev.OperationID, Push: ev.Push})
	}
	return b
}

// writeBatch runs the steps of write-value for a batch. The error is that of the last step.
func (w *world) writeBatch(b vault.Batch) error {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	if _, err := w.steps.Values.ValidateValues(ctx, b); err != nil {
		return err
	}
	if _, err := w.steps.Values.PersistValues(ctx, b); err != nil {
		return err
	}
	_, err := w.steps.Caches.InvalidateAndAcknowledge(ctx, b)
	return err
}

// batchWrite is one write of the property test, to one of some customers.
type batchWrite struct {
	Customer, Field, Value, Source int
	Verified                       bool
	CollectedAgo                   int // in hours; 0: now
	Agent                          bool
	Item                           int // 0: no id of its own
	From                           int // 0: no source
}

var batchFields = []string{"plan", "email", "once", "missing", "code"}

var batchWrites = rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) batchWrite {
	return batchWrite{
		Customer: rapid.IntRange(0, 2).Draw(rt, "customer"), Field: rapid.IntRange(0, len(batchFields)-1).Draw(rt, "field"),
		Value: rapid.IntRange(0, 4).Draw(rt, "value"), Source: rapid.IntRange(0, 2).Draw(rt, "source"),
		Verified: rapid.IntRange(0, 5).Draw(rt, "verified") == 0, CollectedAgo: rapid.IntRange(0, 3).Draw(rt, "ago"),
		Agent: rapid.IntRange(0, 9).Draw(rt, "agent") == 0, Item: rapid.IntRange(0, 12).Draw(rt, "item"),
		From: rapid.IntRange(0, 12).Draw(rt, "from"),
	}
}), 1, 14)

// A batch does what its operations do one after the other: the same outcomes, errors, versions and states, however the
// operations are divided, and however often a batch runs.
func TestPersistValues_IsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "email", ValueType: vault.TypeEmail, EncryptionRequired: true},
		vault.Definition{Name: "once", ValueType: vault.TypeString, WriteOnce: true},
		vault.Definition{Name: "code", ValueType: vault.TypeString, ValidationRegex: "[a-z]+", OnConflict: vault.ConflictNewest},
	)
	rapid.Check(t, func(rt *rapid.T) {
		writes := batchWrites.Draw(rt, "writes")
		cuts := rapid.SliceOfN(rapid.IntRange(1, 8), len(writes), len(writes)).Draw(rt, "cuts")
		again := rapid.Bool().Draw(rt, "again")
		one, many := newBatchRun(w, writes), newBatchRun(w, writes)
		for _, ev := range one.events {
			_ = w.run(ev, writeValue...) // the outcome is in the operation
		}
		for rest := many.events; len(rest) > 0; {
			n := min(cuts[len(rest)-1], len(rest))
			b := w.batch(rest[:n]...)
			_ = w.writeBatch(b)
			if again {
				_ = w.writeBatch(b)
			}
			rest = rest[n:]
		}
		if diff := cmp.Diff(one.outcomes(), many.outcomes()); diff != "" {
			rt.Errorf("(- one after the other, + in batches):\n%s", diff)
		}
	})
}

type batchRun struct {
	w         *world
	customers []uuid.UUID
	items     map[uuid.UUID]int
	events    []vault.Event
}

func newBatchRun(w *world, writes []batchWrite) *batchRun {
	r := &batchRun{w: w, customers: []uuid.UUID{newID(), newID(), newID()}, items: map[uuid.UUID]int{}}
	ids := make([]uuid.UUID, 13)
	for i := range ids {
		ids[i] = newID()
		r.items[ids[i]] = i
	}
	for _, in := range writes {
		values := []string{"gold", "silver", "a@example.com", "b@example.com", "Gold 7"}
		r.events = append(r.events, w.accept(batchFields[in.Field], text(values[in.Value]), func(out *vault.WriteValueInput) {
			out.CustomerID = r.customers[in.Customer]
			out.Source = []vault.ValueSource{vault.ValueUserProvided, vault.ValueToolResult, vault.ValueHumanEntered}[in.Source]
			if out.Verified = in.Verified; in.Verified {
				out.VerificationMethod = "email_verified"
			}
			if in.CollectedAgo > 0 {
				at := time.Now().Add(-time.Duration(in.CollectedAgo) * time.Hour).Truncate(time.Hour)
				out.CollectedAt = &at
			}
			if in.Agent {
				out.AgentID = uuid.MustParse("00000000-0000-7000-8000-000000000001")
			}
			if in.Item > 6 {
				out.ItemID = &ids[in.Item]
			}
			if in.From > 6 && in.From != in.Item {
				out.SourceItemID, out.SourceItemType = &ids[in.From], vault.SourceProfileField
			}
		}))
	}
	return r
}

// outcomes describes the operations and the versions without their ids.
func (r *batchRun) outcomes() []string {
	r.w.t.Helper()
	number := map[string]string{}
	for i, ev := range r.events {
		number[ev.OperationID.String()] = fmt.Sprint("write ", i)
	}
	for id, i := range r.items {
		number[id.String()] = fmt.Sprint("item ", i)
	}
	for i, id := range r.customers {
		number[id.String()] = fmt.Sprint("customer ", i)
	}
	var out []string
	made := map[string]string{} // versions by id
	for i, ev := range r.events {
		op := r.w.op(ev)
		line := fmt.Sprintf("write %d %s", i, op.Status)
		if op.Error != nil {
			line += fmt.Sprintf(" %s: %s", op.Error.Code, op.Error.Message)
		} else if op.Result != nil {
			var result vault.ItemResult
			r.w.must(json.Unmarshal(op.Result, &result))
			made[result.ItemID.String()] = fmt.Sprint("version ", i)
			line += fmt.Sprintf(" %s %v", result.Status, result.Warnings)
		}
		for id, name := range number {
			line = strings.ReplaceAll(line, id, name)
		}
		out = append(out, line)
	}
	for i, customer := range r.customers {
		was := r.w.customer
		r.w.customer = customer
		for _, field := range batchFields {
			for n, v := range r.w.history(field) {
				value := string(v.Value)
				if v.Encrypted {
					value = "sealed"
				}
				line := fmt.Sprintf("%d %s %d: %s %s %s", i, field, n, made[v.ID.String()], value, v.Status)
				if v.SupersededByID != nil {
					line += " superseded by " + made[v.SupersededByID.String()]
				}
				if v.YieldsToID != nil {
					line += " yields to " + made[v.YieldsToID.String()]
				}
				out = append(out, line)
			}
		}
		r.w.customer = was
	}
	return out
}

// A bad operation is rejected alone, and the run says so in the end, without a value.
func TestPersistValues_RejectsOneAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("bronze"), func(in *vault.WriteValueInput) { in.ItemID = ptr(w.agent) }) // an id that is taken
	good := []vault.Event{w.accept("plan", text("silver")), w.accept("plan", text("gold"))}
	bad := []vault.Event{
		w.accept("email", text("nobody at secret")), w.accept("unheard", text("secret")),
		w.accept("plan", text("secret"), func(in *vault.WriteValueInput) { in.ItemID = ptr(w.agent) }),
		w.accept("plan", text("secret"), func(in *vault.WriteValueInput) { in.AgentID = newID() }),
	}
	b := w.batch(bad[0], good[0], bad[1], bad[2], good[1], bad[3])
	err := w.writeBatch(b)
	if !vault.Permanent(err) || !strings.Contains(err.Error(), "4 of the 6 operations") || strings.Contains(err.Error(), "secret") {
		t.Errorf("the run ends with %v", err)
	}
	for _, ev := range good {
		if op := w.op(ev); op.Status != vault.OperationSucceeded || op.BatchID == nil || *op.BatchID != b.ID {
			t.Errorf("a good write is %s, by batch %v", op.Status, op.BatchID)
		}
	}
	for i, ev := range bad {
		if op := w.op(ev); op.Status != vault.OperationFailed || op.Error == nil {
			t.Errorf("bad write %d is %s", i, op.Status)
		}
	}
	before := w.dump()
	_ = w.writeBatch(b)
	w.sameBut(before, "the same batch again", "operations") // the failed ones run and fail again
	w.checkHistory("plan")

	// An operator mends the cause and replays the run.
	w.define(vault.Definition{Name: "unheard", ValueType: vault.TypeString})
	_ = w.writeBatch(b)
	if op := w.op(bad[1]); op.Status != vault.OperationSucceeded {
		t.Errorf("after the cause is mended a replay leaves it %s", op.Status)
	}
	if op := w.op(bad[0]); op.Status != vault.OperationFailed {
		t.Errorf("an invalid write is %s after the replay", op.Status)
	}
}

// A worker dies between two steps, or in one: the batch runs again, elsewhere, as a whole or in other batches.
func TestPersistValues_DiesAndRunsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	var events []vault.Event
	for i := range 12 {
		events = append(events, w.accept("plan", text(fmt.Sprint("plan ", i))))
	}
	b := w.batch(events...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.steps.Values.PersistValues(ctx, b); err == nil || vault.Permanent(err) {
		t.Errorf("a step whose worker stops gave %v", err)
	}
	_, err := w.steps.Values.ValidateValues(t.Context(), b)
	w.must(err)
	_, err = w.steps.Values.PersistValues(t.Context(), b) // and dies before the acknowledgement
	w.must(err)
	slices.Reverse(events)
	w.must(w.writeBatch(w.batch(events[:5]...)))
	w.must(w.writeBatch(b))
	for _, ev := range events {
		if op := w.op(ev); op.Status != vault.OperationSucceeded {
			t.Errorf("an operation is %s", op.Status)
		}
	}
	if got := valuesOf(w.history("plan")); len(got) != 12 || got[11] != `"plan 11"` {
		t.Errorf("the history is %v", got)
	}
	w.checkHistory("plan")
}

func TestBatch_BadOnesChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	mine := w.accept("plan", text("gold"))
	other := w.batch(mine)
	other.TenantID = dbtest.Tenant(t, w.db)
	mixed := w.batch(mine, vault.Event{OperationID: newID()})
	many := w.batch()
	for range 10_000 {
		many.Operations = append(many.Operations, vault.Pushed{ID: newID()})
	}
	before := w.dump()
	for what, b := range map[string]vault.Batch{
		"another tenant's": other, "one that does not exist": mixed, "an empty one": w.batch(), "one of 10,000": many,
		"the same operation twice": w.batch(mine, mine),
	} {
		if err := w.writeBatch(b); !vault.Permanent(err) {
			t.Errorf("a batch with %s: %v", what, err)
		}
		_, err := once.ApplyTogether(t.Context(), w.steps.Caches.Once, b, once.First, w.steps.Values.PersistVerification)
		if !vault.Permanent(err) {
			t.Errorf("a batch with %s: %v", what, err)
		}
		w.unchanged(before, "a batch with "+what)
	}
}

// The effects of a batch share a transaction; a bad one is rejected alone.
func TestApplyTogether_SharesATransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	consent := func(purpose string) vault.Event {
		return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.RecordConsent, vault.RecordConsentInput{
			CustomerID: w.customer, Purpose: purpose, Granted: true,
		}))
	}
	apply := func(b vault.Batch) (once.AppliedBatch, error) {
		out, err := once.ApplyTogether(t.Context(), w.steps.Caches.Once, b, once.First, w.steps.Customers.RecordConsent)
		w.must(err)
		_, err = w.steps.Caches.InvalidateAndAcknowledge(t.Context(), b)
		return out, err
	}
	b := w.batch(consent("one"), consent("two"), consent("three"))
	_, err := apply(b)
	w.must(err)
	var transactions, consents int
	dbtest.Scan(t, w.url, &transactions, "SELECT count(DISTINCT xmin::text) FROM consents")
	dbtest.Scan(t, w.url, &consents, "SELECT count(*) FROM consents")
	if transactions != 1 || consents != 3 {
		t.Errorf("%d consents are stored by %d transactions", consents, transactions)
	}
	before := w.dump()
	_, err = apply(b)
	w.must(err)
	w.unchanged(before, "the same batch again")

	merged := newID()
	w.sql(`INSERT INTO customer_profiles (id, tenant_id, customer_id, deleted_at) VALUES ($1, $2, $3, now())`,
		newID(), w.tenant, merged)
	w.customer = merged
	bad := consent("four")
	w.customer = newID()
	good := consent("five")
	out, err := apply(w.batch(good, bad))
	if out.Rejected != 1 || !vault.Permanent(err) {
		t.Errorf("it rejected %d, and the run ends with %v", out.Rejected, err)
	}
	if w.op(good).Status != vault.OperationSucceeded || w.op(bad).Status != vault.OperationFailed {
		t.Errorf("the good one is %s, the bad one %s", w.op(good).Status, w.op(bad).Status)
	}
}

// Answers of one batch store what else they say, and wake their fills, after the commit.
func TestApplyTogether_AnswersOfABatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.define(vault.Definition{Name: "city", ValueType: vault.TypeString, DisplayName: "City"})
	s := w.scenario("Ask.")
	w.require(s.ID, vault.Requirement{FieldName: "email"}, vault.Requirement{FieldName: "plan"})
	var answers []vault.Event
	for range 3 {
		w.customer = newID()
		fill := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: w.customer, ScenarioID: s.ID,
		}))
		w.must(w.run(fill, "Gaps.FindMissing", "Gaps.ResolveGaps", "Gaps.AskCustomer"))
		question := w.op(fill).WaitingFor
		if question == nil {
			t.Fatal("the fill asks nothing")
		}
		answers = append(answers, w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.AnswerQuestion,
			vault.AnswerQuestionInput{QuestionID: question.QuestionID, Value: text(fmt.Sprintf("c%d@example.com", len(answers)))})))
	}
	unclear := answers[1]
	w.sql(`UPDATE questions SET status = 'cancelled' WHERE answer_operation_id IS NULL AND id IN (
		SELECT id FROM questions ORDER BY id OFFSET 1 LIMIT 1)`)
	b := w.batch(answers...)
	_, err := once.PrepareEach(t.Context(), w.steps.Caches.Once, b, once.First, w.steps.Answers.ValidateAnswer)
	w.must(err)
	_, err = once.ApplyTogether(t.Context(), w.steps.Caches.Once, b, once.Later, w.steps.Answers.PersistAnswer)
	w.must(err)
	if _, err = w.steps.Caches.InvalidateAndAcknowledge(t.Context(), b); !vault.Permanent(err) {
		t.Errorf("a batch with an answer to a closed question ends with %v", err)
	}
	for _, ev := range answers {
		want := vault.OperationSucceeded
		if ev == unclear {
			want = vault.OperationFailed
		}
		if got := w.op(ev).Status; got != want {
			t.Errorf("an answer is %s, want %s", got, want)
		}
	}
}

// A chain of writes in one batch: each finds its source, as one after the other.
func TestPersistValues_ChainInABatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{Name: "tier", ValueType: vault.TypeString},
		vault.Definition{Name: "offer", ValueType: vault.TypeString},
	)
	items := []uuid.UUID{newID(), newID(), newID()}
	var events []vault.Event
	for i, name := range []string{"plan", "tier", "offer"} {
		events = append(events, w.accept(name, text("gold"), func(in *vault.WriteValueInput) {
			if in.ItemID = &items[i]; i > 0 {
				from(items[i-1])(in)
			}
		}))
	}
	w.must(w.writeBatch(w.batch(events...)))
	for i, ev := range events {
		if got := resultOf[vault.ItemResult](w, ev); got.Status != vault.StatusActive {
			t.Errorf("write %d of the chain is %s", i, got.Status)
		}
	}
}
