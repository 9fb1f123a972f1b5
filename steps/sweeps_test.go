package steps_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// crowd is two tenants with customers. Each customer has an expired value, a value without its source, two such assets,
// and active items.
func crowd(w *world, customers int) (stale, lost int) {
	w.t.Helper()
	soon := time.Now().Add(time.Hour)
	var sources []uuid.UUID
	for _, tenant := range []uuid.UUID{w.tenant, dbtest.Tenant(w.t, w.db)} {
		w.tenant, w.agent = tenant, newID()
		w.define(vault.Definition{
			Name: "plan", ValueType: vault.TypeString,
		}, vault.Definition{Name: "code", ValueType: vault.TypeString},
			vault.Definition{Name: "city", ValueType: vault.TypeString})
		for range customers {
			w.customer = newID()
			source := w.write("code", text("A1"))
			sources = append(sources, source.ItemID)
			w.write("plan", text("gold"), func(in *vault.WriteValueInput) { in.ExpiresAt = &soon })
			w.write("city", text("Oslo"), from(source.ItemID))
			w.addAsset("1", func(in *vault.AddAssetInput) { in.ExpiresAt = &soon })
			w.addAsset("2", func(in *vault.AddAssetInput) {
				in.SourceItemID, in.SourceItemType = &source.ItemID, vault.SourceProfileField
			})
		}
	}
	w.sql("UPDATE customer_values SET deleted_at = now() WHERE id = ANY ($1)", sources)
	w.later(2 * time.Hour)
	return 4 * customers, 4 * customers
}

func TestSweep_ConcurrentRunsMarkEachItemOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *steps.Deps) { d.Settings.SweepBatch = 3 })
	stale, lost := crowd(w, 12)
	for step, want := range map[string]int{"Sweeps.ExpireValues": stale, "Sweeps.DetectOrphans": lost} {
		outs, errs := w.atOnce(4, func(int) (any, error) { return w.step(step)(t.Context(), vault.Event{}) })
		total := 0
		for i, out := range outs {
			w.must(errs[i])
			total += out.(once.Applied[vault.SweepResult]).Result.Marked
		}
		if total != want {
			t.Errorf("%s: four workers marked %d together, want %d", step, total, want)
		}
	}
	w.equal("statuses", map[string]int{
		"customer_values active": 24, "customer_values expired": 24, "customer_values orphaned": 24,
		"customer_assets expired": 24, "customer_assets orphaned": 24,
	}, w.statuses()) // the deleted sources are as they were
	if n := w.count("SELECT count(DISTINCT tenant_id) FROM pending_invalidations"); n != 2 {
		t.Errorf("the caches of %d tenants are told", n)
	}
}

// A sweep of one tenant marks nothing of another one.
func TestSweep_OneTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *steps.Deps) { d.Settings.SweepBatch = 3 })
	other := w.tenant
	stale, lost := crowd(w, 4)
	for _, s := range []struct {
		spec vault.Spec[vault.Sweep, vault.SweepResult]
		step string
		want int
	}{{vault.ExpireValues, "Sweeps.ExpireValues", stale / 2}, {vault.DetectOrphans, "Sweeps.DetectOrphans", lost / 2}} {
		ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, s.spec, vault.Sweep{}))
		w.must(w.twice(ev, s.step, "Caches.InvalidateAndAcknowledge"))
		if got := resultOf[vault.SweepResult](w, ev).Marked; got != s.want {
			t.Errorf("%s marked %d items, want %d", s.spec.Name, got, s.want)
		}
	}
	for _, table := range []string{"customer_values", "customer_assets"} {
		n := w.count("SELECT count(*) FROM "+table+" WHERE tenant_id = $1 AND status <> 'active'", other)
		if n != 0 {
			t.Errorf("%d rows of %s of another tenant were marked", n, table)
		}
	}
}

func TestSweep_BatchSizeIsTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	crowd(w, 12)
	now := time.Now().Add(3 * time.Hour)
	for name, mark := range map[string]func(q *dbgen.Queries) (int, error){
		"fields past their time": func(q *dbgen.Queries) (int, error) {
			r, err := q.ExpireValues(t.Context(), &now, 2)
			return len(r), err
		},
		"assets past their time": func(q *dbgen.Queries) (int, error) {
			r, err := q.ExpireAssets(t.Context(), &now, 2)
			return len(r), err
		},
		"fields by hand": func(
			q *dbgen.Queries,
		) (int, error) {
			r, err := q.OrphanValues(t.Context(), 2)
			return len(r), err
		},
		"assets by hand": func(
			q *dbgen.Queries,
		) (int, error) {
			r, err := q.OrphanAssets(t.Context(), 2)
			return len(r), err
		},
		"fields that lost": func(q *dbgen.Queries) (int, error) {
			r, err := q.OrphanCandidateValues(t.Context(), 2)
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

func TestSweep_SkipsLockedRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stale, _ := crowd(w, 3)
	err := w.db.InTx(t.Context(), w.tenant, func(q *dbgen.Queries) error {
		if _, err := q.LockProfile(t.Context(), w.tenant, w.customer); err != nil {
			return err
		}
		out, err := w.steps.Sweeps.ExpireValues(t.Context(), vault.Event{})
		if err == nil && out.Result.Marked != stale-2 {
			t.Errorf("marked %d, want all but the 2 of the customer who is being written to", out.Result.Marked)
		}
		return err
	})
	w.must(err)
	out, err := w.steps.Sweeps.ExpireValues(t.Context(), vault.Event{})
	w.must(err)
	w.equal("the next sweep", 2, out.Result.Marked)
}

func TestDetectOrphans_AnyLossOfTheSource(t *testing.T) {
	t.Parallel()
	for how, lose := range map[string]struct {
		statement string
		byHand    bool // an operation finds it, a cron does not
	}{
		"deleted softly": {"UPDATE customer_values SET deleted_at = now() WHERE id = $1", false},
		"removed":        {"DELETE FROM customer_values WHERE id = $1", false},
		"removed without the trigger": {
			"WITH off AS (SELECT set_config('session_replication_role', 'replica', true)) DELETE FROM customer_values USING " +
				"off WHERE id = $1",
			true,
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			source := w.write("email", text("ada@example.com"))
			w.write("plan", text("gold"), from(source.ItemID))
			w.sql(lose.statement, source.ItemID)
			if lose.byHand { // as if the trigger had not recorded it
				w.sql("DELETE FROM orphan_candidates")
			}
			out, err := w.steps.Sweeps.DetectOrphans(t.Context(), vault.Event{})
			w.must(err)
			if lose.byHand == (out.Result.Marked == 1) {
				t.Errorf("the cron's sweep marked %d", out.Result.Marked)
			}
			ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DetectOrphans, vault.Sweep{}))
			w.must(w.twice(ev, "Sweeps.DetectOrphans", "Caches.InvalidateAndAcknowledge"))
			w.equal("history", []string{`"gold" orphaned`}, w.standing("plan"))
		})
	}
}

func TestDetectOrphans_SourceDeletedDuringWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	source, other := w.write("email", text("ada@example.com")), w.as(newID())
	w.remove(source.ItemID, false)
	w.must(w.run(vault.Event{}, "Sweeps.DetectOrphans")) // the dependent is not committed yet
	late := other.write("plan", text("gold"))
	// it commits now
	w.sql(
		"UPDATE customer_values SET source_item_id = $1, source_item_type = 'profile_field' WHERE id = $2", source.ItemID,
		late.ItemID,
	)
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
