package trigger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/sony/gobreaker/v2"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// pollInterval is the interval at which a waiter reads the operation. It finds outcomes that were notified while the
// listening connection was down.
const pollInterval = 2 * time.Second

var errNoEngine = errors.New("this process has no workflow engine")

func isBreaker(err error) bool {
	return errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)
}

// Receipt identifies an accepted operation.
type Receipt struct {
	ID       uuid.UUID // of the operation
	TenantID uuid.UUID
	Workflow string
	// Replayed is what a replay did. Empty: the operation was not replayed.
	Replayed vault.ReplayAction
	client   *Client
}

// Wait waits for the outcome of the operation. The error is the *vault.Error of a failed operation, or wraps that of
// ctx. A failed operation can still succeed if an operator replays it.
func (r Receipt) Wait(ctx context.Context) (vault.Operation, error) {
	return r.client.Wait(ctx, r.TenantID, r.ID)
}

// Wait waits for the outcome of an operation of the tenant, as Receipt.Wait does.
func (c *Client) Wait(ctx context.Context, tenant, id uuid.UUID) (vault.Operation, error) {
	woken, leave := c.waiters.join(id)
	defer leave()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		op, err := c.Operation(ctx, tenant, id)
		if err != nil {
			return op, err
		}
		if op.Status == vault.OperationFailed && op.Error != nil {
			return op, op.Error
		}
		if op.Status.Finished() {
			return op, nil
		}
		select {
		case <-ctx.Done():
			return op, fmt.Errorf("wait for operation %s (%s, accepted and not finished): %w", id, op.Workflow, ctx.Err())
		case <-woken:
		case <-poll.C:
		}
	}
}

// Watch returns a channel that gets a signal when an operation with an id ends, or when a question is opened for a
// customer with it. It also gets signals without a reason. The caller must call leave.
func (c *Client) Watch(id uuid.UUID) (woken <-chan struct{}, leave func()) { return c.waiters.join(id) }

// Operation returns the state of an operation.
func (c *Client) Operation(ctx context.Context, tenant, id uuid.UUID) (vault.Operation, error) {
	row, err := c.reads.do(ctx, tenant, id)
	if err == nil {
		err = row.err
	}
	if err != nil {
		return vault.Operation{}, err
	}
	return db.WithAwaited(ctx, c.db.Tenant(tenant), row.operation)
}

// reading is an operation that was read, or the error.
type reading struct {
	operation dbgen.Operation
	err       error
}

// maxReads is the maximum number of operations that are read together.
const maxReads = 256

// readAll reads operations of a tenant.
func (c *Client) readAll(ctx context.Context, tenant uuid.UUID, ids []uuid.UUID) []reading {
	rows, err := db.OperationStates(ctx, c.db.Tenant(tenant), tenant, ids)
	byID := make(map[uuid.UUID]dbgen.Operation, len(rows))
	for _, row := range rows {
		byID[row.ID] = row
		if vault.OperationStatus(row.Status).Finished() {
			c.dispatch.finished(row.ID) // behind a pooler nobody notifies
		}
	}
	out := make([]reading, len(ids))
	for i, id := range ids {
		row, ok := byID[id]
		switch {
		case err != nil:
			out[i].err = err
		case !ok:
			out[i].err = vault.Unknown("operation", id)
		default:
			out[i].operation = row
		}
	}
	return out
}

// waiters are the goroutines that wait for operations.
type waiters struct {
	mu   sync.Mutex
	byID map[uuid.UUID]map[chan struct{}]struct{}
}

func (w *waiters) join(id uuid.UUID) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byID == nil {
		w.byID = map[uuid.UUID]map[chan struct{}]struct{}{}
	}
	if w.byID[id] == nil {
		w.byID[id] = map[chan struct{}]struct{}{}
	}
	w.byID[id][ch] = struct{}{}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.byID[id], ch)
		if len(w.byID[id]) == 0 {
			delete(w.byID, id)
		}
	}
}

func (w *waiters) wake(id uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.byID[id] {
		signal(ch)
	}
}

func (w *waiters) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, chs := range w.byID {
		for ch := range chs {
			signal(ch)
		}
	}
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
