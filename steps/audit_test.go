package steps_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/audit"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// sealAudit seals what can be sealed. Transactions of other tests on the same server hold back the end of an interval,
// so it is repeated until everything is sealed.
func (w *world) sealAudit(except int64) {
	w.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		_, err := w.steps.Audit.SealAudit(w.t.Context(), vault.Event{})
		w.must(err)
		if w.verifyAudit("").Unsealed == except {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("entries stay unsealed: %+v", w.verifyAudit(""))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *world) verifyAudit(expect string) vault.AuditReport {
	w.t.Helper()
	report, err := query.New(w.db, w.cache, w.sealer).VerifyAudit(w.t.Context(), w.tenant, expect)
	w.must(err)
	return report
}

func (w *world) auditOf(filter vault.AuditFilter) []vault.AuditEntry {
	w.t.Helper()
	entries, more, err := query.New(w.db, w.cache, w.sealer).AuditPage(w.t.Context(), w.tenant, filter, nil, query.MaxPage)
	w.must(err)
	if more {
		w.t.Fatal("more than a page")
	}
	slices.Reverse(entries)
	return entries
}

func summary(entries []vault.AuditEntry) string {
	var out []string
	for _, e := range entries {
		line := string(e.Action) + " " + e.Operation
		if len(e.Fields) > 0 {
			line += " " + strings.Join(e.Fields, ",")
		}
		if e.Code != "" {
			line += " " + e.Code
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

// The audit has each change of a customer: who, what and how it ended. It has no value, and it outlives the customer.
func TestAudit_Changes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const canary = "canary-7f3a"
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString, AllowedValues: nil})
	key := vault.KeyActor(newID())
	ctx := vault.WithActor(t.Context(), key)
	submit := func(value string) vault.Event {
		return w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.WriteValue, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: w.customer, Name: "plan", Value: text(value), Source: vault.ValueUserProvided,
		}))
	}
	ev := submit(canary)
	w.must(w.run(ev, writeValue...))
	w.must(w.run(ev, writeValue...)) // a second run adds nothing
	item := resultOf[vault.ItemResult](w, ev).ItemID
	bad := w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "plan", Value: []byte(`7`), Source: vault.ValueUserProvided,
	}))
	if err := w.run(bad, writeValue...); vault.CodeOf(err) != vault.CodeInvalid {
		t.Fatalf("got %v", err)
	}
	if _, err := w.trigger.Replay(vault.WithActor(t.Context(), vault.ActorAdmin), w.tenant, bad.OperationID); err != nil {
		t.Fatal(err)
	}
	remove := w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: item, Force: true}))
	w.must(w.run(remove, deleteItem...))
	got := w.auditOf(vault.AuditFilter{Subject: w.customer.String()})
	want := "accepted write-value plan; applied write-value; accepted write-value plan; rejected write-value invalid_input; " +
		"replayed write-value; forced delete-item; applied delete-item"
	if summary(got) != want {
		t.Errorf("got  %s\nwant %s", summary(got), want)
	}
	for _, e := range got {
		actor := key
		if e.Action == vault.AuditReplayed {
			actor = vault.ActorAdmin
		}
		if e.Actor != actor || e.OperationID == nil {
			t.Errorf("%s: actor %s, operation %v", e.Action, e.Actor, e.OperationID)
		}
	}
	history, err := w.db.Tenant(w.tenant).GetOperation(t.Context(), w.tenant, ev.OperationID)
	w.must(err)
	if history.Actor != string(key) {
		t.Errorf("the operation has the actor %q", history.Actor)
	}
	var stored string
	dbtest.Scan(t, w.url, &stored, "SELECT actor FROM customer_values WHERE id = $1", item)
	if stored != string(key) {
		t.Errorf("the version has the actor %q", stored)
	}
	for _, row := range dbtest.Dump(t, w.url)["audit_entries"] {
		if strings.Contains(row, canary) {
			t.Errorf("a value is in the audit: %s", row)
		}
	}
	for filter, n := range map[vault.AuditFilter]int{
		{Actor: vault.ActorAdmin}: 1, {Actor: key}: 6, {Action: vault.AuditForced}: 1, {Operation: "delete-item"}: 2,
		{Operation: "delete-item", Subject: newID().String()}: 0, {From: ptr(time.Now().Add(time.Hour))}: 0,
		{From: ptr(got[3].At), Actor: key, Subject: w.customer.String()}: 3, {To: ptr(time.Unix(0, 0))}: 0,
	} {
		if found := w.auditOf(filter); len(found) != n {
			t.Errorf("%+v: %d entries, want %d: %s", filter, len(found), n, summary(found))
		}
	}
}

// The creation and the first revocation of a key are recorded, and neither its secret nor its hash.
func TestAudit_Keys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := newID()
	create := func(tenant uuid.UUID) error {
		return w.db.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
			ID: key, TenantID: tenant, Name: "runtime", KeyHash: key[:], Scopes: []string{"read"},
			Actor: string(vault.ActorAdmin), Operation: "keys create",
		})
	}
	if err := create(newID()); err == nil {
		t.Fatal("a key of an unknown tenant was created")
	}
	w.must(create(w.tenant))
	for range 2 {
		n, err := w.db.System().RevokeAPIKey(t.Context(), dbgen.RevokeAPIKeyParams{
			TenantID: w.tenant, ID: key, Actor: string(vault.ActorAdmin), Operation: "keys revoke",
		})
		w.must(err)
		if n != 1 {
			t.Fatalf("%d keys were revoked", n)
		}
	}
	if n, err := w.db.System().RevokeAPIKey(t.Context(), dbgen.RevokeAPIKeyParams{TenantID: newID(), ID: key}); err != nil || n != 0 {
		t.Fatalf("%d keys of another tenant were revoked, %v", n, err)
	}
	got := w.auditOf(vault.AuditFilter{Subject: key.String(), Actor: vault.ActorAdmin})
	if want := "key_created keys create; key_revoked keys revoke"; summary(got) != want {
		t.Errorf("got  %s\nwant %s", summary(got), want)
	}
}

// An import and a sweep record each customer that they changed.
func TestAudit_ImportAndSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	var in vault.ImportValuesInput
	customers := []uuid.UUID{newID(), newID(), newID()}
	for _, c := range customers {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: c, Name: "plan", Value: text("gold"), Source: vault.ValueToolResult,
			ExpiresAt: ptr(time.Now().Add(time.Hour)),
		})
	}
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in)), importValues...))
	w.later(2 * time.Hour)
	w.must(w.run(vault.Event{}, "Sweeps.ExpireValues"))
	for _, c := range customers {
		got := w.auditOf(vault.AuditFilter{Subject: c.String()})
		if summary(got) != "applied import-values; applied expire-values" {
			t.Errorf("got %s", summary(got))
			continue
		}
		if got[1].Actor != "workflow:expire-values" {
			t.Errorf("the sweep is %s", got[1].Actor)
		}
	}
}

// An entry whose transaction was open while an interval was closed is in the next one, although it is older than
// entries of the first.
func TestSealAudit_OpenTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	w.sealAudit(0)
	conn, err := pgx.Connect(t.Context(), w.url)
	w.must(err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	tx, err := conn.Begin(t.Context())
	w.must(err)
	var late uuid.UUID
	w.must(tx.QueryRow(t.Context(),
		"INSERT INTO audit_entries (tenant_id, action, actor, operation) VALUES ($1, 'accepted', 'process', 'late') RETURNING id",
		w.tenant).Scan(&late))
	before := w.verifyAudit("")
	w.write("plan", text("gold")) // does not wait, and is committed earlier
	for range 3 {
		_, err := w.steps.Audit.SealAudit(t.Context(), vault.Event{})
		w.must(err)
	}
	between := w.verifyAudit(before.Head)
	if !between.Intact || between.Entries != before.Entries || between.Unsealed != 2 {
		t.Errorf("while it is open: %+v", between)
	}
	w.must(tx.Commit(t.Context()))
	w.sealAudit(0)
	after := w.verifyAudit(between.Head)
	if !after.Intact || after.Entries != before.Entries+3 {
		t.Errorf("afterwards: %+v", after)
	}
}

// Transactions that were rolled back leave nothing, and hold up nothing.
func TestSealAudit_RolledBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	stop := errors.New("stop")
	err := w.db.InTx(t.Context(), w.tenant, func(q *dbgen.Queries) error {
		w.must(q.AuditProfiles(t.Context(), dbgen.AuditProfilesParams{Actor: "process", Operation: "x", Profiles: []uuid.UUID{}}))
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	w.write("plan", text("gold"))
	w.sealAudit(0)
	if report := w.verifyAudit(""); !report.Intact || report.Entries == 0 {
		t.Errorf("got %+v", report)
	}
}

// Intervals with more entries than a seal takes are split at transactions; one transaction is never split.
func TestSealAudit_Split(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		w.accept("plan", text("gold"))
	}
	w.sql("INSERT INTO audit_entries (tenant_id, action, actor, operation) SELECT $1, 'read', 'process', 'many' FROM generate_series(1, 9)", w.tenant)
	w.accept("plan", text("gold"))
	w.steps.Audit.MaxEntries = 2
	w.sealAudit(0)
	report := w.verifyAudit("")
	if !report.Intact || report.Entries != 15 || report.Seals < 4 {
		t.Errorf("got %+v", report)
	}
}

// Two runs at once make one chain.
func TestSealAudit_AtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done := make(chan error)
	for range 4 {
		go func() {
			var err error
			for range 10 {
				if _, e := w.steps.Audit.SealAudit(t.Context(), vault.Event{}); e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for range 20 {
		w.accept("plan", text("gold"))
	}
	for range 4 {
		w.must(<-done)
	}
	w.sealAudit(0)
	if report := w.verifyAudit(""); !report.Intact || report.Entries != 20 {
		t.Errorf("got %+v", report)
	}
}

// A dump that is restored on another server has transactions with the numbers of the old one: everything is sealed
// there once, and the chain goes on.
func TestSealAudit_RestoredOnAnotherServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept("plan", text("gold"))
	w.sealAudit(0)
	for range 3 {
		w.accept("plan", text("gold"))
	}
	// The other server was ahead: its numbers are above those of this one.
	w.sql("UPDATE audit_entries SET xact = xact + 1000000000 WHERE id NOT IN (SELECT unnest(entry_ids) FROM audit_seals)")
	w.sql("DELETE FROM audit_seals")
	entries, err := w.db.Tenant(w.tenant).ListAuditInterval(t.Context(), dbgen.ListAuditIntervalParams{
		TenantID: w.tenant, ToXact: 1_000_000_000, MaxRows: nil,
	})
	w.must(err)
	row := entries[0]
	seal, err := audit.Seal(audit.Interval{
		Tenant: w.tenant, ClosedAt: row.At, Cluster: "another", From: 0, To: row.Xact + 500_000_000,
	}, []vault.AuditEntry{{
		ID: row.ID, TenantID: row.TenantID, Xact: row.Xact, At: row.At, Action: vault.AuditAction(row.Action),
		Actor: vault.Actor(row.Actor), Operation: row.Operation, OperationID: row.OperationID, Subject: row.Subject,
		Fields: row.Fields,
	}}, nil)
	w.must(err)
	w.must(w.db.Tenant(w.tenant).InsertAuditSeal(t.Context(), dbgen.InsertAuditSealParams{
		TenantID: w.tenant, Number: seal.Number, ClosedAt: seal.ClosedAt, Cluster: seal.Cluster, FromXact: seal.FromXact,
		ToXact: seal.ToXact, EntryIds: seal.EntryIDs, LeafHashes: seal.LeafHashes, Root: seal.Root,
		Previous: seal.Previous, Hash: seal.Hash,
	}))
	before := w.verifyAudit("")
	if !before.Intact || before.Unsealed != 3 {
		t.Errorf("before it is sealed here: %+v", before)
	}
	w.accept("plan", text("gold")) // of this server, below the last seal of the other one
	w.steps.Audit.MaxEntries = 2
	w.sealAudit(0)
	w.accept("plan", text("gold"))
	w.sealAudit(0)
	report := w.verifyAudit(before.Head)
	if !report.Intact || report.Entries != 6 {
		t.Errorf("afterwards: %+v", report)
	}
}

// What someone with the rights of the owner changes in the database is found, and named.
func TestVerifyAudit_Tampering(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql  string
		want vault.AuditProblem
	}{
		"an actor":           {"UPDATE audit_entries SET actor = 'admin' WHERE id = $1", vault.AuditEntryChanged},
		"a time":             {"UPDATE audit_entries SET at = at - interval '1 day' WHERE id = $1", vault.AuditEntryChanged},
		"a transaction":      {"UPDATE audit_entries SET xact = xact + 1 WHERE id = $1", vault.AuditEntryChanged},
		"the fields":         {"UPDATE audit_entries SET fields = '{x}' WHERE id = $1", vault.AuditEntryChanged},
		"a removal":          {"DELETE FROM audit_entries WHERE id = $1", vault.AuditEntryRemoved},
		"another id":         {"UPDATE audit_entries SET id = gen_random_uuid() WHERE id = $1", vault.AuditEntryInserted},
		"an earlier entry":   {"INSERT INTO audit_entries (tenant_id, xact, action, actor, operation) SELECT tenant_id, xact, 'read', 'admin', 'x' FROM audit_entries WHERE id = $1", vault.AuditEntryInserted},
		"a far transaction":  {"INSERT INTO audit_entries (tenant_id, xact, action, actor, operation) SELECT tenant_id, xact + 4000000000, 'read', 'admin', 'x' FROM audit_entries WHERE id = $1", vault.AuditEntryInserted},
		"a list":             {"UPDATE audit_seals SET entry_ids = array_remove(entry_ids, $1)", vault.AuditSealChanged},
		"a removed seal":     {"DELETE FROM audit_seals WHERE $1 = ANY (entry_ids)", vault.AuditEntryInserted},
		"the number of it":   {"UPDATE audit_seals SET number = number + 1 WHERE $1 = ANY (entry_ids)", vault.AuditSealMissing},
		"the time of a seal": {"UPDATE audit_seals SET closed_at = closed_at + interval '1 s' WHERE $1 = ANY (entry_ids)", vault.AuditSealChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.accept("plan", text("gold"))
			w.accept("plan", text("gold"))
			w.sealAudit(0)
			w.accept("plan", text("gold"))
			w.sealAudit(0)
			if report := w.verifyAudit(""); !report.Intact || report.Entries != 3 {
				t.Fatalf("before: %+v", report)
			}
			id := w.auditOf(vault.AuditFilter{})[0].ID
			if strings.Contains(c.sql, "number + 1") {
				id = w.auditOf(vault.AuditFilter{})[2].ID
			}
			w.sql(c.sql, id)
			report := w.verifyAudit("")
			named := func(f vault.AuditFinding) bool { return f.Problem == c.want }
			if report.Intact || !slices.ContainsFunc(report.Findings, named) {
				t.Errorf("got %+v, want %s", report, c.want)
			}
		})
	}
}

// A tenant verifies and lists its own entries only.
func TestVerifyAudit_OtherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept("plan", text("gold"))
	w.sealAudit(0)
	w.accept("plan", text("gold"))
	w.tenant = dbtest.Tenant(t, w.db)
	report := w.verifyAudit("")
	if entries := w.auditOf(vault.AuditFilter{}); report.Seals+report.Entries+report.Unsealed > 0 || len(entries) > 0 {
		t.Errorf("got %+v and %d entries", report, len(entries))
	}
}
