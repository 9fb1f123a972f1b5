package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
)

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func now() time.Time { return db.UTC(time.Now()) }

// env is a database with one tenant and one accepted operation.
type env struct {
	db     *db.DB
	url    string
	tenant uuid.UUID
	op     dbgen.Operation
}

func newEnv(t *testing.T) env {
	t.Helper()
	d, url := openOne(t)
	e := env{db: d, url: url, tenant: dbtest.Tenant(t, d)}
	e.op = accept(t, d, e.tenant)
	return e
}

func accept(t *testing.T, d *db.DB, tenant uuid.UUID) dbgen.Operation {
	t.Helper()
	op, err := db.AcceptOperation(t.Context(), d.Tenant(tenant), dbtest.Sealer(t, d), tenant, db.NewOperation{
		Workflow: "w", Event: "e", Subject: "s", Payload: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func TestTenant_ConnectionIsCleanAfterQuery(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	q, conn := e.db.Tenant(e.tenant), e.db.TenantConn(e.tenant)
	checkClean(t, e.db, "an insert")
	for _, c := range []struct {
		name string
		run  func(ctx context.Context) error
		ok   func(err error) bool
	}{
		{"a row", func(ctx context.Context) error {
			_, err := q.GetOperation(ctx, e.tenant, e.op.ID)
			return err
		}, isNil},
		{"no row", func(ctx context.Context) error {
			_, err := q.GetOperation(ctx, e.tenant, newID())
			return err
		}, db.IsNotFound},
		{"a statement", func(ctx context.Context) error { return q.NotifyOperation(ctx, newID().String()) }, isNil},
		{"many rows", func(ctx context.Context) error {
			_, err := q.ListDefinitions(ctx, e.tenant, newID())
			return err
		}, isNil},
		{"a broken constraint", func(ctx context.Context) error {
			_, err := q.UpsertRule(ctx, dbgen.UpsertRuleParams{
				TenantID: e.tenant, ID: newID(), AgentID: newID(), ScenarioID: newID(), Name: "r", Content: []byte(`{}`), OperationID: newID(), AcceptedAt: now(),
			})
			return err
		}, func(err error) bool { return db.IsForeignKeyViolation(err, "rules_tenant_id_scenario_id_fkey") }},
		{"a statement that is no SQL", func(ctx context.Context) error {
			_, err := conn.Exec(ctx, "SELEC 1")
			return err
		}, isState("42601")},
		{"a query that is no SQL", func(ctx context.Context) error {
			rows, err := conn.Query(ctx, "SELEC 1")
			if err == nil {
				rows.Close()
				err = rows.Err()
			}
			return err
		}, isState("42601")},
		{"a row that breaks while it is computed", func(ctx context.Context) error {
			var n int
			return conn.QueryRow(ctx, "SELECT 1 / $1::int", 0).Scan(&n)
		}, isState("22012")},
		{"rows that break while they are read", func(ctx context.Context) error {
			rows, err := conn.Query(ctx, "SELECT 1 / (3 - n) FROM generate_series(1, 5) n")
			if err != nil {
				return err
			}
			_, err = pgx.CollectRows(rows, pgx.RowTo[int])
			return err
		}, isState("22012")},
		{"rows that are not read to their end", func(ctx context.Context) error {
			rows, err := conn.Query(ctx, "SELECT n FROM generate_series(1, 100000) n")
			if err != nil {
				return err
			}
			rows.Next()
			rows.Close()
			return rows.Err()
		}, isNil},
		{"a value that does not fit", func(ctx context.Context) error {
			var n int
			return conn.QueryRow(ctx, "SELECT 'x'").Scan(&n)
		}, func(err error) bool { return err != nil }},
		{"an argument that does not fit", func(ctx context.Context) error {
			_, err := conn.Exec(ctx, "SELECT $1::uuid", "x")
			return err
		}, func(err error) bool { return err != nil }},
		{"a context that has ended", func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			_, err := conn.Exec(ctx, "SELECT 1")
			return err
		}, func(err error) bool { return errors.Is(err, context.Canceled) }},
		{"a context that ends on the way", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			var nothing any
			return conn.QueryRow(ctx, "SELECT pg_sleep(10)").Scan(&nothing)
		}, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		if err := c.run(ctx); !c.ok(err) {
			t.Errorf("%s: got %v", c.name, err)
		}
		cancel()
		checkClean(t, e.db, c.name)
	}
}

func isNil(err error) bool { return err == nil }

func isState(code string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && e.Code == code
	}
}

func TestTenant_SharedConnections(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	const tenants, rounds = 12, 20
	var wg sync.WaitGroup
	for range tenants {
		tenant := dbtest.Tenant(t, d)
		own := accept(t, d, tenant)
		wg.Go(func() {
			for round := range rounds {
				var ids []uuid.UUID
				read := func(q dbgen.DBTX) error {
					rows, err := q.Query(t.Context(), "SELECT id FROM operations")
					if err == nil {
						ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
					}
					return err
				}
				if err := read(d.TenantConn(tenant)); err != nil || len(ids) != 1 || ids[0] != own.ID {
					t.Errorf("round %d: got %v, %v; want %s alone", round, ids, err, own.ID)
				}
				err := d.InTx(t.Context(), tenant, func(q *dbgen.Queries) error {
					_, err := q.LockOperation(t.Context(), tenant, own.ID)
					return err
				})
				if err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestTenant_CannotWriteOtherTenant(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	other := dbtest.Tenant(t, e.db)
	before := dbtest.Dump(t, e.url)
	p := params(e)
	if _, err := e.db.Tenant(other).UpsertScenario(t.Context(), p); !isState("42501")(err) {
		t.Errorf("an insert: got %v, want a violation of row-level security", err)
	}
	n, err := e.db.Tenant(other).MarkOperationFailed(t.Context(), dbgen.MarkOperationFailedParams{TenantID: e.tenant, ID: e.op.ID, Error: []byte(`{}`)})
	if n != 0 || err != nil {
		t.Errorf("an update: %d rows, %v", n, err)
	}
	for _, sql := range []string{
		"UPDATE operations SET subject = 'mine'", "DELETE FROM operations", "UPDATE tenants SET name = 'mine'", "DELETE FROM tenants",
		"INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), 'more')",
		fmt.Sprintf("UPDATE operations SET tenant_id = '%s'", other),
	} {
		_, err := e.db.TenantConn(other).Exec(t.Context(), sql)
		if strings.Contains(sql, "tenants") != (err != nil) { // it may not write tenants at all
			t.Errorf("%s: got %v", sql, err)
		}
	}
	if after := dbtest.Dump(t, e.url); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("something was changed")
	}
}
