package once

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db/dbgen"
)

// Touched collects the changes of an effect to data that readers cache. An effect reports each change through it, in
// its own transaction; Caches.InvalidateAndAcknowledge invalidates the reported entries before it acknowledges the
// operation. So a reported change is always invalidated, and the version of a profile is never raised without a report.
type Touched struct {
	// single lists profiles that the last step invalidates directly, without a pending row: that keeps the hot path fast.
	single []uuid.UUID
	// pending reports whether the transaction added pending invalidations.
	Pending bool
}

// Profile raises the version of one profile and returns the new version.
func (t *Touched) Profile(ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID) (int64, error) {
	t.single = append(t.single, id)
	raised, err := q.RaiseProfiles(ctx, tenant, []uuid.UUID{id})
	if err != nil || len(raised) == 0 {
		return 0, err
	}
	return raised[0].Version, nil
}

// Created raises the versions of profiles that the transaction created. They need no invalidation: no reader has seen
// them, so no cache has an entry of them.
func (t *Touched) Created(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, ids []uuid.UUID) error {
	_, err := q.RaiseProfiles(ctx, tenant, ids)
	return err
}

// Profiles raises the versions of several profiles and adds a pending invalidation for each.
func (t *Touched) Profiles(ctx context.Context, q *dbgen.Queries, ids []uuid.UUID) error {
	t.Pending = true
	_, err := q.BumpProfiles(ctx, ids)
	return err
}

// Definitions reports a change of an agent's definitions.
func (t *Touched) Definitions(ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID) error {
	return t.add(ctx, q, tenant, cache.KindDefinitions, agent)
}

// Requirements reports a change of a scenario's requirements.
func (t *Touched) Requirements(ctx context.Context, q *dbgen.Queries, tenant, scenario uuid.UUID) error {
	return t.add(ctx, q, tenant, cache.KindRequirements, scenario)
}

// Chains reports a change of items. It affects their chains and the chains of all items derived from them.
func (t *Touched) Chains(ctx context.Context, q *dbgen.Queries, items []uuid.UUID) error {
	t.Pending = true
	return q.AddPendingChainInvalidations(ctx, items)
}

func (t *Touched) add(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, kind cache.Kind, subject uuid.UUID,
) error {
	t.Pending = true
	return q.AddPendingInvalidation(ctx, dbgen.AddPendingInvalidationParams{
		TenantID: tenant, Kind: string(kind), Subject: subject,
	})
}
