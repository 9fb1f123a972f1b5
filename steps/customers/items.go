package customers

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Items deletes and restores values and assets.
type Items struct {
	Once once.Runner
	Now  func() time.Time
}

// CheckDependents rejects the deletion of an item with dependents, unless it is forced.
func (s Items) CheckDependents(ctx context.Context, ev vault.Event) (once.Validated, error) {
	return once.Validated{}, once.Prepare(ctx, s.Once, ev, func(
		q *dbgen.Queries, _ dbgen.Operation, in vault.DeleteItemInput,
	) error {
		_, err := checkDeletable(ctx, q, ev.TenantID, in)
		return err
	})
}

// DeleteItem deletes an item. If the deletion is forced, it orphans the dependents in the same transaction. Dependents
// may belong to other customers of the tenant; their cache entries are invalidated as well.
func (s Items) DeleteItem(ctx context.Context, ev vault.Event) (once.Applied[vault.DeleteResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, _ dbgen.Operation, in vault.DeleteItemInput,
	) (vault.DeleteResult, error) {
		return s.remove(ctx, t, q, ev.TenantID, in)
	})
}

// remove is DeleteItem in the caller's transaction.
func (s Items) remove(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, tenant uuid.UUID, in vault.DeleteItemInput,
) (vault.DeleteResult, error) {
	out := vault.DeleteResult{ItemID: in.ItemID}
	if _, err := lockItem(ctx, q, tenant, in.ItemID, in.Force); err != nil {
		return out, err
	}
	if err := q.LockItem(ctx, tenant, in.ItemID); err != nil { // after the lock all dependents are visible
		return out, err
	}
	owner, err := checkDeletable(ctx, q, tenant, in)
	if err != nil {
		return out, err
	}
	if vault.SourceType(owner.Kind) == vault.SourceProfileField {
		err = s.deleteValue(ctx, q, tenant, in, &out)
	} else {
		_, err = q.DeleteAsset(ctx, tenant, in.ItemID)
	}
	if err != nil {
		return out, err
	}
	orphaned, err := orphanDependents(ctx, q, tenant, in.ItemID)
	if err != nil {
		return out, err
	}
	out.Orphaned = len(orphaned)
	if out.Restored {
		if err := RefreshStale(ctx, t, q, tenant, []uuid.UUID{*out.PreviousID}, owner.ProfileID); err != nil {
			return out, err
		}
	}
	if err := t.Profiles(ctx, q, append(orphaned, owner.ProfileID)); err != nil {
		return out, err
	}
	return out, t.Chains(ctx, q, []uuid.UUID{in.ItemID})
}

// deleteValue deletes a version. If it was active, the version before it is restored or offered.
func (s Items) deleteValue(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.DeleteItemInput, out *vault.DeleteResult,
) error {
	row, err := q.GetAnyValue(ctx, tenant, in.ItemID)
	if err != nil {
		return err
	}
	if _, err := q.DeleteValue(ctx, tenant, in.ItemID); err != nil {
		return err
	}
	if in.Reason != "" {
		err := q.NoteDeletion(ctx, dbgen.NoteDeletionParams{Reason: in.Reason, TenantID: tenant, ID: in.ItemID})
		if err != nil {
			return err
		}
	}
	if row.Status != string(vault.StatusActive) {
		return nil
	}
	out.PreviousID, err = s.restorePrevious(ctx, q, row, in.RestorePrevious)
	out.Restored = in.RestorePrevious && out.PreviousID != nil
	return err
}

// checkDeletable returns the owner of an item, or the reason why the item cannot be deleted.
func checkDeletable(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.DeleteItemInput,
) (dbgen.GetItemOwnerRow, error) {
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
