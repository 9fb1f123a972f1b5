package upkeep

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Caches invalidates cache entries, and acknowledges operations after that.
type Caches struct {
	DB       *db.DB
	Cache    *cache.Cache
	Enqueuer once.Enqueuer
	Log      *slog.Logger
}

// Invalidated says how many cache entries were invalidated.
type Invalidated struct {
	Entries int `json:"entries"`
	// Pending invalidations wait for Redis. The relay, or the first reader after Redis is back, flushes them.
	Pending int `json:"pending"`
}

// The number of pending invalidations of one batch, and how many of them run at the same time.
const (
	flushBatch       = 500
	flushConcurrency = 8
)

// InvalidateAndAcknowledge is the last step of every workflow that changes something: it invalidates the cache entries
// that the operation touched, acknowledges the operation, and wakes the gap fills that its change concerns. After a
// cron, which has no operation, it only invalidates.
//
// When Redis does not answer, the invalidation is stored as pending and the acknowledgement waits until every reader's
// lease on the cache has ended. So no reader sees the old value after the acknowledgement (rule 11).
func (s Caches) InvalidateAndAcknowledge(ctx context.Context, ev vault.Event) (Invalidated, error) {
	if ev.OperationID == uuid.Nil {
		return s.flushOrWait(ctx)
	}
	rows, err := s.DB.Tenant(ev.TenantID).ListTouchedEntries(ctx, ev.TenantID, ev.OperationID)
	if err != nil || len(rows) == 0 {
		return Invalidated{}, db.WrapNotFound(err, "operation", ev.OperationID)
	}
	var out Invalidated
	for _, e := range rows {
		if e.CustomerID == uuid.Nil { // the operation touched no single profile
			continue
		}
		if err := s.Cache.Invalidate(ctx, cache.ProfileKey(ev.TenantID, e.CustomerID), e.Version); err == nil {
			out.Entries++
			continue
		}
		out.Pending++
		err := s.DB.Tenant(ev.TenantID).AddPendingInvalidation(ctx, dbgen.AddPendingInvalidationParams{
			TenantID: ev.TenantID, Kind: string(cache.KindProfile), Subject: e.CustomerID, Version: e.Version,
		})
		if err != nil {
			return out, err
		}
	}
	if out.Pending > 0 {
		if err := s.awaitLeases(ctx); err != nil {
			return out, err
		}
	}
	if rows[0].TouchedPending {
		flushed, err := s.flushOrWait(ctx)
		out.Entries += flushed.Entries
		if err != nil {
			return out, err
		}
	}
	err = s.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error { return once.Succeed(ctx, q, ev) })
	if err == nil && rows[0].HasWakeups {
		// The relay wakes the fills a second later if this fails.
		if _, wakeErr := s.Enqueuer.Wake(ctx, ev.TenantID); wakeErr != nil {
			s.Log.WarnContext(ctx, "fills_not_woken", "error_code", vault.CodeOf(wakeErr))
		}
	}
	return out, err
}

// flushOrWait flushes the pending invalidations. When Redis does not take them they stay pending, and flushOrWait waits
// until every reader's lease on the cache has ended.
func (s Caches) flushOrWait(ctx context.Context) (Invalidated, error) {
	out, err := s.FlushPending(ctx)
	if err != nil {
		s.Log.WarnContext(ctx, "cache_invalidations_pending", "error_code", vault.CodeOf(err))
		err = s.awaitLeases(ctx)
	}
	return out, err
}

// awaitLeases waits until every reader's lease on the cache has ended. While an older pending invalidation exists no
// reader gets a new lease, so a long outage of Redis delays only its first writes.
func (s Caches) awaitLeases(ctx context.Context) error {
	oldest, err := s.DB.System().OldestPendingInvalidation(ctx)
	if err == nil && oldest > leasesEnded {
		return nil
	}
	return s.Cache.AwaitLeaseExpiry(ctx)
}

// leasesEnded is the age of a pending invalidation from which every lease (cache.DefaultLeaseDuration) has ended.
const leasesEnded = 3 * cache.DefaultLeaseDuration

// FlushPending invalidates the pending entries until none is left or Redis fails. Its last query finds none:
// awaitLeases and the leases of readers rely on that.
func (s Caches) FlushPending(ctx context.Context) (Invalidated, error) {
	var out Invalidated
	for {
		rows, err := s.DB.System().ListPendingInvalidations(ctx, flushBatch)
		if err != nil {
			return out, err
		}
		if len(rows) == 0 {
			return out, nil
		}
		var done dbgen.DeletePendingInvalidationsParams
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(flushConcurrency)
		for _, r := range rows {
			g.Go(func() error { return s.invalidate(gctx, r) })
			done.Tenants, done.Kinds = append(done.Tenants, r.TenantID), append(done.Kinds, r.Kind)
			done.Subjects, done.Versions = append(done.Subjects, r.Subject), append(done.Versions, r.Version)
		}
		if err := g.Wait(); err != nil {
			return out, err // all of them stay pending: to invalidate an entry twice is harmless
		}
		if err := s.DB.System().DeletePendingInvalidations(ctx, done); err != nil {
			return out, err
		}
		out.Entries += len(rows)
	}
}

// invalidate invalidates one pending entry. Only profiles have versions; entries of other kinds are dropped.
func (s Caches) invalidate(ctx context.Context, r dbgen.ListPendingInvalidationsRow) error {
	switch cache.Kind(r.Kind) {
	case cache.KindProfile:
		return s.Cache.Invalidate(ctx, cache.ProfileKey(r.TenantID, r.Subject), r.Version)
	case cache.KindDefinitions:
		return s.Cache.Drop(ctx, cache.DefinitionsKey(r.TenantID, r.Subject))
	case cache.KindRequirements:
		return s.Cache.Drop(ctx, cache.RequirementsKey(r.TenantID, r.Subject))
	case cache.KindChain:
		return s.Cache.Drop(ctx, cache.ChainKey(r.TenantID, r.Subject))
	default:
		return fmt.Errorf("unknown kind %q of a cache entry", r.Kind)
	}
}
