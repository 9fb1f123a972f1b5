package query

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// CustomerOfItem returns the customer of a value or an asset that is not deleted.
func (q *Queries) CustomerOfItem(ctx context.Context, tenant, item uuid.UUID) (uuid.UUID, error) {
	if err := q.checkIDs(ctx, tenant, item); err != nil {
		return uuid.Nil, err
	}
	row, err := q.db.Tenant(tenant).GetItemOwner(ctx, tenant, item)
	if err == nil && (row.Deleted || row.CustomerDeleted) {
		return uuid.Nil, vault.Unknown("item", item)
	}
	return row.CustomerID, db.WrapNotFound(err, "item", item)
}
