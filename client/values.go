package client

import (
	"context"
	"iter"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// WriteValue states a fact about a customer. The profile is made at the first write.
func (c *Client) WriteValue(ctx context.Context, in vault.WriteValueInput, opts ...Option) (Operation[vault.ItemResult], error) {
	return change[vault.ItemResult](ctx, c, request{method: http.MethodPut, path: path("v1", "customers", in.CustomerID, "values", in.Name), body: in}, opts)
}

// GetValue gives the active value of a field.
func (c *Client) GetValue(ctx context.Context, customer uuid.UUID, name string) (vault.Value, error) {
	return get[vault.Value](ctx, c, path("v1", "customers", customer, "values", name), nil)
}

// ListHistory gives the versions of a field, the newest first by order of acceptance.
func (c *Client) ListHistory(ctx context.Context, customer uuid.UUID, name string) iter.Seq2[vault.Value, error] {
	return list[vault.Value](ctx, c, path("v1", "customers", customer, "values", name, "history"), nil)
}

// VerifyValue says that the active value of a field was verified.
func (c *Client) VerifyValue(ctx context.Context, in vault.VerifyValueInput, opts ...Option) (Operation[vault.ItemResult], error) {
	return change[vault.ItemResult](ctx, c, request{
		method: http.MethodPost, path: path("v1", "customers", in.CustomerID, "values", in.Name, "verify"), body: in,
	}, opts)
}

// ImportValues writes values of many customers in one transaction, at most vault.MaxImport: all of them, or none, unless SkipInvalid.
func (c *Client) ImportValues(ctx context.Context, in vault.ImportValuesInput, opts ...Option) (Operation[vault.ImportResult], error) {
	return change[vault.ImportResult](ctx, c, request{method: http.MethodPost, path: path("v1", "import"), body: in}, opts)
}

// ImportCustomerValues is ImportValues for one customer; the writes need not name it.
func (c *Client) ImportCustomerValues(ctx context.Context, customer uuid.UUID, in vault.ImportValuesInput, opts ...Option) (Operation[vault.ImportResult], error) {
	return change[vault.ImportResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers", customer, "import"), body: in}, opts)
}
