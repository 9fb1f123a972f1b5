package cache

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/contextvault/contextvault/vault"
)

// searchBatch is the number of keys that one exchange of Search reads.
const searchBatch = 500

// Search reads every key of a tenant, and counts those whose name or content has one of the texts. An erasure proves
// with it that nothing is left. The cost is proportional to the number of keys in Redis. Without a cache it finds
// nothing. An error (vault.CodeUnavailable) means that Redis does not answer.
func (c *Cache) Search(ctx context.Context, tenant uuid.UUID, texts []string) (keys, found int64, err error) {
	if c == nil || c.client == nil || len(texts) == 0 {
		return 0, 0, nil
	}
	var cursor uint64
	for {
		names, next, err := c.client.Scan(ctx, cursor, "*"+tenant.String()+"*", searchBatch).Result()
		if err != nil {
			return keys, found, vault.Unavailable("Redis", err)
		}
		for _, name := range names {
			content, err := c.client.Get(ctx, name).Bytes()
			switch {
			case errors.Is(err, redis.Nil): // it ended meanwhile
				continue
			case err != nil:
				return keys, found, vault.Unavailable("Redis", err)
			}
			if keys++; holds(name, content, texts) {
				found++
			}
		}
		if cursor = next; cursor == 0 {
			return keys, found, nil
		}
	}
}

func holds(name string, content []byte, texts []string) bool {
	for _, t := range texts {
		if strings.Contains(name, t) || bytes.Contains(content, []byte(t)) {
			return true
		}
	}
	return false
}
