package upkeep

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Caches invalidates cache entries, and acknowledges operations after that.
type Caches struct {
	Once     once.Runner
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
// that the operations of a batch touched, acknowledges them, and wakes the gap fills that their changes concern. After
// a cron, which has no operation, it only invalidates. If the batch has several operations and some of them failed, it
// returns their errors in the end (once.Runner.Rejections).
//
// When Redis does not answer, the invalidation is stored as pending and the acknowledgement waits until every reader's
// lease on the cache has ended. So no reader sees the old value after the acknowledgement (rule 11).
func (s Caches) InvalidateAndAcknowledge(ctx context.Context, b vault.Batch) (Invalidated, error) {
	if b.IsCron() {
		return s.flushOrWait(ctx)
	}
	if err := b.Check(); err != nil {
		return Invalidated{}, err
	}
	q := s.Once.DB.Tenant(b.TenantID)
	rows, err := q.ListTouchedEntries(ctx, b.TenantID, b.IDs())
	if err != nil {
		return Invalidated{}, err
	}
	if len(rows) == 0 {
		return Invalidated{}, vault.Unknown("operation", b.Operations[0].ID)
	}
	out, err := s.invalidateProfiles(ctx, b.TenantID, rows)
	if err != nil {
		return out, err
	}
	if rows[0].TouchedPending {
		flushed, err := s.flushOrWait(ctx)
		out.Entries += flushed.Entries
		if err != nil {
			return out, err
		}
	}
	// Not one that was applied since, and whose entries were not listed.
	if err := q.AcknowledgeOperations(ctx, b.TenantID, rows[0].Applied); err != nil {
		return out, err
	}
	if rows[0].HasWakeups {
		// The relay wakes the fills a second later if this fails.
		if _, wakeErr := s.Enqueuer.Wake(ctx, b.TenantID); wakeErr != nil {
			s.Log.WarnContext(ctx, "fills_not_woken", "error_code", vault.CodeOf(wakeErr))
		}
	}
	if rows[0].Failed > 0 {
		return out, s.Once.Rejections(ctx, b)
	}
	return out, nil
}

// invalidateProfiles invalidates the entries of profiles. Those that Redis does not take become pending.
func (s Caches) invalidateProfiles(
	ctx context.Context, tenant uuid.UUID, rows []dbgen.ListTouchedEntriesRow,
) (Invalidated, error) {
	var (
		pending atomic.Int64
		g       errgroup.Group
	)
	g.SetLimit(flushConcurrency)
	entries := 0
	for _, e := range rows {
		if e.CustomerID == uuid.Nil { // no single profile was touched
			continue
		}
		entries++
		g.Go(func() error {
			if err := s.Cache.Invalidate(ctx, cache.ProfileKey(tenant, e.CustomerID), e.Version); err == nil {
				return nil
			}
			pending.Add(1)
			return s.Once.DB.Tenant(tenant).AddPendingInvalidation(ctx, dbgen.AddPendingInvalidationParams{
				TenantID: tenant, Kind: string(cache.KindProfile), Subject: e.CustomerID, Version: e.Version,
			})
		})
	}
	err := g.Wait()
	left := int(pending.Load())
	out := Invalidated{Entries: entries - left, Pending: left}
	if err == nil && left > 0 {
		err = s.awaitLeases(ctx)
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
	oldest, err := s.Once.DB.System().OldestPendingInvalidation(ctx)
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
		rows, err := s.Once.DB.System().ListPendingInvalidations(ctx, flushBatch)
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
		if err := s.Once.DB.System().DeletePendingInvalidations(ctx, done); err != nil {
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
