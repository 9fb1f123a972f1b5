package turns

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// take acquires a turn that must be free.
func take(t *testing.T, turns *Turns, tenant string) {
	t.Helper()
	if err := turns.Acquire(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
}

// wait starts to wait for a turn and returns a channel that is closed with the turn.
func wait(t *testing.T, turns *Turns, tenant string) <-chan struct{} {
	t.Helper()
	before := len(turns.waiters())
	granted := make(chan struct{})
	go func() {
		if turns.Acquire(context.WithoutCancel(t.Context()), tenant) == nil {
			close(granted)
		}
	}()
	for len(turns.waiters()) == before {
		runtime.Gosched()
	}
	return granted
}

func (t *Turns) waiters() []*waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestTurns_OneTenantLeavesSome(t *testing.T) {
	t.Parallel()
	turns := New(4)
	for range 3 {
		take(t, turns, "busy")
	}
	fourth := wait(t, turns, "busy")
	take(t, turns, "quiet") // at once
	if isClosed(fourth) {
		t.Error("one tenant has all turns")
	}
	turns.Release("busy")
	<-fourth
}

func TestTurns_FewestRunningFirst(t *testing.T) {
	t.Parallel()
	turns := New(4)
	for range 3 {
		take(t, turns, "busy")
	}
	take(t, turns, "other")
	first := wait(t, turns, "other")
	second := wait(t, turns, "quiet")
	turns.Release("busy")
	<-second
	if isClosed(first) {
		t.Error("a tenant with a running step came before one without")
	}
	turns.Release("busy")
	<-first
}

func TestTurns_CancelledWaiterTakesNone(t *testing.T) {
	t.Parallel()
	turns := New(1)
	take(t, turns, "a")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- turns.Acquire(ctx, "b") }()
	for len(turns.waiters()) == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	turns.Release("a")
	take(t, turns, "b")
}

// The number of running steps stays within the limits, and no turn is lost.
func TestTurns_Limits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 12).Draw(t, "size")
		turns := New(size)
		held := map[string]int{}
		for range rapid.IntRange(0, 60).Draw(t, "actions") {
			tenant := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "tenant")
			if held[tenant] > 0 && rapid.Bool().Draw(t, "release") {
				turns.Release(tenant)
				held[tenant]--
				continue
			}
			total := held["a"] + held["b"] + held["c"]
			ctx, cancel := context.WithCancel(context.Background())
			if total == size || held[tenant] == turns.share {
				cancel()
			}
			if err := turns.Acquire(ctx, tenant); err == nil {
				held[tenant]++
			} else if total < size && held[tenant] < turns.share {
				t.Fatalf("no turn for %s with %v of %d running", tenant, held, size)
			}
			cancel()
			if turns.total > size || held[tenant] > turns.share || (size > 1 && turns.share == size) {
				t.Fatalf("%v of %d running, at most %d of one", held, size, turns.share)
			}
		}
	})
}

// A tenant rests after its turn while others are around, and only then.
func TestTurns_Rest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		crowd := &Crowd{}
		turns := NewWithShare(2, 1).Resting(2, crowd)
		next := func(turn time.Duration) (waited time.Duration) {
			take(t, turns, "busy")
			time.Sleep(turn)
			turns.Release("busy")
			start := time.Now()
			take(t, turns, "busy")
			turns.Release("busy")
			return time.Since(start)
		}
		crowd.See("busy")
		for _, c := range []struct {
			why        string
			turn, rest time.Duration
			others     bool
		}{
			{"alone", 30 * time.Millisecond, 0, false},
			{"others are around", 30 * time.Millisecond, 60 * time.Millisecond, true},
			{"a short turn", time.Millisecond, 0, true},
			{"a long turn", time.Minute, time.Second, true},
		} {
			if c.others {
				crowd.See("other")
			}
			if c.turn > present {
				go func() {
					time.Sleep(c.turn - time.Millisecond)
					crowd.See("other")
				}()
			}
			if got := next(c.turn); got != c.rest {
				t.Errorf("%s: the tenant waited for %s, want %s", c.why, got, c.rest)
			}
		}
		time.Sleep(present)
		if got := next(30 * time.Millisecond); got != 0 {
			t.Errorf("the others are gone, and the tenant waited for %s", got)
		}
		if len(turns.resting) != 0 {
			t.Errorf("rests are kept: %v", turns.resting)
		}
	})
}

// Others get their turns while a tenant rests.
func TestTurns_OthersDuringARest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewWithShare(1, 1).Resting(1, nil)
		take(t, turns, "busy")
		time.Sleep(50 * time.Millisecond)
		turns.Release("busy")
		again := make(chan struct{})
		go func() {
			take(t, turns, "busy")
			close(again)
		}()
		synctest.Wait()
		start := time.Now()
		take(t, turns, "quiet")
		turns.Release("quiet")
		if waited := time.Since(start); waited != 0 {
			t.Errorf("another tenant waited for %s", waited)
		}
		<-again
	})
}
