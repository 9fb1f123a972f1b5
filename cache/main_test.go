package cache

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// sharedURL is the Redis of `make test`. Tests use keys of their own there, and disturb nobody; those that stop Redis
// start one.
var sharedURL = os.Getenv("REDIS_URL")

func TestMain(m *testing.M) {
	if sharedURL == "" {
		fmt.Fprintln(os.Stderr, "REDIS_URL is not set: these tests need a Redis; run `make test`, or `eval \"$(scripts/services env)\"` first")
		os.Exit(1)
	}
	flag.Parse()
	checksGiven := false
	flag.Visit(func(f *flag.Flag) { checksGiven = checksGiven || f.Name == "rapid.checks" })
	if !checksGiven { // each check runs for some hundred milliseconds
		if err := flag.Set("rapid.checks", "20"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// logged is a log that can be read while it is written.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) count(text string) int { return strings.Count(l.String(), text) }

// newCache makes a cache of the shared Redis, unless opts say otherwise, with time enough for a slow machine.
func newCache(t testing.TB, opts Options) (*Cache, *logged) {
	t.Helper()
	log := &logged{}
	if opts.URL == "" {
		opts.URL = sharedURL
	}
	if opts.OpTimeout == 0 {
		opts.OpTimeout = 5 * time.Second
	}
	opts.Enabled = true
	opts.Logger = slog.New(slog.NewJSONHandler(log, nil))
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, log
}

// raw is a client beside the cache.
func raw(t testing.TB, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func randomKey() Key { return ProfileKey(uuid.New(), uuid.New()) }

// person is what the tests cache.
type person struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`
}

// loads counts the calls of a loader that gives one value.
type loads struct {
	n     int
	value person
	err   error
}

func (l *loads) load(context.Context) (person, int64, error) {
	l.n++
	return l.value, l.value.Version, l.err
}

// read reads and checks what comes, and from where.
func (l *loads) read(t *testing.T, c *Cache, key Key, wantLoads int) {
	t.Helper()
	value, err := Read(t.Context(), c, key, l.load)
	if err != nil || value != l.value {
		t.Fatalf("read %+v, %v; want %+v", value, err, l.value)
	}
	if l.n != wantLoads {
		t.Fatalf("the loader ran %d times, want %d; %+v", l.n, wantLoads, c.Stats())
	}
}

// eventually waits for something that another goroutine or process does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 seconds", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
