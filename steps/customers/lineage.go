package customers

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// checkSource reports whether the source of an item exists in the tenant. It rejects a source that would make a cycle.
// Only values and assets are rows of the vault, so a session, tool or external source counts as found.
func checkSource(ctx context.Context, q *dbgen.Queries, tenant, item uuid.UUID, in vault.Lineage) (bool, error) {
	if in.SourceItemID == nil ||
		(in.SourceItemType != vault.SourceProfileField && in.SourceItemType != vault.SourceProfileAsset) {
		return true, nil
	}
	if *in.SourceItemID == item {
		return false, vault.Invalid("source_item_id", "an item cannot be its own source; name the item it was derived from")
	}
	chain, err := lockSourceAndReadChain(ctx, q, tenant, *in.SourceItemID)
	if err == nil && endsAtMissingItem(chain) {
		// Another transaction may be storing the missing item, with this item as its source.
		if err := q.LockLineage(ctx, tenant); err != nil {
			return false, err
		}
		chain, err = lockSourceAndReadChain(ctx, q, tenant, *in.SourceItemID)
	}
	if err != nil {
		return false, err
	}
	for _, link := range chain {
		if link.SourceItemID == item {
			return false, cycleError(link.ID)
		}
	}
	return len(chain) > 0, nil
}

// lockSourceAndReadChain returns the chain of a source. The source stays locked until the transaction ends, so it
// cannot be deleted as an item without dependents.
func lockSourceAndReadChain(
	ctx context.Context, q *dbgen.Queries, tenant, source uuid.UUID,
) ([]dbgen.GetChainRow, error) {
	if err := q.ShareLockSource(ctx, tenant, source); err != nil {
		return nil, err
	}
	return q.GetChain(ctx, dbgen.GetChainParams{TenantID: tenant, ItemID: source, Depth: maxCycleDepth})
}

// endsAtMissingItem reports whether a chain ends at a value or an asset that does not exist.
func endsAtMissingItem(chain []dbgen.GetChainRow) bool {
	if len(chain) == 0 {
		return true
	}
	switch origin := chain[len(chain)-1]; vault.SourceType(origin.SourceItemType) {
	case vault.SourceProfileField, vault.SourceProfileAsset:
		return origin.SourceItemID != uuid.Nil
	default:
		return false
	}
}

// cycleError rejects a cycle. by is the item that was derived from the item in question.
func cycleError(by uuid.UUID) error {
	return &vault.Error{
		Code: vault.CodeInvalid, Field: "source_item_id", Related: []uuid.UUID{by},
		Message: "source_item_id: the source was derived from this item, which would make a cycle; name another source",
	}
}

// maxCycleDepth limits the search for a cycle, in links. It is far beyond any real chain.
const maxCycleDepth = 1000

// orphanDependents orphans the dependents of deleted items. It returns the profile of each orphaned item.
func orphanDependents(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, items ...uuid.UUID,
) ([]uuid.UUID, error) {
	fields, err := q.OrphanDependentValues(ctx, tenant, items)
	if err != nil {
		return nil, err
	}
	assets, err := q.OrphanDependentAssets(ctx, tenant, items)
	return append(fields, assets...), err
}
