// Package turns shares something limited, such as the concurrent steps of a worker or the connections to a database,
// fairly between tenants of one process.
package turns

import (
	"context"
	"slices"
	"sync"
)

// Turns limits the number of holders of a turn, and shares the turns fairly between tenants: a free turn goes to the
// waiting tenant with the fewest turns, and no tenant takes all of them. It is safe for concurrent use.
type Turns struct {
	size  int // of all tenants
	share int // maximum of one tenant

	mu      sync.Mutex
	running map[string]int // by tenant
	total   int
	waiting []*waiter // in the order of arrival
}

type waiter struct {
	tenant string
	turn   chan struct{} // closed when the waiter has its turn
}

// New returns size turns. One tenant gets at most three quarters of them, rounded up: enough
// to use most of an idle process, and the rest is always free for the others.
func New(size int) *Turns { return NewWithShare(size, max(1, min((3*size+3)/4, size-1))) }

// NewWithShare returns size turns, of which one tenant gets at most share.
func NewWithShare(size, share int) *Turns {
	return &Turns{size: size, share: share, running: map[string]int{}}
}

// Acquire waits for a turn. Work without a tenant, such as the steps of crons, shares the tenant "".
func (t *Turns) Acquire(ctx context.Context, tenant string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{tenant: tenant, turn: make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, w)
	t.grant()
	t.mu.Unlock()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.waiting, w); i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
		return ctx.Err()
	}
	t.free(tenant) // the turn came at the same moment
	return ctx.Err()
}

// Release ends a turn.
func (t *Turns) Release(tenant string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free(tenant)
}

func (t *Turns) free(tenant string) {
	if t.running[tenant]--; t.running[tenant] == 0 {
		delete(t.running, tenant)
	}
	t.total--
	t.grant()
}

// grant gives free turns to waiters.
func (t *Turns) grant() {
	for t.total < t.size {
		next := -1
		for i, w := range t.waiting {
			n := t.running[w.tenant]
			if n < t.share && (next < 0 || n < t.running[t.waiting[next].tenant]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		w := t.waiting[next]
		t.waiting = slices.Delete(t.waiting, next, next+1)
		t.running[w.tenant]++
		t.total++
		close(w.turn)
	}
}
