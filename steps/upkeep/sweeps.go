package upkeep

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Sweeps marks stale items of all tenants, or of one, in batches. Each batch is one transaction, so an interrupted
// sweep keeps its finished batches, and several sweeps can run at the same time.
type Sweeps struct {
	Once  once.Runner
	Batch int32
	Now   func() time.Time
}

// marked is an item that a sweep marked. Query rows convert to it.
type marked struct{ ID, ProfileID uuid.UUID }

// ExpireValues marks active values and assets past their expires_at. ev is the zero Event when a cron started the
// sweep.
func (s Sweeps) ExpireValues(ctx context.Context, ev vault.Event) (once.Applied[vault.SweepResult], error) {
	now := s.Now()
	return s.sweep(ctx, ev, vault.ExpireValues.Name, func(q *dbgen.Queries) ([]marked, error) {
		fields, err := q.ExpireValues(ctx, &now, s.Batch)
		if err != nil {
			return nil, err
		}
		assets, err := q.ExpireAssets(ctx, &now, s.Batch)
		if err != nil {
			return nil, err
		}
		var tenants, expired []uuid.UUID
		out := make([]marked, 0, len(fields)+len(assets))
		for _, r := range fields {
			out = append(out, marked{r.ID, r.ProfileID})
			tenants, expired = append(tenants, r.TenantID), append(expired, r.ID)
		}
		for _, r := range assets {
			out = append(out, marked{r.ID, r.ProfileID})
			tenants, expired = append(tenants, r.TenantID), append(expired, r.ID)
		}
		return out, markStale(ctx, q, tenants, expired)
	})
}

// markStale marks what was derived from expired items, and touches its profiles and chains.
func markStale(ctx context.Context, q *dbgen.Queries, tenants, expired []uuid.UUID) error {
	if len(expired) == 0 {
		return nil
	}
	rows, err := q.RefreshStale(ctx, tenants, expired)
	if err != nil || len(rows) == 0 {
		return err
	}
	items, profiles := make([]uuid.UUID, len(rows)), make([]uuid.UUID, len(rows))
	for i, r := range rows {
		items[i], profiles[i] = r.ID, r.ProfileID
	}
	if _, err := q.BumpProfiles(ctx, profiles); err != nil {
		return err
	}
	return q.AddPendingChainInvalidations(ctx, items)
}

// DetectOrphans marks active values and assets without a source. A cron (the zero Event) checks only the dependents of
// recently deleted items; an operation checks every item, so it also finds sources lost outside the vault.
func (s Sweeps) DetectOrphans(ctx context.Context, ev vault.Event) (once.Applied[vault.SweepResult], error) {
	if ev.OperationID != uuid.Nil {
		return s.sweep(ctx, ev, vault.DetectOrphans.Name, func(q *dbgen.Queries) ([]marked, error) {
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
	return s.sweep(ctx, ev, vault.DetectOrphans.Name, func(q *dbgen.Queries) ([]marked, error) {
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

// maxWriteDuration is longer than any transaction. A dependent that was written concurrently with the deletion of its
// source is visible after it.
const maxWriteDuration = 10 * time.Minute

func (s Sweeps) deleteOldCandidates(ctx context.Context) error {
	before := s.Now().Add(-maxWriteDuration)
	for {
		n, err := s.Once.DB.System().DeleteOrphanCandidates(ctx, before, s.Batch)
		if err != nil || n < int64(s.Batch) {
			return err
		}
	}
}

// sweep repeats one batch of the workflow name until no item is left. The transaction that marks items also raises the
// versions of their profiles and adds the pending invalidations.
func (s Sweeps) sweep(
	ctx context.Context, ev vault.Event, name string, mark func(q *dbgen.Queries) ([]marked, error),
) (once.Applied[vault.SweepResult], error) {
	var total vault.SweepResult
	inTx, err := s.transactions(ctx, ev)
	if err != nil {
		return once.Applied[vault.SweepResult]{}, err
	}
	for {
		batch := 0
		err := inTx(ctx, func(q *dbgen.Queries) error {
			rows, err := mark(q)
			if err != nil || len(rows) == 0 {
				return err
			}
			batch = len(rows)
			profiles := make([]uuid.UUID, len(rows))
			for i, r := range rows {
				profiles[i] = r.ProfileID
			}
			touched, err := q.BumpProfiles(ctx, profiles)
			total.Customers += int(touched.Profiles)
			if err != nil {
				return err
			}
			return q.AuditProfiles(ctx, dbgen.AuditProfilesParams{
				Actor: string(vault.WorkflowActor(name, ev.OperationID)), Operation: name, Profiles: profiles,
			})
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
			t.Pending = true // the batches above added them
			return total, nil
		})
}

// transactions returns how the batches of a sweep run. Those of an operation see its own tenant alone, by row-level
// security, unless the operator asked for all tenants. Those of a cron see all.
func (s Sweeps) transactions(
	ctx context.Context, ev vault.Event,
) (func(ctx context.Context, fn func(q *dbgen.Queries) error) error, error) {
	if ev.OperationID == uuid.Nil {
		return s.Once.DB.InSystemTx, nil
	}
	op, err := s.Once.Get(ctx, s.Once.DB.Tenant(ev.TenantID), ev)
	if err != nil {
		return nil, err
	}
	in, err := once.OpenPayload[vault.Sweep](ctx, s.Once, op)
	if err != nil || in.AllTenants {
		return s.Once.DB.InSystemTx, err
	}
	return func(ctx context.Context, fn func(q *dbgen.Queries) error) error {
		return s.Once.DB.InTx(ctx, ev.TenantID, fn)
	}, nil
}
