package worker_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// A tenant that floods the vault with writes does not hold up another: its writes are acknowledged while the flood goes
// on.
func TestTenants_FloodLeavesSlotsToOthers(t *testing.T) {
	t.Parallel()
	busy, quiet := newPlace(t), newPlace(t)
	in := func(p place) vault.WriteValueInput {
		return vault.WriteValueInput{
			AgentID: p.agent, CustomerID: testkit.ID(), Name: "email", Value: json.RawMessage(`"eve@example.org"`),
			Source: vault.ValueUserProvided,
		}
	}
	var flooded atomic.Int64
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var flood errgroup.Group
	for range 64 {
		flood.Go(func() error {
			for ctx.Err() == nil {
				r, err := trigger.Submit(t.Context(), kit.Trigger, busy.tenant, vault.WriteValue, in(busy))
				if err != nil {
					return err
				}
				if _, err := r.Wait(t.Context()); err != nil {
					return err
				}
				flooded.Add(1)
			}
			return nil
		})
	}
	testkit.Eventually(t, "the flood runs", func(context.Context) (int64, bool) { n := flooded.Load(); return n, n > 100 })
	before := flooded.Load()
	const writes = 10
	for range writes {
		kit.Operation(t, quiet.tenant, accept(t, quiet.tenant, vault.WriteValue, in(quiet)), vault.OperationSucceeded)
	}
	during := flooded.Load() - before
	end()
	if err := flood.Wait(); err != nil {
		t.Error(err)
	}
	t.Logf("%d writes of the other tenant were acknowledged while %d were", during, writes)
	if during > 100*64 {
		t.Errorf("each write of a tenant waited for %d writes of another one", during/writes)
	}
}
