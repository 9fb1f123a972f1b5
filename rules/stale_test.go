package rules_test

import (
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// An item is stale exactly if its source changed or is stale: the rule is transitive, whatever the order of the items.
func TestStaleItems_Transitive(t *testing.T) {
	t.Parallel()
	statuses := []vault.ItemStatus{
		vault.StatusActive, vault.StatusPending, vault.StatusSuperseded, vault.StatusExpired, vault.StatusOrphaned,
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(rt, "items")
		items := make([]rules.StaleItem, n)
		for i := range items {
			items[i] = rules.StaleItem{ID: uuid.New(), Status: rapid.SampledFrom(statuses).Draw(rt, "status")}
			if i > 0 && rapid.Bool().Draw(rt, "derived") {
				items[i].SourceID = &items[rapid.IntRange(0, i-1).Draw(rt, "source")].ID
			}
		}
		stale := rules.StaleItems(rapid.Permutation(items).Draw(rt, "order"))
		byID := map[uuid.UUID]rules.StaleItem{}
		for _, item := range items {
			byID[item.ID] = item
		}
		for _, item := range items {
			want := false
			if item.SourceID != nil {
				source := byID[*item.SourceID]
				want = source.Status == vault.StatusSuperseded || source.Status == vault.StatusExpired || stale[source.ID]
			}
			if stale[item.ID] != want {
				rt.Fatalf("an item is stale: %t, want %t", stale[item.ID], want)
			}
		}
	})
}

func TestStaleItems_CycleEnds(t *testing.T) {
	t.Parallel()
	a, b := uuid.New(), uuid.New()
	items := []rules.StaleItem{
		{ID: a, SourceID: &b, Status: vault.StatusActive}, {ID: b, SourceID: &a, Status: vault.StatusActive},
	}
	if stale := rules.StaleItems(items); len(stale) != 0 {
		t.Errorf("%d items of a cycle of active items are stale, want 0", len(stale))
	}
}
