package erasure

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Sweeps remove what is past its retention, across tenants. A cron starts them, with the zero Event.
type Sweeps struct {
	Once     once.Runner
	Enqueuer once.Enqueuer
	Batch    int32
	Now      func() time.Time
	Log      *slog.Logger
}

// Queued counts the erasures that a sweep started.
type Queued struct {
	once.NoEffect

	Queued int `json:"queued"`
}

// QueueDueErasures accepts an erase-customer operation for each deleted customer whose purge_after has come. Each is
// taken in a transaction of its own, so several sweeps can run at the same time.
func (s Sweeps) QueueDueErasures(ctx context.Context, _ vault.Event) (Queued, error) {
	var out Queued
	for {
		now := s.Now()
		due, err := s.Once.DB.System().ListPurgeableCustomers(ctx, &now, s.Batch)
		if err != nil || len(due) == 0 {
			return out, err
		}
		var accepted []dbgen.Operation
		for _, d := range due {
			op, err := s.queue(ctx, d)
			if err != nil {
				return out, err
			}
			if op != nil {
				out.Queued++
				accepted = append(accepted, *op)
			}
		}
		if err := s.Enqueuer.Enqueue(ctx, accepted...); err != nil { // the relay pushes them
			s.Log.WarnContext(ctx, "erasures_not_pushed", "error_code", vault.CodeOf(err))
		}
	}
}

// queue accepts the erasure of one customer. It returns nil if another sweep took the customer.
func (s Sweeps) queue(ctx context.Context, d dbgen.ListPurgeableCustomersRow) (op *dbgen.Operation, err error) {
	err = s.Once.DB.InTx(ctx, d.TenantID, func(q *dbgen.Queries) error {
		op = nil
		taken, err := q.TakePurgeableCustomer(ctx, dbgen.TakePurgeableCustomerParams{
			TenantID: d.TenantID, ID: d.ID, PurgeAfter: d.PurgeAfter,
		})
		if err != nil || taken == 0 {
			return err
		}
		in := vault.EraseCustomerInput{CustomerID: d.CustomerID}
		row, err := db.AcceptOperation(ctx, q, s.Once.Sealer, d.TenantID, db.NewOperation{
			Workflow: vault.EraseCustomer.Name,
			Event:    vault.EraseCustomer.Event,
			Subject:  vault.EraseCustomer.Subject(in),
			Key:      fmt.Sprintf("purge:%s:%d", d.ID, d.PurgeAfter.UnixMicro()),
			Payload:  in,
			Pushing:  true,
		})
		op = &row
		return err
	})
	return op, err
}

// RemoveExpired removes versions whose expiry is longer ago than remove_after_days of their definition. What was
// derived from them stays, marked as stale.
func (s Sweeps) RemoveExpired(ctx context.Context, _ vault.Event) (once.Applied[vault.SweepResult], error) {
	var out once.Applied[vault.SweepResult]
	now := s.Now()
	for {
		batch := 0
		err := s.Once.DB.InSystemTx(ctx, func(q *dbgen.Queries) error {
			rows, err := q.RemoveExpiredValues(ctx, now, s.Batch)
			batch = len(rows)
			if err != nil || batch == 0 {
				return err
			}
			removed := map[uuid.UUID][]uuid.UUID{} // by tenant
			profiles := make([]uuid.UUID, 0, batch)
			items := make([]uuid.UUID, 0, batch)
			for _, r := range rows {
				removed[r.TenantID] = append(removed[r.TenantID], r.ID)
				profiles, items = append(profiles, r.ProfileID), append(items, r.ID)
			}
			for tenant, ids := range removed {
				cut, err := q.CutDerivedItems(ctx, tenant, ids)
				if err != nil {
					return err
				}
				for _, c := range cut {
					profiles, items = append(profiles, c.ProfileID), append(items, c.ID)
				}
			}
			touched, err := q.BumpProfiles(ctx, profiles)
			if err != nil {
				return err
			}
			out.Result.Customers += int(touched.Profiles)
			return q.AddPendingChainInvalidations(ctx, items)
		})
		if err != nil || batch == 0 {
			return out, err
		}
		out.Result.Marked += batch
	}
}
