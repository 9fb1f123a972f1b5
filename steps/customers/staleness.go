package customers

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
)

// RefreshStale marks what was derived from the changed items, of any customer of the tenant, as stale or as no longer
// stale (design, section 3, rule 5). The items may be new, or have a new status. It touches the profiles of the marked
// items, except those that the caller touches anyway, and the chains.
func RefreshStale(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, tenant uuid.UUID, changed []uuid.UUID, except ...uuid.UUID,
) error {
	if len(changed) == 0 {
		return nil
	}
	tenants := slices.Repeat([]uuid.UUID{tenant}, len(changed))
	var profiles, items []uuid.UUID
	// Another transaction may have derived from an item while this one waited for its lock: the next call finds it.
	for range maxStaleRounds {
		marked, err := q.RefreshStale(ctx, tenants, changed)
		if err != nil {
			return err
		}
		if len(marked) == 0 {
			break
		}
		for _, m := range marked {
			items = append(items, m.ID)
			if !slices.Contains(except, m.ProfileID) && !slices.Contains(profiles, m.ProfileID) {
				profiles = append(profiles, m.ProfileID)
			}
		}
	}
	if len(items) == 0 {
		return nil
	}
	if len(profiles) > 0 {
		if err := t.Profiles(ctx, q, profiles); err != nil {
			return err
		}
	}
	return t.Chains(ctx, q, items)
}

// maxStaleRounds bounds the repetition. A round finds only what others derived during the one before it.
const maxStaleRounds = 10

// changedBy returns the versions whose status a placement changes.
func changedBy(place rules.Placement) []uuid.UUID {
	out := slices.Clone(place.Replaces)
	if place.Supersedes != nil {
		out = append(out, *place.Supersedes)
	}
	for _, o := range place.Overtakes {
		out = append(out, o.ID)
	}
	return out
}
