// Package turns shares something limited, such as the concurrent steps of a worker or the connections to a database,
// fairly between tenants of one process.
package turns

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// shortTurn is the duration of a turn after which its tenant need not rest.
	shortTurn = 2 * time.Millisecond
	// maxRest limits one rest.
	maxRest = time.Second
)

// Turns limits the number of holders of a turn, and shares the turns fairly between tenants: a free turn goes to the
// waiting tenant with the fewest turns, and no tenant takes all of them. It is safe for concurrent use.
type Turns struct {
	size  int    // of all tenants
	share int    // maximum of one tenant
	rest  int    // see Resting
	crowd *Crowd // see Resting

	mu      sync.Mutex
	running map[string][]time.Time // the beginnings of the turns, by tenant
	total   int
	waiting []*waiter            // in the order of arrival
	resting map[string]time.Time // the ends of the rests, by tenant
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
	return &Turns{size: size, share: share, running: map[string][]time.Time{}, resting: map[string]time.Time{}}
}

// Resting makes a tenant rest after each turn for rest times as long as the turn took, at most a second, while a crowd
// has other tenants. Without rests, work that needs a CPU for long, such as one import after the other, leaves the
// others what the operating system gives them: they take two to nine times as long (measured on two cores). A nil crowd
// always has others.
func (t *Turns) Resting(rest int, crowd *Crowd) *Turns {
	t.rest, t.crowd = rest, crowd
	return t
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
	began := t.running[tenant]
	t.sendToRest(tenant, time.Since(began[0]))
	if t.running[tenant] = began[1:]; len(began) == 1 {
		delete(t.running, tenant)
	}
	t.total--
	t.grant()
}

// sendToRest makes a tenant rest after a turn. t is locked.
func (t *Turns) sendToRest(tenant string, turn time.Duration) {
	if t.rest == 0 || turn < shortTurn || !t.crowd.Others(tenant) {
		return
	}
	rest := min(time.Duration(t.rest)*turn, maxRest)
	end := time.Now().Add(rest)
	if !end.After(t.resting[tenant]) {
		return
	}
	t.resting[tenant] = end
	time.AfterFunc(rest, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.resting[tenant].Equal(end) { // no longer rest began meanwhile
			delete(t.resting, tenant)
			t.grant()
		}
	})
}

// grant gives free turns to waiters.
func (t *Turns) grant() {
	for t.total < t.size {
		next := -1
		for i, w := range t.waiting {
			n := len(t.running[w.tenant])
			if _, rests := t.resting[w.tenant]; rests || n >= t.share {
				continue
			}
			if next < 0 || n < len(t.running[t.waiting[next].tenant]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		w := t.waiting[next]
		t.waiting = slices.Delete(t.waiting, next, next+1)
		t.running[w.tenant] = append(t.running[w.tenant], time.Now())
		t.total++
		close(w.turn)
	}
}
