package once

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// A hold lasts holdDuration and is renewed every renewInterval. So the work of a process that dies is free again after
// about the time that the engine needs to notice the same.
const (
	holdDuration  = 30 * time.Second
	renewInterval = 10 * time.Second
)

// A run that finds a key held waits up to heldPatience: most calls of a model take less. Then it frees its slot, and
// the engine retries it later.
const (
	heldPatience = 5 * time.Second
	heldPoll     = 100 * time.Millisecond
)

// ErrYielded reports that another run does the work of this one, which changed nothing. It is no failure of the
// operation: the engine retries the step, which then finds the work done.
var ErrYielded = errors.New("another run does this work")

var (
	errHeld      = fmt.Errorf("%w at the moment", ErrYielded)
	errTakenOver = fmt.Errorf("%w: it has taken over", ErrYielded)
)

// Hold is the right of one run to do a piece of work that takes long, such as a call of a language model.
type Hold struct {
	params dbgen.LockHoldParams
}

// Check verifies, in the transaction that stores the work, that no other run has taken it over.
func (h Hold) Check(ctx context.Context, q *dbgen.Queries) error {
	_, err := q.LockHold(ctx, h.params)
	if db.IsNotFound(err) {
		return errTakenOver
	}
	return err
}

// WithHold runs work while this run is the only one that holds key. It renews the hold, and postpones the time at which
// the relay considers the run lost. When another run takes over, because this one did not renew in time, the context of
// work ends. The error wraps ErrYielded if another run holds the key, or takes it over.
func (o Runner) WithHold(
	ctx context.Context, ev vault.Event, key string, work func(ctx context.Context, hold Hold) error,
) error {
	fence, err := o.takeHold(ctx, ev, key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		o.renew(ctx, cancel, ev, key, fence)
	}()
	err = work(ctx, Hold{dbgen.LockHoldParams{TenantID: ev.TenantID, Key: key, Fence: fence}})
	if cause := context.Cause(ctx); cause != nil && err != nil {
		err = cause
	}
	cancel(nil)
	<-renewed
	// best effort: a hold that is not ended expires
	_ = o.DB.Tenant(ev.TenantID).EndHold(context.WithoutCancel(ctx), dbgen.EndHoldParams{
		TenantID: ev.TenantID, Key: key, Fence: fence,
	})
	return err
}

// takeHold takes a key. While another run holds it, takeHold waits.
func (o Runner) takeHold(ctx context.Context, ev vault.Event, key string) (int64, error) {
	giveUp := time.NewTimer(heldPatience)
	defer giveUp.Stop()
	for {
		fence, err := o.DB.Tenant(ev.TenantID).TakeHold(ctx, dbgen.TakeHoldParams{
			TenantID: ev.TenantID, Key: key, Duration: holdDuration,
		})
		if err == nil {
			return fence, nil
		}
		if !db.IsNotFound(err) {
			return 0, fmt.Errorf("take the hold of operation %s: %w", ev.OperationID, err)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-giveUp.C:
			return 0, errHeld
		case <-time.After(heldPoll):
		}
	}
}

// renew renews a hold until ctx ends. It cancels ctx when another run has taken the key.
func (o Runner) renew(
	ctx context.Context, cancel context.CancelCauseFunc, ev vault.Event, key string, fence int64,
) {
	q, tick := o.DB.Tenant(ev.TenantID), time.NewTicker(renewInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n, err := q.RenewHold(ctx, dbgen.RenewHoldParams{
			TenantID: ev.TenantID, Key: key, Fence: fence, Duration: holdDuration,
		})
		if err == nil && n == 0 {
			cancel(errTakenOver)
			return
		}
		// An error is tried again at the next tick: the hold has not ended yet.
		_ = q.PostponeOperation(ctx, dbgen.PostponeOperationParams{
			TenantID: ev.TenantID, ID: ev.OperationID, DueAfter: holdDuration,
		})
	}
}
