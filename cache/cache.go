package cache

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"

	"github.com/contextvault/contextvault/vault"
)

// Defaults of Options.
const (
	DefaultProfileTTL     = 30 * time.Minute
	DefaultDefinitionsTTL = time.Hour
	// DefaultOpTimeout is a hundred times what Redis takes. A read from PostgreSQL takes a few milliseconds.
	DefaultOpTimeout = 100 * time.Millisecond
	// DefaultRetryEvery is the longest time until a recovered Redis is used again.
	DefaultRetryEvery = time.Second
	// DefaultLeaseDuration trades two costs: each process lists the pending invalidations once per half of it, and a
	// change without Redis waits for it.
	DefaultLeaseDuration = 2 * time.Second
)

const (
	requirementsTTL = time.Hour
	chainTTL        = 5 * time.Minute

	// maxLoad is the lifetime of a fill token. The value of a longer load is not stored. A load takes milliseconds.
	maxLoad = 10 * time.Second
	// tombstoneTTL is longer than a read replica may lag behind.
	tombstoneTTL = time.Minute
	// maxPayload is the size limit of the stored JSON, in bytes. The transfer of more takes a good part of OpTimeout.
	maxPayload = 1 << 20

	// tripAfter is the number of consecutive failures that opens the circuit breaker.
	tripAfter = 3
)

// Options configure a Cache.
type Options struct {
	// URL is the address of Redis: redis://user:password@host:6379/0, or rediss:// for TLS. "": no cache.
	URL string
	// Enabled allows reads from Redis. false: every read calls its loader. Invalidations still go to Redis if there is a
	// URL, because another process, or the next start, may have the cache enabled.
	Enabled bool
	// Logger gets a line when Redis becomes unavailable and when it recovers. nil: slog.Default().
	Logger *slog.Logger
	// FlushPending invalidates all pending invalidations, those that could not reach Redis, by calling Invalidate again.
	// It returns nil when none is left. The cache calls it before it answers reads from Redis: at the first read, when
	// Redis recovers, and, while there are reads, once per half of LeaseDuration. Several processes may call theirs at the
	// same time. nil: there are no pending invalidations.
	FlushPending func(ctx context.Context) error

	ProfileTTL     time.Duration // lifetime of a profile. 0: DefaultProfileTTL
	DefinitionsTTL time.Duration // lifetime of the definitions of an agent. 0: DefaultDefinitionsTTL
	OpTimeout      time.Duration // limit of one exchange with Redis, connection included. 0: DefaultOpTimeout
	RetryEvery     time.Duration // interval of the probes of an unavailable Redis. 0: DefaultRetryEvery
	LeaseDuration  time.Duration // lifetime of a lease, the same in all processes. 0: DefaultLeaseDuration
}

// Cache is safe for concurrent use. Every read of a nil *Cache is a miss.
type Cache struct {
	client     *redis.Client // nil: there is no cache
	run        run
	enabled    bool
	log        *slog.Logger
	lifetimes  map[Kind]time.Duration
	counters   map[Kind]*counters
	opTimeout  time.Duration
	retryEvery time.Duration
	maxLoad    time.Duration

	breaker *gobreaker.CircuitBreaker[struct{}]
	lastErr atomic.Pointer[error]

	lease lease

	background sync.WaitGroup
	ctx        context.Context // ends with Close
	cancel     context.CancelFunc
}

// New returns a cache. It does not wait for Redis: an unavailable Redis is used when it recovers.
func New(opts Options) (*Cache, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	c := &Cache{
		enabled: opts.Enabled && opts.URL != "",
		log:     opts.Logger,
		lifetimes: map[Kind]time.Duration{
			KindProfile:      cmp.Or(opts.ProfileTTL, DefaultProfileTTL),
			KindDefinitions:  cmp.Or(opts.DefinitionsTTL, DefaultDefinitionsTTL),
			KindRequirements: requirementsTTL,
			KindChain:        chainTTL,
		},
		counters:   map[Kind]*counters{},
		opTimeout:  cmp.Or(opts.OpTimeout, DefaultOpTimeout),
		retryEvery: cmp.Or(opts.RetryEvery, DefaultRetryEvery),
		maxLoad:    maxLoad,
		lease:      lease{duration: cmp.Or(opts.LeaseDuration, DefaultLeaseDuration), flush: opts.FlushPending},
	}
	for _, kind := range Kinds {
		c.counters[kind] = &counters{}
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       c.retryEvery,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= tripAfter },
		IsExcluded:    func(err error) bool { return errors.Is(err, errCaller) },
		OnStateChange: c.onStateChange,
	})
	if opts.URL == "" {
		return c, nil
	}
	client, err := connect(opts.URL, &c.run, c.opTimeout, c.log)
	if err != nil {
		return nil, err
	}
	c.client = client
	return c, nil
}

// Close stops the background work and closes the connections. Later reads call their loaders.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	c.lease.close()
	c.cancel()
	c.background.Wait()
	if c.client != nil {
		_ = c.client.Close()
	}
}

// Ping returns an error if Redis does not answer. It ignores the circuit breaker. Without a cache it returns nil.
func (c *Cache) Ping(ctx context.Context) error {
	if c == nil || c.client == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.opTimeout)
	defer cancel()
	if err := c.client.Ping(ctx).Err(); err != nil {
		return vault.Unavailable("Redis", err)
	}
	return nil
}

// CheckServer returns an error if the server that answers is no standalone Redis, or if TLS fails because of its
// certificate or the URL: then every request fails, and the vault would work without a cache and say nothing. A server
// that does not answer is not an error.
func (c *Cache) CheckServer(ctx context.Context) error {
	if c == nil || c.client == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.opTimeout)
	defer cancel()
	info, err := c.client.Info(ctx, "server").Result()
	if err != nil {
		if err := tlsProblem(err); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opTimeout)
		defer cancel()
		// nil: unavailable now; the vault works without a cache until it is back
		return schemeProblem(ctx, c.client.Options())
	}
	for line := range strings.Lines(info) {
		mode, found := strings.CutPrefix(strings.TrimSpace(line), "redis_mode:")
		switch {
		case !found:
		case mode == "cluster":
			return vault.Invalid("REDIS_URL", "REDIS_URL is a node of a Redis Cluster, which the vault does not support: "+
				"use a standalone Redis, or a managed one with a single endpoint")
		case mode == "sentinel":
			return vault.Invalid("REDIS_URL", "REDIS_URL is a Redis Sentinel, which the vault does not support: use the "+
				"address of the primary, or a proxy that follows the primary")
		}
	}
	return nil
}

// do runs one exchange with Redis, limited by opTimeout. It returns the error of the exchange, or that of the circuit
// breaker if it is open. A failure caused by the deadline of the caller does not count against Redis.
func (c *Cache) do(ctx context.Context, exchange func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var outcome error
	began := time.Now()
	_, err := c.breaker.Execute(func() (struct{}, error) {
		opCtx, cancel := context.WithTimeout(ctx, c.opTimeout)
		defer cancel()
		outcome = exchange(opCtx)
		switch {
		case !isDown(outcome):
			return struct{}{}, nil
		case errors.Is(ctx.Err(), context.Canceled), isTimeout(outcome) && endsBefore(ctx, began.Add(c.opTimeout/2)):
			return struct{}{}, errCaller // a timeout well before opTimeout is that of the caller
		}
		c.lastErr.Store(&outcome)
		return struct{}{}, outcome
	})
	if outcome != nil {
		return outcome
	}
	return err
}

// endsBefore reports whether the deadline of a context is before a time. The moment of the timeout itself proves
// nothing: on a busy machine it is late.
func endsBefore(ctx context.Context, at time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && deadline.Before(at)
}

var errCaller = errors.New("cancelled by the caller")

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func (c *Cache) onStateChange(_ string, from, to gobreaker.State) {
	switch {
	case from == gobreaker.StateClosed && to == gobreaker.StateOpen:
		c.lease.revoke()
		c.log.Warn("redis_unavailable, falling_back_to_backend", "error", *c.lastErr.Load())
	case to == gobreaker.StateClosed:
		c.log.Info("redis_available")
	}
}
