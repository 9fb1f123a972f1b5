package trigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	hatchetclient "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // the new SDK uses its options
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/vault"
)

// Engine pushes events to the workflow engine.
type Engine interface {
	// Push pushes one event.
	Push(ctx context.Context, event string, ev vault.Event) error
}

// pushTimeout is the maximum duration of a push. While the engine is down, the SDK blocks for 17 seconds and ignores
// the context.
const pushTimeout = 3 * time.Second

// errPushTimeout reports a push without an answer. The event usually arrives, so the operation keeps its lease.
var errPushTimeout = errors.New("no answer in time")

// maxEventBytes is far above the size of ids. A larger event contains other data, such as a value of a customer.
const maxEventBytes = 2 << 10

type hatchetEngine struct{ client *hatchet.Client }

// Hatchet returns an Engine that uses a Hatchet client.
func Hatchet(client *hatchet.Client) Engine { return hatchetEngine{client: client} }

// Push implements Engine. The ids of operation and tenant are metadata of the run: an operator finds the run of an
// operation, and a worker shares its turns between tenants.
func (e hatchetEngine) Push(ctx context.Context, event string, ev vault.Event) error {
	if encoded, err := json.Marshal(ev); err != nil || len(encoded) > maxEventBytes {
		return fmt.Errorf("push %s: the event exceeds %d bytes; it must contain only ids", event, maxEventBytes)
	}
	opts := []hatchetclient.PushOpFunc{
		hatchetclient.WithEventMetadata(map[string]string{
			"operation_id": ev.OperationID.String(), "tenant_id": ev.TenantID.String(),
		}),
	}
	return within(ctx, event, pushTimeout, func() error { return e.client.Events().Push(ctx, event, ev, opts...) })
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
