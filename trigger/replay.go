package trigger

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Replay accepts a failed operation again and pushes it. The operation keeps its id and its time of acceptance. The
// error of an operation that has not failed has vault.CodeConflict.
func (c *Client) Replay(ctx context.Context, tenant, id uuid.UUID) (Receipt, error) {
	q := c.db.Tenant(tenant)
	op, err := q.GetOperation(ctx, tenant, id)
	if err != nil {
		return Receipt{}, db.WrapNotFound(err, "operation", id)
	}
	reopened, err := q.ReopenOperation(ctx, dbgen.ReopenOperationParams{TenantID: tenant, ID: id, DueAfter: dueUnpushed})
	if err != nil {
		return Receipt{}, err
	}
	if reopened == 0 {
		return Receipt{}, vault.Conflict("operation_id",
			"operation_id: operation %s is %s; only a failed one can be replayed", id, op.Status)
	}
	c.pushLater(ctx, op)
	return Receipt{ID: op.ID, TenantID: tenant, Workflow: op.Workflow, client: c}, nil
}
