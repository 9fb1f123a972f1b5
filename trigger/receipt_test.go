package trigger_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/vault"
)

// waiting waits for an operation in the background. The returned function returns the outcome.
func (b *bench) waiting(id uuid.UUID) func() (vault.Operation, time.Time, error) {
	var op vault.Operation
	var at time.Time
	var err error
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	go func() {
		defer close(done)
		defer cancel()
		op, err = b.Wait(ctx, b.tenant, id)
		at = time.Now()
	}()
	return func() (vault.Operation, time.Time, error) {
		<-done
		return op, at, err
	}
}

// quickest returns the shortest time between the end of an operation and the return of its waiter. Waiters poll every 2
// seconds; the operations end long before that.
func (b *bench) quickest() time.Duration {
	b.t.Helper()
	best := patience
	for range 3 {
		r := b.accept()
		outcome := b.waiting(r.ID)
		time.Sleep(100 * time.Millisecond)
		ended := time.Now()
		b.finish(r.ID, nil)
		op, heard, err := outcome()
		if err != nil || op.Status != vault.OperationSucceeded {
			b.t.Fatalf("got %+v, %v", op, err)
		}
		if best = min(best, heard.Sub(ended)); best < time.Second {
			break
		}
	}
	return best
}

func TestWait_WokenByOutcome(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if took := b.quickest(); took > time.Second {
		t.Errorf("the waiter returned after %s: by polling, not by notification", took)
	}
}

func TestWait_AllWaitersAreWoken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.accept()
	var outcomes []func() (vault.Operation, time.Time, error)
	for range 20 {
		outcomes = append(outcomes, b.waiting(r.ID))
	}
	time.Sleep(50 * time.Millisecond)
	b.finish(r.ID, nil)
	for _, outcome := range outcomes {
		if op, _, err := outcome(); err != nil || op.Status != vault.OperationSucceeded {
			t.Errorf("got %+v, %v", op, err)
		}
	}
}

func TestWait_SurvivesLostListener(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const listening = "FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%'"
	listeners := func() (n int) {
		dbtest.Scan(t, b.url, &n, "SELECT count(*) "+listening)
		return n
	}
	b.eventually("the listening connection", func() bool { return listeners() == 1 })
	during := b.accept()
	outcome := b.waiting(during.ID)
	dbtest.Exec(t, b.url, "SELECT pg_terminate_backend(pid) "+listening)
	b.finish(during.ID, nil) // without a listener
	if op, _, err := outcome(); err != nil || op.Status != vault.OperationSucceeded {
		t.Errorf("an operation that ended without a listener: got %+v, %v", op, err)
	}
	b.eventually("the listening connection's return", func() bool { return listeners() == 1 })
	if took := b.quickest(); took > time.Second {
		t.Errorf("afterwards the waiter returned after %s", took)
	}
}

func TestWait_ReturnsOutcome(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	failed, succeeded, open := b.accept(), b.accept(), b.accept()
	failure := &vault.Error{
		Code: vault.CodeInvalid, Field: "plan", Message: "plan: is wrong", Detail: `plan: "gold" is wrong`,
	}
	b.finish(failed.ID, failure)
	b.finish(succeeded.ID, nil)

	op, err := failed.Wait(ctx)
	if e, ok := errors.AsType[*vault.Error](err); !ok || e.Code != failure.Code ||
		e.ForCaller() != failure.Detail || op.Status != vault.OperationFailed {
		t.Errorf("a rejected one: got %+v, %v", op, err)
	}
	if op, err := succeeded.Wait(ctx); err != nil || op.Status != vault.OperationSucceeded || op.FinishedAt == nil {
		t.Errorf("an applied one: got %+v, %v", op, err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if op, err := open.Wait(short); !errors.Is(err, context.DeadlineExceeded) || op.Status != vault.OperationAccepted {
		t.Errorf("one that is under way: got %+v, %v", op, err)
	}
	_, err = b.Wait(ctx, b.tenant, agent)
	b.code(err, vault.CodeUnknown)
	_, err = b.Wait(ctx, dbtest.Tenant(t, b.db), open.ID)
	b.code(err, vault.CodeUnknown)

	// After a replay, Wait returns the new outcome.
	_, err = b.Replay(ctx, b.tenant, failed.ID)
	b.must(err)
	outcome := b.waiting(failed.ID)
	b.finish(failed.ID, nil)
	if op, _, err := outcome(); err != nil || op.Status != vault.OperationSucceeded {
		t.Errorf("after the replay: got %+v, %v", op, err)
	}
}

func TestWait_CancelledWaitersLeaveNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.accept()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := r.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	b.finish(r.ID, nil)
	if _, err := r.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}
