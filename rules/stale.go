package rules

import (
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// StaleItem is an item with the members that decide whether it is stale.
type StaleItem struct {
	ID       uuid.UUID
	SourceID *uuid.UUID // the value or asset from which it was derived. nil: none
	Status   vault.ItemStatus
}

// StaleItems returns the stale ones of items (design, section 3, rule 5): their source is superseded or expired, or
// stale itself, at any depth. A source that is not among the items makes no item stale.
//
// db/queries/lineage.sql, RefreshStale, marks the items by this rule.
func StaleItems(items []StaleItem) map[uuid.UUID]bool {
	byID := make(map[uuid.UUID]StaleItem, len(items))
	for _, item := range items {
		byID[item.ID] = item
	}
	out := map[uuid.UUID]bool{}
	for _, item := range items {
		at := item
		for range len(items) { // a cycle, which is never stored, ends here
			if at.SourceID == nil {
				break
			}
			source, ok := byID[*at.SourceID]
			if !ok {
				break
			}
			if source.Status == vault.StatusSuperseded || source.Status == vault.StatusExpired {
				out[item.ID] = true
				break
			}
			at = source
		}
	}
	return out
}
