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
	once Runner
	now  func() time.Time
}

// CheckDependents refuses to delete what others were derived from, unless an admin forces it.
func (s Items) CheckDependents(ctx context.Context, ev vault.Event) (Validated, error) {
	return Validated{}, prepare(ctx, s.once, ev, func(q *dbgen.Queries, _ dbgen.Operation, in vault.DeleteItemInput) error {
		_, err := deletable(ctx, q, ev.TenantID, in)
		return err
	})
}

// DeleteItem deletes an item and, where that is forced, orphans what was derived from it, in the same transaction. Dependents
// may belong to other customers of the tenant: their caches are noted for invalidation.
func (s Items) DeleteItem(ctx context.Context, ev vault.Event) (Applied[vault.DeleteResult], error) {
	return apply(ctx, s.once, ev, func(t *Touched, q *dbgen.Queries, _ dbgen.Operation, in vault.DeleteItemInput) (vault.DeleteResult, error) {
		out := vault.DeleteResult{ItemID: in.ItemID}
		if _, err := lockItem(ctx, q, ev.TenantID, in.ItemID, in.Force); err != nil {
			return out, err
		}
		if err := q.LockItem(ctx, ev.TenantID, in.ItemID); err != nil { // after it, all that was derived from the item is seen
			return out, err
		}
		owner, err := deletable(ctx, q, ev.TenantID, in)
		if err != nil {
			return out, err
		}
		if vault.SourceType(owner.Kind) == vault.SourceProfileField {
			_, err = q.DeleteValue(ctx, ev.TenantID, in.ItemID)
		} else {
			_, err = q.DeleteAsset(ctx, ev.TenantID, in.ItemID)
		}
		if err != nil {
			return out, err
		}
		orphaned, err := orphanDependents(ctx, q, ev.TenantID, in.ItemID)
		if err != nil {
			return out, err
		}
		out.Orphaned = len(orphaned)
		if err := t.profiles(ctx, q, append(orphaned, owner.ProfileID)); err != nil {
			return out, err
		}
		return out, t.chains(ctx, q, []uuid.UUID{in.ItemID})
	})
}

// orphanDependents marks what was derived from deleted items, and says in whose profiles that is, once for each item.
func orphanDependents(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, items ...uuid.UUID) ([]uuid.UUID, error) {
	fields, err := q.OrphanDependentValues(ctx, tenant, items)
	if err != nil {
		return nil, err
	}
	assets, err := q.OrphanDependentAssets(ctx, tenant, items)
	return append(fields, assets...), err
}

// deletable says whose an item is, or why it may not be deleted.
func deletable(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.DeleteItemInput) (dbgen.GetItemOwnerRow, error) {
	owner, err := q.GetItemOwner(ctx, tenant, in.ItemID)
	if err != nil {
		return owner, db.WrapNotFound(err, "item", in.ItemID)
	}
	if owner.CustomerDeleted {
		return owner, vault.Unknown("customer", owner.CustomerID)
	}
	if owner.Deleted {
		return owner, vault.Conflict("item_id", "item_id: %s was deleted already", in.ItemID)
	}
	if in.Force {
		return owner, nil
	}
	dependents, err := q.ListDependents(ctx, tenant, in.ItemID)
	if err == nil && len(dependents) > 0 {
		err = vault.HasDependents("item_id", dependents)
	}
	return owner, err
}

// lockItem locks the profile of an item, and with dependents those of what was derived from it, in the order of ids.
func lockItem(ctx context.Context, q *dbgen.Queries, tenant, item uuid.UUID, dependents bool) (dbgen.GetItemOwnerRow, error) {
	for {
		owner, err := q.GetItemOwner(ctx, tenant, item)
		if err != nil {
			return owner, db.WrapNotFound(err, "item", item)
		}
		ids := []uuid.UUID{owner.ProfileID}
		if dependents {
			others, err := q.ListDependentProfiles(ctx, tenant, item)
			if err != nil {
				return owner, err
			}
			ids = append(ids, others...)
		}
		profiles, err := q.LockProfilesByID(ctx, tenant, ids)
		if err != nil {
			return owner, err
		}
		now, err := q.GetItemOwner(ctx, tenant, item)
		if err != nil {
			return owner, db.WrapNotFound(err, "item", item)
		}
		if now.ProfileID != owner.ProfileID { // a merge, or its undoing, moved the item while the lock was waited for
			continue
		}
		for _, p := range profiles {
			if p.ID == now.ProfileID && p.DeletedAt != nil {
				return now, vault.Unknown("customer", now.CustomerID)
			}
		}
		return now, nil
	}
}
