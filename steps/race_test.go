package steps_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// The size of the test; the same with the race detector: CGO_ENABLED=1 go test -race -run NeverOlder ./steps
const (
	raceProfiles   = 20
	raceWriters    = 8
	raceReaders    = 16
	raceOperations = 20_000 // reads and writes; readers run as long as writers, so there may be more
	raceWrites     = 1_600
)

// raced is one profile of the test.
type raced struct {
	customer uuid.UUID
	mu       sync.Mutex // serializes acceptance, in the order of the numbers
	next     int64
	acked    atomic.Int64 // the newest acknowledged number
}

func (r *raced) acknowledge(number int64) {
	for {
		was := r.acked.Load()
		if was >= number || r.acked.CompareAndSwap(was, number) {
			return
		}
	}
}

// TestRead_NeverOlderThanAcknowledged checks rule 10 with writers and readers in different processes and a Redis
// between them.
func TestRead_NeverOlderThanAcknowledged(t *testing.T) {
	t.Parallel()
	t.Run("Redis answers", func(t *testing.T) {
		t.Parallel()
		race(t, raceWrites, func(context.Context, *redisServer) {})
	})
	t.Run("Redis restarts and hangs", func(t *testing.T) {
		t.Parallel()
		race(t, raceWrites/4, func(ctx context.Context, server *redisServer) {
			for ctx.Err() == nil {
				for _, trouble := range []func(){server.kill, server.hang} {
					if !pause(ctx, 400*time.Millisecond) {
						return
					}
					trouble()
					pause(context.WithoutCancel(ctx), 200*time.Millisecond)
					server.revive()
				}
			}
		})
	})
}

// pause waits, and reports whether ctx is still active.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func race(t *testing.T, writes int, trouble func(context.Context, *redisServer)) {
	server := startRedis(t)
	w := newWorld(t, func(d *steps.Deps) {
		d.Cache = (&world{t: t}).newCache(cache.Options{
			URL: server.url, OpTimeout: 300 * time.Millisecond, RetryEvery: 50 * time.Millisecond,
		})
	})
	w.define(vault.Definition{Name: "number", ValueType: vault.TypeNumber})
	profiles := make([]*raced, raceProfiles)
	for i := range profiles {
		profiles[i] = &raced{customer: newID()}
	}
	reader := w.newCache(cache.Options{
		URL: server.url, OpTimeout: 300 * time.Millisecond, RetryEvery: 50 * time.Millisecond,
	})
	queries := query.New(w.db, reader, w.sealer)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var troubled sync.WaitGroup
	troubled.Go(func() { trouble(ctx, server) })

	var failures atomic.Int64
	fail := func(format string, args ...any) {
		if failures.Add(1) <= 5 {
			t.Errorf(format, args...)
		}
	}
	var toWrite, reads, wrote atomic.Int64
	toWrite.Store(int64(writes))
	var writing, reading sync.WaitGroup
	writersDone := make(chan struct{})
	for i := range raceWriters {
		writing.Go(func() {
			for n := i; toWrite.Add(-1) >= 0 && failures.Load() == 0; n += 7 {
				if err := w.raceWrite(t.Context(), profiles[n%raceProfiles]); err != nil {
					fail("a write failed: %v", err)
				}
				wrote.Add(1)
			}
		})
	}
	for i := range raceReaders {
		reading.Go(func() {
			for n := i; failures.Load() == 0; n += 3 {
				select {
				case <-writersDone:
					if reads.Load()+wrote.Load() >= raceOperations {
						return
					}
				default:
				}
				p := profiles[n%raceProfiles]
				acked := p.acked.Load()
				got, err := raceRead(t.Context(), queries, w.tenant, p.customer)
				if err != nil && (acked > 0 || vault.CodeOf(err) != vault.CodeUnknown) {
					fail("a read failed: %v", err)
				}
				if got < acked {
					fail("read %d of customer %s after %d was acknowledged", got, p.customer, acked)
				}
				reads.Add(1)
			}
		})
	}
	writing.Wait()
	close(writersDone)
	reading.Wait()
	stop()
	troubled.Wait()

	stats := reader.Stats()
	t.Logf(
		"%d writes, %d reads: %d from Redis, %d missed, %d bypassed it, %d stores refused as stale", wrote.Load(),
		reads.Load(), stats.Hits, stats.Misses, stats.Bypassed, stats.RefusedStale,
	)
	if wrote.Load() < int64(writes) || reads.Load()+wrote.Load() < raceOperations {
		t.Errorf("only %d writes and %d reads", wrote.Load(), reads.Load())
	}
	if stats.Hits < 100 {
		t.Errorf("Redis answered %d reads: the race was not through the cache", stats.Hits)
	}
}

// raceWrite writes the next number of a profile and acknowledges it.
func (w *world) raceWrite(ctx context.Context, p *raced) error {
	p.mu.Lock()
	p.next++
	number := p.next
	r, err := trigger.Submit(ctx, w.trigger, w.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: w.agent, CustomerID: p.customer, Name: "number", Value: json.RawMessage(strconv.FormatInt(number, 10)),
		Source: vault.ValueUserProvided,
	})
	p.mu.Unlock()
	if err != nil {
		return err
	}
	ev := vault.Event{OperationID: r.ID, TenantID: w.tenant}
	if _, err := w.steps.Values.PersistValue(ctx, ev); err != nil {
		return err
	}
	if _, err := w.steps.Caches.InvalidateAndAcknowledge(ctx, vault.BatchOf(ev)); err != nil {
		return err
	}
	p.acknowledge(number)
	return nil
}

// raceRead returns the number that a reader sees, 0 without a value.
func raceRead(ctx context.Context, queries *query.Queries, tenant, customer uuid.UUID) (int64, error) {
	p, err := queries.Profile(ctx, tenant, customer)
	if err != nil {
		return 0, err
	}
	number, err := strconv.ParseInt(string(p.Fields["number"].Value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the number is %q", p.Fields["number"].Value)
	}
	return number, nil
}
