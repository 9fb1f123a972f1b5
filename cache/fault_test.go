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

// quick are times for tests in which Redis fails.
func quick(url string) Options {
	return Options{URL: url, OpTimeout: 250 * time.Millisecond, RetryEvery: 20 * time.Millisecond, TrustFor: time.Second}
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

func TestReadsGoOnWithoutRedis(t *testing.T) {
	t.Parallel()
	s := newServer(t) // it does not run yet
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
	for range 3 { // it comes and goes
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

// A Redis that takes connections and does not answer costs a few time-outs, and then nothing.
func TestReadsAreQuickWhileRedisHangs(t *testing.T) {
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

// notes is what an application keeps in PostgreSQL: invalidations that could not reach Redis.
type notes struct {
	key     Key
	version atomic.Int64 // 0: none
	fails   atomic.Bool
	calls   atomic.Int64
	cache   atomic.Pointer[Cache]
}

func (n *notes) recover(ctx context.Context) error {
	n.calls.Add(1)
	if n.fails.Load() {
		return errors.New("the database is away")
	}
	if version := n.version.Load(); version > 0 {
		if err := n.cache.Load().Invalidate(ctx, n.key, version); err != nil {
			return err
		}
		n.version.Store(0)
	}
	return nil
}

// Redis was away during an invalidation, and comes back with the old entry.
func TestNotedInvalidationsAreMadeUpForBeforeReadsAreTrusted(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := &notes{key: randomKey()}
	opts := quick(s.URL)
	opts.OnRecover = n.recover
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
	if log.count("cache_not_trusted, falling_back_to_backend") != 1 {
		t.Errorf("the failing OnRecover is not logged once:\n%s", log)
	}
	n.fails.Store(false)
	readUntil(t, c, n.key, l, true)
	if n.version.Load() != 0 {
		t.Error("trusted before the note was made up for")
	}
	before := l.n
	l.read(t, c, n.key, before)
}

// Callers whose time is up before Redis had its own say nothing about it.
func TestHurriedCallersDoNotOpenTheBreaker(t *testing.T) {
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

// One failed invalidation, that opens no circuit breaker, is enough to distrust what is there.
func TestOneFailedInvalidationEndsTrust(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	w := newWire(t, s)
	n := &notes{key: randomKey()}
	opts := quick(w.URL)
	opts.OnRecover = n.recover
	c, _ := newCache(t, opts)
	n.cache.Store(c)
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, n.key, 1)

	l.value = person{"Ada Lovelace", 2}
	n.version.Store(2)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Invalidate(gone, n.key, 2); err == nil {
		t.Fatal("an invalidation by a caller that is gone succeeds")
	}
	l.read(t, c, n.key, 2)
}

// Another process cannot reach Redis and this one can, and saw nothing of it.
func TestSettleCoversReadersThatNoticedNothing(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	n := &notes{key: randomKey()}
	readerOpts := quick(s.URL)
	readerOpts.TrustFor, readerOpts.OnRecover = 100*time.Millisecond, n.recover
	reader, _ := newCache(t, readerOpts)
	n.cache.Store(reader)
	w := newWire(t, s)
	writerOpts := quick(w.URL)
	writerOpts.TrustFor = readerOpts.TrustFor
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
	if err := writer.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.read(t, reader, n.key, 2)
	l.read(t, reader, n.key, 2)
	if n.version.Load() != 0 {
		t.Error("the reader did not make up for the note")
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := writer.Settle(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("settle of a caller that is gone: %v", err)
	}
}

// Redis loads a snapshot from before an invalidation.
func TestRestartFromAnOldSnapshotBringsNothingBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, _ := newCache(t, quick(s.URL))
	client := raw(t, s.URL)
	key, claimed := randomKey(), randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	l.read(t, c, key, 1)

	old := &loads{value: person{"old", 1}}
	got, err := Read(t.Context(), c, claimed, func(ctx context.Context) (person, int64, error) { // its claim is in the snapshot
		if err := client.Save(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Invalidate(ctx, key, 2), c.Invalidate(ctx, claimed, 2)); err != nil {
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
	for key, l := range map[Key]*loads{key: l, claimed: old} {
		l.read(t, c, key, l.n+1)
		l.read(t, c, key, l.n)
	}
}

func TestInvalidationNeedsNoMemory(t *testing.T) {
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

// Redis that lost its scripts gets them again.
func TestFlushedScriptsAndKeysAreNoFailure(t *testing.T) {
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

func TestRedisThatForbidsInfoIsUsed(t *testing.T) {
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

func TestWrongPasswordIsLoggedWithoutIt(t *testing.T) {
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

// An outage in which every exchange fails leaves neither a value nor a key of a customer in the log.
func TestLogsHoldNoValues(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c, log := newCache(t, quick(s.URL))
	key := randomKey()
	l := &loads{value: person{"secret-value", 1}}
	l.read(t, c, key, 1)
	raw(t, s.URL).Set(t.Context(), key.String(), encodeEntry(1, c.run.get(), shapeOf[person](), []byte(`{"name":"secret-value`)), 0)
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

// An idle cache asks nobody anything; a busy one asks for notes twice in the time that trust lasts.
func TestTrustIsRenewedWhileThereAreReads(t *testing.T) {
	t.Parallel()
	n := &notes{key: randomKey()}
	c, _ := newCache(t, Options{OnRecover: n.recover, TrustFor: 200 * time.Millisecond})
	n.cache.Store(c)
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, n.key, 1)
	until := time.Now().Add(time.Second)
	for time.Now().Before(until) {
		_, _ = Read(t.Context(), c, n.key, l.load)
	}
	calls := n.calls.Load()
	if calls < 3 || calls > 11 {
		t.Errorf("%d calls in five lifetimes", calls)
	}
	eventually(t, "the end of trust", func() bool { return !c.Available() })
	busy := n.calls.Load()
	before := c.Stats()
	l.read(t, c, n.key, l.n) // the first read after a pause is a hit
	if got := c.Stats(); got.Hits != before.Hits+1 || n.calls.Load() != busy+1 {
		t.Errorf("%+v, before %+v; %d calls, before %d", got, before, n.calls.Load(), busy)
	}
}

// Trust counts from before the notes were looked up: one that was made meanwhile may not have been seen.
func TestTrustCountsFromBeforeTheLook(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]func(c *Cache){
		"a look that takes longer than trust lasts": func(*Cache) { time.Sleep(60 * time.Millisecond) },
		"an invalidation that fails meanwhile":      func(c *Cache) { c.trust.lose() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c *Cache
			opts := Options{TrustFor: 50 * time.Millisecond, OnRecover: func(context.Context) error { during(c); return nil }}
			if name == "an invalidation that fails meanwhile" {
				opts.TrustFor = time.Hour
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

func TestClockThatWasSetBackEndsTrust(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		age  time.Duration
		want bool
	}{{0, true}, {900 * time.Millisecond, true}, {1100 * time.Millisecond, false}, {-time.Hour, false}} {
		tr := trust{lasts: time.Second}
		tr.won.Store(&victory{at: time.Now().Add(-c.age)})
		if ok, _ := tr.holds(); ok != c.want {
			t.Errorf("trust won %v ago: %v", c.age, ok)
		}
	}
}
