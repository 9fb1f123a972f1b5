package steps_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

func TestRestoreItem_ReturnsToItsPlace(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		between func(w *world)
		status  vault.ItemStatus
		want    map[string]string
		history []string
	}{
		"the active value": {
			func(*world) {}, vault.StatusActive,
			map[string]string{"plan": `"gold"`},
			[]string{`"silver" superseded`, `"gold" active`},
		},
		"superseded since": {
			func(w *world) { w.write("plan", text("platinum")) }, vault.StatusSuperseded,
			map[string]string{"plan": `"platinum"`},
			[]string{`"silver" superseded`, `"gold" superseded`, `"platinum" active`},
		},
		"superseded by a deleted version": {
			func(w *world) { w.remove(w.write("plan", text("platinum")).ItemID, false) }, vault.StatusActive,
			map[string]string{"plan": `"gold"`},
			[]string{`"silver" superseded`, `"gold" active`},
		},
		"expired": {
			func(w *world) { w.later(2 * time.Hour) }, vault.StatusExpired,
			map[string]string{},
			[]string{`"silver" superseded`, `"gold" expired`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			w.write("plan", text("silver"))
			gold := w.write("plan", text("gold"), func(in *vault.WriteValueInput) { in.ExpiresAt = &soon })
			w.remove(gold.ItemID, false)
			w.equal("values after the deletion", map[string]string{}, w.values(w.customer))
			c.between(w)
			w.values(w.customer)
			got := w.restore(gold.ItemID)
			if got.Status != c.status || got.ItemID != gold.ItemID {
				t.Errorf("got %+v, want %s", got, c.status)
			}
			w.equal("values", c.want, w.values(w.customer))
			w.equal("history", c.history, w.standing("plan"))
			w.checkHistory("plan")
			p, err := w.seen(w.customer)
			w.must(err)
			if p.Version != got.ProfileVersion {
				t.Errorf("the profile has version %d, the result says %d", p.Version, got.ProfileVersion)
			}
		})
	}
}

func TestRestoreItem_ImportOfMergedCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	one, other := w.as(newID()), w.as(newID())
	items := [2]uuid.UUID{newID(), newID()}
	w.must(
		w.run(
			w.importing(false, one.fact("plan", "silver", named(items[0])), other.fact("plan", "gold", named(items[1]))),
			importValues...,
		),
	)
	w.merge(one.customer, other.customer)
	want := []string{`"silver" superseded`, `"gold" active`}
	w.equal("history", want, other.standing("plan"))
	for i, status := range []vault.ItemStatus{vault.StatusSuperseded, vault.StatusActive} {
		w.remove(items[i], false)
		if got := w.restore(items[i]); got.Status != status {
			t.Errorf("the restored version is %s, want %s", got.Status, status)
		}
		w.equal("history", want, other.standing("plan"))
		other.checkHistory("plan")
	}
}

func TestRestoreItem_LateWriteStaysSuperseded(t *testing.T) {
	t.Parallel()
	for how, run := range map[string]func(w *world, late, lateImport vault.Event){
		"a write":   func(w *world, late, _ vault.Event) { w.must(w.twice(late, writeValue...)) },
		"an import": func(w *world, _, late vault.Event) { w.must(w.twice(late, importValues...)) },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			late, lateImport := w.accept("plan", text("old")), w.importing(false, w.fact("plan", "old"))
			w.remove(w.write("plan", text("deleted")).ItemID, false)
			run(w, late, lateImport)
			w.equal("values", map[string]string{}, w.values(w.customer))
			w.equal("history", []string{`"old" superseded`}, w.standing("plan"))
			w.write("plan", text("new"))
			w.equal("history", []string{`"old" superseded`, `"new" active`}, w.standing("plan"))
		})
	}
}

func TestRestoreItem_OrphanWithItsSourceBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	source := w.write("email", text("ada@example.com"))
	card := w.addAsset("card")
	item := w.as(newID()).write("plan", text("gold"), from(source.ItemID))
	dependent := w.as(newID()).addAsset("scan", func(in *vault.AddAssetInput) {
		in.SourceItemID, in.SourceItemType = &card.ItemID, vault.SourceProfileAsset
	})
	chain := func(id uuid.UUID) bool {
		c, err := query.New(w.db, w.cache, w.sealer).Chain(t.Context(), w.tenant, id, 0)
		w.must(err)
		return !c.Missing
	}
	w.remove(source.ItemID, true)
	w.remove(card.ItemID, true)
	for _, id := range []uuid.UUID{item.ItemID, dependent.ItemID} {
		if chain(id) {
			t.Error("the chain does not say that the source is gone")
		}
		w.refused(w.restoring(id), vault.CodeConflict, []string{"source", "restore the source first"}, restoreItem...)
	}
	for _, c := range []struct{ source, item uuid.UUID }{{source.ItemID, item.ItemID}, {card.ItemID, dependent.ItemID}} {
		w.restore(c.source)
		if !chain(c.item) {
			t.Error("the chain does not show the source that is back")
		}
		if got := w.restore(c.item); got.Status != vault.StatusActive {
			t.Errorf("it is %s", got.Status)
		}
		w.refused(
			w.restoring(c.item), vault.CodeConflict, []string{"is active", "only a deleted or an orphaned item"}, restoreItem...,
		)
	}
	w.refused(
		w.bypass(vault.RestoreItem.Name, w.customer, vault.RestoreItemInput{ItemID: newID()}), vault.CodeUnknown,
		[]string{"unknown item"}, restoreItem...,
	)
}

func TestRestoreItem_WithoutSourceIsOrphaned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	source := w.write("email", text("ada@example.com"))
	item := w.write("plan", text("gold"), from(source.ItemID))
	w.remove(item.ItemID, false)
	w.remove(source.ItemID, false)
	if got := w.restore(item.ItemID); got.Status != vault.StatusOrphaned {
		t.Errorf("it is %s", got.Status)
	}
}
