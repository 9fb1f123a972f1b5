package once

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db/dbgen"
)

// Touched collects what an effect changes of the things that readers cache. An effect reports each change through it, in
// its own transaction; Caches.InvalidateAndAcknowledge invalidates what was reported before it acknowledges the operation.
// So a change cannot be reported without being invalidated, nor the version of a profile be raised without being reported.
type Touched struct {
	// single are profiles whose entries the last step invalidates directly. That costs the hot path no row.
	single []uuid.UUID
	// pending reports whether the transaction added pending invalidations.
	Pending bool
}

// profile raises the version of one profile, and returns the new version.
func (t *Touched) Profile(ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID) (int64, error) {
	t.single = append(t.single, id)
	return q.BumpProfile(ctx, tenant, id)
}

// profiles raises the versions of many profiles, and adds a pending invalidation for each.
func (t *Touched) Profiles(ctx context.Context, q *dbgen.Queries, ids []uuid.UUID) error {
	t.Pending = true
	_, err := q.BumpProfiles(ctx, ids)
	return err
}

// definitions reports a change of an agent's definitions.
func (t *Touched) Definitions(ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID) error {
	return t.add(ctx, q, tenant, cache.KindDefinitions, agent)
}

// requirements reports a change of a scenario's requirements.
func (t *Touched) Requirements(ctx context.Context, q *dbgen.Queries, tenant, scenario uuid.UUID) error {
	return t.add(ctx, q, tenant, cache.KindRequirements, scenario)
}

// chains reports a change of items, which shows in their own chains and in those of all items derived from them.
func (t *Touched) Chains(ctx context.Context, q *dbgen.Queries, items []uuid.UUID) error {
	t.Pending = true
	return q.AddPendingChainInvalidations(ctx, items)
}

func (t *Touched) add(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, kind cache.Kind, subject uuid.UUID) error {
	t.Pending = true
	return q.AddPendingInvalidation(ctx, dbgen.AddPendingInvalidationParams{
		TenantID: tenant, Kind: string(kind), Subject: subject,
	})
}
