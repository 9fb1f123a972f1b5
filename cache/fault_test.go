package cache

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// quick returns short times for tests in which Redis fails.
func quick(url string) Options {
	return Options{URL: url, OpTimeout: 250 * time.Millisecond, RetryEvery: 20 * time.Millisecond, LeaseDuration: time.Second}
}

const (
	unavailable = `"msg":"redis_unavailable, falling_back_to_backend"`
	available   = `"msg":"redis_available"`
)

// readUntil reads until the cache is in use, or until it is not.
func readUntil(t *testing.T, c *Cache, key Key, l *loads, use bool) {
	t.Helper()
	eventually(t, "cache in use", func() bool {
		value, err := Read(t.Context(), c, key, l.load)
		if err != nil || value != l.value {
			t.Fatalf("read %+v, %v; want %+v", value, err, l.value)
		}
		return c.Available() == use
	})
}

func TestRead_RedisComesAndGoes(t *testing.T) {
	t.Parallel()
	s := newServer(t) // not running yet
	c, log := newCache(t, quick(s.URL))
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	for i := range 100 {
		l.read(t, c, key, i+1)
	}
	if err := c.Ping(t.Context()); vault.CodeOf(err) != vault.CodeUnavailable {
		t.Errorf("ping: %v", err)
	}
	if err := c.Invalidate(t.Context(), key, 1); vault.CodeOf(err) != vault.CodeUnavailable {
		t.Errorf("invalidate: %v", err)
	}
	for range 3 { // Redis starts and stops
		s.start()
		readUntil(t, c, key, l, true) // the last of these reads stored what it loaded
		l.read(t, c, key, l.n)
		opened := log.count(unavailable)
		s.kill()
		readUntil(t, c, key, l, false)
		for range 20 {
			_, _ = Read(t.Context(), c, key, l.load)
		}
		if got := log.count(unavailable); got != opened+1 {
			t.Fatalf("%d lines for one outage:\n%s", got-opened, log)
		}
	}
	if opened, closed := log.count(unavailable), log.count(available); opened < 3 || closed < 3 || strings.Count(log.String(), "\n") != opened+closed {
		t.Errorf("the log has other lines:\n%s", log)
	}
}

// A Redis that accepts connections and does not answer costs a few timeouts, then nothing.
func TestRead_RedisHangs(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, log := newCache(t, quick(s.URL))
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	l.read(t, c, key, 1)
	s.hang()
	readUntil(t, c, key, l, false)
	if got := l.n - 1; got > tripAfter {
		t.Errorf("%d reads waited for Redis", got)
	}
	began, before := time.Now(), c.Stats()
	for range 1000 {
		_, _ = Read(t.Context(), c, key, l.load)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("1000 reads took %v", took)
	}
	if got := c.Stats(); got.Bypassed-before.Bypassed != 1000 || got.Misses != before.Misses {
		t.Errorf("%+v, before %+v", got, before)
	}
	if log.count(unavailable) != 1 {
		t.Error(log)
	}
	s.resume()
	readUntil(t, c, key, l, true)
	before = c.Stats()
	l.read(t, c, key, l.n)
	if c.Stats().Hits != before.Hits+1 {
		t.Error("it is not used again")
	}
}

// pendingStore holds a pending invalidation, as PostgreSQL does for the application.
type pendingStore struct {
	key     Key
	version atomic.Int64 // 0: none
	fails   atomic.Bool
	calls   atomic.Int64
	cache   atomic.Pointer[Cache]
}

func (n *pendingStore) flush(ctx context.Context) error {
	n.calls.Add(1)
	if n.fails.Load() {
		return errors.New("the database is unavailable")
	}
	if version := n.version.Load(); version > 0 {
		if err := n.cache.Load().Invalidate(ctx, n.key, version); err != nil {
			return err
		}
		n.version.Store(0)
	}
	return nil
}

// Redis is unavailable during an invalidation, and recovers with the old entry.
func TestLease_FlushesPendingInvalidationsFirst(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := &pendingStore{key: randomKey()}
	opts := quick(s.URL)
	opts.FlushPending = n.flush
	c, log := newCache(t, opts)
	n.cache.Store(c)
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, n.key, 1)
	l.read(t, c, n.key, 1)

	s.hang()
	n.fails.Store(true)
	l.value = person{"Ada Lovelace", 2}
	if err := c.Invalidate(t.Context(), n.key, 2); vault.CodeOf(err) != vault.CodeUnavailable {
		t.Fatalf("invalidate: %v", err)
	}
	n.version.Store(2)
	s.resume()
	calls := n.calls.Load()
	eventually(t, "attempts", func() bool {
		before := l.n
		l.read(t, c, n.key, before+1) // never from Redis
		return n.calls.Load() > calls+2
	})
	if log.count("cache_lease_not_renewed, falling_back_to_backend") != 1 {
		t.Errorf("the failing FlushPending is not logged once:\n%s", log)
	}
	n.fails.Store(false)
	readUntil(t, c, n.key, l, true)
	if n.version.Load() != 0 {
		t.Error("the lease was granted before the flush")
	}
	before := l.n
	l.read(t, c, n.key, before)
}

// A caller with a deadline before opTimeout is no evidence about Redis.
func TestBreaker_IgnoresShortDeadlines(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, log := newCache(t, Options{URL: s.URL})
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	s.hang()
	for i := range 2 * tripAfter {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		if i%2 == 0 {
			_, _ = Read(ctx, c, key, l.load)
		} else if err := c.Invalidate(ctx, key, 1); err == nil {
			t.Error("Redis hangs, and an invalidation succeeds")
		}
		cancel()
	}
	s.resume()
	readUntil(t, c, key, l, true)
	if log.String() != "" {
		t.Error(log)
	}
}

// One failed invalidation revokes the lease, even if the circuit breaker stays closed.
func TestInvalidate_FailureRevokesLease(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	w := newWire(t, s)
	n := &pendingStore{key: randomKey()}
	opts := quick(w.URL)
	opts.FlushPending = n.flush
	c, _ := newCache(t, opts)
	n.cache.Store(c)
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, n.key, 1)

	l.value = person{"Ada Lovelace", 2}
	n.version.Store(2)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Invalidate(gone, n.key, 2); err == nil {
		t.Fatal("an invalidation by a cancelled caller succeeds")
	}
	l.read(t, c, n.key, 2)
}

// The writer cannot reach Redis. The reader can, and does not notice the failure.
func TestAwaitLeaseExpiry_CoversOtherProcesses(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := &pendingStore{key: randomKey()}
	readerOpts := quick(s.URL)
	readerOpts.LeaseDuration, readerOpts.FlushPending = 100*time.Millisecond, n.flush
	reader, _ := newCache(t, readerOpts)
	n.cache.Store(reader)
	w := newWire(t, s)
	writerOpts := quick(w.URL)
	writerOpts.LeaseDuration = readerOpts.LeaseDuration
	writer, _ := newCache(t, writerOpts)

	l := &loads{value: person{"Ada", 1}}
	l.read(t, reader, n.key, 1)
	l.read(t, reader, n.key, 1)
	w.cut(true)
	l.value = person{"Ada Lovelace", 2}
	if err := writer.Invalidate(t.Context(), n.key, 2); err == nil {
		t.Fatal("the wire is cut")
	}
	n.version.Store(2)
	if err := writer.AwaitLeaseExpiry(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.read(t, reader, n.key, 2)
	l.read(t, reader, n.key, 2)
	if n.version.Load() != 0 {
		t.Error("the reader did not flush the pending invalidation")
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := writer.AwaitLeaseExpiry(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("AwaitLeaseExpiry of a cancelled caller: %v", err)
	}
}

// Redis loads a snapshot from before an invalidation.
func TestRead_RestartFromOldSnapshot(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, _ := newCache(t, quick(s.URL))
	client := raw(t, s.URL)
	key, filling := randomKey(), randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	l.read(t, c, key, 1)

	old := &loads{value: person{"old", 1}}
	// its fill token is in the snapshot
	got, err := Read(t.Context(), c, filling, func(ctx context.Context) (person, int64, error) {
		if err := client.Save(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Invalidate(ctx, key, 2), c.Invalidate(ctx, filling, 2)); err != nil {
			t.Fatal(err)
		}
		s.kill()
		s.start()
		eventually(t, "a connection", func() bool { return c.Ping(ctx) == nil })
		return old.load(ctx)
	})
	if err != nil || got.Name != "old" {
		t.Fatalf("%+v, %v", got, err)
	}
	_ = client.Ping(t.Context()).Err() // its connection was closed
	if is := client.Get(t.Context(), key.String()).Val(); !strings.Contains(is, "Ada") {
		t.Fatalf("the snapshot was not loaded: %q", is)
	}
	l.value = person{"Ada Lovelace", 2}
	old.value = person{"new", 2}
	readUntil(t, c, randomKey(), &loads{}, true)
	for key, l := range map[Key]*loads{key: l, filling: old} {
		l.read(t, c, key, l.n+1)
		l.read(t, c, key, l.n)
	}
}

func TestInvalidate_FullMemory(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--maxmemory-policy", "noeviction")
	c, log := newCache(t, Options{URL: s.URL})
	client := raw(t, s.URL)
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	if err := client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), "x", "y", 0).Err(); err == nil {
		t.Fatal("Redis has memory left")
	}
	l.read(t, c, key, 1)
	l.value = person{"Ada Lovelace", 2}
	if err := c.Invalidate(t.Context(), key, 2); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * tripAfter {
		l.read(t, c, key, 2+i)
	}
	if log.String() != "" || c.Stats().Errors == 0 {
		t.Errorf("%+v\n%s", c.Stats(), log)
	}
	client.ConfigSet(t.Context(), "maxmemory", "0")
	l.read(t, c, key, l.n+1)
	l.read(t, c, key, l.n)
}

// A Redis that lost its scripts gets them again.
func TestRead_FlushedScriptsAndKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, log := newCache(t, Options{URL: s.URL})
	client := raw(t, s.URL)
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	if err := errors.Join(client.ScriptFlush(t.Context()).Err(), client.FlushAll(t.Context()).Err()); err != nil {
		t.Fatal(err)
	}
	l.read(t, c, key, 2)
	l.read(t, c, key, 2)
	if log.String() != "" || c.Stats().Errors != 0 {
		t.Errorf("%+v\n%s", c.Stats(), log)
	}
}

func TestRead_InfoIsForbidden(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	if err := raw(t, s.URL).ACLSetUser(t.Context(), "default", "-info").Err(); err != nil {
		t.Fatal(err)
	}
	c, log := newCache(t, Options{URL: s.URL})
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	l.read(t, c, key, 1)
	if log.count("redis_run_unknown") != 1 {
		t.Error(log)
	}
}

func TestLog_WrongPasswordIsHidden(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--requirepass", "right")
	opts := quick(strings.Replace(s.URL, "redis://", "redis://:hunter2@", 1))
	c, log := newCache(t, opts)
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	eventually(t, "the log line", func() bool {
		_, _ = Read(t.Context(), c, key, l.load)
		_ = c.Invalidate(t.Context(), key, 1)
		return log.count(unavailable) == 1
	})
	if strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "WRONGPASS") {
		t.Error(log)
	}
}

// An outage logs neither values nor customer ids.
func TestLog_HoldsNoValues(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, log := newCache(t, quick(s.URL))
	key := randomKey()
	l := &loads{value: person{"secret-value", 1}}
	l.read(t, c, key, 1)
	raw(t, s.URL).Set(t.Context(), key.String(), encodeEntry(1, c.run.get(), Shape[person](""), []byte(`{"name":"secret-value`)), 0)
	l.read(t, c, key, 2)
	s.signal(syscall.SIGKILL)
	readUntil(t, c, key, l, false)
	if err := c.Invalidate(t.Context(), key, 2); err == nil || strings.Contains(err.Error(), key.name) {
		t.Errorf("invalidate: %v", err)
	}
	if strings.Contains(log.String(), "secret-value") || strings.Contains(log.String(), key.name) || log.count(unavailable) != 1 {
		t.Error(log)
	}
}

// A busy cache flushes twice per lease; an idle one never does.
func TestLease_RenewedWhileThereAreReads(t *testing.T) {
	t.Parallel()
	n := &pendingStore{key: randomKey()}
	c, _ := newCache(t, Options{FlushPending: n.flush, LeaseDuration: 200 * time.Millisecond})
	n.cache.Store(c)
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, n.key, 1)
	until := time.Now().Add(time.Second)
	for time.Now().Before(until) {
		_, _ = Read(t.Context(), c, n.key, l.load)
	}
	calls := n.calls.Load()
	if calls < 3 || calls > 11 {
		t.Errorf("%d flushes in five leases", calls)
	}
	eventually(t, "the end of the lease", func() bool { return !c.Available() })
	busy := n.calls.Load()
	before := c.Stats()
	l.read(t, c, n.key, l.n) // the first read after a pause is a hit
	if got := c.Stats(); got.Hits != before.Hits+1 || n.calls.Load() != busy+1 {
		t.Errorf("%+v, before %+v; %d calls, before %d", got, before, n.calls.Load(), busy)
	}
}

// A lease begins before its flush: an invalidation that is added during the flush may be missed by it.
func TestLease_BeginsBeforeFlush(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]func(c *Cache){
		"a flush longer than the lease":   func(*Cache) { time.Sleep(60 * time.Millisecond) },
		"an invalidation fails meanwhile": func(c *Cache) { c.lease.revoke() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c *Cache
			opts := Options{LeaseDuration: 50 * time.Millisecond, FlushPending: func(context.Context) error { during(c); return nil }}
			if name == "an invalidation fails meanwhile" {
				opts.LeaseDuration = time.Hour
			}
			c, _ = newCache(t, opts)
			l := &loads{value: person{"Ada", 1}}
			key := randomKey()
			for i := range 5 {
				l.read(t, c, key, i+1)
			}
			if c.Stats().Bypassed != 5 {
				t.Errorf("%+v", c.Stats())
			}
		})
	}
}

func TestLease_ClockSetBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		age  time.Duration
		want bool
	}{{0, true}, {900 * time.Millisecond, true}, {1100 * time.Millisecond, false}, {-time.Hour, false}} {
		l := lease{duration: time.Second}
		l.current.Store(&grant{at: time.Now().Add(-c.age)})
		if ok, _ := l.held(); ok != c.want {
			t.Errorf("lease granted %v ago: %v", c.age, ok)
		}
	}
}
