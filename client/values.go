package client

import (
	"context"
	"iter"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// GetValue returns the active value of a field.
func (c *Client) GetValue(ctx context.Context, customer uuid.UUID, name string) (vault.Value, error) {
	return get[vault.Value](ctx, c, path("v1", "customers", customer, "values", name), nil)
}

// GetValueAt is GetValue at a moment.
func (c *Client) GetValueAt(
	ctx context.Context, customer uuid.UUID, name string, at vault.Moment,
) (vault.Value, error) {
	return get[vault.Value](ctx, c, path("v1", "customers", customer, "values", name), withMoment(nil, at))
}

// ListHistory lists the versions of a field, newest first by the order of acceptance.
func (c *Client) ListHistory(ctx context.Context, customer uuid.UUID, name string) iter.Seq2[vault.Value, error] {
	return list[vault.Value](ctx, c, path("v1", "customers", customer, "values", name, "history"), nil)
}

// ImportCustomerValues is ImportValues for one customer. The writes can omit the customer.
func (c *Client) ImportCustomerValues(
	ctx context.Context, customer uuid.UUID, in vault.ImportValuesInput, opts ...Option,
) (Operation[vault.ImportResult], error) {
	return change[vault.ImportResult](ctx, c, request{
		method: http.MethodPost, path: path("v1", "customers", customer, "import"), body: in,
	}, opts)
}
