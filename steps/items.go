package steps

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Items deletes and restores fields and assets.
type Items struct {
	once intentOnce
	now  func() time.Time
}

// CheckDependents refuses to delete what others were derived from, unless an admin forces it.
func (s Items) CheckDependents(ctx context.Context, ev vault.Event) (Validated, error) {
	return Validated{}, check(ctx, s.once, ev, func(q *dbgen.Queries, _ dbgen.Intent, in vault.DeleteItem) error {
		_, err := deletable(ctx, q, ev.TenantID, in)
		return err
	})
}

// DeleteItem deletes an item and, where that is forced, orphans what was derived from it, in the same transaction. Dependents
// may belong to other customers of the tenant: their caches are noted for invalidation.
func (s Items) DeleteItem(ctx context.Context, ev vault.Event) (vault.DeleteResult, error) {
	return apply(ctx, s.once, ev, func(q *dbgen.Queries, _ dbgen.Intent, in vault.DeleteItem) (vault.DeleteResult, error) {
		out := vault.DeleteResult{ItemID: in.ItemID}
		owner, err := deletable(ctx, q, ev.TenantID, in)
		if err != nil {
			return out, err
		}
		profile, err := lockProfile(ctx, q, ev.TenantID, owner.CustomerID)
		if err != nil {
			return out, err
		}
		if vault.SourceType(owner.Kind) == vault.SourceProfileField {
			_, err = q.DeleteField(ctx, ev.TenantID, in.ItemID)
		} else {
			_, err = q.DeleteAsset(ctx, ev.TenantID, in.ItemID)
		}
		if err != nil {
			return out, err
		}
		fields, err := q.OrphanDependentFields(ctx, ev.TenantID, in.ItemID)
		if err != nil {
			return out, err
		}
		assets, err := q.OrphanDependentAssets(ctx, ev.TenantID, in.ItemID)
		if err != nil {
			return out, err
		}
		out.Orphaned = len(fields) + len(assets)
		if _, err := q.TouchProfiles(ctx, append([]uuid.UUID{profile.ID}, append(fields, assets...)...)); err != nil {
			return out, err
		}
		return out, q.NoteChains(ctx, []uuid.UUID{in.ItemID})
	})
}

// deletable says whose an item is, or why it may not be deleted.
func deletable(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.DeleteItem) (dbgen.GetItemOwnerRow, error) {
	owner, err := q.GetItemOwner(ctx, tenant, in.ItemID)
	if err != nil {
		return owner, db.Found(err, "item", in.ItemID)
	}
	if owner.Deleted {
		return owner, vault.Conflict("item_id", "item_id: %s was deleted already", in.ItemID)
	}
	if in.Force {
		return owner, nil
	}
	dependents, err := q.ListDependents(ctx, tenant, in.ItemID)
	if err == nil && len(dependents) > 0 {
		err = vault.HasDependents(in.ItemID, dependents)
	}
	return owner, err
}
