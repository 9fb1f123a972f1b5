package customers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Customers creates, links and deletes customers.
type Customers struct {
	Once once.Runner
	Now  func() time.Time
	// PurgeAfter is the time from a deletion to the erasure. 0: a deleted customer is erased only on request.
	PurgeAfter time.Duration
}

// OpenCustomer returns the customer of a channel identity, or creates one. Calls for one identity run one at a time, so
// all of them return the same customer. If the customer of the identity was deleted, OpenCustomer creates a new one.
func (s Customers) OpenCustomer(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.OpenCustomerInput,
	) (vault.CustomerResult, error) {
		profile, created, err := Open(ctx, s.Once, q, op, in)
		if err != nil || !created {
			return vault.CustomerResult{CustomerID: profile.CustomerID, Version: profile.Version}, err
		}
		version, err := t.Profile(ctx, q, ev.TenantID, profile.ID)
		return vault.CustomerResult{CustomerID: profile.CustomerID, Created: true, Version: version}, err
	})
}

// Open finds the profile of a channel identity, or creates it. The profile stays locked.
func Open(
	ctx context.Context, o once.Runner, q *dbgen.Queries, op dbgen.Operation, in vault.OpenCustomerInput,
) (profile dbgen.CustomerProfile, created bool, err error) {
	owner, found, err := lockChannel(ctx, q, op.TenantID, in.Channel, in.ExternalID)
	if err != nil {
		return profile, false, err
	}
	if found && !owner.ProfileDeleted {
		profile, err := LockProfile(ctx, o, q, op.TenantID, owner.CustomerID)
		if vault.CodeOf(err) != vault.CodeUnknown { // unknown: deleted while the step waited for the lock
			return profile, false, err
		}
	}
	if !in.AfterErasure {
		if err := db.CheckErasedIdentity(ctx, q, o.Sealer, op.TenantID, in.Channel, in.ExternalID); err != nil {
			return profile, false, err
		}
	}
	if profile, err = LockProfile(ctx, o, q, op.TenantID, once.NewID()); err != nil {
		return profile, false, err
	}
	return profile, true, assignChannel(ctx, q, op, profile.ID, owner, found, in.Channel, in.ExternalID, in.Verified)
}

// OpenCustomers returns the customers of many channel identities, and creates those that do not exist. It locks the
// identities in a fixed order, so that two runs do not deadlock.
func (s Customers) OpenCustomers(ctx context.Context, ev vault.Event) (once.Applied[vault.OpenCustomersResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.OpenCustomersInput,
	) (vault.OpenCustomersResult, error) {
		out := vault.OpenCustomersResult{CustomerIDs: make([]uuid.UUID, len(in.Identities))}
		order := make([]int, len(in.Identities))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			x, y := in.Identities[a], in.Identities[b]
			return cmp.Or(cmp.Compare(x.Channel, y.Channel), cmp.Compare(x.ExternalID, y.ExternalID))
		})
		var created []uuid.UUID
		for _, i := range order {
			profile, isNew, err := Open(ctx, s.Once, q, op, in.Identities[i])
			if err != nil {
				return out, err
			}
			if out.CustomerIDs[i] = profile.CustomerID; isNew {
				created = append(created, profile.ID)
			}
		}
		out.Created = len(created)
		if len(created) == 0 {
			return out, nil
		}
		return out, t.Profiles(ctx, q, created)
	})
}

// LinkChannel links an identity to a customer. It rejects an identity of another customer: merge the two customers
// instead.
func (s Customers) LinkChannel(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.LinkChannelInput,
	) (vault.CustomerResult, error) {
		if _, _, err := lockChannel(ctx, q, ev.TenantID, in.Channel, in.ExternalID); err != nil {
			return vault.CustomerResult{}, err
		}
		profile, err := LockProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		// Read the owner again: a merge may have changed it while the step waited for the profile.
		owner, found, err := lockChannel(ctx, q, ev.TenantID, in.Channel, in.ExternalID)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		if found && !owner.ProfileDeleted && owner.ProfileID != profile.ID {
			return vault.CustomerResult{}, vault.Conflict(
				"external_id",
				"external_id: this identity on channel %q belongs to customer %s; merge the two customers if they are one",
				in.Channel, owner.CustomerID,
			)
		}
		if !found && !in.AfterErasure {
			if err := db.CheckErasedIdentity(ctx, q, s.Once.Sealer, ev.TenantID, in.Channel, in.ExternalID); err != nil {
				return vault.CustomerResult{}, err
			}
		}
		if err := assignChannel(ctx, q, op, profile.ID, owner, found, in.Channel, in.ExternalID, in.Verified); err != nil {
			return vault.CustomerResult{}, err
		}
		version, err := t.Profile(ctx, q, ev.TenantID, profile.ID)
		return vault.CustomerResult{CustomerID: in.CustomerID, Version: version}, err
	})
}

// RecordConsent adds an entry to the customer's consent log. A withdrawal erases the values of fields whose definition
// says so.
func (s Customers) RecordConsent(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.RecordConsentInput,
	) (vault.CustomerResult, error) {
		profile, err := LockProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		err = q.InsertConsent(ctx, dbgen.InsertConsentParams{
			ID: once.NewID(), TenantID: ev.TenantID, ProfileID: profile.ID, Purpose: in.Purpose, Granted: in.Granted,
			Source:      in.Source,
			OperationID: op.ID, AcceptedAt: op.AcceptedAt, ExpiresAt: in.ExpiresAt,
		})
		if err != nil {
			return vault.CustomerResult{}, err
		}
		out := vault.CustomerResult{CustomerID: in.CustomerID}
		// A consent can be older than the definition that asks for it, so it is recorded in any case.
		known, err := db.KnownPurposes(ctx, q, ev.TenantID)
		if err != nil {
			return out, err
		}
		if !slices.Contains(known, in.Purpose) {
			out.Warnings = append(out.Warnings, "purpose: no definition names this purpose, so the record has no effect "+
				"until one does; see the purposes of the definitions")
		}
		if !in.Granted {
			if out.Erased, err = eraseWithdrawn(ctx, t, q, ev.TenantID, profile); err != nil {
				return out, err
			}
		}
		out.Version, err = t.Profile(ctx, q, ev.TenantID, profile.ID)
		return out, err
	})
}

// DeleteCustomer marks a customer, the customers merged into it, and their items as deleted. It is reversible by an
// operator: the rows stay until PurgeAfter. If items of other
// customers depend on them, it rejects the operation; a forced deletion orphans these items. The customer's open
// questions are cancelled.
func (s Customers) DeleteCustomer(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, _ dbgen.Operation, in vault.DeleteCustomerInput,
	) (vault.CustomerResult, error) {
		out := vault.CustomerResult{CustomerID: in.CustomerID}
		profile, err := lockKnownProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return out, err
		}
		out.Version = profile.Version + 2
		if err := q.LockCustomerItems(ctx, ev.TenantID, profile.ID); err != nil { // after the lock all dependents are visible
			return out, err
		}
		if !in.Force {
			dependents, err := q.ListCustomerDependents(ctx, ev.TenantID, profile.ID)
			if err != nil {
				return out, err
			}
			if len(dependents) > 0 {
				return out, vault.HasDependents("customer_id", dependents)
			}
		}
		customers, err := db.MergedCustomers(ctx, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return out, err
		}
		if err := q.CancelCustomerQuestions(ctx, ev.TenantID, customers); err != nil {
			return out, err
		}
		items, err := q.DeleteCustomerItems(ctx, ev.TenantID, profile.ID)
		if err != nil {
			return out, err
		}
		orphaned, err := orphanDependents(ctx, q, ev.TenantID, items...)
		if err != nil {
			return out, err
		}
		if err := q.DeleteCustomer(ctx, ev.TenantID, profile.ID); err != nil {
			return out, err
		}
		if out.PurgeAfter = s.purgeAfter(in); out.PurgeAfter != nil {
			err := q.SetPurgeAfter(ctx, dbgen.SetPurgeAfterParams{
				TenantID: ev.TenantID, ID: profile.ID, PurgeAfter: out.PurgeAfter,
			})
			if err != nil {
				return out, err
			}
		}
		if err := t.Profiles(ctx, q, append(orphaned, profile.ID)); err != nil {
			return out, err
		}
		return out, t.Chains(ctx, q, items)
	})
}

// purgeAfter returns the time from which on a deleted customer is erased. nil: not by itself.
func (s Customers) purgeAfter(in vault.DeleteCustomerInput) *time.Time {
	if in.PurgeAfter != nil || s.PurgeAfter == 0 {
		return in.PurgeAfter
	}
	at := db.UTC(s.Now().Add(s.PurgeAfter))
	return &at
}

// lockChannel serializes the operations on an identity and returns its owner.
func lockChannel(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, channel, external string,
) (dbgen.GetChannelOwnerRow, bool, error) {
	if err := q.LockChannel(ctx, tenant.String()+"\x1f"+channel+"\x1f"+external); err != nil {
		return dbgen.GetChannelOwnerRow{}, false, err
	}
	owner, err := q.GetChannelOwner(ctx, dbgen.GetChannelOwnerParams{
		TenantID: tenant, Channel: channel, ExternalID: external,
	})
	if db.IsNotFound(err) {
		return owner, false, nil
	}
	return owner, err == nil, err
}

// assignChannel assigns an identity to a profile.
func assignChannel(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, profile uuid.UUID, owner dbgen.GetChannelOwnerRow,
	found bool, channel, external string, verified bool,
) error {
	if found {
		return q.UpdateChannel(ctx, dbgen.UpdateChannelParams{
			TenantID: op.TenantID, ID: owner.ID, ProfileID: profile, Verified: verified, OperationID: op.ID,
		})
	}
	return q.InsertChannel(ctx, dbgen.InsertChannelParams{
		ID: once.NewID(), TenantID: op.TenantID, ProfileID: profile, Channel: channel, ExternalID: external,
		Verified: verified, OperationID: op.ID,
	})
}
