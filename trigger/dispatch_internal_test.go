package trigger

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Callers whose writes end at once, because they are rejected, start few runs: each one counts as in flight for
// minFlight. The writes that come meanwhile share the next run.
func TestDispatch_RejectedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers, span = 8, time.Second
		outcomes := make(chan dbgen.Operation, callers)
		runs, carried := 0, 0
		d := newDispatcher(func(_ context.Context, ops []dbgen.Operation) {
			runs++
			for _, op := range ops {
				carried++
				outcomes <- op
			}
		})
		tenant, start := uuid.New(), time.Now()
		submit := func() {
			d.add(t.Context(), dbgen.Operation{
				ID: uuid.New(), TenantID: tenant, Workflow: vault.WriteValue.Name, Event: vault.WriteValue.Events[0],
			})
		}
		for range callers {
			submit()
		}
		for time.Since(start) < span {
			select {
			case op := <-outcomes:
				time.Sleep(time.Millisecond)
				d.finished(op.ID)
				submit() // the caller tries again
			case <-time.After(minFlight):
			}
		}
		if most := (minFlights+1)*int(span/minFlight) + minFlights; runs > most || carried < 2*runs {
			t.Errorf("%d runs carried %d operations, want at most %d runs", runs, carried, most)
		}
		d.close()
	})
}

// While others are around, a busy tenant rests after its batches, and its operations share fewer, larger ones. A tenant with one operation at a time never waits.
func TestDispatch_BusyTenantLeavesTimeToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers, flight = 8, 100 * time.Millisecond
		var d *dispatcher
		busy, quiet := uuid.New(), uuid.New()
		runs, flying := 0, map[uuid.UUID]int{}
		outcomes := make(chan dbgen.Operation, 2*callers)
		d = newDispatcher(func(_ context.Context, ops []dbgen.Operation) {
			tenant := ops[0].TenantID
			if flying[tenant]++; tenant == busy {
				runs++
			}
			if flying[busy] > minFlights {
				t.Errorf("a busy tenant has %d batches in flight", flying[busy])
			}
			go func() {
				time.Sleep(flight)
				d.mu.Lock()
				flying[tenant]--
				d.mu.Unlock()
				for _, op := range ops {
					d.finished(op.ID)
					outcomes <- op
				}
			}()
		})
		submit := func(tenant uuid.UUID) {
			d.add(t.Context(), dbgen.Operation{
				ID: uuid.New(), TenantID: tenant, Workflow: vault.WriteValue.Name, Event: vault.WriteValue.Events[0],
			})
		}
		submit(quiet)
		for range callers {
			submit(busy)
		}
		ended := map[uuid.UUID]int{}
		for start := time.Now(); time.Since(start) < 2*time.Second; {
			op := <-outcomes
			ended[op.TenantID]++
			submit(op.TenantID)
		}
		if most := int(2*time.Second/(flight+crowdedRest)) + minFlights; runs > most || ended[quiet] < 19 || ended[busy] < 7*(runs-2) {
			t.Errorf("the busy tenant had %d runs with %d operations, at most %d wanted; the quiet one %d operations",
				runs, ended[busy], most, ended[quiet])
		}
		d.close()
		for range callers + 1 {
			<-outcomes
		}
	})
}
