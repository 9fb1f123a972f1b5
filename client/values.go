package client

import (
	"context"
	"iter"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// WriteField states a fact about a customer. The profile is made at the first write.
func (c *Client) WriteField(ctx context.Context, in vault.WriteField, opts ...Option) (Operation[vault.ItemResult], error) {
	return change[vault.ItemResult](ctx, c, request{method: http.MethodPut, path: path("v1", "customers", in.CustomerID, "fields", in.Name), body: in}, opts)
}

// GetValue gives the active value of a field.
func (c *Client) GetValue(ctx context.Context, customer uuid.UUID, name string) (vault.Field, error) {
	return get[vault.Field](ctx, c, path("v1", "customers", customer, "fields", name), nil)
}

// ListHistory gives the versions of a field, the newest first by order of acceptance.
func (c *Client) ListHistory(ctx context.Context, customer uuid.UUID, name string) iter.Seq2[vault.Field, error] {
	return list[vault.Field](ctx, c, path("v1", "customers", customer, "fields", name, "history"), nil)
}

// VerifyField says that the active value of a field was verified.
func (c *Client) VerifyField(ctx context.Context, in vault.VerifyField, opts ...Option) (Operation[vault.ItemResult], error) {
	return change[vault.ItemResult](ctx, c, request{
		method: http.MethodPost, path: path("v1", "customers", in.CustomerID, "fields", in.Name, "verify"), body: in,
	}, opts)
}

// Import writes values of many customers in one transaction, at most vault.MaxImport: all of them, or none, unless SkipInvalid.
func (c *Client) Import(ctx context.Context, in vault.ImportFields, opts ...Option) (Operation[vault.ImportResult], error) {
	return change[vault.ImportResult](ctx, c, request{method: http.MethodPost, path: path("v1", "import"), body: in}, opts)
}

// ImportCustomer is Import for one customer; the writes need not name it.
func (c *Client) ImportCustomer(ctx context.Context, customer uuid.UUID, in vault.ImportFields, opts ...Option) (Operation[vault.ImportResult], error) {
	return change[vault.ImportResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers", customer, "import"), body: in}, opts)
}
