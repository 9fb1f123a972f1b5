package limit

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestDelays_HoldBackABoundedNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := NewDelays[string]()
		start := time.Now()
		var all sync.WaitGroup
		for range maxDelayedOfKey {
			all.Go(func() { d.Wait(t.Context(), "loop") })
		}
		synctest.Wait()
		if d.Wait(t.Context(), "loop"); time.Since(start) != 0 {
			t.Error("an answer waits beyond the number of its key")
		}
		if d.Wait(t.Context(), "other"); time.Since(start) != refusalDelay {
			t.Errorf("the answer of another key waited for %s, want %s", time.Since(start), refusalDelay)
		}
		all.Wait()
		if d.total != 0 || len(d.byKey) != 0 {
			t.Errorf("%d answers still wait: %v", d.total, d.byKey)
		}
	})
}

func TestDelays_EndWithTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		if NewDelays[string]().Wait(ctx, "gone"); time.Since(start) != 0 {
			t.Errorf("it waited for %s after the request had ended", time.Since(start))
		}
	})
}
