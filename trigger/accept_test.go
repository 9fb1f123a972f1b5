package trigger_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestSubmit_SameKeyIsTheSameOperation(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	key := trigger.IdempotencyKey("k")
	first, err := trigger.Submit(ctx, b.Client, b.tenant, vault.WriteValue, write(`{"a": 1}`), key)
	b.must(err)

	// Whitespace is not content.
	same, err := trigger.Submit(ctx, b.Client, b.tenant, vault.WriteValue, write(`{"a":1}`), key)
	b.must(err)
	if same != first {
		t.Errorf("the same content: got %+v, want %+v", same, first)
	}
	_, err = trigger.Submit(ctx, b.Client, b.tenant, vault.WriteValue, write(`{"a":2}`), key)
	b.code(err, vault.CodeConflict)
	for _, part := range []string{"idempotency_key", first.ID.String(), "use a new key"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("other content: got %v, want it to say %q", err, part)
		}
	}
	if n := b.operations(); n != 1 {
		t.Errorf("%d operations were accepted", n)
	}

	other := dbtest.Tenant(t, b.db)
	for what, accept := range map[string]func() (trigger.Receipt, error){
		"another key": func() (trigger.Receipt, error) {
			return trigger.Submit(ctx, b.Client, b.tenant, vault.WriteValue, write(`{"a":1}`), trigger.IdempotencyKey("k2"))
		},
		"no key": func() (trigger.Receipt, error) {
			return trigger.Submit(ctx, b.Client, b.tenant, vault.WriteValue, write(`{"a":1}`))
		},
		"another tenant": func() (trigger.Receipt, error) {
			return trigger.Submit(ctx, b.Client, other, vault.WriteValue, write(`{"a":1}`), key)
		},
		"another workflow": func() (trigger.Receipt, error) {
			return trigger.Submit(ctx, b.Client, b.tenant, vault.ExpireValues, vault.Sweep{}, key)
		},
	} {
		r, err := accept()
		b.must(err)
		if r.ID == first.ID {
			t.Errorf("%s: got the same operation", what)
		}
	}

	b.finish(first.ID, nil)
	b.eventually("the pushes of accepted operations", func() bool { return len(b.engine.taken()) == 5 })
	pushes := b.engine.called()
	again, err := trigger.Submit(ctx, b.Client, b.tenant, vault.WriteValue, write(`{"a":1}`), key)
	b.must(err)
	if op, err := again.Wait(ctx); err != nil || op.ID != first.ID || op.Status != vault.OperationSucceeded {
		t.Errorf("a repeat after the end: got %+v, %v", op, err)
	}
	b.Client.Close() // waits for its pushes
	if n := b.engine.called(); n != pushes {
		t.Errorf("a repeat after the end was pushed")
	}
}

func TestSubmit_ConcurrentRepeatsAcceptOne(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]func(i int) string{
		"the same content": func(int) string { return `"gold"` },
		"other contents":   func(i int) string { return fmt.Sprintf(`"plan %d"`, i) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			const callers = 12
			receipts, errs := make([]trigger.Receipt, callers), make([]error, callers)
			atOnce(callers, func(i int) {
				receipts[i], errs[i] = trigger.Submit(t.Context(), b.Client, b.tenant, vault.WriteValue, write(value(i)),
					trigger.IdempotencyKey("k"))
			})
			accepted := map[uuid.UUID]int{}
			for i, err := range errs {
				switch {
				case err == nil:
					accepted[receipts[i].ID]++
				case name == "the same content" || vault.CodeOf(err) != vault.CodeConflict:
					t.Errorf("caller %d: %v", i, err)
				}
			}
			if n := b.operations(); n != 1 || len(accepted) != 1 {
				t.Errorf("%d operations exist, the callers got %v", n, accepted)
			}
		})
	}
}

func TestSubmit_EventHoldsOnlyIDs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r, err := trigger.Submit(t.Context(), b.Client, b.tenant, vault.WriteValue, write(`"secret plan"`))
	b.must(err)
	b.eventually("the push", func() bool { return len(b.engine.taken()) == 1 })
	b.Client.Close() // waits for its pushes
	want := vault.Event{OperationID: r.ID, TenantID: b.tenant, Push: 1, BatchID: r.ID}
	if got := b.engine.pushed[0]; got != want {
		t.Errorf("pushed %+v, want %+v", got, want)
	}
	if got := dbtest.Dump(t, b.url).Holding("secret plan"); len(got) > 0 {
		t.Errorf("the value is in %v", got)
	}
	var in vault.WriteValueInput
	b.must(b.sealer.Open(t.Context(), b.tenant, r.ID, b.op(r.ID).Payload, &in))
	if string(in.Value) != `"secret plan"` {
		t.Errorf("the payload holds %s", in.Value)
	}
}

func TestSubmit_AcceptsWhileEngineFails(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *engine, o *trigger.Options){
		"it fails":      func(e *engine, _ *trigger.Options) { e.err = errDown },
		"it hangs":      func(e *engine, _ *trigger.Options) { e.hold = make(chan struct{}) },
		"there is none": func(_ *engine, o *trigger.Options) { o.Engine = nil },
		"no push is free": func(e *engine, o *trigger.Options) {
			e.hold, o.MaxPushes = make(chan struct{}), 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &engine{}
			b := newBench(t, func(o *trigger.Options) {
				o.Engine = e
				change(e, o)
			})
			began := time.Now()
			var receipts []trigger.Receipt
			for range 5 {
				receipts = append(receipts, b.accept())
			}
			if took := time.Since(began); took > 5*time.Second { // less than one hanging push
				t.Errorf("five writes took %s to be accepted", took)
			}
			for _, r := range receipts {
				if op, err := b.Operation(t.Context(), b.tenant, r.ID); err != nil || op.Status != vault.OperationAccepted {
					t.Errorf("got %+v, %v", op, err)
				}
			}
			// Another process pushes the operations later.
			if e.hold != nil {
				close(e.hold)
			}
			b.Client.Close()
			e.answer(nil)
			relay := trigger.New(trigger.Options{DB: b.db, Sealer: b.sealer, Engine: e})
			t.Cleanup(relay.Close)
			b.due()
			_, err := relay.RelayDue(t.Context(), 100)
			b.must(err)
			for _, r := range receipts {
				if e.taken()[r.ID] == 0 {
					t.Errorf("operation %s was never pushed", r.ID)
				}
			}
		})
	}
}

func TestSubmit_BreakerLimitsPushes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.engine.answer(errDown)
	for range 20 {
		b.accept()
	}
	b.Client.Close()
	if n := b.engine.called(); n < 3 || n > 12 { // three failures open the breaker; some pushes were already running
		t.Errorf("%d of 20 pushes were tried", n)
	}
}

func TestSubmit_PushedOperationIsNotDueSoon(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.accept()
	b.eventually("the push", func() bool { return b.op(r.ID).EnqueuedAt != nil })
	op := b.op(r.ID)
	if after := op.DueAt.Sub(*op.EnqueuedAt); after < 20*time.Second || op.Attempts != 1 {
		t.Errorf("it is due %s after it was pushed, with %d attempts", after, op.Attempts)
	}
}

func TestClose_WaitsForPushes(t *testing.T) {
	t.Parallel()
	e := &engine{hold: make(chan struct{})}
	b := newBench(t, func(o *trigger.Options) { o.Engine = e })
	r := b.accept()
	b.eventually("the push", func() bool { return e.called() == 1 })
	var closed atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Client.Close()
		closed.Store(true)
	}()
	time.Sleep(50 * time.Millisecond)
	if closed.Load() {
		t.Error("Close did not wait for the push")
	}
	close(e.hold)
	<-done
	if e.taken()[r.ID] != 1 || b.op(r.ID).EnqueuedAt == nil {
		t.Error("the push under way was lost")
	}
}

func TestReplay_FailedOrOverdue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	failed, succeeded, accepted := b.accept(), b.accept(), b.accept()
	b.eventually("the pushes", func() bool { return len(b.engine.taken()) == 3 })
	failure := vault.Invalid("plan", "is wrong")
	b.finish(failed.ID, failure)
	b.finish(succeeded.ID, nil)
	for _, c := range []struct {
		id   uuid.UUID
		code vault.Code
		says string
	}{
		{succeeded.ID, vault.CodeConflict, "is succeeded; a failed operation can be replayed"},
		{accepted.ID, vault.CodeConflict, "is accepted; a failed operation can be replayed, and an unfinished one 1m0s after its last push"},
		{agent, vault.CodeUnknown, "unknown operation"},
	} {
		_, err := b.Replay(ctx, b.tenant, c.id)
		if vault.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want %s: %s", err, c.code, c.says)
		}
	}
	_, err := b.Replay(ctx, dbtest.Tenant(t, b.db), failed.ID)
	b.code(err, vault.CodeUnknown)

	dbtest.Exec(t, b.url, "UPDATE operations SET accepted_at = accepted_at - interval '2 minutes', "+
		"enqueued_at = enqueued_at - interval '2 minutes' WHERE id = $1", accepted.ID)
	if r, err := b.Replay(ctx, b.tenant, accepted.ID); err != nil || r.Replayed != vault.ReplayRepeated {
		t.Errorf("the replay of an overdue operation was %q, %v", r.Replayed, err)
	}
	b.eventually("the repeated push", func() bool { return b.engine.taken()[accepted.ID] == 2 })
	_, err = b.Replay(ctx, b.tenant, accepted.ID)
	b.code(err, vault.CodeConflict)

	before := b.op(failed.ID)
	var replayed atomic.Int32
	atOnce(4, func(int) {
		r, err := b.Replay(ctx, b.tenant, failed.ID)
		switch {
		case err == nil && r.ID == failed.ID && r.Replayed == vault.ReplayReopened:
			replayed.Add(1)
		case vault.CodeOf(err) != vault.CodeConflict:
			t.Errorf("got %+v, %v", r, err)
		}
	})
	if n := replayed.Load(); n != 1 {
		t.Errorf("%d of 4 replays at once were accepted", n)
	}
	b.eventually("the push of the replay", func() bool { return b.engine.taken()[failed.ID] == 2 })
	after := b.op(failed.ID)
	if after.Status != "accepted" || after.Error != nil || after.FinishedAt != nil ||
		!after.AcceptedAt.Equal(before.AcceptedAt) {
		t.Errorf("the replayed operation is %s, accepted at %s; it was accepted at %s",
			after.Status, after.AcceptedAt, before.AcceptedAt)
	}
}
