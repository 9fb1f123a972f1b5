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
		status, changed, err := restore(ctx, q, ev.TenantID, in.ItemID)
		if err != nil {
			return vault.ItemResult{}, err
		}
		if err := RefreshStale(ctx, t, q, ev.TenantID, append(changed, in.ItemID), owner.ProfileID); err != nil {
			return vault.ItemResult{}, err
		}
		err = t.Profiles(ctx, q, []uuid.UUID{owner.ProfileID})
		return vault.ItemResult{ItemID: in.ItemID, Status: status, ProfileVersion: owner.Version + 1}, err
	})
}

// restoreValue returns the new status, and the other versions whose status it changed.
func (s Items) restoreValue(
	ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID,
) (vault.ItemStatus, []uuid.UUID, error) {
	row, err := q.GetAnyValue(ctx, tenant, id)
	if err != nil {
		return "", nil, err
	}
	if string(row.Value) == "null" {
		return "", nil, errErasedItem(id)
	}
	sourceFound, err := hasSource(ctx, q, row)
	if err != nil {
		return "", nil, err
	}
	if err := checkRestorable(row.DeletedAt, row.Status, sourceFound, id); err != nil {
		return "", nil, err
	}
	self, history, err := loadVersion(ctx, q, s.Once.Sealer, row)
	if err != nil {
		return "", nil, err
	}
	history = slices.DeleteFunc(history, func(v rules.Version) bool { return v.Deleted })
	def, err := definitionOf(ctx, q, tenant, row.DefinitionID)
	if err != nil {
		return "", nil, err
	}
	now := s.Now()
	place := rules.Place(history, self, rules.AuthorityOf(def), sourceFound, now)
	if err := makeRoom(ctx, q, tenant, id, place, now); err != nil {
		return "", nil, err
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
		return "", nil, err
	}
	return place.Status, changedBy(place), q.UndeleteValue(ctx, tenant, id)
}

func (s Items) restoreAsset(
	ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID,
) (vault.ItemStatus, []uuid.UUID, error) {
	row, err := q.GetAnyAsset(ctx, tenant, id)
	if err != nil {
		return "", nil, err
	}
	if row.StoragePath == "" {
		return "", nil, errErasedItem(id)
	}
	sourceFound, err := checkSource(ctx, q, tenant, id, vault.Lineage{
		SourceItemID: row.SourceItemID, SourceItemType: vault.SourceType(row.SourceItemType),
	})
	if err != nil {
		return "", nil, err
	}
	if err := checkRestorable(row.DeletedAt, row.Status, sourceFound, id); err != nil {
		return "", nil, err
	}
	status := vault.StatusSuperseded
	if row.SupersededByID == nil {
		status = rules.StatusOf(sourceFound, row.ExpiresAt, s.Now())
	}
	return status, nil, q.SetAssetState(ctx, dbgen.SetAssetStateParams{TenantID: tenant, ID: id, Status: string(status)})
}

// restorePrevious makes the version before a deleted active value active again, or only names it. It returns nil if
// there is none.
func (s Items) restorePrevious(
	ctx context.Context, q *dbgen.Queries, row dbgen.CustomerValue, restore bool,
) (*uuid.UUID, error) {
	version, history, err := loadVersion(ctx, q, s.Once.Sealer, row)
	if err != nil {
		return nil, err
	}
	previous, ok := rules.Previous(history, version)
	if !ok {
		return nil, nil
	}
	if !restore {
		return &previous.ID, nil
	}
	state, err := placeLatest(ctx, q, row.TenantID, previous.ID, s.Now())
	if err != nil {
		return nil, err
	}
	state.TenantID, state.ID = row.TenantID, previous.ID
	return &previous.ID, q.SetValueState(ctx, state)
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

// errErasedItem is the error of an item whose value an erasure of its source has erased. null is no value.
func errErasedItem(id uuid.UUID) error {
	return vault.Conflict("item_id", "item_id: the value of %s was erased with its source; it cannot be restored", id)
}
