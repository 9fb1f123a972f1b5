package steps_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db/dbtest"
)

// plan is a node of a PostgreSQL query plan.
type plan struct {
	Node     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Hit      int    `json:"Shared Hit Blocks"`
	Read     int    `json:"Shared Read Blocks"`
	Plans    []plan `json:"Plans"`
}

func (p plan) walk(visit func(plan)) {
	visit(p)
	for _, child := range p.Plans {
		child.walk(visit)
	}
}

// explain runs a query of db/queries with SQL arguments. It returns the plan with the blocks read.
func (w *world) explain(file, name string, args ...string) plan {
	w.t.Helper()
	var raw json.RawMessage
	dbtest.Scan(w.t, w.url, &raw, w.explanation(file, name, args...))
	return w.planOf(raw)
}

// explainAs is explain as the role of the API, for a tenant.
func (w *world) explainAs(tenant uuid.UUID, file, name string, args ...string) plan {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.url)
	w.must(err)
	defer func() { _ = conn.Close(context.WithoutCancel(w.t.Context())) }()
	_, err = conn.Exec(w.t.Context(), "SELECT set_config('vault.tenant', $1, false)", tenant.String())
	w.must(err)
	_, err = conn.Exec(w.t.Context(), "SET ROLE vault_app")
	w.must(err)
	var raw json.RawMessage
	w.must(conn.QueryRow(w.t.Context(), w.explanation(file, name, args...)).Scan(&raw))
	return w.planOf(raw)
}

// explanation is the statement that explains a query of db/queries.
func (w *world) explanation(file, name string, args ...string) string {
	w.t.Helper()
	content, err := os.ReadFile("../db/queries/" + file)
	w.must(err)
	_, sql, ok := strings.Cut(string(content), "-- name: "+name+" :")
	if !ok {
		w.t.Fatalf("there is no query %s", name)
	}
	_, sql, _ = strings.Cut(sql, "\n") // the lines after the name
	sql, _, _ = strings.Cut(sql, ";")
	sql = strings.NewReplacer(args...).Replace(sql)
	return "EXPLAIN (ANALYZE, TIMING OFF, BUFFERS, FORMAT JSON) " + sql
}

func (w *world) planOf(raw json.RawMessage) plan {
	w.t.Helper()
	var out []struct{ Plan plan }
	w.must(json.Unmarshal(raw, &out))
	return out[0].Plan
}

// statisticsTables lists the tables with statistics that the cost tests change.
var statisticsTables = []string{"customer_profiles", "customer_values", "customer_assets"}

// empty removes all customers, and disables autovacuum statistics. A database that other tests used before holds dead
// rows, which a query reads as well, and statistics.
func (w *world) empty() {
	w.t.Helper()
	w.sql("TRUNCATE " + strings.Join(statisticsTables, ", ") + ", orphan_candidates CASCADE")
	for _, table := range statisticsTables {
		w.sql("ALTER TABLE " + table + " SET (autovacuum_enabled = false)")
		w.sql("DELETE FROM pg_statistic WHERE starelid = '" + table + "'::regclass")
	}
}

// many inserts profiles of a tenant with ten active values each, the second derived from the first.
func (w *world) many(tenant uuid.UUID, profiles int) {
	w.t.Helper()
	w.sql(
		fmt.Sprintf(
			`INSERT INTO customer_profiles (id, tenant_id, customer_id)
				SELECT gen_random_uuid(), '%s', gen_random_uuid() FROM generate_series(1, %d)`,
			tenant, profiles,
		),
	)
	w.sql(`INSERT INTO customer_values (id, tenant_id, profile_id, name, value, value_type, source, status,
			collected_at, operation_id, accepted_at, expires_at, by_prefix)
		SELECT gen_random_uuid(), p.tenant_id, p.id, 'field_' || n, '"value"', 'string', 'user_provided', 'active', now(),
			gen_random_uuid(), now(), now() + interval '1 year', n = 7
		FROM customer_profiles p, generate_series(1, 10) n WHERE p.tenant_id = '` + tenant.String() + `'`)
	w.sql(`UPDATE customer_values f SET source_item_type = 'profile_field', source_item_id = s.id FROM customer_values s
		WHERE f.name = 'field_2' AND s.name = 'field_1' AND s.profile_id = f.profile_id AND f.tenant_id = '` +
		tenant.String() + `'`)
}

// States of PostgreSQL's statistics.
const (
	statisticsNone  = "none"
	statisticsEmpty = "of empty tables" // as after an ANALYZE before the first large import commits: pages without rows
	statisticsEarly = "of a third"      // as after the first ANALYZE that autovacuum does, while a batch is imported
	statisticsFresh = "fresh"
	// statisticsOthers leaves statistics from before a tenant came as they are.
	statisticsOthers = "of other tenants"
)

func (w *world) gather(statistics string) {
	w.t.Helper()
	for _, table := range statisticsTables {
		switch statistics {
		case statisticsEmpty:
			w.sql("UPDATE pg_class SET reltuples = 0, relpages = pg_relation_size(oid) / 8192 WHERE relname = '" + table + "'")
		case statisticsEarly:
			w.sql("UPDATE pg_class SET reltuples = (SELECT count(*) FROM " + table +
				") / 3, relpages = pg_relation_size(oid) / 8192 WHERE relname = '" + table + "'")
		case statisticsFresh:
			w.sql("ANALYZE " + table)
		}
	}
}

// A chain is read link by link, whatever the statistics are.
func TestCost_ChainByLength(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.empty()
	w.many(w.tenant, 5000)
	var item uuid.UUID
	dbtest.Scan(t, w.url, &item, "SELECT id FROM customer_values WHERE name = 'field_2' LIMIT 1")
	for _, statistics := range []string{statisticsNone, statisticsEmpty, statisticsFresh} {
		w.gather(statistics)
		p := w.explain("lineage.sql", "GetChain",
			"sqlc.arg(tenant_id)", "'"+w.tenant.String()+"'", "sqlc.arg(item_id)", "'"+item.String()+"'",
			"sqlc.arg(depth)", "10")
		if blocks := p.Hit + p.Read; blocks > 50 {
			t.Errorf("statistics %s: read %d blocks", statistics, blocks)
			p.walk(func(n plan) { t.Logf("  %s %s %s %d", n.Node, n.Relation, n.Index, n.Hit+n.Read) })
		}
	}
}

// The cost of a sweep is proportional to the stale items: with 50,000 active values it reads some hundred blocks.
func TestCost_SweepByStaleItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const mostBlocks = 800
	w.empty()
	w.many(w.tenant, 5000)
	w.sql(
		"UPDATE customer_values SET expires_at = now() - interval '1 minute' WHERE id IN (SELECT id FROM customer_values " +
			"WHERE name = 'field_5' LIMIT 7)",
	)
	w.sql("DELETE FROM customer_values WHERE id IN (SELECT id FROM customer_values WHERE name = 'field_1' LIMIT 7)")
	for i, statistics := range []string{statisticsNone, statisticsEmpty, statisticsFresh} {
		w.gather(statistics)
		if i > 0 { // again for this plan
			w.sql("UPDATE customer_values SET status = 'active' WHERE status <> 'active'")
			w.sql(
				"INSERT INTO orphan_candidates (tenant_id, item_id) SELECT tenant_id, gen_random_uuid() FROM customer_values " +
					"LIMIT 7",
			)
			w.sql(
				"UPDATE customer_values SET deleted_at = now() WHERE id IN (SELECT id FROM customer_values WHERE name = " +
					"'field_1' LIMIT 7)",
			)
		}
		before := time.Now().Add(time.Hour).Format(time.RFC3339)
		for _, q := range []struct {
			name string
			plan plan
		}{ // in this order: removed candidates are not marked
			{"ExpireValues", w.explain("values.sql", "ExpireValues", "sqlc.arg(now)", "now()", "sqlc.arg(max_rows)", "100")},
			{"ExpireAssets", w.explain("assets.sql", "ExpireAssets", "sqlc.arg(now)", "now()", "sqlc.arg(max_rows)", "100")},
			{"OrphanCandidateValues", w.explain("values.sql", "OrphanCandidateValues", "sqlc.arg(max_rows)", "100")},
			{"OrphanCandidateAssets", w.explain("assets.sql", "OrphanCandidateAssets", "sqlc.arg(max_rows)", "100")},
			{
				"DeleteOrphanCandidates",
				w.explain("values.sql", "DeleteOrphanCandidates", "sqlc.arg(before)", "'"+before+"'", "sqlc.arg(max_rows)", "100"),
			},
		} {
			name, p := q.name, q.plan
			t.Logf("statistics %s, %s: %d blocks", statistics, name, p.Hit+p.Read)
			if p.Hit+p.Read > mostBlocks {
				t.Errorf("statistics %s, %s read %d blocks", statistics, name, p.Hit+p.Read)
				p.walk(func(n plan) { t.Logf("  %s %s %s %d", n.Node, n.Relation, n.Index, n.Hit+n.Read) })
			}
			indexes := map[string]bool{}
			p.walk(func(node plan) {
				indexes[node.Index] = true
				if node.Node == "Seq Scan" && node.Relation != "orphan_candidates" && (node.Relation != "customer_assets") {
					t.Errorf("statistics %s, %s reads all of %s", statistics, name, node.Relation)
				}
			})
			if name == "ExpireValues" && !indexes["customer_values_expiry"] {
				t.Errorf("statistics %s, %s does not use customer_values_expiry: %v", statistics, name, indexes)
			}
		}
	}
	w.equal("expired", 7, w.count("SELECT count(*) FROM customer_values WHERE expires_at < now()"))
}

// A write reads its own profiles by their keys, also while PostgreSQL's statistics are from the beginning of an import.
func TestCost_WriteDuringAnImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.empty()
	w.many(w.tenant, 5000)
	for _, statistics := range []string{statisticsNone, statisticsEarly, statisticsFresh} {
		w.gather(statistics)
		w.writesByKey(statistics)
	}
}

// So does a write of a tenant who came after the statistics, which say that there are only rows of others.
func TestCost_WriteOfANewTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.empty()
	w.many(dbtest.Tenant(t, w.db), 2000)
	w.gather(statisticsFresh)
	w.many(w.tenant, 5000)
	w.writesByKey("of other tenants")
}

// writesByKey checks that each statement of a write reads a few blocks per profile.
func (w *world) writesByKey(statistics string) {
	w.t.Helper()
	const batch, most = 20, 40 // profiles of a batch, and the blocks for each: the update of its row and of its indexes
	of := func(column string) (array string) {
		dbtest.Scan(w.t, w.url, &array, fmt.Sprintf("SELECT array_agg(%s)::text FROM (SELECT * FROM customer_profiles "+
			"WHERE tenant_id = '%s' LIMIT %d) p", column, w.tenant, batch))
		return "'" + array + "'"
	}
	tenant, operation := "'"+w.tenant.String()+"'", uuid.NewString()
	ids, customers := of("id"), of("customer_id")
	w.sql(
		`INSERT INTO operations (id, tenant_id, workflow, event, subject, idempotency_key, payload, due_at, touched_profiles)
		VALUES ('` + operation + `', ` + tenant + `, 'write-value', 'value:write', 'x', '` + operation + `', '', now(), ` + ids + `)`,
	)
	names, since := fmt.Sprintf(
		"array_fill('field_3'::text, ARRAY[%d])",
		batch,
	), fmt.Sprintf(
		"array_fill(now(), ARRAY[%d])",
		batch,
	)
	for _, q := range []struct {
		file, name string
		args       []string
	}{
		{"customers.sql", "ResolveCustomers", []string{"sqlc.arg(customers)", customers}},
		{"customers.sql", "LockProfiles", []string{"sqlc.arg(customers)", customers}},
		{"values.sql", "CountFields", []string{"sqlc.arg(profiles)", ids}},
		{"values.sql", "ListRecentVersions", []string{"sqlc.arg(profiles)", ids, "sqlc.arg(names)", names, "sqlc.arg(since)", since}},
		{"values.sql", "ListVersions", []string{"sqlc.arg(profiles)", ids, "sqlc.arg(names)", names}},
		{"values.sql", "SupersedeValues", []string{"sqlc.arg(ids)", ids, "sqlc.arg(by_ids)", ids}},
		{"lineage.sql", "ListExistingItemIDs", []string{"sqlc.arg(ids)", ids}},
		{"customers.sql", "RaiseProfiles", []string{"sqlc.arg(ids)", ids}},
		{"customers.sql", "ListTouchedEntries", []string{"sqlc.arg(ids)", "'{" + operation + "}'"}},
	} {
		p := w.explain(q.file, q.name, append(q.args, "sqlc.arg(tenant_id)", tenant)...)
		if blocks := p.Hit + p.Read; blocks > batch*most {
			w.t.Errorf("statistics %s: %s read %d blocks", statistics, q.name, blocks)
			p.walk(func(n plan) { w.t.Logf("  %s %s %s %d", n.Node, n.Relation, n.Index, n.Hit+n.Read) })
		}
	}
}

// The tables that imports fill are first analysed after 5,000 committed rows, so that what an import has not committed
// yet cannot make them look empty.
func TestCost_FirstStatisticsAreLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, table := range append(statisticsTables, "channel_identities") {
		var options string
		dbtest.Scan(
			t,
			w.url,
			&options,
			"SELECT coalesce(reloptions, '{}')::text FROM pg_class WHERE oid = '"+table+"'::regclass",
		)
		for _, option := range []string{
			"autovacuum_analyze_threshold=5000", "autovacuum_vacuum_threshold=5000", "autovacuum_vacuum_insert_threshold=5000",
		} {
			if !strings.Contains(options, option) {
				t.Errorf("%s has %s, want %s", table, options, option)
			}
		}
	}
}

// A search reads its candidates by its index, whatever the statistics are, as the role of the API and under row-level
// security: conditions of functions that are not leakproof would not use an index.
func TestCost_SearchByCandidates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.empty()
	w.many(dbtest.Tenant(t, w.db), 1000)
	w.gather(statisticsFresh)
	w.many(w.tenant, 5000)
	w.sql("UPDATE customer_values SET value = '\"rare\"' WHERE id IN (SELECT id FROM customer_values WHERE name = 'field_7' AND " +
		"tenant_id = '" + w.tenant.String() + "' LIMIT 5)")
	w.sql("UPDATE customer_values SET collected_at = now() - interval '1 year' WHERE value = '\"rare\"'")
	search := func(by, kind, value string, chunk string) plan {
		return w.explainAs(w.tenant, "pages.sql", "FindCustomers",
			"sqlc.arg(tenant_id)", "'"+w.tenant.String()+"'", "sqlc.arg(by)::text", "'"+by+"'::text",
			"sqlc.arg(by_name)::text", "'field_7'", "sqlc.arg(by_number)::int", "1", "sqlc.arg(by_before)", "now() - interval '1 day'",
			"sqlc.arg(after_id)::uuid", "'"+uuid.Nil.String()+"'::uuid", "sqlc.arg(after_id)", "'"+uuid.Nil.String()+"'::uuid", "sqlc.arg(after_at)", "'-infinity'::timestamptz", "sqlc.arg(after_key)::text", "'"+value+"'::text",
			"sqlc.arg(until_key)::text", "'"+value+"z'::text", "sqlc.arg(cond_prefixes)::text[]", "ARRAY['']",
			"sqlc.arg(chunk)::int", chunk, "sqlc.arg(max_rows)::bigint", "100", "sqlc.arg(now)", "now()",
			"sqlc.arg(want_numbers)::int[]", "ARRAY[1]", "sqlc.arg(want_names)::text[]", "ARRAY['field_7']", "sqlc.arg(want_values)::text[]", "ARRAY['\""+value+"\"']",
			"sqlc.arg(want_blind)::bigint[]", "ARRAY[0]", "sqlc.arg(cond_names)::text[]", "ARRAY['field_7']",
			"sqlc.arg(cond_kinds)::text[]", "ARRAY['"+kind+"']", "sqlc.arg(cond_times)::timestamptz[]", "ARRAY[now()]",
			"sqlc.arg(cond_purposes)::text[]", "ARRAY['']")
	}
	page := func(name, kind, missing, value string) plan {
		return w.explainAs(w.tenant, "pages.sql", name,
			"sqlc.arg(tenant_id)", "'"+w.tenant.String()+"'", "sqlc.arg(name)::text", "'field_7'", "sqlc.arg(before)", "now() - interval '1 day'",
			"sqlc.arg(after_id)", "'"+uuid.Nil.String()+"'::uuid", "sqlc.arg(after_at)", "'-infinity'::timestamptz",
			"sqlc.arg(chunk)::int", "2000", "sqlc.arg(max_rows)", "101", "sqlc.arg(now)", "now()",
			"sqlc.arg(want_value)::text", "'\""+value+"\"'", "sqlc.arg(want_blind)::bigint", "0",
			"sqlc.arg(missing)::text[]", "ARRAY["+missing+"]::text[]", "sqlc.arg(cond_names)::text[]", "ARRAY["+kind+"]::text[]",
			"sqlc.arg(cond_kinds)::text[]", "ARRAY["+strings.ReplaceAll(kind, "field_7", "present")+"]::text[]",
			"sqlc.arg(cond_times)::timestamptz[]", "ARRAY[]::timestamptz[]")
	}
	for _, statistics := range []string{statisticsOthers, statisticsNone, statisticsEarly, statisticsFresh} {
		w.gather(statistics)
		for _, c := range []struct {
			name  string
			plan  plan
			index string
			most  int
		}{
			{"a page with a rare value", page("FindCustomersByKey", "", "", "rare"), "customer_values_match", 5*10 + 20},
			{"a page with a frequent value", page("FindCustomersByKey", "'field_7'", "", "value"), "customer_values_match", 101*14 + 20},
			{"a page with an old value", page("FindCustomersByAge", "", "'other'", "rare"), "customer_values_age", 5*14 + 20},
			{"a page without a value", page("FindCustomersInOrder", "", "'other'", ""), "customer_values_active", 101*14 + 100},
			{"a page of present values", page("FindCustomersInOrder", "'field_7'", "", ""), "customer_values_active", 101*14 + 100},
			{"a rare value", search("value", "equals", "rare", "101"), "customer_values_match", 5*10 + 20},
			{"a frequent value", search("value", "equals", "value", "101"), "customer_values_match", 101*10 + 20},
			{"a rare beginning", search("prefix", "met", "rare", "101"), "customer_values_prefix", 5*10 + 20},
			{"a frequent beginning", search("prefix", "met", "va", "101"), "customer_values_prefix", 101*10 + 20},
			{"an old value", search("age", "older_than", "rare", "101"), "customer_values_age", 5*10 + 20},
			{"no value", search("customer", "missing", "rare", "101"), "customer_profiles_tenant_id_customer_id_key", 101*12 + 20},
		} {
			t.Logf("statistics %s, %s: %d blocks", statistics, c.name, c.plan.Hit+c.plan.Read)
			indexes := map[string]bool{}
			c.plan.walk(func(n plan) { indexes[n.Index] = true })
			if c.plan.Hit+c.plan.Read > c.most || !indexes[c.index] {
				t.Errorf("statistics %s, %s: %d blocks, indexes %v", statistics, c.name, c.plan.Hit+c.plan.Read, indexes)
				c.plan.walk(func(n plan) { t.Logf("  %s %s %s %d", n.Node, n.Relation, n.Index, n.Hit+n.Read) })
			}
		}
	}
}

// A page of the search for merges is read by its index, and each of its values is looked up by index.
func TestCost_MergeCandidates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.empty()
	w.many(dbtest.Tenant(t, w.db), 1000)
	w.gather(statisticsFresh)
	w.many(w.tenant, 5000)
	for _, statistics := range []string{statisticsOthers, statisticsNone, statisticsEarly, statisticsFresh} {
		w.gather(statistics)
		p := w.explainAs(w.tenant, "merge_proposals.sql", "PageMergeCandidates",
			"sqlc.arg(tenant_id)", "'"+w.tenant.String()+"'", "sqlc.arg(name)::text", "'field_7'",
			"sqlc.arg(after_at)", "'-infinity'::timestamptz", "sqlc.arg(after_id)", "'"+uuid.Nil.String()+"'::uuid",
			"sqlc.arg(max_rows)", "200")
		indexes := map[string]bool{}
		p.walk(func(n plan) { indexes[n.Index] = true })
		if p.Hit+p.Read > 200*8+20 || !indexes["customer_values_age"] || !indexes["customer_values_match"] {
			t.Errorf("statistics %s: %d blocks, indexes %v", statistics, p.Hit+p.Read, indexes)
			p.walk(func(n plan) { t.Logf("  %s %s %s %d", n.Node, n.Relation, n.Index, n.Hit+n.Read) })
		}
	}
}
