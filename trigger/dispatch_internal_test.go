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
