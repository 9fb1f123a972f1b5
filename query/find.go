package query

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// CustomerOfChannel returns the customer of a channel identity.
func (q *Queries) CustomerOfChannel(
	ctx context.Context, tenant uuid.UUID, channel, externalID string,
) (uuid.UUID, error) {
	row, err := q.db.Tenant(tenant).GetChannelOwner(ctx, dbgen.GetChannelOwnerParams{
		TenantID: tenant, Channel: channel, ExternalID: externalID,
	})
	if err == nil && row.ProfileDeleted {
		return uuid.Nil, vault.Unknown("customer", "with this identity")
	}
	return row.CustomerID, db.WrapNotFound(err, "customer", "with this identity")
}

// CustomerOfItem returns the customer of a value or an asset that is not deleted.
func (q *Queries) CustomerOfItem(ctx context.Context, tenant, item uuid.UUID) (uuid.UUID, error) {
	row, err := q.db.Tenant(tenant).GetItemOwner(ctx, tenant, item)
	if err == nil && (row.Deleted || row.CustomerDeleted) {
		return uuid.Nil, vault.Unknown("item", item)
	}
	return row.CustomerID, db.WrapNotFound(err, "item", item)
}
