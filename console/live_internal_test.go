package console

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A tenant without a watcher costs nothing, and one with several is looked at once for all of them.
func TestPulses_LookWhileSomebodyWatches(t *testing.T) {
	t.Parallel()
	var looks atomic.Int64
	var newest atomic.Pointer[uuid.UUID]
	looked := make(chan struct{}, 1)
	first := uuid.New()
	newest.Store(&first)
	p := &pulses{every: time.Millisecond, newest: func(context.Context, uuid.UUID) (uuid.UUID, error) {
		looks.Add(1)
		select {
		case looked <- struct{}{}:
		default:
		}
		return *newest.Load(), nil
	}}
	tenant := uuid.New()
	one, endOne := p.watch(tenant)
	two, endTwo := p.watch(tenant)
	if len(p.tenants) != 1 {
		t.Fatalf("%d tenants are looked at", len(p.tenants))
	}
	for _, states := range []<-chan uuid.UUID{one, two} { // each begins with the state
		if got := <-states; got != first {
			t.Errorf("the state is %s", got)
		}
	}
	for range 3 {
		<-looked
	}
	select {
	case <-one:
		t.Error("nothing changed, and a watcher is told so")
	default:
	}
	second := uuid.New()
	newest.Store(&second)
	for _, states := range []<-chan uuid.UUID{one, two} {
		if got := <-states; got != second {
			t.Errorf("the state is %s", got)
		}
	}
	endOne()
	third, endThird := p.watch(tenant)
	if got := <-third; got != second {
		t.Errorf("a later watcher begins with %s", got)
	}
	endThird()
	endTwo()
	if len(p.tenants) != 0 {
		t.Error("a tenant without a watcher is looked at")
	}
	endTwo() // a second end changes nothing
}
