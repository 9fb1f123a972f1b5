package trigger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// owing returns a bench with accepted operations that were never pushed.
func owing(t *testing.T, n int) (*bench, []uuid.UUID) {
	t.Helper()
	b, quiet := quietBench(t)
	ids := make([]uuid.UUID, n)
	for i := range ids {
		r, err := trigger.Submit(t.Context(), quiet, b.tenant, vault.WriteValue, write(`"gold"`))
		b.must(err)
		ids[i] = r.ID
	}
	b.due()
	return b, ids
}

// owingAlone is owing with operations that share no batch.
func owingAlone(t *testing.T, n int) (*bench, []uuid.UUID) {
	t.Helper()
	b, quiet := quietBench(t)
	ids := make([]uuid.UUID, n)
	for i := range ids {
		r, err := trigger.Submit(t.Context(), quiet, b.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: uuid.New(), ScenarioID: uuid.New(),
		})
		b.must(err)
		ids[i] = r.ID
	}
	b.due()
	return b, ids
}

// quietBench returns a bench, and a client of its database that pushes nothing.
func quietBench(t *testing.T) (*bench, *trigger.Client) {
	t.Helper()
	b := newBench(t)
	quiet := trigger.New(trigger.Options{DB: b.db, Sealer: b.sealer})
	t.Cleanup(quiet.Close)
	return b, quiet
}

func TestRelayDue_ClaimIsALease(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 1)
	for attempts := range 7 {
		if attempts == 6 {
			attempts = 40
			dbtest.Exec(t, b.url, "UPDATE operations SET attempts = 40")
		}
		n, err := b.RelayDue(t.Context(), 10)
		b.must(err)
		if again, err := b.RelayDue(t.Context(), 10); n != 1 || again != 0 || err != nil {
			t.Fatalf("pushed %d, then %d (%v); want it once for each lease", n, again, err)
		}
		op := b.op(ids[0])
		const want = 30 * time.Second
		if lease := op.DueAt.Sub(*op.EnqueuedAt).Round(time.Second); lease != want || int(op.Attempts) != attempts+1 {
			t.Errorf("after %d attempts the lease is %s, want %s; now %d attempts", attempts, lease, want, op.Attempts)
		}
		b.due() // the lease has expired and the run is lost
	}
	b.finish(ids[0], nil)
	dbtest.Exec(t, b.url, "UPDATE operations SET due_at = clock_timestamp()")
	if n, err := b.RelayDue(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("a finished operation was pushed %d times (%v)", n, err)
	}
}

func TestRelayDue_ConcurrentRelaysShareWork(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 40)
	var pushed atomic.Int32
	atOnce(4, func(int) {
		for {
			n, err := b.RelayDue(t.Context(), 3)
			if err != nil {
				t.Error(err)
			}
			pushed.Add(int32(n)) //nolint:gosec // a few
			if n == 0 {
				return
			}
		}
	})
	if pushed.Load() != 40 {
		t.Errorf("%d pushes of 40 operations", pushed.Load())
	}
	taken := b.engine.taken()
	for _, id := range ids {
		if taken[id] != 1 {
			t.Errorf("operation %s was pushed %d times", id, taken[id])
		}
	}
}

func TestRelayDue_SkipsLockedOperation(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 2)
	conn, err := pgx.Connect(t.Context(), b.url)
	b.must(err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	_, err = conn.Exec(t.Context(), "BEGIN; SELECT 1 FROM operations WHERE id = '"+ids[0].String()+"' FOR UPDATE")
	b.must(err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if n, err := b.RelayDue(ctx, 10); n != 1 || err != nil || b.engine.taken()[ids[1]] != 1 {
		t.Errorf("pushed %d (%v), want the unlocked one", n, err)
	}
}

func TestRelayDue_FailedPushIsDueAgain(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 5)
	b.engine.answer(errDown)
	n, err := b.RelayDue(t.Context(), 10)
	if n != 0 || err == nil {
		t.Errorf("pushed %d, %v", n, err)
	}
	for _, id := range ids {
		op := b.op(id)
		if in := time.Until(op.DueAt); in < 0 || in > time.Minute || op.Attempts != 0 {
			t.Errorf("operation %s is due in %s, after %d attempts", id, in, op.Attempts)
		}
	}
	b.engine.answer(nil)
	b.eventually("the pushes when the engine is back", func() bool { // the circuit breaker probes it from time to time
		if len(b.engine.taken()) < len(ids) {
			dbtest.Exec(t, b.url, "UPDATE operations SET due_at = clock_timestamp() WHERE enqueued_at IS NULL")
			_, _ = b.RelayDue(t.Context(), 10)
		}
		return len(b.engine.taken()) == len(ids)
	})
}

func TestRelayDue_NoEngineClaimsNothing(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 1)
	none := trigger.New(trigger.Options{DB: b.db, Sealer: b.sealer, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(none.Close)
	before := dbtest.Dump(t, b.url)
	n, err := none.RelayDue(t.Context(), 10)
	b.code(err, vault.CodeUnavailable)
	if after := dbtest.Dump(t, b.url); n != 0 || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("RelayDue claimed an operation without an engine")
	}
	if n, err := b.RelayDue(t.Context(), 10); n != 1 || err != nil || b.engine.taken()[ids[0]] != 1 {
		t.Errorf("pushed %d, %v", n, err)
	}
}

func TestRun_PushesUntilContextEnds(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 3)
	b.engine.answer(errDown)
	relay := trigger.New(trigger.Options{
		DB: b.db, Sealer: b.sealer, Engine: b.engine, RelayInterval: 10 * time.Millisecond,
		Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(relay.Close)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- relay.Run(ctx) }()
	b.eventually("a try while the engine is down", func() bool { return b.engine.called() > 0 })
	b.engine.answer(nil)
	b.eventually("the pushes", func() bool {
		b.due()
		return len(b.engine.taken()) == len(ids)
	})
	cancel()
	select {
	case err := <-done:
		b.must(err)
	case <-time.After(patience):
		t.Fatal("Run does not end with its context")
	}
}

// The engine drops events without a registered workflow.
func TestStarted_RequeuesFirstOperations(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 2)
	relay := func(want int) {
		t.Helper()
		b.must(b.Started(t.Context()))
		if n, err := b.RelayDue(t.Context(), 10); n != want || err != nil {
			t.Errorf("after a worker has started %d were pushed, want %d (%v)", n, want, err)
		}
	}
	n, err := b.RelayDue(t.Context(), 10)
	if n != 2 || err != nil {
		t.Fatalf("pushed %d, %v", n, err)
	}
	relay(2)
	b.finish(ids[0], nil) // from now on the engine knows the workflows
	relay(0)
}

// The relay repeats a push only if the engine has carried out a later one. While nothing shows that the engine moves,
// it repeats a few.
func TestRelayDue_RepeatsAsTheEngineMoves(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 30)
	relay := func(want int) {
		t.Helper()
		total := 0
		for range 3 {
			n, err := b.RelayDue(t.Context(), 100)
			b.must(err)
			total += n
		}
		if total != want {
			t.Errorf("pushed %d, want %d", total, want)
		}
	}
	relay(30)
	// The engine is slow or has lost everything: nothing has finished.
	overdue := "UPDATE operations SET due_at = clock_timestamp(), enqueued_at = enqueued_at - interval '30 seconds' " +
		"WHERE status = 'accepted'"
	dbtest.Exec(t, b.url, overdue)
	relay(10)
	dbtest.Exec(t, b.url, overdue)
	relay(10)
	// One that was pushed before the others finishes: the engine is only slow.
	dbtest.Exec(t, b.url, "UPDATE operations SET enqueued_at = enqueued_at - interval '10 minutes' WHERE id = $1", ids[0])
	b.finishPush(ids[0])
	dbtest.Exec(t, b.url, "UPDATE operations SET due_at = clock_timestamp(), enqueued_at = clock_timestamp() - "+
		"interval '40 seconds' WHERE status = 'accepted'")
	relay(10)
	// One that was pushed after the others finishes: the engine has lost them.
	b.finishPush(ids[1])
	dbtest.Exec(t, b.url, "UPDATE operations SET enqueued_at = clock_timestamp() WHERE id = $1", ids[1])
	dbtest.Exec(t, b.url, "UPDATE operations SET due_at = clock_timestamp(), enqueued_at = clock_timestamp() - "+
		"interval '40 seconds' WHERE status = 'accepted'")
	relay(28)
}

// A repeat says nothing about the engine if an earlier push finishes the operation.
func TestRelayDue_EarlierPushIsNoProgress(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 30)
	n, err := b.RelayDue(t.Context(), 100)
	b.must(err)
	b.finish(ids[0], nil) // by push 0, not by the last one
	dbtest.Exec(t, b.url, "UPDATE operations SET due_at = clock_timestamp(), enqueued_at = clock_timestamp() - "+
		"interval '40 seconds' WHERE status = 'accepted'")
	again, err := b.RelayDue(t.Context(), 100)
	b.must(err)
	if n != 30 || again != 10 {
		t.Errorf("pushed %d, then %d, want 30 and 10", n, again)
	}
}

// An event usually arrives although the push had no answer in time, so the operation keeps its lease.
func TestRelayDue_PushWithoutAnswerKeepsTheLease(t *testing.T) {
	t.Parallel()
	b, ids := owing(t, 1)
	b.engine.mu.Lock()
	b.engine.hold = make(chan struct{})
	b.engine.mu.Unlock()
	client := trigger.New(trigger.Options{
		DB: b.db, Sealer: b.sealer, Engine: trigger.Bounded(b.engine, 20*time.Millisecond), Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(client.Close)
	n, err := client.RelayDue(t.Context(), 10)
	b.code(err, vault.CodeUnavailable)
	if op := b.op(ids[0]); n != 0 || op.EnqueuedAt == nil || time.Until(op.DueAt) < 10*time.Second || op.Attempts != 1 {
		t.Errorf("pushed %d; due in %s, after %d attempts", n, time.Until(op.DueAt), op.Attempts)
	}
}

// The relay pushes concurrently, within half of the limit of its process: new operations do not wait for owed ones.
func TestRelayDue_PushesConcurrently(t *testing.T) {
	t.Parallel()
	b, ids := owingAlone(t, 40)
	b.engine.mu.Lock()
	b.engine.hold = make(chan struct{})
	b.engine.mu.Unlock()
	client := trigger.New(trigger.Options{
		DB: b.db, Sealer: b.sealer, Engine: b.engine, MaxPushes: 8, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(client.Close)
	relayed := make(chan error, 1)
	go func() {
		n, err := client.RelayDue(t.Context(), 100)
		if n != len(ids) {
			err = errors.Join(err, fmt.Errorf("pushed %d", n))
		}
		relayed <- err
	}()
	b.eventually("four pushes at once", func() bool { return b.engine.called() == 4 })
	fresh, err := trigger.Submit(t.Context(), client, b.tenant, vault.WriteValue, write(`"gold"`))
	b.must(err)
	b.eventually("the push of a new operation", func() bool { return b.engine.called() == 5 })
	close(b.engine.hold)
	b.must(<-relayed)
	b.eventually("all pushes", func() bool { return len(b.engine.taken()) == len(ids)+1 })
	for _, id := range append(ids, fresh.ID) {
		if n := b.engine.taken()[id]; n != 1 {
			t.Errorf("operation %s was pushed %d times", id, n)
		}
	}
	if most := b.engine.most(); most > 8 {
		t.Errorf("%d pushes ran at once", most)
	}
}

// An operation that cannot be pushed holds up no other one, and a relay that stops keeps no claim.
func TestRelayDue_ReleasesOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	b, ids := owingAlone(t, 12)
	b.engine.mu.Lock()
	b.engine.refuse = ids[3]
	b.engine.mu.Unlock()
	n, err := b.RelayDue(t.Context(), 100)
	if !errors.Is(err, errDown) || n != len(ids)-1 {
		t.Errorf("pushed %d, %v", n, err)
	}
	for i, id := range ids {
		if op := b.op(id); (op.EnqueuedAt == nil) != (i == 3) {
			t.Errorf("operation %d is due in %s, after %d attempts", i, time.Until(op.DueAt), op.Attempts)
		}
	}
	b.due()
	ctx, cancel := context.WithCancel(t.Context())
	b.engine.mu.Lock()
	b.engine.refuse, b.engine.hold = uuid.Nil, make(chan struct{})
	b.engine.mu.Unlock()
	one := trigger.New(trigger.Options{
		DB: b.db, Sealer: b.sealer, Engine: trigger.Bounded(b.engine, patience), MaxPushes: 1,
		Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(one.Close)
	dbtest.Exec(t, b.url, "UPDATE operations SET enqueued_at = NULL")
	before := b.engine.called()
	stopped := make(chan error, 1)
	go func() {
		_, err := one.RelayDue(ctx, 100)
		stopped <- err
	}()
	b.eventually("a push", func() bool { return b.engine.called() > before })
	cancel()
	b.code(<-stopped, vault.CodeUnavailable)
	claimed := 0
	for _, id := range ids {
		if op := b.op(id); op.EnqueuedAt != nil || time.Until(op.DueAt) > 5*time.Second {
			claimed++
		}
	}
	if claimed != 1 {
		t.Errorf("the relay keeps %d claims, want one: the push in flight usually arrives", claimed)
	}
}
