package workflows_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	hatchetclient "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // the new SDK uses its options
	"github.com/hatchet-dev/hatchet/pkg/client/rest"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// Many writes share a few runs. Each has its own outcome: bad ones fail alone, and a run with a failed one shows as
// failed in the engine, and can be replayed there.
func TestBatch_WritesShareRuns(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const writes, every = 300, 50
	receipts := make([]trigger.Receipt, writes)
	var wg sync.WaitGroup
	for i := range writes {
		wg.Go(func() {
			in := s.fact("name", fmt.Sprintf("Ada %03d", i))
			in.CustomerID = testkit.ID()
			if i%3 == 0 {
				in.CustomerID = s.customer
			}
			if i%every == 1 {
				in = s.fact("email", "no address")
			}
			var err error
			if receipts[i], err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	batches := map[uuid.UUID]int{}
	var mixed uuid.UUID // a batch with a failed operation and others
	failed, kept := 0, 0
	for i, r := range receipts {
		if i%every == 1 {
			rejected(t, r, nil)
			failed++
		} else {
			done(t, r, nil)
			if i%3 == 0 {
				kept++
			}
		}
		op, err := kit.Query.Operation(t.Context(), s.tenant, r.ID)
		if err != nil || op.BatchID == nil {
			t.Fatalf("operation %s has batch %v, %v", r.ID, op.BatchID, err)
		}
		if batches[*op.BatchID]++; i%every == 1 {
			mixed = *op.BatchID
		}
	}
	if len(batches) > writes/4 || failed != writes/every {
		t.Errorf("%d writes took %d runs, and %d failed", writes, len(batches), failed)
	}
	versions := s.versions("name")
	if len(versions) != kept || !strings.HasSuffix(versions[0], " active") {
		t.Errorf("the customer has %d versions, the newest is %s", len(versions), versions[0])
	}
	for _, v := range versions[1:] {
		if !strings.HasSuffix(v, " superseded") {
			t.Errorf("an older version is %s", v)
		}
	}
	if batches[mixed] < 2 {
		t.Skipf("no failed operation shared its run")
	}
	run := kit.Run(t, mixed, rest.V1TaskStatusFAILED)
	before := s.versions("name")
	kit.Replay(t, run)
	testkit.Eventually(t, "the replayed run ends", func(context.Context) (struct{}, bool) {
		for _, task := range kit.Details(t, run).Tasks {
			ended := task.Status == rest.V1TaskStatusCOMPLETED || task.Status == rest.V1TaskStatusFAILED
			if task.RetryCount == nil || *task.RetryCount == 0 || !ended {
				return struct{}{}, false
			}
		}
		return struct{}{}, true
	})
	if after := s.versions("name"); strings.Join(before, ";") != strings.Join(after, ";") {
		t.Errorf("the replay of a batch changed the history")
	}
}

// The engine keeps no value of a batch, and a batch that nobody made changes nothing.
func TestBatch_BadOnesAreRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("name", "Ada"))
	op := done(t, r, err)
	other := vault.Batch{ID: testkit.ID(), TenantID: kit.Tenant(t), Operations: []vault.Pushed{{ID: op.ID}, {ID: testkit.ID()}}}
	empty := vault.Batch{ID: testkit.ID(), TenantID: s.tenant, Operations: []vault.Pushed{}}
	for _, b := range []vault.Batch{other, empty} {
		err := kit.Client.Events().Push(t.Context(), vault.WriteValue.Event, b, hatchetclient.WithEventMetadata(
			map[string]string{"batch_id": b.ID.String(), "tenant_id": b.TenantID.String()},
		))
		if err != nil {
			t.Fatal(err)
		}
		kit.Run(t, b.ID, rest.V1TaskStatusFAILED)
	}
	if got := s.versions("name"); len(got) != 1 {
		t.Errorf("the history is %v", got)
	}
}
