package cache

import (
	"context"
	"errors"
	"log/slog"
	"net"
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
	DefaultOpTimeout      = 100 * time.Millisecond // a hundred times what Redis takes; a read from PostgreSQL takes a few milliseconds
	DefaultRetryEvery     = time.Second            // how soon a Redis that is back is used again
	DefaultTrustFor       = 2 * time.Second        // each process asks for notes at half of it; a change without Redis waits for it
)

const (
	requirementsTTL = time.Hour
	chainTTL        = 5 * time.Minute

	// maxLoad is how long a load may take for its value to be stored, and how long a claim lives. A load takes milliseconds.
	maxLoad = 10 * time.Second
	// markerTTL is how long the version of an invalidation is remembered: longer than a read replica may lag behind.
	markerTTL = time.Minute
	// maxPayload is the longest JSON that is stored. A transfer of more takes a good part of the time-out.
	maxPayload = 1 << 20

	// tripAfter failures in a row, Redis counts as unavailable.
	tripAfter = 3
)

// Options say how to cache.
type Options struct {
	// URL is the address of Redis: redis://user:password@host:6379/0, or rediss:// for TLS. "": there is no cache.
	URL string
	// Enabled says whether reads may be answered from Redis. false: every read goes to its loader. Invalidations still go to
	// Redis where there is an URL, so that another process, or the next start, may have it enabled.
	Enabled bool
	// Logger gets a line when Redis becomes unavailable and when it is back. nil: slog.Default().
	Logger *slog.Logger
	// OnRecover makes up for the invalidations that could not reach Redis and were noted elsewhere (by calling Invalidate
	// again), and returns nil when none is left. It is called before cached reads are trusted: at the first read, when Redis
	// answers again, and while there are reads once in half of TrustFor. Several processes may call theirs at once.
	// nil: nobody notes any.
	OnRecover func(ctx context.Context) error

	ProfileTTL     time.Duration // how long a profile is kept. 0: DefaultProfileTTL
	DefinitionsTTL time.Duration // how long the definitions of an agent are kept. 0: DefaultDefinitionsTTL
	OpTimeout      time.Duration // bounds one exchange with Redis, connection included. 0: DefaultOpTimeout
	RetryEvery     time.Duration // how often an unavailable Redis is tried. 0: DefaultRetryEvery
	TrustFor       time.Duration // how long reads are trusted after OnRecover, the same in all processes. 0: DefaultTrustFor
}

// Cache is safe for concurrent use. A nil *Cache misses always.
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

	trust trust

	background sync.WaitGroup
	ctx        context.Context // ends with Close
	cancel     context.CancelFunc
}

// New makes a cache. It does not wait for Redis: a Redis that is away is used when it comes.
func New(opts Options) (*Cache, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	c := &Cache{
		enabled: opts.Enabled && opts.URL != "",
		log:     opts.Logger,
		lifetimes: map[Kind]time.Duration{
			KindProfile:      or(opts.ProfileTTL, DefaultProfileTTL),
			KindDefinitions:  or(opts.DefinitionsTTL, DefaultDefinitionsTTL),
			KindRequirements: requirementsTTL,
			KindChain:        chainTTL,
		},
		counters:   map[Kind]*counters{},
		opTimeout:  or(opts.OpTimeout, DefaultOpTimeout),
		retryEvery: or(opts.RetryEvery, DefaultRetryEvery),
		maxLoad:    maxLoad,
		trust:      trust{lasts: or(opts.TrustFor, DefaultTrustFor), recover: opts.OnRecover},
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

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Close ends what runs in the background and the connections. Reads go to their loaders afterwards.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	c.trust.close()
	c.cancel()
	c.background.Wait()
	if c.client != nil {
		_ = c.client.Close()
	}
}

// Ping tells whether Redis answers, whatever the circuit breaker says; nil where there is no cache.
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

// do runs one exchange with Redis within its time. The error is that of the exchange, or the circuit breaker's where it did
// not let it happen. What fails because the caller has no time left does not count against Redis.
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
			return struct{}{}, errCaller // a time-out well before ours is the caller's
		}
		c.lastErr.Store(&outcome)
		return struct{}{}, outcome
	})
	if outcome != nil {
		return outcome
	}
	return err
}

// endsBefore reports whether a context has its end before a time. When the time-out came is no sign: on a busy machine it comes late.
func endsBefore(ctx context.Context, at time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && deadline.Before(at)
}

var errCaller = errors.New("the caller gave up")

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func (c *Cache) onStateChange(_ string, from, to gobreaker.State) {
	switch {
	case from == gobreaker.StateClosed && to == gobreaker.StateOpen:
		c.trust.lose()
		c.log.Warn("redis_unavailable, falling_back_to_backend", "error", *c.lastErr.Load())
	case to == gobreaker.StateClosed:
		c.log.Info("redis_available")
	}
}
