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
	Now      func() time.Time
}

// Relayed counts the work of the relay.
type Relayed struct {
	Pushed      int `json:"pushed"`
	Invalidated int `json:"invalidated"` // pending cache invalidations that were flushed
}

// Purged counts the removed operations.
type Purged struct {
	Removed int64 `json:"removed"`
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

// PurgeOperations removes finished operations whose retention period is over, and what ended gap fills and holds left.
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
		if err != nil || n < purgeBatch {
			return out, err
		}
	}
}

func purgeParams(succeededBefore, failedBefore time.Time) dbgen.PurgeOperationsParams {
	return dbgen.PurgeOperationsParams{SucceededBefore: &succeededBefore, FailedBefore: &failedBefore, MaxRows: purgeBatch}
}
