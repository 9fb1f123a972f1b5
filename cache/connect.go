package cache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// unknownRun stands for a Redis that does not tell its run id.
const unknownRun = "----------------"

// run is the run id of the Redis process that the newest connection leads to. A connection leads to one process for all its
// life, so an answer that comes over a connection is of this run, or of one that has ended.
type run struct {
	mu      sync.Mutex // one question at a time, or a slow answer of a process that has ended could come last
	id      atomic.Pointer[string]
	unknown sync.Once
}

func (r *run) get() string {
	if id := r.id.Load(); id != nil {
		return *id
	}
	return ""
}

// learn asks a new connection, before it is used.
func (r *run) learn(ctx context.Context, conn *redis.Conn, log *slog.Logger) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := unknownRun
	info, err := conn.Info(ctx, "server").Result()
	if err != nil && !redis.HasErrorPrefix(err, "NOPERM") && !redis.HasErrorPrefix(err, "unknown command") {
		return err
	}
	lines := bufio.NewScanner(strings.NewReader(info))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "run_id:"); ok && len(value) >= len(unknownRun) {
			id = value[:len(unknownRun)]
		}
	}
	if id == unknownRun {
		r.unknown.Do(func() {
			log.WarnContext(ctx, "redis_run_unknown", "consequence", "a restart of Redis from an old snapshot goes unnoticed: allow the command INFO")
		})
	}
	r.id.Store(&id)
	return nil
}

var quiet sync.Once

func connect(url string, r *run, timeout time.Duration, log *slog.Logger) (*redis.Client, error) {
	// The client writes lines of its own for each failed connection; the circuit breaker says it once.
	quiet.Do(logging.Disable)
	opts, err := redis.ParseURL(url)
	if err != nil { // the cause may quote the password
		return nil, fmt.Errorf("REDIS_URL is not a Redis address, such as redis://user:password@host:6379/0 or rediss:// for TLS")
	}
	opts.ClientName = "contextvault"
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = timeout, timeout, timeout, timeout
	opts.ContextTimeoutEnabled = true
	opts.MaxRetries, opts.DialerRetries = -1, 1 // the loader is the second try
	opts.PipelinePoolSize = -1
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opts.OnConnect = func(ctx context.Context, conn *redis.Conn) error { return r.learn(ctx, conn, log) }
	return redis.NewClient(opts), nil
}

// isDown tells a Redis that cannot serve (it loads its data, lost its primary, does not let us in, does not answer) from
// one that answers, if not as hoped for.
func isDown(err error) bool {
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return false
	case redis.HasErrorPrefix(err, "WRONGTYPE"), strings.Contains(err.Error(), "OOM command not allowed"):
		return false
	}
	return true
}
