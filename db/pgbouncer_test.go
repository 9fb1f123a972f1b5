package db_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
)

// Behind PgBouncer, whose two connections to the server serve all tenants in turn, every query and transaction sees its
// own tenant only, or all of them, as without it.
func TestOpen_PgBouncer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"transaction", "session"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			direct := dbtest.URL(t)
			d, err := dbtest.OpenLogins(t.Context(), dbtest.PgBouncer(t, direct, mode), db.Options{MaxConns: connsFor(mode)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			if !d.Pooled() {
				t.Fatal("the pooler was not noticed")
			}
			tenants := []uuid.UUID{dbtest.Tenant(t, d), dbtest.Tenant(t, d), dbtest.Tenant(t, d)}
			owner := map[uuid.UUID]uuid.UUID{}
			for _, tenant := range tenants {
				owner[accept(t, d, tenant).ID] = tenant
			}
			var g errgroup.Group
			for i := range 60 {
				g.Go(func() error { return seesOwn(t, d, tenants[i%len(tenants)], owner, i/len(tenants)%2 == 0) })
			}
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
			due, err := d.System().ClaimDueOperations(t.Context(), dbgen.ClaimDueOperationsParams{
				MaxRows: 10, DueAfter: time.Minute,
			})
			if err != nil || len(due) != len(owner) {
				t.Errorf("the system sees %d operations (%v), want %d", len(due), err, len(owner))
			}
			err = d.InSystemTx(t.Context(), func(q *dbgen.Queries) error {
				return q.ReleaseOperations(t.Context(), 0, []uuid.UUID{due[0].ID, due[1].ID})
			})
			if err != nil {
				t.Error(err)
			}
			for _, row := range dbtest.Dump(t, direct)["operations"] {
				if !strings.Contains(row, `"status": "accepted"`) {
					t.Errorf("an operation of another tenant was changed: %s", row)
				}
			}
		})
	}
}

// connsFor returns a number of connections that PgBouncer serves: in session mode, each takes one of its two. The
// system pool takes the other.
func connsFor(mode string) int32 {
	if mode == "session" {
		return 1
	}
	return 8
}

// seesOwn reads the operations of all tenants as one tenant, in a transaction or without one.
func seesOwn(t *testing.T, d *db.DB, tenant uuid.UUID, owner map[uuid.UUID]uuid.UUID, inTx bool) error {
	read := func(q *dbgen.Queries) error {
		for id, of := range owner {
			_, err := q.GetOperation(t.Context(), of, id)
			if own := of == tenant; own && err != nil || !own && !db.IsNotFound(err) {
				return fmt.Errorf("a read of an operation, own: %t, in a transaction: %t: %w", own, inTx, err)
			}
		}
		return nil
	}
	if inTx {
		return d.InTx(t.Context(), tenant, read)
	}
	return read(d.Tenant(tenant))
}

// No query of the vault has the role of the login behind a pooler.
func TestOpen_PgBouncerRole(t *testing.T) {
	t.Parallel()
	d, err := dbtest.OpenLogins(t.Context(), dbtest.PgBouncer(t, dbtest.URL(t), "transaction"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	tenant := dbtest.Tenant(t, d)
	var role string
	if err := d.TenantConn(tenant).QueryRow(t.Context(), "SELECT current_user").Scan(&role); err != nil || role != "vault_app" {
		t.Errorf("the role of a tenant's query is %q (%v)", role, err)
	}
	if err := d.SystemConn().QueryRow(t.Context(), "SELECT current_user").Scan(&role); err != nil || role != "vault_system" {
		t.Errorf("the role of a sweep's query is %q (%v)", role, err)
	}
}

// Without a listening connection, waiting callers are told to look at an interval.
func TestListenOperations_PgBouncer(t *testing.T) {
	t.Parallel()
	d, err := dbtest.OpenLogins(t.Context(), dbtest.PgBouncer(t, dbtest.URL(t), "transaction"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	looks := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.ListenOperations(t.Context(), slog.New(slog.DiscardHandler), func() {
			select {
			case looks <- struct{}{}:
			default:
			}
		}, func(uuid.UUID) { t.Error("an operation was notified") })
	}()
	for range 2 {
		<-looks
	}
	t.Cleanup(func() { <-done }) // the context of the test has ended by then
}

// What cannot work behind PgBouncer is refused with its reason.
func TestOpen_PgBouncerRefused(t *testing.T) {
	t.Parallel()
	direct := dbtest.URL(t)
	opened, err := dbtest.OpenLogins(t.Context(), dbtest.PgBouncer(t, direct, "statement"), db.Options{})
	if err == nil {
		opened.Close()
		t.Fatal("statement mode was accepted")
	}
	if !strings.Contains(err.Error(), "pool_mode") || !strings.Contains(err.Error(), "transaction or session") {
		t.Errorf("the reason is missing: %v", err)
	}
	err = db.Migrate(t.Context(), dbtest.PgBouncer(t, direct, "transaction"))
	if err == nil || !strings.Contains(err.Error(), "with the address of PostgreSQL itself") {
		t.Errorf("a migration behind PgBouncer: %v", err)
	}
}
