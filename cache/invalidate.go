package cache

import (
	"context"
	"errors"
	"fmt"

	"github.com/sony/gobreaker/v2"

	"github.com/contextvault/contextvault/vault"
)

// Invalidate makes readers forget what is older than version, the version of the change; call it after the change is
// committed and before it is acknowledged. Any number of times is harmless.
//
// An error (vault.CodeUnavailable) means that Redis may still hold the old value. Then note the invalidation durably where
// OnRecover finds it, call Settle, and acknowledge the change after that. Where there is no cache it is nil.
func (c *Cache) Invalidate(ctx context.Context, key Key, version int64) error {
	if version < 0 {
		return fmt.Errorf("invalidate %s: version %d is negative", key.kind, version)
	}
	return c.erase(ctx, key, func(ctx context.Context) error {
		marker := string(isMarker) + versionText(version) + newToken()
		return invalidateScript.Run(ctx, c.client, []string{key.String()}, versionText(version), marker, markerTTL.Milliseconds()).Err()
	})
}

// Drop removes an entry whatever its version, for an operator's hand. An error is as in Invalidate.
func (c *Cache) Drop(ctx context.Context, key Key) error {
	return c.erase(ctx, key, func(ctx context.Context) error { return c.client.Del(ctx, key.String()).Err() })
}

// erase tries until the circuit breaker opens.
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
	c.trust.lose()
	c.counters[key.kind].errors.Add(1)
	return vault.Unavailable("Redis", err)
}
