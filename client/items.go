package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// GetChain gives where an item came from, the origin first, to a depth of at most 100; 0: vault.DefaultChainDepth.
func (c *Client) GetChain(ctx context.Context, item uuid.UUID, depth int) (vault.Chain, error) {
	var query url.Values
	if depth != 0 {
		query = url.Values{"depth": {strconv.Itoa(depth)}}
	}
	return get[vault.Chain](ctx, c, path("v1", "items", item, "chain"), query)
}

// ListDerived gives what was derived from an item, at most 1,000 items.
func (c *Client) ListDerived(ctx context.Context, item uuid.UUID) iter.Seq2[vault.ChainLink, error] {
	return list[vault.ChainLink](ctx, c, path("v1", "items", item, "derived"), nil)
}
