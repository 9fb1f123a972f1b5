package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

func TestKey_NamesAndLifetimes(t *testing.T) {
	t.Parallel()
	tenant, id := uuid.MustParse("11111111-1111-1111-1111-111111111111"), uuid.New()
	c, _ := newCache(t, Options{ProfileTTL: 1700 * time.Second})
	client := raw(t, sharedURL)
	for _, k := range []struct {
		key      Key
		name     string
		lifetime time.Duration
	}{
		{ProfileKey(tenant, id), "profile:11111111-1111-1111-1111-111111111111:" + id.String(), 1700 * time.Second},
		{DefinitionsKey(tenant, id), "field_defs:11111111-1111-1111-1111-111111111111:" + id.String(), 3600 * time.Second},
		{RequirementsKey(tenant, id), "scenario_reqs:11111111-1111-1111-1111-111111111111:" + id.String(), 3600 * time.Second},
		{ChainKey(tenant, id), "deriv:11111111-1111-1111-1111-111111111111:" + id.String(), 300 * time.Second},
	} {
		if k.key.String() != k.name {
			t.Errorf("key %s, want %s", k.key, k.name)
		}
		l := &loads{value: person{"Ada", 1}}
		l.read(t, c, k.key, 1)
		l.read(t, c, k.key, 1)
		if got := client.PTTL(t.Context(), k.name).Val(); got > k.lifetime || got < k.lifetime-20*time.Second {
			t.Errorf("%s lives for %v, want %v", k.name, got, k.lifetime)
		}
		if got := c.StatsOf(k.key.kind); got != (Stats{Hits: 1, Misses: 1}) {
			t.Errorf("%s: %+v", k.name, got)
		}
	}
	if got := c.Stats(); got != (Stats{Hits: 4, Misses: 4}) || got.HitRate() != 0.5 {
		t.Errorf("all: %+v", got)
	}
}

func TestInvalidate_NextReadLoads(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	l.value = person{"Ada Lovelace", 2}
	if err := c.Invalidate(t.Context(), key, 2); err != nil {
		t.Fatal(err)
	}
	if got := raw(t, sharedURL).PTTL(t.Context(), key.String()).Val(); got > tombstoneTTL || got < tombstoneTTL/2 {
		t.Errorf("the tombstone lives for %v", got)
	}
	l.read(t, c, key, 2)
	l.read(t, c, key, 2)
	if got := c.Stats(); got != (Stats{Hits: 1, Misses: 2, Invalidations: 1}) {
		t.Errorf("%+v", got)
	}
}

// A late or repeated invalidation keeps an entry of the same or a newer version.
func TestInvalidate_KeepsSameOrNewerVersion(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	l := &loads{value: person{"Ada", 10}} // 10 is more than 9, as a number
	l.read(t, c, key, 1)
	for _, version := range []int64{0, 9, 10} {
		if err := c.Invalidate(t.Context(), key, version); err != nil {
			t.Fatal(err)
		}
		l.read(t, c, key, 1)
	}
	const huge = 1<<63 - 1 // Lua compares it exactly
	l.value.Version = huge - 1
	if err := c.Invalidate(t.Context(), key, huge-1); err != nil {
		t.Fatal(err)
	}
	l.read(t, c, key, 2)
	l.value.Version = huge
	if err := c.Invalidate(t.Context(), key, huge); err != nil {
		t.Fatal(err)
	}
	l.read(t, c, key, 3)
	if err := c.Invalidate(t.Context(), key, -1); err == nil {
		t.Error("a negative version is accepted")
	}
}

func TestDrop_RemovesAnyVersion(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	if err := c.Drop(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	l.read(t, c, key, 2)
}

// A value is not stored if its key changed during the load.
func TestStore_LateValueIsRefused(t *testing.T) {
	t.Parallel()
	client := raw(t, sharedURL)
	invalidate := func(t *testing.T, c *Cache, key Key) {
		if err := c.Invalidate(t.Context(), key, 2); err != nil {
			t.Fatal(err)
		}
	}
	for name, during := range map[string]func(t *testing.T, c *Cache, key Key){
		"an invalidation": invalidate,
		"an invalidation with an evicted tombstone": func(t *testing.T, c *Cache, key Key) {
			invalidate(t, c, key)
			client.Del(t.Context(), key.String())
		},
		"an invalidation with an evicted tombstone, and another reader": func(t *testing.T, c *Cache, key Key) {
			invalidate(t, c, key)
			client.Del(t.Context(), key.String())
			other := &loads{err: errors.New("fails, and leaves its fill token")}
			_, _ = Read(t.Context(), c, key, other.load)
		},
		"an invalidation with an evicted tombstone, and an older one again": func(t *testing.T, c *Cache, key Key) {
			invalidate(t, c, key)
			client.Del(t.Context(), key.String())
			if err := c.Invalidate(t.Context(), key, 1); err != nil {
				t.Fatal(err)
			}
		},
		"the loss of the fill token": func(t *testing.T, _ *Cache, key Key) { client.Del(t.Context(), key.String()) },
		"a newer value": func(t *testing.T, c *Cache, key Key) {
			(&loads{value: person{"new", 2}}).read(t, c, key, 1)
		},
	} {
		for _, before := range []string{"nothing", "a tombstone", "a fill token"} {
			t.Run(name+" after "+before, func(t *testing.T) {
				t.Parallel()
				c, _ := newCache(t, Options{})
				key := randomKey()
				switch before {
				case "a tombstone":
					if err := c.Invalidate(t.Context(), key, 1); err != nil {
						t.Fatal(err)
					}
				case "a fill token":
					_, _ = Read(t.Context(), c, key, (&loads{err: errors.New("fails")}).load)
				}
				got, err := Read(t.Context(), c, key, func(context.Context) (person, int64, error) {
					during(t, c, key)
					return person{"old", 1}, 1, nil
				})
				if err != nil || got.Name != "old" {
					t.Fatalf("read %+v, %v", got, err)
				}
				if is := client.Get(t.Context(), key.String()).Val(); strings.Contains(is, "old") {
					t.Errorf("the old value was stored: %q", is)
				}
				if c.Stats().RefusedStale != 1 {
					t.Errorf("%+v", c.Stats())
				}
			})
		}
	}
}

// A loader may read from a replica that lags behind.
func TestStore_OlderThanTombstoneIsRefused(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	if err := c.Invalidate(t.Context(), key, 100); err != nil {
		t.Fatal(err)
	}
	l := &loads{value: person{"old", 99}}
	l.read(t, c, key, 1)
	l.read(t, c, key, 2)
	l.value = person{"new", 100}
	l.read(t, c, key, 3)
	l.read(t, c, key, 3)
	if got := c.Stats(); got.RefusedStale != 2 || got.Hits != 1 {
		t.Errorf("%+v", got)
	}
}

// A fill token that replaces an unusable entry keeps the version of the entry.
func TestStore_OlderThanUnusableEntryIsRefused(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	type other struct{ Title string }
	if _, err := Read(t.Context(), c, key, func(context.Context) (other, int64, error) { return other{"x"}, 7, nil }); err != nil {
		t.Fatal(err)
	}
	l := &loads{value: person{"old", 6}}
	l.read(t, c, key, 1)
	l.read(t, c, key, 2)
	if c.Stats().RefusedStale != 2 {
		t.Errorf("%+v", c.Stats())
	}
}

// A fill token does not replace a value that another process stored after the miss.
func TestFillToken_KeepsOtherValues(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	client := raw(t, sharedURL)
	for _, is := range []string{
		string(kindTombstone) + versionText(3) + newToken(),
		string(kindFillToken) + noVersion + newToken(),
		string(encodeEntry(3, unknownRun, "01234567", []byte("{}"))),
	} {
		key := randomKey()
		client.Set(t.Context(), key.String(), is, time.Minute)
		want := is
		if is[0] == kindEntry {
			want = "" // an entry is no token to replace
		}
		if got := c.putFillToken(t.Context(), key, slot{version: noVersion}); got != want {
			t.Errorf("fill token %q under %q", got, is)
		}
		if got := client.Get(t.Context(), key.String()).Val(); got != is {
			t.Errorf("%q became %q", is, got)
		}
	}
}

func TestRead_SlowLoadIsNotStored(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	c.maxLoad = 0
	l := &loads{value: person{"Ada", 1}}
	key := randomKey()
	l.read(t, c, key, 1)
	l.read(t, c, key, 2)
	if got := raw(t, sharedURL).PTTL(t.Context(), key.String()).Val(); got > maxLoad || got <= 0 {
		t.Errorf("a fill token lives for %v", got)
	}
}

func TestRead_ErrorsAreNotCached(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	l := &loads{err: vault.Unknown("customer", key.name)}
	for range 2 {
		if _, err := Read(t.Context(), c, key, l.load); !errors.Is(err, l.err) {
			t.Fatalf("error %v", err)
		}
	}
	l.err, l.value = nil, person{"Ada", 1}
	l.read(t, c, key, 3)
	l.read(t, c, key, 3)
}

func TestRead_InvalidEntryIsMiss(t *testing.T) {
	t.Parallel()
	client := raw(t, sharedURL)
	c, _ := newCache(t, Options{})
	warm := &loads{value: person{"warm", 1}}
	warm.read(t, c, randomKey(), 1)
	run, shape := c.run.get(), Shape[person]("")
	entry := func(payload string) []byte { return encodeEntry(1, run, shape, []byte(payload)) }
	for name, text := range map[string][]byte{
		"garbage":              []byte("garbage"),
		"empty":                {},
		"long garbage":         []byte(strings.Repeat("E", 100)),
		"cut in its head":      entry("{}")[:20],
		"cut in its shape":     entry("{}")[:headEnd+2],
		"no JSON":              entry(""),
		"half JSON":            entry(`{"name": "A`),
		"JSON of another type": entry(`[1]`),
		"of another run":       encodeEntry(1, "0123456789abcdef", shape, []byte(`{"name": "old"}`)),
		"of another shape":     encodeEntry(1, run, "01234567", []byte(`{"name": "old"}`)),
		"no version":           append([]byte("E-000000000000000001"), entry(`{"name": "old"}`)[versionEnd:]...),
		"a long fill token":    []byte("F" + noVersion + strings.Repeat("a", 17)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := randomKey()
			if err := client.Set(t.Context(), key.String(), text, time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			l := &loads{value: person{"Ada", 1}}
			l.read(t, c, key, 1)
			l.read(t, c, key, 1)
		})
	}
	t.Run("a list", func(t *testing.T) {
		t.Parallel()
		for _, invalidate := range []bool{false, true} {
			key := randomKey()
			client.RPush(t.Context(), key.String(), "x")
			if invalidate {
				if err := c.Invalidate(t.Context(), key, 1); err != nil {
					t.Fatal(err)
				}
			}
			l := &loads{value: person{"Ada", 1}}
			l.read(t, c, key, 1)
			l.read(t, c, key, 1)
		}
	})
}

func TestShape_DiffersByType(t *testing.T) {
	t.Parallel()
	type inner struct{ A int }
	type tree struct{ Children []*tree }
	shapes := map[string]string{}
	for name, shape := range map[string]string{
		"person":       Shape[person](""),
		"pointer":      Shape[*person](""),
		"list":         Shape[[]person](""),
		"a field more": Shape[struct{ inner }](""),
		"another type": Shape[struct{ A string }](""),
		"another tag": Shape[struct {
			A string `json:"a"`
		}](""), //nolint:gofmt // one line
		"nested":        Shape[map[string]struct{ B struct{ C int } }](""),
		"nested, other": Shape[map[string]struct{ B struct{ C bool } }](""),
		"recursive":     Shape[tree](""),
		"time":          Shape[time.Time](""),
		"any":           Shape[any](""),
	} {
		if other, taken := shapes[shape]; taken || len(shape) != entryStart-headEnd {
			t.Errorf("%s and %s have the shape %s", name, other, shape)
		}
		shapes[shape] = name
	}
	if first, again := Shape[person](""), Shape[person](""); first != again {
		t.Errorf("a shape changes: %s, %s", first, again)
	}
}

// Two readers that miss at the same time both load the same value, and no store is refused.
func TestRead_ConcurrentMissesLoadEach_AtOnce(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	const readers = 8
	var loading, done sync.WaitGroup
	loading.Add(readers)
	for range readers {
		done.Go(func() {
			_, err := Read(t.Context(), c, key, func(context.Context) (person, int64, error) {
				loading.Done()
				loading.Wait() // all are here
				return person{"Ada", 1}, 1, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		if !c.Available() { // the first one renews the lease
			eventually(t, "lease", c.Available)
		}
	}
	done.Wait()
	if got := c.Stats(); got.RefusedStale != 0 || got.Misses+got.Bypassed != readers {
		t.Errorf("%+v", got)
	}
	l := &loads{}
	if value, err := Read(t.Context(), c, key, l.load); err != nil || value.Name != "Ada" || l.n != 0 {
		t.Errorf("%+v, %v, %d loads", value, err, l.n)
	}
}

func TestRead_LargeValueIsNotStored(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	l := &loads{value: person{strings.Repeat("x", maxPayload), 1}}
	l.read(t, c, key, 1)
	l.read(t, c, key, 2)
	l.value.Name = strings.Repeat("x", maxPayload-100)
	l.read(t, c, key, 3)
	l.read(t, c, key, 3)
}

func TestRead_RawJSONIsUnchanged(t *testing.T) {
	t.Parallel()
	c, _ := newCache(t, Options{})
	key := randomKey()
	value := map[string]json.RawMessage{"n": json.RawMessage("12345678901234567890.10"), "s": json.RawMessage(`"<ä> & \u0000"`), "o": json.RawMessage(`{"b":1,"a":[null]}`)}
	for range 2 {
		got, err := Read(t.Context(), c, key, func(context.Context) (map[string]json.RawMessage, int64, error) { return value, 1, nil })
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range value {
			if string(got[name]) != string(want) {
				t.Errorf("%s: %s, want %s", name, got[name], want)
			}
		}
	}
	if c.Stats().Hits != 1 {
		t.Errorf("%+v", c.Stats())
	}
}

func TestRead_NoCacheLoads(t *testing.T) {
	t.Parallel()
	off, err := New(Options{Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	defer off.Close()
	for name, c := range map[string]*Cache{"no address": off, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			l := &loads{value: person{"Ada", 1}}
			key := randomKey()
			l.read(t, c, key, 1)
			l.read(t, c, key, 2)
			if err := errors.Join(c.Invalidate(t.Context(), key, 2), c.Drop(t.Context(), key), c.Ping(t.Context()), c.AwaitLeaseExpiry(t.Context())); err != nil {
				t.Error(err)
			}
			if c.Available() || c.Stats() != (Stats{}) {
				t.Errorf("%+v", c.Stats())
			}
		})
	}
	var none *Cache
	none.Close()
}

// A disabled cache invalidates, so enabling it again returns no old value.
func TestInvalidate_DisabledCache(t *testing.T) {
	t.Parallel()
	on, _ := newCache(t, Options{})
	off, err := New(Options{URL: sharedURL})
	if err != nil {
		t.Fatal(err)
	}
	defer off.Close()
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, on, key, 1)
	l.read(t, off, key, 2)
	l.value = person{"Ada Lovelace", 2}
	if err := errors.Join(off.Invalidate(t.Context(), key, 2), off.AwaitLeaseExpiry(t.Context())); err != nil {
		t.Fatal(err)
	}
	l.read(t, on, key, 3)
}

func TestNew_BadAddressHidesPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://hunter2@h", "redis://u:hunter2@h:port", "redis://u:hunter2@h/db", "hunter2"} {
		_, err := New(Options{URL: url, Enabled: true})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "REDIS_URL") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestRead_AfterCloseLoads(t *testing.T) {
	t.Parallel()
	c, log := newCache(t, Options{})
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	c.Close()
	c.Close()
	for i := range 5 {
		l.read(t, c, key, 2+i)
	}
	if err := c.Invalidate(t.Context(), key, 2); vault.CodeOf(err) != vault.CodeUnavailable {
		t.Errorf("invalidate: %v", err)
	}
	if log.count("redis_unavailable") > 1 {
		t.Error(log.String())
	}
}

// A cancelled caller is no evidence about Redis.
func TestBreaker_IgnoresCancelledCallers(t *testing.T) {
	t.Parallel()
	c, log := newCache(t, Options{})
	key := randomKey()
	l := &loads{value: person{"Ada", 1}}
	l.read(t, c, key, 1)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for range 2 * tripAfter {
		for _, ctx := range []context.Context{cancelled, expired} {
			_, _ = Read(ctx, c, key, l.load)
			if err := c.Invalidate(ctx, randomKey(), 1); vault.CodeOf(err) != vault.CodeUnavailable {
				t.Errorf("invalidate: %v", err)
			}
		}
		hurried, cancel := context.WithTimeout(t.Context(), time.Microsecond)
		_, _ = Read(hurried, c, key, l.load)
		cancel()
	}
	eventually(t, "lease", func() bool {
		_, err := Read(t.Context(), c, key, l.load)
		return err == nil && c.Available()
	})
	if log.String() != "" {
		t.Error(log.String())
	}
}

func Example() {
	c, err := New(Options{URL: sharedURL, Enabled: true})
	if err != nil {
		panic(err)
	}
	defer c.Close()

	ctx := context.Background()
	key := ProfileKey(uuid.New(), uuid.New())
	load := func(context.Context) (string, int64, error) {
		fmt.Println("from the database")
		return "Ada", 1, nil
	}
	for range 2 {
		name, _ := Read(ctx, c, key, load)
		fmt.Println(name)
	}
	// Output:
	// from the database
	// Ada
	// Ada
}
