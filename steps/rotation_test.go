package steps_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/upkeep"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// withKey returns the vault of a world as a process with a sealing key sees it.
func (w *world) withKey(deps steps.Deps, key string) *world {
	w.t.Helper()
	sealer, err := db.NewSealer(key)
	w.must(err)
	out := *w
	out.sealer = sealer.Bind(w.db)
	out.trigger = trigger.New(trigger.Options{
		DB: w.db, Sealer: out.sealer, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	w.t.Cleanup(out.trigger.Close)
	deps.Sealer = out.sealer
	out.steps = steps.New(deps)
	return &out
}

// A rotation of the sealing key, and rotations of the tenant's key, are finished while processes write, some of them
// still with the old primary key, and while the runs are killed at any point. Then the old sealing key is gone from the
// configuration, the tenant has one key, and everything opens.
func TestRotateKeys_UnderWritesKilled(t *testing.T) {
	t.Parallel()
	var deps steps.Deps
	w := newWorld(t, func(d *steps.Deps) { deps = *d })
	first, err := db.NewSealingKey()
	w.must(err)
	added, err := db.AddSealingKey(first)
	w.must(err)
	promoted, err := db.PromoteSealingKey(added)
	w.must(err)
	pruned, err := db.PruneSealingKey(promoted)
	w.must(err)

	old := w.withKey(deps, first)
	old.define(
		vault.Definition{Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	scenario := old.scenario("Ask for the income.") // its extraction waits, sealed by the sealing key itself
	// An import of several customers waits as well, and the tenant has keys for tombstones and receipts.
	imported := []uuid.UUID{newID(), newID()}
	var facts []vault.WriteValueInput
	for i, customer := range imported {
		fact := old.fact("tax_id", canaryOf(9000+i))
		fact.CustomerID = customer
		facts = append(facts, fact)
	}
	waiting := old.importing(false, facts...)
	gone := newID()
	err = old.db.InTenantTx(t.Context(), old.tenant, pgx.TxOptions{}, func(tx pgx.Tx) error {
		q := dbgen.New(tx)
		if _, err := db.EnsureErasureKey(t.Context(), q, old.sealer, old.tenant); err != nil {
			return err
		}
		return db.AddTombstones(t.Context(), q, old.sealer, old.tenant, newID(), []string{db.CustomerSubject(gone)})
	})
	w.must(err)
	var mu sync.Mutex
	var next atomic.Int64
	want := map[uuid.UUID]string{} // tax id by customer
	sessions := map[uuid.UUID]string{}
	write := func(v *world) {
		n := int(next.Add(1))
		of := v.as(newID())
		of.write("tax_id", text(canaryOf(n)), quoting(canaryOf(n)))
		session := of.session(nil, "It is "+canaryOf(n))
		mu.Lock()
		defer mu.Unlock()
		want[of.customer], sessions[session] = canaryOf(n), "It is "+canaryOf(n)
	}
	for range 12 {
		write(old)
	}
	still, now := w.withKey(deps, added), w.withKey(deps, promoted)
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for _, v := range []*world{still, now} {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					write(v)
				}
			}
		})
	}
	for i := range 20 { // each run is killed a little later
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*4*time.Millisecond)
		if i%4 == 3 {
			_, _ = now.steps.Keys.RotateTenantKey(ctx, w.tenant)
		}
		_, _ = now.steps.Keys.RotateKeys(ctx, vault.Event{})
		cancel()
	}
	if began := w.count("SELECT count(*) FROM tenant_keys WHERE rotated_at > (SELECT min(created_at) FROM customer_keys)"); began != 1 {
		t.Fatal("the key of the tenant was never rotated")
	}
	close(stop)
	writers.Wait()
	// All processes have the new primary key. A last run finishes, and one more finds nothing.
	done, err := now.steps.Keys.RotateKeys(t.Context(), vault.Event{})
	w.must(err)
	again, err := now.steps.Keys.RotateKeys(t.Context(), vault.Event{})
	w.must(err)
	if !done.Left.Done() || again != (upkeep.Rotated{Left: db.Rotation{KeyID: done.Left.KeyID}}) {
		t.Fatalf("the runs did %+v and %+v", done, again)
	}
	w.equal("tenants with a key that only unwraps", 0, w.count("SELECT count(*) FROM tenant_keys WHERE retiring <> '{}'"))
	w.equal("customers' keys that another key wraps", 0, w.count(
		"SELECT count(*) FROM customer_keys c JOIN tenant_keys t USING (tenant_id) WHERE c.kek_id <> t.primary_id"))

	after := w.withKey(deps, pruned)
	w.must(after.run(waiting, importValues...))
	for i, customer := range imported {
		want[customer] = canaryOf(9000 + i)
	}
	w.equal("the tombstone", vault.CodeErased, vault.CodeOf(db.CheckErased(
		t.Context(), w.db.Tenant(w.tenant), after.sealer, w.tenant, gone)))
	keys, err := w.db.Tenant(w.tenant).GetErasureKey(t.Context(), w.tenant)
	w.must(err)
	signed, err := db.SignReceipt(t.Context(), after.sealer, keys, vault.ErasureReceipt{TenantID: w.tenant})
	w.must(err)
	_, err = db.VerifyReceipt([]byte(keys.PublicKey), []byte(signed))
	w.must(err)
	write(after)
	reader := query.New(w.db, w.cache, after.sealer)
	for customer, value := range want {
		p, err := reader.Profile(t.Context(), w.tenant, customer)
		w.must(err)
		if got := string(p.Fields["tax_id"].Value); got != string(text(value)) {
			t.Errorf("the value is %s, want %s", got, value)
		}
	}
	for id, said := range sessions {
		session, err := reader.Session(t.Context(), w.tenant, id)
		w.must(err)
		w.equal("turn", said, session.Turns[0].Text)
	}
	for _, row := range w.operationIDs() {
		op, err := w.db.Tenant(w.tenant).GetOperation(t.Context(), w.tenant, row)
		w.must(err)
		if _, err := after.sealer.OpenBytes(t.Context(), w.tenant, op.ID, op.Payload); err != nil {
			t.Errorf("%s: %v", op.Workflow, err)
		}
	}
	w.equal("scenarios", 1, w.count("SELECT count(*) FROM scenarios WHERE id = $1", scenario.ID))
}

// The key of a tenant is rotated once it is old, and stays when it is not.
func TestRotateKeys_OldTenantKeys(t *testing.T) {
	t.Parallel()
	now := time.Now()
	w := newWorld(t, func(d *steps.Deps) {
		d.Settings.TenantKeyLife = 30 * 24 * time.Hour
		d.Now = func() time.Time { return now }
	})
	w.define(vault.Definition{Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true})
	w.write("tax_id", text(canaryOf(1)))
	before := w.count("SELECT primary_id FROM tenant_keys WHERE tenant_id = $1", w.tenant)
	for _, c := range []struct {
		after   time.Duration
		rotates int
	}{{0, 0}, {29 * 24 * time.Hour, 0}, {31 * 24 * time.Hour, 1}} {
		now = time.Now().Add(c.after)
		done, err := w.steps.Keys.RotateKeys(t.Context(), vault.Event{})
		w.must(err)
		again, err := w.steps.Keys.RotateKeys(t.Context(), vault.Event{})
		w.must(err)
		if c.rotates == 0 {
			w.equal("rotations", 0, done.Rotations+again.Rotations)
			continue
		}
		// Until the clock of the test is right again, the new key is as old.
		w.equal("rotations", 1, done.Rotations)
	}
	if after := w.count("SELECT primary_id FROM tenant_keys WHERE tenant_id = $1", w.tenant); after == before {
		t.Error("the key is the old one")
	}
	p, err := query.New(w.db, w.cache, w.sealer).Profile(t.Context(), w.tenant, w.customer)
	w.must(err)
	w.equal("the value", string(text(canaryOf(1))), string(p.Fields["tax_id"].Value))
}

// operationIDs returns the ids of all operations.
func (w *world) operationIDs() []uuid.UUID {
	w.t.Helper()
	var ids []uuid.UUID
	dbtest.Scan(w.t, w.url, &ids, "SELECT array_agg(id) FROM operations")
	return ids
}

// A definition that requires encryption later seals what was stored before, in batches that can be interrupted.
func TestSealValues_DefinitionChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.readsSecrets()
	plain := vault.Definition{
		Name: "tax_id", ValueType: vault.TypeString, OnConflict: vault.ConflictReview, ValidationRegex: `[a-z]+-\w+-\d{4}`,
	}
	w.define(plain, vault.Definition{Name: "plan", ValueType: vault.TypeString})
	w.write("plan", text("gold"))
	for i := range 5 {
		w.write("tax_id", text(canaryOf(i)), quoting(canaryOf(i)))
	}
	waiting := w.write("tax_id", text(canaryOf(6)), byGuess, quoting(canaryOf(6)))
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DecideValue, vault.DecideValueInput{
		ItemID: waiting.ItemID, Decision: vault.Reject, DecidedBy: "Grace", Note: "not " + canaryOf(6),
	})), decideValue...))
	_ = w.run(w.accept("tax_id", text("no "+canaryOf(7))), writeValue...) // its error quotes the value
	asking := w.as(newID())
	said := asking.session(nil, "My tax id is "+canaryOf(8)+".")
	fill := asking.filling("tax_id", &said)
	for _, write := range asking.resolve(fill) {
		w.must(asking.run(write, writeValue...))
	}
	asked := asking.ask(fill) // quotes the value
	reader := readerOf(w)
	_, err := reader.Profile(t.Context(), w.tenant, w.customer)
	w.must(err)
	_, err = reader.Chain(t.Context(), w.tenant, waiting.ItemID, 0)
	w.must(err)
	before, err := reader.History(t.Context(), w.tenant, w.customer, "tax_id")
	w.must(err)
	if found := w.holders(canary); len(found) < 3 {
		t.Fatalf("only %v hold the plain values", found)
	}

	plain.EncryptionRequired = true
	w.define(plain)
	killed, kill := context.WithCancel(t.Context())
	kill()
	_, err = w.steps.Keys.SealValues(killed, vault.Event{})
	if err == nil {
		t.Error("a killed run succeeded")
	}
	first, err := w.steps.Keys.SealValues(t.Context(), vault.Event{})
	w.must(err)
	w.equal("sealed", 7, first.Values)
	w.equal("fields", 0, first.Fields) // writes that began before may still come, and a question is open
	second, err := w.steps.Keys.SealValues(t.Context(), vault.Event{})
	w.must(err)
	w.equal("sealed again", 0, second.Values)
	w.equal("holders", "[questions]", fmt.Sprint(w.holders(canary)))
	w.must(w.run(w.answer(asked.QuestionID, text("yes")), answerQuestion...))
	w.later(time.Hour)
	third, err := w.steps.Keys.SealValues(t.Context(), vault.Event{})
	w.must(err)
	w.equal("fields", 1, third.Fields)
	w.equal("holders", "[]", fmt.Sprint(w.holders(canary)))
	after, err := reader.History(t.Context(), w.tenant, w.customer, "tax_id")
	w.must(err)
	for i := range after {
		w.equal("value", string(before[i].Value), string(after[i].Value))
		w.equal("quote", string(before[i].SourceMetadata), string(after[i].SourceMetadata))
		w.equal("note", before[i].DecisionNote, after[i].DecisionNote)
	}
	w.equal("plan", 1, w.count("SELECT count(*) FROM customer_values WHERE name = 'plan' AND NOT encrypted"))
	last, err := w.steps.Keys.SealValues(t.Context(), vault.Event{})
	w.must(err)
	w.equal("fields left", 0, last.Fields)
}
