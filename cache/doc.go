// Package cache is a read-through cache in Redis for profiles, definitions, requirements and derivation chains.
//
// Read answers from Redis, or from the loader of the caller. Invalidate removes entries that are older than a change.
// The guarantee (rule 10): a read that begins after the acknowledgement of a change never returns the value from before
// the change, whatever Redis, the network or another process did in between. Four mechanisms provide it, one file each:
//
//   - Fill tokens (scripts.go). A reader that misses puts a fill token under the key before it loads. Redis stores the
//     loaded value only if that same token is still there. Every invalidation replaces the token with a tombstone. So a
//     value that was loaded before a change cannot be stored after it, and the loss of a key (eviction, FLUSHALL,
//     expiry) can only cause a miss. Each entry also carries its version, and a version never replaces a newer one.
//   - Run ids (connect.go). An entry carries the run id of the Redis process that stored it, and is a miss in any other
//     run. A Redis that restarts from an old snapshot, or a replica that is promoted without the last invalidations,
//     starts with misses.
//   - Leases (lease.go). An invalidation that cannot reach Redis is stored elsewhere as a pending invalidation, and the
//     change is acknowledged after AwaitLeaseExpiry. A process answers from Redis only while it holds a lease. It gets
//     a lease by flushing all pending invalidations (Options.FlushPending), and the lease is short. So by the end of
//     AwaitLeaseExpiry every process has flushed the invalidation, or reads from its loader.
//   - Shapes (entry.go). An entry carries a fingerprint of the Go type that it was encoded from, and is a miss for any
//     other type. So two versions of the program can share a Redis.
//
// When Redis fails, a circuit breaker sends reads to the loader without a wait.
//
// Redis holds the values in memory, as plain JSON, until they expire. Logs and errors never contain them.
//
// Redis may have a memory limit with any eviction policy: an evicted entry is a miss. With the policy noeviction and no
// memory left, new entries are not stored, and invalidations still work. The address is that of one Redis server, or of
// the primary of its replicas. Redis Cluster is not supported. After PostgreSQL is restored from a backup, Redis must
// be flushed: it still holds entries with versions that the restored database has not reached.
package cache
