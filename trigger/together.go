package trigger

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

// together runs the calls of many goroutines in few calls: while one runs, the others gather for the next. So callers
// share a statement and a commit when there are many of them, and wait for nobody when there are few. Calls of
// different tenants are never together.
type together[In, Out any] struct {
	// run makes the calls of one tenant. It returns a result for each of them.
	run func(ctx context.Context, tenant uuid.UUID, in []In) []Out
	// max is the maximum number of calls that run together.
	max int

	mu      sync.Mutex
	tenants map[uuid.UUID][]*call[In, Out] // the waiting calls; a key exists while one runs
	running sync.WaitGroup
}

type call[In, Out any] struct {
	ctx  context.Context //nolint:containedctx // of the caller; its values are those of run's context
	in   In
	out  Out
	err  error // set if the caller had given up before the call ran
	done chan struct{}
}

// do makes a call, and waits for its result or for the end of ctx. A call that runs goes on after the end of ctx; one
// that does not run yet is dropped.
func (t *together[In, Out]) do(ctx context.Context, tenant uuid.UUID, in In) (Out, error) {
	c := &call[In, Out]{ctx: ctx, in: in, done: make(chan struct{})}
	t.mu.Lock()
	if t.tenants == nil {
		t.tenants = map[uuid.UUID][]*call[In, Out]{}
	}
	waiting, busy := t.tenants[tenant]
	t.tenants[tenant] = append(waiting, c)
	if !busy {
		t.running.Go(func() { t.loop(tenant) })
	}
	t.mu.Unlock()
	select {
	case <-c.done:
		return c.out, c.err
	case <-ctx.Done():
		var none Out
		return none, ctx.Err()
	}
}

// loop runs the waiting calls of a tenant until there are none.
func (t *together[In, Out]) loop(tenant uuid.UUID) {
	for {
		t.mu.Lock()
		calls := t.tenants[tenant]
		if len(calls) == 0 {
			delete(t.tenants, tenant)
			t.mu.Unlock()
			return
		}
		n := min(len(calls), t.max)
		t.tenants[tenant] = calls[n:]
		t.mu.Unlock()
		t.runAll(tenant, calls[:n])
	}
}

func (t *together[In, Out]) runAll(tenant uuid.UUID, waiting []*call[In, Out]) {
	var calls []*call[In, Out]
	for _, c := range waiting {
		if c.err = c.ctx.Err(); c.err != nil {
			close(c.done)
			continue
		}
		calls = append(calls, c)
	}
	if len(calls) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(calls[0].ctx), togetherTimeout)
	defer cancel()
	in := make([]In, len(calls))
	for i, c := range calls {
		in[i] = c.in
	}
	for i, out := range t.run(ctx, tenant, in) {
		calls[i].out = out
		close(calls[i].done)
	}
}

// wait waits for the running calls.
func (t *together[In, Out]) wait() { t.running.Wait() }
