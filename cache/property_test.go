package cache

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// backend stands for PostgreSQL: the versions of the values, and the pending invalidations.
type backend struct {
	mu       sync.Mutex
	versions map[Key]int64
	pending  map[Key]int64
	acked    map[Key]*atomic.Int64 // the newest version whose change was acknowledged
}

func newBackend(keys []Key) *backend {
	b := &backend{versions: map[Key]int64{}, pending: map[Key]int64{}, acked: map[Key]*atomic.Int64{}}
	for _, key := range keys {
		b.acked[key] = &atomic.Int64{}
	}
	return b
}

func (b *backend) load(key Key) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.versions[key]
}

func (b *backend) commit(key Key) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.versions[key]++
	return b.versions[key]
}

func (b *backend) addPending(key Key, version int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending[key] = max(b.pending[key], version)
}

// flush invalidates the pending keys through c.
func (b *backend) flush(ctx context.Context, c *Cache) error {
	b.mu.Lock()
	pending := maps.Clone(b.pending)
	b.mu.Unlock()
	for key, version := range pending {
		if err := c.Invalidate(ctx, key, version); err != nil {
			return err
		}
		b.mu.Lock()
		if b.pending[key] == version {
			delete(b.pending, key)
		}
		b.mu.Unlock()
	}
	return nil
}

// process returns the cache of one process.
func (b *backend) process(t *testing.T, opts Options) *Cache {
	var self atomic.Pointer[Cache]
	opts.FlushPending = func(ctx context.Context) error { return b.flush(ctx, self.Load()) }
	c, _ := newCache(t, opts)
	self.Store(c)
	return c
}

// write commits a change, invalidates, and acknowledges, as the steps do.
func (b *backend) write(ctx context.Context, c *Cache, key Key) error {
	version := b.commit(key)
	if err := c.Invalidate(ctx, key, version); err != nil {
		b.addPending(key, version)
		if err := c.AwaitLeaseExpiry(ctx); err != nil {
			return err
		}
	}
	for acked := b.acked[key].Load(); acked < version; acked = b.acked[key].Load() {
		b.acked[key].CompareAndSwap(acked, version)
	}
	return nil
}

// read fails if it returns a version older than one that was acknowledged before it began.
func (b *backend) read(ctx context.Context, c *Cache, key Key, before, after time.Duration) error {
	acked := b.acked[key].Load()
	got, err := Read(ctx, c, key, func(context.Context) (person, int64, error) {
		time.Sleep(before)
		version := b.load(key)
		time.Sleep(after)
		return person{Name: key.String(), Version: version}, version, nil
	})
	switch {
	case err != nil:
		return err
	case got.Name != key.String():
		return fmt.Errorf("read of %s gives %s", key, got.Name)
	case got.Version < acked:
		return fmt.Errorf("read of %s gives version %d, and %d was acknowledged before it began", key, got.Version, acked)
	}
	return nil
}

// act is one read or write of a client.
type act struct {
	Process, Key  int
	Write         bool
	Pause         time.Duration
	Before, After time.Duration // pauses of a load before and after its read
}

func micros(limit int) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.IntRange(0, limit), func(n int) time.Duration { return time.Duration(n) * time.Microsecond })
}

func acts(processes, keys int) *rapid.Generator[act] {
	return rapid.Custom(func(t *rapid.T) act {
		return act{
			Process: rapid.IntRange(0, processes-1).Draw(t, "process"),
			Key:     rapid.IntRange(0, keys-1).Draw(t, "key"),
			Write:   rapid.IntRange(0, 4).Draw(t, "write") == 0,
			Pause:   micros(2000).Draw(t, "pause"),
			Before:  micros(1000).Draw(t, "before"),
			After:   rapid.OneOf(micros(500), micros(5000)).Draw(t, "after"),
		}
	})
}

// run runs the acts of all clients concurrently, repeatedly until done, and returns the first error.
func (b *backend) run(ctx context.Context, caches []*Cache, keys []Key, clients [][]act, done <-chan struct{}) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, client := range clients {
		wg.Go(func() {
			for {
				for _, a := range client {
					c, key := caches[a.Process], keys[a.Key]
					time.Sleep(a.Pause)
					var err error
					if a.Write {
						err = b.write(ctx, c, key)
					} else {
						err = b.read(ctx, c, key, a.Before, a.After)
					}
					if err != nil {
						cancel(err)
					}
					if ctx.Err() != nil {
						return
					}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// Rule 10: after the acknowledgement of a change, no reader sees the old value.
func TestReadsNeverSeeStale_Redis(t *testing.T) {
	t.Parallel()
	var hits uint64
	rapid.Check(t, func(rt *rapid.T) {
		keys := []Key{randomKey(), randomKey()}
		b := newBackend(keys)
		opts := Options{OpTimeout: time.Second, LeaseDuration: 50 * time.Millisecond, RetryEvery: 5 * time.Millisecond}
		caches := []*Cache{b.process(t, opts), b.process(t, opts)}
		clients := rapid.SliceOfN(rapid.SliceOfN(acts(len(caches), len(keys)), 10, 40), 2, 6).Draw(rt, "clients")
		done := make(chan struct{})
		close(done)
		if err := b.run(t.Context(), caches, keys, clients, done); err != nil {
			rt.Fatal(err)
		}
		for _, c := range caches {
			hits += c.Stats().Hits
			c.Close()
		}
	})
	if hits == 0 {
		t.Error("nothing was ever read from Redis")
	}
	t.Logf("%d hits", hits)
}

// The same while Redis hangs, is killed, restarts empty or from an old snapshot, is flushed, and loses connections.
func TestReadsNeverSeeStale_RedisFaults(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	wires := []*wire{newWire(t, s), newWire(t, s), newWire(t, s)}
	client := raw(t, s.URL)
	var stats Stats
	faults := map[string]func(pause time.Duration, process int){
		"none":  func(pause time.Duration, _ int) { time.Sleep(pause) },
		"save":  func(time.Duration, int) { client.Save(context.Background()) },
		"flush": func(time.Duration, int) { client.FlushAll(context.Background()) },
		"evict": func(time.Duration, int) {
			client.Del(context.Background(), client.RandomKey(context.Background()).Val())
		},
		"hang":       func(pause time.Duration, _ int) { s.hang(); time.Sleep(pause); s.resume() },
		"restart":    func(pause time.Duration, _ int) { s.kill(); time.Sleep(pause); s.start() },
		"cut":        func(pause time.Duration, i int) { wires[i].cut(true); time.Sleep(pause); wires[i].cut(false) },
		"cut, short": func(_ time.Duration, i int) { wires[i].cut(true); wires[i].cut(false) },
	}
	names := []string{"none", "save", "flush", "evict", "hang", "restart", "cut", "cut, short"}
	type fault struct {
		Name    string
		Pause   time.Duration
		Process int
	}
	faulty := rapid.Custom(func(t *rapid.T) fault {
		return fault{rapid.SampledFrom(names).Draw(t, "fault"), micros(60_000).Draw(t, "pause"), rapid.IntRange(0, len(wires)-1).Draw(t, "process")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		keys := []Key{randomKey(), randomKey()}
		b := newBackend(keys)
		var caches []*Cache
		for _, w := range wires {
			caches = append(caches, b.process(t, Options{URL: w.URL, OpTimeout: 20 * time.Millisecond, LeaseDuration: 30 * time.Millisecond, RetryEvery: 5 * time.Millisecond}))
		}
		clients := rapid.SliceOfN(rapid.SliceOfN(acts(len(caches), len(keys)), 5, 20), 3, 6).Draw(rt, "clients")
		plan := rapid.SliceOfN(faulty, 3, 8).Draw(rt, "faults")
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, f := range plan {
				faults[f.Name](f.Pause, f.Process)
				time.Sleep(f.Pause / 2)
			}
		}()
		err := b.run(t.Context(), caches, keys, clients, done)
		<-done
		if err != nil {
			rt.Fatal(err)
		}
		for _, c := range caches {
			one := c.Stats()
			stats.Hits += one.Hits
			stats.Bypassed += one.Bypassed
			stats.RefusedStale += one.RefusedStale
			stats.Errors += one.Errors
			c.Close()
		}
	})
	t.Logf("%+v", stats)
	if stats.Hits == 0 || stats.Errors == 0 || stats.Bypassed == 0 || stats.RefusedStale == 0 {
		t.Errorf("no fault had an effect: %+v", stats)
	}
}
