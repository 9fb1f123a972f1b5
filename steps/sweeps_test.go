package steps_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// crowd is two tenants with customers, each with a value past its time, one that lost its source, two documents of the same
// kinds, and what stays active.
func crowd(w *world, customers int) (stale, lost int) {
	w.t.Helper()
	soon := time.Now().Add(time.Hour)
	var sources []uuid.UUID
	for _, tenant := range []uuid.UUID{w.tenant, dbtest.Tenant(w.t, w.db)} {
		w.tenant, w.agent = tenant, newID()
		w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{Name: "code", ValueType: vault.TypeString},
			vault.Definition{Name: "city", ValueType: vault.TypeString})
		for range customers {
			w.customer = newID()
			source := w.write("code", text("A1"))
			sources = append(sources, source.ItemID)
			w.write("plan", text("gold"), func(in *vault.WriteField) { in.ExpiresAt = &soon })
			w.write("city", text("Oslo"), from(source.ItemID))
			w.addAsset("1", func(in *vault.AddAsset) { in.ExpiresAt = &soon })
			w.addAsset("2", func(in *vault.AddAsset) {
				in.SourceItemID, in.SourceItemType = &source.ItemID, vault.SourceProfileField
			})
		}
	}
	w.sql("UPDATE profile_fields SET deleted_at = now() WHERE id = ANY ($1)", sources)
	w.later(2 * time.Hour)
	return 4 * customers, 4 * customers
}

func TestSweepsAtOnceMarkAllAndNothingTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *steps.Deps) { d.Settings.SweepBatch = 3 })
	stale, lost := crowd(w, 12)
	for step, want := range map[string]int{"Sweeps.ExpireFields": stale, "Sweeps.DetectOrphans": lost} {
		outs, errs := w.atOnce(4, func(int) (any, error) { return w.step(step)(t.Context(), vault.Event{}) })
		total := 0
		for i, out := range outs {
			w.must(errs[i])
			total += out.(vault.SweepResult).Marked
		}
		if total != want {
			t.Errorf("%s: four workers marked %d together, want %d", step, total, want)
		}
	}
	w.equal("statuses", map[string]int{
		"profile_fields active": 24, "profile_fields expired": 24, "profile_fields orphaned": 24, "profile_assets expired": 24, "profile_assets orphaned": 24,
	}, w.statuses()) // the deleted sources are as they were
	if n := w.count("SELECT count(DISTINCT tenant_id) FROM cache_invalidations"); n != 2 {
		t.Errorf("the caches of %d tenants are told", n)
	}
}

func TestASweepMarksNoMoreThanItsBatchAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	crowd(w, 12)
	now := time.Now().Add(3 * time.Hour)
	for name, mark := range map[string]func(q *dbgen.Queries) (int, error){
		"fields past their time": func(q *dbgen.Queries) (int, error) {
			r, err := q.ExpireFields(t.Context(), &now, 2)
			return len(r), err
		},
		"assets past their time": func(q *dbgen.Queries) (int, error) {
			r, err := q.ExpireAssets(t.Context(), &now, 2)
			return len(r), err
		},
		"fields by hand": func(q *dbgen.Queries) (int, error) { r, err := q.OrphanFields(t.Context(), 2); return len(r), err },
		"assets by hand": func(q *dbgen.Queries) (int, error) { r, err := q.OrphanAssets(t.Context(), 2); return len(r), err },
		"fields that lost": func(q *dbgen.Queries) (int, error) {
			r, err := q.OrphanCandidateFields(t.Context(), 2)
			return len(r), err
		},
		"assets that lost": func(q *dbgen.Queries) (int, error) {
			r, err := q.OrphanCandidateAssets(t.Context(), 2)
			return len(r), err
		},
	} {
		n, err := mark(w.db.System())
		w.must(err)
		if n != 2 {
			t.Errorf("%s: %d of a batch of 2", name, n)
		}
	}
}

func TestASweepWaitsForNoWriter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stale, _ := crowd(w, 3)
	err := w.db.InTx(t.Context(), w.tenant, func(q *dbgen.Queries) error {
		if _, err := q.LockProfile(t.Context(), w.tenant, w.customer); err != nil {
			return err
		}
		out, err := w.steps.Sweeps.ExpireFields(t.Context(), vault.Event{})
		if err == nil && out.Marked != stale-2 {
			t.Errorf("marked %d, want all but the 2 of the customer who is being written to", out.Marked)
		}
		return err
	})
	w.must(err)
	out, err := w.steps.Sweeps.ExpireFields(t.Context(), vault.Event{})
	w.must(err)
	w.equal("the next sweep", 2, out.Marked)
}

func TestADependentIsFoundHoweverItsSourceWent(t *testing.T) {
	t.Parallel()
	for how, lose := range map[string]struct {
		statement string
		byHand    bool // only then
	}{
		"deleted softly": {"UPDATE profile_fields SET deleted_at = now() WHERE id = $1", false},
		"removed":        {"DELETE FROM profile_fields WHERE id = $1", false},
		"removed where no trigger ran": {
			"WITH off AS (SELECT set_config('session_replication_role', 'replica', true)) DELETE FROM profile_fields USING off WHERE id = $1", true,
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			source := w.write("email", text("ada@example.com"))
			w.write("plan", text("gold"), from(source.ItemID))
			w.sql(lose.statement, source.ItemID)
			if lose.byHand { // the trigger's note is taken back, as if it had not run
				w.sql("DELETE FROM orphan_candidates")
			}
			out, err := w.steps.Sweeps.DetectOrphans(t.Context(), vault.Event{})
			w.must(err)
			if lose.byHand == (out.Marked == 1) {
				t.Errorf("the cron's sweep marked %d", out.Marked)
			}
			ev := w.event(w.trigger.DetectOrphans(t.Context(), w.tenant))
			w.must(w.twice(ev, "Sweeps.DetectOrphans", "Caches.InvalidateNoted"))
			w.equal("history", []string{`"gold" orphaned`}, w.standing("plan"))
		})
	}
}

func TestADependentThatWasBeingWrittenWhenItsSourceWentIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	source, other := w.write("email", text("ada@example.com")), w.as(newID())
	w.remove(source.ItemID, false)
	w.must(w.run(vault.Event{}, "Sweeps.DetectOrphans")) // sees nothing yet
	late := other.write("plan", text("gold"))
	w.sql("UPDATE profile_fields SET source_item_id = $1, source_item_type = 'profile_field' WHERE id = $2", source.ItemID, late.ItemID) // commits now
	w.must(w.run(vault.Event{}, "Sweeps.DetectOrphans"))
	w.equal("history", []string{`"gold" orphaned`}, other.standing("plan"))
	if n := w.count("SELECT count(*) FROM orphan_candidates"); n != 1 {
		t.Errorf("%d items are remembered, want 1", n)
	}
	w.later(11 * time.Minute) // longer than a write takes
	w.must(w.run(vault.Event{}, "Sweeps.DetectOrphans"))
	if n := w.count("SELECT count(*) FROM orphan_candidates"); n != 0 {
		t.Errorf("%d items are remembered for ever", n)
	}
}

// plan is a node of a plan of PostgreSQL.
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

// explain runs a query of db/queries, with arguments as SQL, and gives its plan with the blocks it looked at.
func (w *world) explain(file, name string, args ...string) plan {
	w.t.Helper()
	content, err := os.ReadFile("../db/queries/" + file)
	w.must(err)
	_, sql, ok := strings.Cut(string(content), "-- name: "+name+" :")
	if !ok {
		w.t.Fatalf("there is no query %s", name)
	}
	_, sql, _ = strings.Cut(sql, "\n") // behind the name
	sql, _, _ = strings.Cut(sql, ";")
	sql = strings.NewReplacer(args...).Replace(sql)
	var raw json.RawMessage
	dbtest.Scan(w.t, w.url, &raw, "EXPLAIN (ANALYZE, TIMING OFF, BUFFERS, FORMAT JSON) "+sql)
	var out []struct{ Plan plan }
	w.must(json.Unmarshal(raw, &out))
	return out[0].Plan
}

// statisticsTables are those whose statistics the tests of costs change.
var statisticsTables = []string{"customer_profiles", "profile_fields", "profile_assets"}

// crowd makes profiles of ten live values each, the second derived from the first, and keeps PostgreSQL from gathering statistics.
func (w *world) crowd(profiles int) {
	w.t.Helper()
	for _, table := range statisticsTables {
		w.sql("ALTER TABLE " + table + " SET (autovacuum_enabled = false)")
	}
	w.sql(fmt.Sprintf(`INSERT INTO customer_profiles (id, tenant_id, customer_id) SELECT gen_random_uuid(), '%s', gen_random_uuid() FROM generate_series(1, %d)`, w.tenant, profiles))
	w.sql(`INSERT INTO profile_fields (id, tenant_id, profile_id, name, value, value_type, source, status, collected_at, intent_id, accepted_at, expires_at)
		SELECT gen_random_uuid(), p.tenant_id, p.id, 'field_' || n, '"value"', 'string', 'user_provided', 'active', now(), gen_random_uuid(), now(), now() + interval '1 year'
		FROM customer_profiles p, generate_series(1, 10) n`)
	w.sql(`UPDATE profile_fields f SET source_item_type = 'profile_field', source_item_id = s.id FROM profile_fields s
		WHERE f.name = 'field_2' AND s.name = 'field_1' AND s.profile_id = f.profile_id`)
}

// The statistics that PostgreSQL may have of a crowd.
const (
	statisticsNone  = "none"
	statisticsEmpty = "of empty tables" // as ANALYZE leaves them while the first large import is not committed: pages without rows
	statisticsFresh = "fresh"
)

func (w *world) gather(statistics string) {
	w.t.Helper()
	for _, table := range statisticsTables {
		switch statistics {
		case statisticsEmpty:
			w.sql("UPDATE pg_class SET reltuples = 0, relpages = pg_relation_size(oid) / 8192 WHERE relname = '" + table + "'")
		case statisticsFresh:
			w.sql("ANALYZE " + table)
		}
	}
}

// A chain is read link by link, whatever PostgreSQL believes of the tables.
func TestTheCostOfAChainFollowsItsLength(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crowd(5000)
	var item uuid.UUID
	dbtest.Scan(t, w.url, &item, "SELECT id FROM profile_fields WHERE name = 'field_2' LIMIT 1")
	for _, statistics := range []string{statisticsNone, statisticsEmpty, statisticsFresh} {
		w.gather(statistics)
		p := w.explain("lineage.sql", "GetChain",
			"sqlc.arg(tenant_id)", "'"+w.tenant.String()+"'", "sqlc.arg(item_id)", "'"+item.String()+"'", "sqlc.arg(depth)", "10")
		if looked := p.Hit + p.Read; looked > 50 {
			t.Errorf("statistics %s: looked at %d blocks", statistics, looked)
			p.walk(func(n plan) { t.Logf("  %s %s %s %d", n.Node, n.Relation, n.Index, n.Hit+n.Read) })
		}
	}
}

// The cost of a sweep follows what is stale, not what there is: of 50,000 live values it looks at some hundred blocks.
func TestTheCostOfASweepFollowsWhatIsStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const mostBlocks = 800
	w.crowd(5000)
	w.sql("UPDATE profile_fields SET expires_at = now() - interval '1 minute' WHERE id IN (SELECT id FROM profile_fields WHERE name = 'field_5' LIMIT 7)")
	w.sql("DELETE FROM profile_fields WHERE id IN (SELECT id FROM profile_fields WHERE name = 'field_1' LIMIT 7)")
	for i, statistics := range []string{statisticsNone, statisticsEmpty, statisticsFresh} {
		w.gather(statistics)
		if i > 0 { // again, for these plans
			w.sql("UPDATE profile_fields SET status = 'active' WHERE status <> 'active'")
			w.sql("INSERT INTO orphan_candidates (tenant_id, item_id) SELECT tenant_id, gen_random_uuid() FROM profile_fields LIMIT 7")
			w.sql("UPDATE profile_fields SET deleted_at = now() WHERE id IN (SELECT id FROM profile_fields WHERE name = 'field_1' LIMIT 7)")
		}
		before := time.Now().Add(time.Hour).Format(time.RFC3339)
		for _, q := range []struct {
			name string
			plan plan
		}{ // in this order: what is forgotten is not marked
			{"ExpireFields", w.explain("fields.sql", "ExpireFields", "sqlc.arg(now)", "now()", "sqlc.arg(most)", "100")},
			{"ExpireAssets", w.explain("assets.sql", "ExpireAssets", "sqlc.arg(now)", "now()", "sqlc.arg(most)", "100")},
			{"OrphanCandidateFields", w.explain("fields.sql", "OrphanCandidateFields", "sqlc.arg(most)", "100")},
			{"OrphanCandidateAssets", w.explain("assets.sql", "OrphanCandidateAssets", "sqlc.arg(most)", "100")},
			{"ForgetOrphanCandidates", w.explain("fields.sql", "ForgetOrphanCandidates", "sqlc.arg(before)", "'"+before+"'", "sqlc.arg(most)", "100")},
		} {
			name, p := q.name, q.plan
			t.Logf("statistics %s, %s: %d blocks", statistics, name, p.Hit+p.Read)
			if p.Hit+p.Read > mostBlocks {
				t.Errorf("statistics %s, %s looked at %d blocks", statistics, name, p.Hit+p.Read)
				p.walk(func(n plan) { t.Logf("  %s %s %s %d", n.Node, n.Relation, n.Index, n.Hit+n.Read) })
			}
			indexes := map[string]bool{}
			p.walk(func(node plan) {
				indexes[node.Index] = true
				if node.Node == "Seq Scan" && node.Relation != "orphan_candidates" && (node.Relation != "profile_assets") {
					t.Errorf("statistics %s, %s reads all of %s", statistics, name, node.Relation)
				}
			})
			if name == "ExpireFields" && !indexes["profile_fields_expiry"] {
				t.Errorf("statistics %s, %s does not use profile_fields_expiry: %v", statistics, name, indexes)
			}
		}
	}
	w.equal("expired", 7, w.count("SELECT count(*) FROM profile_fields WHERE expires_at < now()"))
}
