package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// trust says whether what is in Redis may be believed.
//
// Somewhere, an invalidation may have failed to reach Redis, and it is not known here: another process made it. Its maker
// notes it, waits for as long as trust lasts, and then acknowledges the change. So trust is won by seeing that
// no note is left, and lasts from the moment before that was looked up.
type trust struct {
	lasts   time.Duration
	recover func(ctx context.Context) error

	won    atomic.Pointer[victory]
	losses atomic.Uint64

	mu      sync.Mutex
	closed  bool
	running chan struct{} // closed when the attempt that is under way ends; nil: none is
	next    time.Time     // no attempt before
	failing bool          // the last attempt failed in recover, and that was logged
}

// victory is when trust was won, and how often it had been lost by then.
type victory struct {
	at     time.Time
	losses uint64
}

// lose ends trust at once.
func (t *trust) lose() { t.losses.Add(1) }

// holds reports whether there is trust, and whether it is more than half over.
func (t *trust) holds() (ok, aging bool) {
	v := t.won.Load()
	if v == nil || v.losses != t.losses.Load() {
		return false, true
	}
	// A machine that was suspended shows only on the wall clock, one whose clock was set only on the monotonic one.
	now := time.Now()
	age := max(now.Sub(v.at), now.Round(0).Sub(v.at.Round(0)))
	if now.Round(0).Before(v.at.Round(0)) { // set back
		return false, true
	}
	return age < t.lasts, age > t.lasts/2
}

// close ends trust for good.
func (t *trust) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.lose()
}

// trusted reports whether a read may be answered from Redis, and sees to it that the next one may. The reader that finds no
// trust waits for it, shortly; others go to their loaders.
func (c *Cache) trusted(ctx context.Context) bool {
	ok, aging := c.trust.holds()
	if !aging {
		return true
	}
	attempt := c.winTrust()
	if ok || attempt == nil {
		return ok
	}
	timer := time.NewTimer(c.opTimeout)
	defer timer.Stop()
	select {
	case <-attempt:
	case <-timer.C:
	case <-ctx.Done():
	}
	ok, _ = c.trust.holds()
	return ok
}

// winTrust starts an attempt in the background, unless one is under way or it is too early. The channel closes when it ends.
func (c *Cache) winTrust() <-chan struct{} {
	t := &c.trust
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.running != nil || time.Now().Before(t.next) || c.breaker.State() == gobreaker.StateOpen {
		return nil
	}
	done := make(chan struct{})
	t.running = done
	c.background.Go(func() {
		won := c.tryToWinTrust()
		t.mu.Lock()
		t.running = nil
		if !won {
			t.next = time.Now().Add(c.retryEvery)
		}
		t.mu.Unlock()
		close(done)
	})
	return done
}

// recoverTimeout bounds one call of OnRecover. What it has made up for by then stays so.
const recoverTimeout = 30 * time.Second

func (c *Cache) tryToWinTrust() bool {
	v := &victory{at: time.Now(), losses: c.trust.losses.Load()}
	if err := c.do(c.ctx, func(ctx context.Context) error { return c.client.Ping(ctx).Err() }); err != nil {
		return false
	}
	if c.trust.recover != nil {
		ctx, cancel := context.WithTimeout(c.ctx, recoverTimeout)
		err := c.trust.recover(ctx)
		cancel()
		failing := err != nil
		if failing && !c.trust.failing && c.ctx.Err() == nil {
			c.log.Warn("cache_not_trusted, falling_back_to_backend", "error", err)
		}
		c.trust.failing = failing
		if failing {
			return false
		}
	}
	c.trust.won.Store(v)
	return true
}

// Settle is what a change waits for whose invalidation failed: after it has been noted where OnRecover will find it, and
// before it is acknowledged. When it returns nil, no process answers a read from what Redis had before the note. It waits
// a little longer than trust lasts (Options.TrustFor), and not at all where the cache is disabled.
func (c *Cache) Settle(ctx context.Context) error {
	if c == nil || !c.enabled {
		return nil
	}
	timer := time.NewTimer(c.trust.lasts + c.trust.lasts/10)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
