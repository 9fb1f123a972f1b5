package db_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db/dbtest"
)

// scanned are the queries that read a good part of a table, and why they may.
var scanned = map[string]string{
	"ExpireValues":             "what has expired is not known beforehand; a LIMIT ends it",
	"PurgeOperations":          "what is past its retention is not known beforehand; a LIMIT ends it",
	"RequeueDroppedOperations": "EXISTS ends it at the first",
	"CountValuesByStatus":      "it counts all of them, by an index alone once they are vacuumed",
	"CountRotation":            "an operator asks for it, and it counts what is sealed by another key",
	"CountFinishedOperations":  "how many finished in five minutes is not known beforehand",
}

// Each query finds its rows by an index, under row-level security, however many there are. What hides an index from
// PostgreSQL is not always seen: before a policy is checked it takes no condition that could leak, and COALESCE counts
// as such, where CASE does not.
func TestQueries_UseIndexes(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	const profiles, most = 20_000, 2000 // rows of one tenant, and what a plan may expect to read of them
	for _, statement := range []string{
		`INSERT INTO tenants (id, name) VALUES ('0198c5f2-8a4b-7cde-9f01-23456789abcd', 'test')`,
		fmt.Sprintf(`INSERT INTO customer_profiles (id, tenant_id, customer_id)
			SELECT id, '0198c5f2-8a4b-7cde-9f01-23456789abcd', id FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, %d)) p`, profiles),
		`INSERT INTO customer_values (id, tenant_id, profile_id, name, value, value_type, source, status, collected_at, operation_id, accepted_at)
			SELECT gen_random_uuid(), tenant_id, id, 'plan', '"gold"', 'string', 'user_provided', 'active', now(), gen_random_uuid(), now() FROM customer_profiles`,
		`INSERT INTO operations (id, tenant_id, workflow, event, subject, idempotency_key, payload, due_at, status, finished_at)
			SELECT id, tenant_id, 'write-value', 'value:write', customer_id, id, '', now(), 'succeeded', now() FROM customer_profiles`,
		"ANALYZE customer_profiles, customer_values, operations", "SET plan_cache_mode = force_generic_plan",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("dbgen/*.sql.go")
	if err != nil {
		t.Fatal(err)
	}
	query := regexp.MustCompile("(?s)= `-- name: (\\w+) :\\w+\n(.*?)`")
	scan := regexp.MustCompile(`(Seq Scan|Index Scan|Index Only Scan|Bitmap Heap Scan)(?: using \w+)? on (customer_profiles|customer_values|operations) .*rows=(\d+)`)
	n := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range query.FindAllStringSubmatch(string(source), -1) {
			name, sql := m[1], m[2]
			n++
			role := "vault_system"
			if strings.Contains(sql, "tenant_id = $") && !strings.Contains(sql, "api_keys") { // keys are the system's
				role = "vault_app"
			}
			if _, err := conn.Exec(t.Context(), "SET role "+role); err != nil {
				t.Fatal(err)
			}
			prepared, err := conn.Prepare(t.Context(), name, sql)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			args := ""
			if k := len(prepared.ParamOIDs); k > 0 {
				args = "(" + strings.TrimSuffix(strings.Repeat("NULL, ", k), ", ") + ")"
			}
			rows, err := conn.Query(t.Context(), fmt.Sprintf(`EXPLAIN EXECUTE "%s"%s`, name, args))
			if err != nil {
				t.Fatal(err)
			}
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			wide := ""
			for _, node := range scan.FindAllStringSubmatch(strings.Join(plan, "\n"), -1) {
				if rows, err := strconv.Atoi(node[3]); err != nil || rows > most || node[1] == "Seq Scan" {
					wide = node[0]
				}
			}
			_, may := scanned[name]
			if wide != "" && !may {
				t.Errorf("%s reads a good part of a table, as %s: %s", name, role, wide)
			} else if wide == "" && may {
				t.Errorf("%s reads by an index: take it out of the list", name)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d queries were found", n)
	}
}
