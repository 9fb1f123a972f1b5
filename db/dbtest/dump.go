package dbtest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Rows is the content of a database: each row as JSON, by table, in a stable order.
type Rows map[string][]string

// Dump reads every row of every table, of all tenants. The role of the URL must bypass row-level security, because a
// comparison needs all rows.
func Dump(t testing.TB, url string) Rows {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var tables, blind []string
	err = conn.QueryRow(ctx, `
		SELECT
		    array_agg(c.relname::text ORDER BY c.relname),
		    coalesce(array_agg(c.relname::text) FILTER (WHERE row_security_active(c.oid)), '{}')
		FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'goose_db_version'`).Scan(&tables, &blind)
	if err != nil {
		t.Fatal(err)
	}
	if len(blind) > 0 {
		t.Fatalf("%s: row-level security hides rows of %s from its role", ServerEnv, strings.Join(blind, ", "))
	}
	batch := &pgx.Batch{}
	for _, table := range tables { // one batch is one transaction
		batch.Queue("SELECT to_jsonb(r)::text FROM " + quote(table) + " r ORDER BY 1")
	}
	results := conn.SendBatch(ctx, batch)
	defer func() { _ = results.Close() }()
	out := Rows{}
	for _, table := range tables {
		rows, err := results.Query()
		if err != nil {
			t.Fatal(err)
		}
		if out[table], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Counts returns the number of rows by table, without empty tables.
func (r Rows) Counts() map[string]int {
	out := map[string]int{}
	for table, rows := range r {
		if len(rows) > 0 {
			out[table] = len(rows)
		}
	}
	return out
}

// Without returns the rows of all other tables.
func (r Rows) Without(tables ...string) Rows {
	out := maps.Clone(r)
	for _, table := range tables {
		delete(out, table)
	}
	return out
}

// Holding returns the tables with a row that contains the text.
func (r Rows) Holding(text string) []string {
	var out []string
	for _, table := range slices.Sorted(maps.Keys(r)) {
		if strings.Contains(strings.Join(r[table], "\n"), text) {
			out = append(out, table)
		}
	}
	return out
}

// Exec runs a statement as the role of the URL, for changes that no operation of the vault makes.
func Exec(t testing.TB, url, statement string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement, args...); err != nil {
		t.Fatal(err)
	}
}

// Scan reads the one column of one row, as the role of the URL.
func Scan(t testing.TB, url string, into any, query string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, query, args...).Scan(into); err != nil {
		t.Fatal(err)
	}
}

// Clear removes every row of every table, for the next test.
func Clear(t testing.TB, url string) {
	t.Helper()
	Exec(t, url, `
		DO $$
		DECLARE
		    name text;
		BEGIN
		    PERFORM set_config('session_replication_role', 'replica', true); -- no foreign keys
		    FOR name IN
		        SELECT c.relname FROM pg_class c
		        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'goose_db_version'
		    LOOP
		        EXECUTE format('DELETE FROM %I', name);
		    END LOOP;
		END
		$$`)
}
