package trigger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// replayAge is the time after the last push from which an unfinished operation can be replayed.
const replayAge = time.Minute

// Replay runs an operation again: a failed one is accepted again, and an unfinished one is pushed again, a minute after
// its last push at the earliest. The operation keeps its id and its time of acceptance. To replay an operation that
// succeeded, or that was pushed just now, is vault.CodeConflict.
func (c *Client) Replay(ctx context.Context, tenant, id uuid.UUID) (Receipt, error) {
	q, action := c.db.Tenant(tenant), vault.ReplayReopened
	if op, err := q.GetOperation(ctx, tenant, id); err == nil && op.ErasedAt != nil {
		return Receipt{}, &vault.Error{Code: vault.CodeErased, Field: "operation_id", Message: fmt.Sprintf(
			"operation_id: what operation %s held of a customer was erased; it cannot be replayed", id)}
	}
	op, err := q.ReopenOperation(ctx, dbgen.ReopenOperationParams{
		TenantID: tenant, ID: id, DueAfter: db.Lease, Actor: string(vault.ActorOf(ctx)),
	})
	if db.IsNotFound(err) {
		action = vault.ReplayRepeated
		op, err = q.RepeatOperation(ctx, dbgen.RepeatOperationParams{
			TenantID: tenant, ID: id, DueAfter: db.Lease, MinAge: replayAge, Actor: string(vault.ActorOf(ctx)),
		})
	}
	if db.IsNotFound(err) {
		if op, err = q.GetOperation(ctx, tenant, id); err != nil {
			return Receipt{}, db.WrapNotFound(err, "operation", id)
		}
		return Receipt{}, vault.Conflict("operation_id",
			"operation_id: operation %s is %s; a failed operation can be replayed, and an unfinished one %s after its last push",
			id, op.Status, replayAge)
	}
	if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{ID: id, TenantID: tenant, Workflow: op.Workflow, Replayed: action, client: c}
	if c.engine == nil { // no push is in flight
		return receipt, c.db.System().ReleaseOperations(ctx, 0, []uuid.UUID{id})
	}
	c.pushLater(ctx, []dbgen.Operation{op})
	return receipt, nil
}
