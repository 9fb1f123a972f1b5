package query

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
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

// Dependents returns up to limit active items of other customers that were derived from the items of a customer: a
// deletion of the customer would orphan them.
func (q *Queries) Dependents(
	ctx context.Context, tenant, customer uuid.UUID, limit int,
) (page []vault.Dependent, more bool, err error) {
	if len(vault.AgentsOf(ctx)) > 0 {
		return nil, false, &vault.Error{
			Code: vault.CodeNotAllowed, Field: "customer_id",
			Message: "customer_id: what depends on a whole customer concerns all agents, and this API key is limited to some",
		}
	}
	rows, err := q.db.Tenant(tenant).PageCustomerDependents(ctx, dbgen.PageCustomerDependentsParams{
		TenantID: tenant, CustomerID: customer, MaxRows: int32(min(limit, MaxPage)) + 1, //nolint:gosec // at most MaxPage
	})
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(row dbgen.PageCustomerDependentsRow) vault.Dependent {
		return vault.Dependent{ID: row.ID, Type: vault.SourceType(row.Kind), Name: row.Name, CustomerID: row.CustomerID}
	})
	return page, more, nil
}
