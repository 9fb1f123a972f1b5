// Package cache keeps what is read often in Redis: profiles, field definitions, requirements and derivation chains.
//
// Read answers from Redis or from the loader it is given; Invalidate makes readers forget what is older than a change. The
// promise (rule 10): a read that begins after a change was acknowledged never returns what was there before, whatever Redis,
// the network or another process did in between. It rests on four things, one file each:
//
//   - claims (scripts.go): a reader that misses leaves a claim under the key before it loads, and its value is stored only if
//     that very claim is still there. Every invalidation replaces the claim. So a value that was loaded before a change can
//     not be stored after it, however late it comes, and the loss of a key (eviction, FLUSHALL, expiry) can only cause a
//     miss. Beside that, an entry carries the version it was read at, and a version never replaces a newer one.
//   - runs (connect.go): an entry carries the run id of the Redis process it was stored in, and counts only there. A Redis that
//     restarts from an old snapshot, or a replica that takes over without the last invalidations, starts with misses.
//   - trust (trust.go): an invalidation that could not reach Redis is noted elsewhere by whoever made it, and the change is
//     acknowledged after Settle. A reader trusts Redis only for a short time after it has seen that all notes were
//     made up for (Options.OnRecover), so within that time every process has seen the note, or reads from the loader.
//   - shapes (entry.go): an entry carries a fingerprint of the Go type it was encoded from, and counts only for that type: the
//     processes of two versions of the program may share a Redis.
//
// When Redis fails, a circuit breaker sends reads to the loader at once.
//
// Values are in the memory of Redis, in plain JSON, for as long as their lifetime; they are in no log and in no error.
//
// Redis may have a limit on its memory with any policy of eviction; what is evicted is a miss. With the policy noeviction and
// no memory left, nothing more is stored, and invalidations go on. One address is one Redis server, or the primary of
// its replicas; a Redis Cluster is not supported. Whoever sets PostgreSQL back to a backup flushes Redis too: versions that
// were lost with the database are still there.
package cache
