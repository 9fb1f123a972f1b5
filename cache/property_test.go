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

// backend stands for PostgreSQL: versions of things, and the notes of invalidations that could not reach Redis.
type backend struct {
	mu       sync.Mutex
	versions map[Key]int64
	notes    map[Key]int64
	acked    map[Key]*atomic.Int64 // the newest version whose change was acknowledged
}

func newBackend(keys []Key) *backend {
	b := &backend{versions: map[Key]int64{}, notes: map[Key]int64{}, acked: map[Key]*atomic.Int64{}}
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

func (b *backend) note(key Key, version int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes[key] = max(b.notes[key], version)
}

// recover makes up for the notes through c.
func (b *backend) recover(ctx context.Context, c *Cache) error {
	b.mu.Lock()
	notes := maps.Clone(b.notes)
	b.mu.Unlock()
	for key, version := range notes {
		if err := c.Invalidate(ctx, key, version); err != nil {
			return err
		}
		b.mu.Lock()
		if b.notes[key] == version {
			delete(b.notes, key)
		}
		b.mu.Unlock()
	}
	return nil
}

// process is one program with its cache.
func (b *backend) process(t *testing.T, opts Options) *Cache {
	var self atomic.Pointer[Cache]
	opts.OnRecover = func(ctx context.Context) error { return b.recover(ctx, self.Load()) }
	c, _ := newCache(t, opts)
	self.Store(c)
	return c
}

// write changes, invalidates, and acknowledges, as the steps do.
func (b *backend) write(ctx context.Context, c *Cache, key Key) error {
	version := b.commit(key)
	if err := c.Invalidate(ctx, key, version); err != nil {
		b.note(key, version)
		if err := c.Settle(ctx); err != nil {
			return err
		}
	}
	for acked := b.acked[key].Load(); acked < version; acked = b.acked[key].Load() {
		b.acked[key].CompareAndSwap(acked, version)
	}
	return nil
}

// read fails if it sees something older than what was acknowledged before it began.
func (b *backend) read(ctx context.Context, c *Cache, key Key, before, after time.Duration) error {
	least := b.acked[key].Load()
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
	case got.Version < least:
		return fmt.Errorf("read of %s gives version %d, and %d was acknowledged before it began", key, got.Version, least)
	}
	return nil
}

// act is one thing that a client does.
type act struct {
	Process, Key  int
	Write         bool
	Pause         time.Duration
	Before, After time.Duration // of a load, before and after it looks
}

func micros(most int) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.IntRange(0, most), func(n int) time.Duration { return time.Duration(n) * time.Microsecond })
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

// run runs every client's acts at once, again and again until done, and gives what went wrong.
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

// Rule 10: after a change was acknowledged, no reader sees the old value.
func TestReadsNeverSeeWhatIsOlderThanAnAcknowledgedWrite(t *testing.T) {
	t.Parallel()
	var hits uint64
	rapid.Check(t, func(rt *rapid.T) {
		keys := []Key{randomKey(), randomKey()}
		b := newBackend(keys)
		opts := Options{OpTimeout: time.Second, TrustFor: 50 * time.Millisecond, RetryEvery: 5 * time.Millisecond}
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

// The same, while Redis hangs, is killed, restarts empty or from an old snapshot, is flushed, and processes lose their way to it.
func TestReadsNeverSeeWhatIsOlderThanAnAcknowledgedWriteWhateverRedisDoes(t *testing.T) {
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
			caches = append(caches, b.process(t, Options{URL: w.URL, OpTimeout: 20 * time.Millisecond, TrustFor: 30 * time.Millisecond, RetryEvery: 5 * time.Millisecond}))
		}
		clients := rapid.SliceOfN(rapid.SliceOfN(acts(len(caches), len(keys)), 5, 20), 3, 6).Draw(rt, "clients")
		ordeal := rapid.SliceOfN(faulty, 3, 8).Draw(rt, "faults")
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, f := range ordeal {
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
		t.Errorf("the ordeal was none: %+v", stats)
	}
}
