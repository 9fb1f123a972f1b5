package upkeep

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Sweeps marks what is stale, across tenants, in batches: each batch is one transaction, so a sweep that dies has done what it
// did, and several may work at once.
type Sweeps struct {
	Once  once.Runner
	Batch int32
	Now   func() time.Time
}

// marked is an item that a sweep marked. The rows of the queries convert to it.
type marked struct{ ID, ProfileID uuid.UUID }

// ExpireValues marks active fields and assets that are past their expires_at. ev is the zero Event when a cron started it.
func (s Sweeps) ExpireValues(ctx context.Context, ev vault.Event) (once.Applied[vault.SweepResult], error) {
	now := s.Now()
	return s.sweep(ctx, ev, func(q *dbgen.Queries) ([]marked, error) {
		fields, err := q.ExpireValues(ctx, &now, s.Batch)
		if err != nil {
			return nil, err
		}
		assets, err := q.ExpireAssets(ctx, &now, s.Batch)
		return concat(fields, assets), err
	})
}

// DetectOrphans marks active fields and assets whose source is gone. A cron, with the zero Event, looks for what was derived from
// the items that went lately; by hand it looks at everything, also for sources that were lost outside the vault.
func (s Sweeps) DetectOrphans(ctx context.Context, ev vault.Event) (once.Applied[vault.SweepResult], error) {
	if ev.OperationID != uuid.Nil {
		return s.sweep(ctx, ev, func(q *dbgen.Queries) ([]marked, error) {
			fields, err := q.OrphanValues(ctx, s.Batch)
			if err != nil {
				return nil, err
			}
			assets, err := q.OrphanAssets(ctx, s.Batch)
			return concat(fields, assets), err
		})
	}
	if err := s.deleteOldCandidates(ctx); err != nil {
		return once.Applied[vault.SweepResult]{}, err
	}
	return s.sweep(ctx, ev, func(q *dbgen.Queries) ([]marked, error) {
		fields, err := q.OrphanCandidateValues(ctx, s.Batch)
		if err != nil {
			return nil, err
		}
		assets, err := q.OrphanCandidateAssets(ctx, s.Batch)
		return concat(fields, assets), err
	})
}

func concat[F, A interface {
	~struct {
		ID        uuid.UUID `json:"id"`
		ProfileID uuid.UUID `json:"profile_id"`
	}
}](fields []F, assets []A) []marked {
	out := make([]marked, 0, len(fields)+len(assets))
	for _, r := range fields {
		out = append(out, marked(r))
	}
	for _, r := range assets {
		out = append(out, marked(r))
	}
	return out
}

// maxWriteDuration is longer than any transaction: a dependent whose write did not see that its source went is there by then.
const maxWriteDuration = 10 * time.Minute

func (s Sweeps) deleteOldCandidates(ctx context.Context) error {
	before := s.Now().Add(-maxWriteDuration)
	for {
		n, err := s.Once.DB.System().ForgetOrphanCandidates(ctx, before, s.Batch)
		if err != nil || n < int64(s.Batch) {
			return err
		}
	}
}

// sweep repeats one batch until nothing is left. The profiles that were touched are bumped, and their caches noted for
// invalidation, in the transaction that marks.
func (s Sweeps) sweep(ctx context.Context, ev vault.Event, mark func(q *dbgen.Queries) ([]marked, error)) (once.Applied[vault.SweepResult], error) {
	var total vault.SweepResult
	for {
		batch := 0
		err := s.Once.DB.InSystemTx(ctx, func(q *dbgen.Queries) error {
			rows, err := mark(q)
			if err != nil || len(rows) == 0 {
				return err
			}
			batch = len(rows)
			profiles := make([]uuid.UUID, len(rows))
			for i, r := range rows {
				profiles[i] = r.ProfileID
			}
			touched, err := q.TouchProfiles(ctx, profiles)
			total.Customers += int(touched.Profiles)
			return err
		})
		if err != nil {
			return once.Applied[vault.SweepResult]{Result: total}, err
		}
		total.Marked += batch
		if batch == 0 {
			break
		}
	}
	if ev.OperationID == uuid.Nil {
		return once.Applied[vault.SweepResult]{Result: total}, nil
	}
	return once.Apply(ctx, s.Once, ev,
		func(t *once.Touched, _ *dbgen.Queries, _ dbgen.Operation, _ vault.Sweep) (vault.SweepResult, error) {
			t.Pending = true // of the batches above
			return total, nil
		})
}
