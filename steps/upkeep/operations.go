package upkeep

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Operations relays and purges accepted operations.
type Operations struct {
	DB       *db.DB
	Enqueuer once.Enqueuer
	Caches   Caches
	Settings once.Settings
	Engine   EngineCleaner // nil: the engine's database is left alone
	Now      func() time.Time
}

// EngineCleaner removes what the workflow engine leaves in its database. Package enginedb implements it.
type EngineCleaner interface {
	// Clean removes the rows of runs that the engine has dropped, and returns their number.
	Clean(ctx context.Context) (int64, error)
}

// Relayed counts the work of the relay.
type Relayed struct {
	Pushed      int `json:"pushed"`
	Invalidated int `json:"invalidated"` // pending cache invalidations that were flushed
}

// Purged counts the removed rows.
type Purged struct {
	Removed    int64 `json:"removed"`     // operations
	Events     int64 `json:"events"`      // events of the feed
	EngineRows int64 `json:"engine_rows"` // rows of dropped runs in the engine's database
}

// Sizes of one batch of the relay and of the purge.
const (
	relayBatch = 200
	purgeBatch = 1000
)

// RelayOperations pushes operations that were accepted and not enqueued, or enqueued and not finished in due time, and
// the gap fills that have something new to look at.
func (s Operations) RelayOperations(ctx context.Context, _ vault.Event) (Relayed, error) {
	var out Relayed
	for {
		n, err := s.Enqueuer.RelayDue(ctx, relayBatch)
		out.Pushed += n
		if err != nil {
			return out, err
		}
		if n < relayBatch {
			break
		}
	}
	woken, err := s.Enqueuer.Wake(ctx, uuid.Nil)
	if out.Pushed += woken; err != nil {
		return out, err
	}
	flushed, _ := s.Caches.FlushPending(ctx) // the rest stays pending
	out.Invalidated = flushed.Entries
	return out, nil
}

// PurgeOperations removes finished operations and events whose retention period is over, what ended gap fills and holds
// left, and, if there is an Engine, what the engine left.
func (s Operations) PurgeOperations(ctx context.Context, _ vault.Event) (Purged, error) {
	var out Purged
	if err := s.DB.System().PurgeWakeups(ctx); err != nil {
		return out, err
	}
	if err := s.DB.System().PurgeHolds(ctx); err != nil {
		return out, err
	}
	succeededBefore, failedBefore := s.Now().Add(-s.Settings.RetainSucceeded), s.Now().Add(-s.Settings.RetainFailed)
	for {
		n, err := s.DB.System().PurgeOperations(ctx, purgeParams(succeededBefore, failedBefore))
		out.Removed += n
		if err != nil {
			return out, err
		}
		if n < purgeBatch {
			break
		}
	}
	var err error
	if out.Events, err = s.purgeEvents(ctx); err != nil || s.Engine == nil {
		return out, err
	}
	out.EngineRows, err = s.Engine.Clean(ctx)
	return out, err
}

// purgeEvents removes the finished deliveries, and the events, of each tenant that are past their retention. A batch is
// one transaction with the positions of the feed, so that a reader sees either the events or that its cursor has
// expired.
func (s Operations) purgeEvents(ctx context.Context) (removed int64, err error) {
	before := s.Now().Add(-s.Settings.RetainEvents)
	for {
		n, err := s.DB.System().PurgeDeliveries(ctx, before, purgeBatch)
		if err != nil {
			return 0, err
		}
		if n < purgeBatch {
			break
		}
	}
	var after uuid.UUID
	for {
		tenants, err := s.DB.System().ListTenantsWithOldEvents(ctx, dbgen.ListTenantsWithOldEventsParams{
			AfterID: after, Before: before, MaxRows: purgeBatch,
		})
		if err != nil || len(tenants) == 0 {
			return removed, err
		}
		for _, tenant := range tenants {
			n, err := s.purgeEventsOf(ctx, tenant, before)
			if removed += n; err != nil {
				return removed, err
			}
		}
		after = tenants[len(tenants)-1]
	}
}

func (s Operations) purgeEventsOf(ctx context.Context, tenant uuid.UUID, before time.Time) (removed int64, err error) {
	for {
		var n int64
		err := s.DB.InTx(ctx, tenant, func(q *dbgen.Queries) error {
			if _, err := db.LockEventHead(ctx, q, tenant); err != nil {
				return err
			}
			var err error
			n, err = q.PurgeEvents(ctx, dbgen.PurgeEventsParams{TenantID: tenant, Before: before, MaxRows: purgeBatch})
			return err
		})
		if removed += n; err != nil || n < purgeBatch {
			return removed, err
		}
	}
}

func purgeParams(succeededBefore, failedBefore time.Time) dbgen.PurgeOperationsParams {
	return dbgen.PurgeOperationsParams{SucceededBefore: &succeededBefore, FailedBefore: &failedBefore, MaxRows: purgeBatch}
}
