package customers

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// LockProfile creates the profile of a customer if it does not exist, and locks it. For a merged customer it locks the
// profile of the merge's target. It rejects a deleted customer, and one that was erased.
func LockProfile(
	ctx context.Context, o once.Runner, q *dbgen.Queries, tenant, customer uuid.UUID,
) (dbgen.CustomerProfile, error) {
	created, err := q.EnsureProfile(ctx, dbgen.EnsureProfileParams{
		ID: once.NewID(), TenantID: tenant, CustomerID: customer,
	})
	if err != nil {
		return dbgen.CustomerProfile{}, err
	}
	if created > 0 { // the check comes after the insert (db.FindErased)
		if err := db.CheckErased(ctx, q, o.Sealer, tenant, customer); err != nil {
			return dbgen.CustomerProfile{}, err
		}
	}
	for {
		profile, err := q.LockProfile(ctx, tenant, customer)
		switch {
		case err != nil:
			return profile, err
		case profile.MergedIntoID != nil: // merged while this transaction waited for the lock
			continue
		case profile.DeletedAt != nil:
			if err := db.CheckErased(ctx, q, o.Sealer, tenant, customer); err != nil {
				return profile, err
			}
			return profile, vault.Unknown("customer", customer)
		case profile.CustomerID == customer:
			return profile, nil
		}
		led, err := q.ResolveCustomers(ctx, tenant, []uuid.UUID{customer})
		if err != nil || led[0].ProfileID == profile.ID {
			return profile, err
		} // otherwise the merge was undone while this transaction waited for the lock
	}
}

// lockKnownProfile locks the profile of an existing customer.
func lockKnownProfile(
	ctx context.Context, o once.Runner, q *dbgen.Queries, tenant, customer uuid.UUID,
) (dbgen.CustomerProfile, error) {
	known, err := q.ResolveCustomers(ctx, tenant, []uuid.UUID{customer})
	if err != nil {
		return dbgen.CustomerProfile{}, err
	}
	if len(known) == 0 {
		if err := db.CheckErased(ctx, q, o.Sealer, tenant, customer); err != nil {
			return dbgen.CustomerProfile{}, err
		}
		return dbgen.CustomerProfile{}, vault.Unknown("customer", customer)
	}
	return LockProfile(ctx, o, q, tenant, customer)
}

// lockItem locks the profile of an item and, with dependents, the profiles of its dependents, in the order of ids.
func lockItem(
	ctx context.Context, q *dbgen.Queries, tenant, item uuid.UUID, dependents bool,
) (dbgen.GetItemOwnerRow, error) {
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
		if now.ProfileID != owner.ProfileID { // a merge or unmerge moved the item meanwhile
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
