package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/enginedb"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// engineTables looks into the database of an engine.
type engineTables struct {
	t    *testing.T
	conn *pgx.Conn
}

// count returns the number of rows of a query.
func (e engineTables) count(query string, args ...any) (n int64) {
	e.t.Helper()
	if err := e.conn.QueryRow(e.t.Context(), query, args...).Scan(&n); err != nil {
		e.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// unpartitioned returns the number of rows of each table that is no partition.
func (e engineTables) unpartitioned() map[string]int64 {
	e.t.Helper()
	rows, err := e.conn.Query(e.t.Context(), `SELECT relname FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition`)
	if err != nil {
		e.t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		e.t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, name := range names {
		counts[name] = e.count("SELECT count(*) FROM " + pgx.Identifier{name}.Sanitize())
	}
	return counts
}

// The purge removes the rows of dropped runs from the engine's tables, if it is configured, and nothing else. The list
// of tables is complete: after some writes no other one has grown for good.
func TestPurge_CleansTheEngine(t *testing.T) {
	t.Parallel()
	cfg := embeddedtest.Config(t)
	engine := startEngine(t, cfg)
	kit := testkit.On(t, engine, "VAULT_JOBS_HATCHET_CLEAN_DATABASE_URL="+cfg.DatabaseURL)
	s := &system{Kit: kit, t: t, tenant: kit.Tenant(t), agent: testkit.ID()}
	startWorker(t, s.Kit)
	s.define("country")
	conn, err := pgx.Connect(t.Context(), cfg.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	e := engineTables{t, conn}
	const writes = 10
	write := func() {
		for range writes {
			s.applied(s.write(testkit.ID(), "country"), nil)
		}
	}

	before := e.unpartitioned()
	write()
	testkit.Eventually(t, "only the known tables keep rows", func(context.Context) (struct{}, bool) {
		for name, n := range e.unpartitioned() {
			// A scheduler has a lease for each queue that it knows, however many runs there are.
			if n-before[name] >= writes && !enginedb.Cleans(name) && name != "Lease" {
				t.Logf("%s has %d rows more", name, n-before[name])
				return struct{}{}, false
			}
		}
		return struct{}{}, true
	})

	var dropped int64 // as if the engine had dropped the runs so far
	for _, table := range enginedb.Tables {
		tag, err := conn.Exec(t.Context(), fmt.Sprintf("UPDATE %s SET %s = %[2]s - interval '40 days'", table.Name, table.Time))
		if err != nil {
			t.Fatal(err)
		}
		dropped += tag.RowsAffected()
	}
	write()
	kept := map[string]int64{}
	for _, table := range enginedb.Tables {
		kept[table.Name] = e.count(fmt.Sprintf("SELECT count(*) FROM %s WHERE %s > now() - interval '1 hour'",
			table.Name, table.Time))
	}
	off := testkit.On(t, engine) // not configured
	for _, c := range []struct {
		kit     *testkit.Kit
		removed int64
	}{{off, 0}, {kit, dropped}, {kit, 0}} {
		out, err := c.kit.Steps.Operations.PurgeOperations(t.Context(), vault.Event{})
		if err != nil || out.EngineRows != c.removed {
			t.Errorf("the purge removed %d rows of the engine (%v), want %d", out.EngineRows, err, c.removed)
		}
	}
	for name, want := range kept {
		if got := e.count("SELECT count(*) FROM " + name); got < want {
			t.Errorf("%s has %d rows, want those %d of runs that the engine has", name, got, want)
		}
	}
	write() // the engine works
	if dropped < 5*writes {
		t.Errorf("only %d rows were there to remove", dropped)
	}
}
