package cache

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/contextvault/contextvault/vault"
)

// unknownRun is the run id of a Redis that does not allow INFO.
const unknownRun = "----------------"

// run is the run id of the Redis process behind the newest connection. A connection always leads to the same process,
// so each answer comes from this run or from one that has ended.
type run struct {
	mu      sync.Mutex // serializes INFO: a slow answer of an ended process must not overwrite a newer id
	id      atomic.Pointer[string]
	unknown sync.Once
}

func (r *run) get() string {
	if id := r.id.Load(); id != nil {
		return *id
	}
	return ""
}

// learn reads the run id over a new connection, before its first use.
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
			log.WarnContext(ctx, "redis_run_unknown",
				"consequence", "a restart of Redis from an old snapshot is not detected: allow the command INFO")
		})
	}
	r.id.Store(&id)
	return nil
}

var quiet sync.Once

func connect(url string, r *run, timeout time.Duration, log *slog.Logger) (*redis.Client, error) {
	// The client logs each failed connection. The circuit breaker logs an outage once.
	quiet.Do(logging.Disable)
	opts, err := redis.ParseURL(url)
	if err != nil { // the cause may contain the password
		return nil, fmt.Errorf("REDIS_URL is not a Redis address, such as redis://user:password@host:6379/0 or " +
			"rediss:// for TLS")
	}
	opts.ClientName = "contextvault"
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = timeout, timeout, timeout, timeout
	opts.ContextTimeoutEnabled = true
	opts.MaxRetries, opts.DialerRetries = -1, 1 // no retries: the loader is the fallback
	opts.PipelinePoolSize = -1
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opts.OnConnect = func(ctx context.Context, conn *redis.Conn) error { return r.learn(ctx, conn, log) }
	return redis.NewClient(opts), nil
}

// tlsProblem returns the error of a TLS connection that only a change of the settings or of the server's certificate
// can mend, and nil for any other error. An expired certificate is none: it was right, and a restart must not make the
// outage larger.
func tlsProblem(err error) error {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return nil
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return vault.Invalid("REDIS_URL", "REDIS_URL: the certificate of Redis is not trusted (%v): add its authority to the "+
			"certificates of this machine, or name a file with it in SSL_CERT_FILE; the certificate must be for the host in "+
			"REDIS_URL", e.Err)
	}
	return nil
}

// schemeProblem returns an error if Redis answers with TLS and the URL has none, or the other way round. The client
// itself gets no answer then. It sends no password.
func schemeProblem(ctx context.Context, opts *redis.Options) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", opts.Addr)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if opts.TLSConfig == nil {
		//nolint:gosec // nothing is sent
		if tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx) == nil {
			return vault.Invalid("REDIS_URL", "REDIS_URL begins with redis://, and Redis answers with TLS: use rediss://")
		}
		return nil
	}
	answer := make([]byte, 1)
	if _, err := conn.Write([]byte("PING\r\n")); err == nil {
		_, _ = conn.Read(answer)
	}
	if answer[0] == '+' || answer[0] == '-' { // PONG, or an error such as NOAUTH
		return vault.Invalid("REDIS_URL", "REDIS_URL begins with rediss:// (TLS), and Redis answers without TLS: use redis://, "+
			"or the TLS port of Redis")
	}
	return nil
}

// isDown reports whether Redis cannot serve requests: it loads its data, lost its primary, refuses the login or does
// not answer. A missing key, a key of another type and a full memory are answers.
func isDown(err error) bool {
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return false
	case redis.HasErrorPrefix(err, "WRONGTYPE"), strings.Contains(err.Error(), "OOM command not allowed"):
		return false
	}
	return true
}
