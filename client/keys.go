package client

import (
	"context"
	"iter"

	"github.com/contextvault/contextvault/vault"
)

// ListKeys lists the API keys of the tenant, newest first.
func (c *Client) ListKeys(ctx context.Context) iter.Seq2[vault.KeySummary, error] {
	return list[vault.KeySummary](ctx, c, path("v1", "keys"), nil)
}

// ListUsage lists what the tenant used of the language model by day, newest first.
func (c *Client) ListUsage(ctx context.Context) iter.Seq2[vault.Usage, error] {
	return list[vault.Usage](ctx, c, path("v1", "usage"), nil)
}
