package trigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	hatchetclient "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // the new SDK uses its options
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/vault"
)

// Engine pushes events to the workflow engine.
type Engine interface {
	// Push pushes one event, which starts one run for the operations of a batch.
	Push(ctx context.Context, event string, batch vault.Batch) error
}

// pushTimeout is the maximum duration of a push. While the engine is down, the SDK blocks for 17 seconds and ignores
// the context.
const pushTimeout = 3 * time.Second

// errPushTimeout reports a push without an answer. The event usually arrives, so the operation keeps its lease.
var errPushTimeout = errors.New("no answer in time")

// maxEventBytes is above the size of the ids of a batch. A larger event contains other data, such as a value of a
// customer.
const maxEventBytes = 256 + vault.MaxBatch*80

type hatchetEngine struct{ client *hatchet.Client }

// Hatchet returns an Engine that uses a Hatchet client.
func Hatchet(client *hatchet.Client) Engine { return hatchetEngine{client: client} }

// Push implements Engine. The ids of batch and tenant and the number of operations are metadata of the run, and the id
// of a single operation: an operator finds the run of an operation, and a worker shares its turns between tenants.
func (e hatchetEngine) Push(ctx context.Context, event string, batch vault.Batch) error {
	if encoded, err := json.Marshal(batch); err != nil || len(encoded) > maxEventBytes {
		return fmt.Errorf("push %s: the event exceeds %d bytes; it must contain only ids", event, maxEventBytes)
	}
	metadata := map[string]string{
		"batch_id": batch.ID.String(), "tenant_id": batch.TenantID.String(),
		"operations": strconv.Itoa(len(batch.Operations)),
	}
	if only, ok := batch.Only(); ok {
		metadata["operation_id"] = only.OperationID.String()
	}
	opts := []hatchetclient.PushOpFunc{hatchetclient.WithEventMetadata(metadata)}
	return within(ctx, event, pushTimeout, func() error { return e.client.Events().Push(ctx, event, batch, opts...) })
}

// within bounds the duration of a push, which may ignore its context.
func within(ctx context.Context, event string, timeout time.Duration, push func() error) error {
	done := make(chan error, 1)
	go func() { done <- push() }()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		if err != nil {
			return vault.Unavailable("the workflow engine", fmt.Errorf("push %s failed", event))
		}
		return nil
	case <-ctx.Done():
		return errors.Join(errPushTimeout, vault.Unavailable("the workflow engine", ctx.Err()))
	case <-timer.C:
		return errors.Join(errPushTimeout,
			vault.Unavailable("the workflow engine", fmt.Errorf("push %s took longer than %s", event, timeout)))
	}
}
