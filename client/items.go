package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// GetChain returns the sources of an item, the origin first. depth is from 1 to 100; 0: vault.DefaultChainDepth.
func (c *Client) GetChain(ctx context.Context, item uuid.UUID, depth int) (vault.Chain, error) {
	return c.GetChainAt(ctx, item, depth, vault.Moment{})
}

// GetChainAt is GetChain at a moment.
func (c *Client) GetChainAt(
	ctx context.Context, item uuid.UUID, depth int, at vault.Moment,
) (vault.Chain, error) {
	var query url.Values
	if depth != 0 {
		query = url.Values{"depth": {strconv.Itoa(depth)}}
	}
	return get[vault.Chain](ctx, c, path("v1", "items", item, "chain"), withMoment(query, at))
}

// ListDerived lists the items that were derived from an item, up to 1,000.
func (c *Client) ListDerived(ctx context.Context, item uuid.UUID) iter.Seq2[vault.ChainLink, error] {
	return list[vault.ChainLink](ctx, c, path("v1", "items", item, "derived"), nil)
}
