package client

import (
	"context"
	"iter"
	"net/url"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// ListMergeRules lists the merge rules of the tenant.
func (c *Client) ListMergeRules(ctx context.Context) iter.Seq2[vault.MergeRule, error] {
	all := url.Values{"limit": nil}
	return pages(ctx, c, path("v1", "merge-rules"), all, func(p page[vault.MergeRule]) ([]vault.MergeRule, string) {
		return p.Items, ""
	})
}

// ListMergeProposals lists proposed merges, oldest first: with a status, "": all; of a customer, nil: of all.
func (c *Client) ListMergeProposals(
	ctx context.Context, status vault.MergeProposalStatus, customer *uuid.UUID,
) iter.Seq2[vault.MergeProposal, error] {
	query := url.Values{}
	if status != "" {
		query.Set("status", string(status))
	}
	if customer != nil {
		query.Set("customer_id", customer.String())
	}
	return list[vault.MergeProposal](ctx, c, path("v1", "merge-proposals"), query)
}
