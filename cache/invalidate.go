package cache

import (
	"context"
	"errors"
	"fmt"

	"github.com/sony/gobreaker/v2"

	"github.com/contextvault/contextvault/vault"
)

// Invalidate removes the entry of key if it is older than version, the version of the change. Call it after the commit
// of the change and before its acknowledgement. It is idempotent.
//
// An error (vault.CodeUnavailable) means that Redis may still hold the old value. Then add a pending invalidation where
// Options.FlushPending finds it, call AwaitLeaseExpiry, and acknowledge the change after that. Without a cache it
// returns nil.
func (c *Cache) Invalidate(ctx context.Context, key Key, version int64) error {
	if version < 0 {
		return fmt.Errorf("invalidate %s: version %d is negative", key.kind, version)
	}
	return c.erase(ctx, key, func(ctx context.Context) error {
		tombstone := string(kindTombstone) + versionText(version) + newToken()
		return invalidateScript.Run(
			ctx, c.client, []string{key.String()}, versionText(version), tombstone, tombstoneTTL.Milliseconds(),
		).Err()
	})
}

// Drop removes an entry of any version. Operators use it to reset a key. Errors are those of Invalidate.
func (c *Cache) Drop(ctx context.Context, key Key) error {
	return c.erase(ctx, key, func(ctx context.Context) error { return c.client.Del(ctx, key.String()).Err() })
}

// erase runs an exchange that removes an entry. It retries until the circuit breaker opens.
func (c *Cache) erase(ctx context.Context, key Key, exchange func(ctx context.Context) error) error {
	if c == nil || c.client == nil {
		return nil
	}
	var err error
	for range tripAfter {
		if err = c.do(ctx, exchange); err == nil {
			c.counters[key.kind].invalidations.Add(1)
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
			break
		}
	}
	c.lease.revoke()
	c.counters[key.kind].errors.Add(1)
	return vault.Unavailable("Redis", err)
}
