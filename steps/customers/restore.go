package customers

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// RestoreItem restores a deleted item to its place in the history, or activates an orphaned item with a source that
// exists again.
func (s Items) RestoreItem(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, _ dbgen.Operation, in vault.RestoreItemInput,
	) (vault.ItemResult, error) {
		owner, err := lockItem(ctx, q, ev.TenantID, in.ItemID, false)
		if err != nil {
			return vault.ItemResult{}, err
		}
		restore := s.restoreValue
		if vault.SourceType(owner.Kind) == vault.SourceProfileAsset {
			restore = s.restoreAsset
		}
		status, err := restore(ctx, q, ev.TenantID, in.ItemID)
		if err != nil {
			return vault.ItemResult{}, err
		}
		err = t.Profiles(ctx, q, []uuid.UUID{owner.ProfileID})
		return vault.ItemResult{ItemID: in.ItemID, Status: status, ProfileVersion: owner.Version + 1}, err
	})
}

func (s Items) restoreValue(ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID) (vault.ItemStatus, error) {
	row, err := q.GetAnyValue(ctx, tenant, id)
	if err != nil {
		return "", err
	}
	sourceFound, err := checkSource(ctx, q, tenant, id, vault.Lineage{
		SourceItemID: row.SourceItemID, SourceItemType: vault.SourceType(row.SourceItemType),
	})
	if err != nil {
		return "", err
	}
	if err := checkRestorable(row.DeletedAt, row.Status, sourceFound, id); err != nil {
		return "", err
	}
	key := fieldKey{row.ProfileID, row.Name}
	histories, err := loadHistories(ctx, q, s.Once.Sealer, tenant, key)
	if err != nil {
		return "", err
	}
	history := slices.DeleteFunc(histories[key], func(v rules.Version) bool { return v.Deleted })
	self, err := versionOfRow(s.Once.Sealer, row)
	if err != nil {
		return "", err
	}
	def, err := definitionOf(ctx, q, tenant, row.DefinitionID)
	if err != nil {
		return "", err
	}
	now := s.Now()
	place := rules.Place(history, self, rules.AuthorityOf(def), sourceFound, now)
	if err := makeRoom(ctx, q, tenant, id, place, now); err != nil {
		return "", err
	}
	state := dbgen.SetValueStateParams{
		TenantID: tenant, ID: id, Status: string(place.Status), SupersededByID: place.SupersededBy,
		YieldsToID: place.YieldsTo,
	}
	if place.SupersededBy != nil {
		at := db.UTC(now)
		state.SupersededAt = &at
	}
	if err := q.SetValueState(ctx, state); err != nil {
		return "", err
	}
	return place.Status, q.UndeleteValue(ctx, tenant, id)
}

func (s Items) restoreAsset(ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID) (vault.ItemStatus, error) {
	row, err := q.GetAnyAsset(ctx, tenant, id)
	if err != nil {
		return "", err
	}
	sourceFound, err := checkSource(ctx, q, tenant, id, vault.Lineage{
		SourceItemID: row.SourceItemID, SourceItemType: vault.SourceType(row.SourceItemType),
	})
	if err != nil {
		return "", err
	}
	if err := checkRestorable(row.DeletedAt, row.Status, sourceFound, id); err != nil {
		return "", err
	}
	status := vault.StatusSuperseded
	if row.SupersededByID == nil {
		status = rules.StatusOf(sourceFound, row.ExpiresAt, s.Now())
	}
	return status, q.SetAssetState(ctx, dbgen.SetAssetStateParams{TenantID: tenant, ID: id, Status: string(status)})
}

// checkRestorable rejects an item that is neither deleted nor orphaned, and an orphaned item without its source.
func checkRestorable(deleted *time.Time, status string, sourceFound bool, id uuid.UUID) error {
	switch {
	case deleted != nil:
		return nil
	case status != string(vault.StatusOrphaned):
		return vault.Conflict("item_id", "item_id: %s is %s; only a deleted or an orphaned item can be restored", id, status)
	case !sourceFound:
		return vault.Conflict("item_id", "item_id: the source of %s does not exist; restore the source first", id)
	default:
		return nil
	}
}
