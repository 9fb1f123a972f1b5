package limit

import (
	"context"
	"sync"
	"time"
)

const (
	// refusalDelay is how long the answer to a request beyond a limit is held back. A client that sends the next request
	// at once, whatever the answer says, would otherwise use a CPU for refusals alone.
	refusalDelay = 200 * time.Millisecond
	// maxDelayed and maxDelayedOfKey bound the answers that are held back. Others are sent at once.
	maxDelayed      = 2048
	maxDelayedOfKey = 128
)

// Delays holds back the answers to requests beyond a limit. It is safe for concurrent use.
type Delays[K comparable] struct {
	mu    sync.Mutex
	byKey map[K]int
	total int
}

// NewDelays returns Delays that hold back nothing yet.
func NewDelays[K comparable]() *Delays[K] { return &Delays[K]{byKey: map[K]int{}} }

// Wait returns after the delay, once the context has ended, or at once if too many answers wait already.
func (d *Delays[K]) Wait(ctx context.Context, key K) {
	if !d.enter(key) {
		return
	}
	defer d.leave(key)
	timer := time.NewTimer(refusalDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (d *Delays[K]) enter(key K) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total == maxDelayed || d.byKey[key] == maxDelayedOfKey {
		return false
	}
	d.total++
	d.byKey[key]++
	return true
}

func (d *Delays[K]) leave(key K) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total--
	if d.byKey[key]--; d.byKey[key] == 0 {
		delete(d.byKey, key)
	}
}
