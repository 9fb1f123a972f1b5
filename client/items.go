package client

import (
	"context"
	"iter"
	"net/http"
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

// DeleteItem deletes a version of a field, or an asset. Where others were derived from it, the problem is has_dependents, with
// their ids; Force, which needs the scope admin, orphans them.
func (c *Client) DeleteItem(ctx context.Context, in vault.DeleteItemInput, opts ...Option) (Operation[vault.DeleteResult], error) {
	return change[vault.DeleteResult](ctx, c, forced(request{method: http.MethodDelete, path: path("v1", "items", in.ItemID)}, in.Force), opts)
}

// forced has a deletion orphan what stands in its way, where that is wanted.
func forced(r request, force bool) request {
	if force {
		r.query = url.Values{"force": {"true"}}
	}
	return r
}

// RestoreItem brings back a deleted item, or sets an orphaned one active whose source is there again. Needs the scope admin.
func (c *Client) RestoreItem(ctx context.Context, item uuid.UUID, opts ...Option) (Operation[vault.ItemResult], error) {
	return change[vault.ItemResult](ctx, c, request{method: http.MethodPost, path: path("v1", "items", item, "restore")}, opts)
}
