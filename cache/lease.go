package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// lease is the permission of this process to answer reads from Redis.
//
// Another process may have failed to invalidate an entry, and this process cannot know. The other process stores a
// pending invalidation, waits for the duration of a lease, and then acknowledges its change. So a process gets a lease
// only after it has flushed all pending invalidations, and the lease begins before the flush: an invalidation that is
// added during the flush may have been missed by it.
type lease struct {
	duration time.Duration
	flush    func(ctx context.Context) error

	current     atomic.Pointer[grant]
	revocations atomic.Uint64

	mu       sync.Mutex
	closed   bool
	renewing chan struct{} // closed when the renewal in progress ends; nil: no renewal is in progress
	retryAt  time.Time     // no renewal begins before
	failing  bool          // the last renewal failed in flush, and that was logged
}

// grant is one granted lease.
type grant struct {
	at          time.Time
	revocations uint64 // lease.revocations at that time; a higher number means that the grant was revoked
}

// revoke ends the lease at once.
func (l *lease) revoke() { l.revocations.Add(1) }

// held reports whether the lease is valid, and whether it is time to renew it: from half of its duration.
func (l *lease) held() (ok, renew bool) {
	g := l.current.Load()
	if g == nil || g.revocations != l.revocations.Load() {
		return false, true
	}
	// The suspension of a machine is visible only on the wall clock, a change of its clock only on the monotonic one.
	now := time.Now()
	age := max(now.Sub(g.at), now.Round(0).Sub(g.at.Round(0)))
	if now.Round(0).Before(g.at.Round(0)) { // the clock was set back
		return false, true
	}
	return age < l.duration, age > l.duration/2
}

// close ends the lease for good.
func (l *lease) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.revoke()
}

// holdsLease reports whether a read may be answered from Redis. It renews the lease in the background. A reader without
// a lease that starts the renewal waits for it, for at most opTimeout. Other readers go to their loaders.
func (c *Cache) holdsLease(ctx context.Context) bool {
	ok, renew := c.lease.held()
	if !renew {
		return true
	}
	renewal := c.startRenewal()
	if ok || renewal == nil {
		return ok
	}
	timer := time.NewTimer(c.opTimeout)
	defer timer.Stop()
	select {
	case <-renewal:
	case <-timer.C:
	case <-ctx.Done():
	}
	ok, _ = c.lease.held()
	return ok
}

// startRenewal renews the lease in the background and returns a channel that is closed when the renewal ends. nil:
// another renewal is in progress, or the next one is not due.
func (c *Cache) startRenewal() <-chan struct{} {
	l := &c.lease
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.renewing != nil || time.Now().Before(l.retryAt) || c.breaker.State() == gobreaker.StateOpen {
		return nil
	}
	done := make(chan struct{})
	l.renewing = done
	c.background.Go(func() {
		renewed := c.renewLease()
		l.mu.Lock()
		l.renewing = nil
		if !renewed {
			l.retryAt = time.Now().Add(c.retryEvery)
		}
		l.mu.Unlock()
		close(done)
	})
	return done
}

// flushTimeout limits one call of FlushPending. The invalidations that it flushed by then stay flushed.
const flushTimeout = 30 * time.Second

// renewLease pings Redis, flushes the pending invalidations and takes a new lease. It reports whether that succeeded.
func (c *Cache) renewLease() bool {
	g := &grant{at: time.Now(), revocations: c.lease.revocations.Load()}
	if err := c.do(c.ctx, func(ctx context.Context) error { return c.client.Ping(ctx).Err() }); err != nil {
		return false
	}
	if c.lease.flush != nil {
		ctx, cancel := context.WithTimeout(c.ctx, flushTimeout)
		err := c.lease.flush(ctx)
		cancel()
		failing := err != nil
		if failing && !c.lease.failing && c.ctx.Err() == nil {
			c.log.Warn("cache_lease_not_renewed, falling_back_to_backend", "error", err)
		}
		c.lease.failing = failing
		if failing {
			return false
		}
	}
	c.lease.current.Store(g)
	return true
}

// AwaitLeaseExpiry waits until every lease that any process holds now has expired: 1.1 times Options.LeaseDuration.
// Call it after a failed invalidation: add the pending invalidation, call AwaitLeaseExpiry, then acknowledge the
// change. When it returns nil, no process answers from an entry that is older than the pending invalidation.
//
// It returns the error of ctx if ctx ends first. It returns nil at once if the cache is disabled.
func (c *Cache) AwaitLeaseExpiry(ctx context.Context) error {
	if c == nil || !c.enabled {
		return nil
	}
	timer := time.NewTimer(c.lease.duration + c.lease.duration/10)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
