package customers

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// lockProfile makes the profile where there is none, and locks the one that the customer leads to.
func LockProfile(ctx context.Context, q *dbgen.Queries, tenant, customer uuid.UUID) (dbgen.CustomerProfile, error) {
	if err := q.EnsureProfile(ctx, dbgen.EnsureProfileParams{ID: once.NewID(), TenantID: tenant, CustomerID: customer}); err != nil {
		return dbgen.CustomerProfile{}, err
	}
	for {
		profile, err := q.LockProfile(ctx, tenant, customer)
		switch {
		case err != nil:
			return profile, err
		case profile.MergedIntoID != nil: // merged while the lock was waited for
			continue
		case profile.DeletedAt != nil:
			return profile, vault.Unknown("customer", customer)
		case profile.CustomerID == customer:
			return profile, nil
		}
		led, err := q.ResolveCustomers(ctx, tenant, []uuid.UUID{customer})
		if err != nil || led[0].ProfileID == profile.ID {
			return profile, err
		} // else the merge was undone while the lock was waited for
	}
}

// lockKnownProfile locks the profile of a customer that must be there.
func lockKnownProfile(ctx context.Context, q *dbgen.Queries, tenant, customer uuid.UUID) (dbgen.CustomerProfile, error) {
	known, err := q.ResolveCustomers(ctx, tenant, []uuid.UUID{customer})
	if err != nil {
		return dbgen.CustomerProfile{}, err
	}
	if len(known) == 0 {
		return dbgen.CustomerProfile{}, vault.Unknown("customer", customer)
	}
	return LockProfile(ctx, q, tenant, customer)
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
