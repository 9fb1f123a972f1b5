package query

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// MergeRules returns the merge rules of a tenant, sorted by id. A reader who is limited to agents sees none: they
// concern the data of all agents.
func (q *Queries) MergeRules(ctx context.Context, tenant uuid.UUID) ([]vault.MergeRule, error) {
	out := []vault.MergeRule{}
	if len(vault.AgentsOf(ctx)) > 0 {
		return out, nil
	}
	rows, err := q.db.Tenant(tenant).ListMergeRules(ctx, tenant)
	for _, r := range rows {
		out = append(out, vault.MergeRule{
			ID: r.ID, Name: r.Name, Fields: r.Fields, Unverified: r.Unverified, MaxGroup: int(r.MaxGroup), Enabled: r.Enabled,
			CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, LookedAt: r.LookedAt, Version: r.OperationID,
		})
	}
	return out, err
}

// MergeProposalsPage returns proposed merges, oldest first, starting after an id; nil: with the oldest. status "" is
// all; customer nil is all. A reader who is limited to agents sees none.
func (q *Queries) MergeProposalsPage(
	ctx context.Context, tenant uuid.UUID, status vault.MergeProposalStatus, customer, after *uuid.UUID, limit int,
) (page []vault.MergeProposal, more bool, err error) {
	if status != "" && !slices.Contains(vault.MergeProposalStatuses, status) {
		return nil, false, vault.Invalid("status", "must be %s", vault.OneOf(vault.MergeProposalStatuses))
	}
	if len(vault.AgentsOf(ctx)) > 0 {
		return []vault.MergeProposal{}, false, nil
	}
	rows, err := q.db.Tenant(tenant).PageMergeProposals(ctx, dbgen.PageMergeProposalsParams{
		TenantID: tenant, Status: string(status), CustomerID: customer, AfterID: after,
		MaxRows: int32(min(limit, MaxPage)) + 1, //nolint:gosec // at most MaxPage
	})
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(r dbgen.PageMergeProposalsRow) vault.MergeProposal {
		return vault.MergeProposal{
			ID: r.ID, MergeRuleID: r.RuleID, OlderCustomerID: r.OlderCustomerID, NewerCustomerID: r.NewerCustomerID,
			Fields: r.Fields, Status: vault.MergeProposalStatus(r.Status), Reason: vault.MergeCloseReason(r.Reason),
			KeptCustomerID: r.KeptCustomerID, DecidedBy: vault.Actor(r.DecidedBy), DecidedAt: r.DecidedAt,
			ProposedAt: r.ProposedAt, UpdatedAt: r.UpdatedAt,
		}
	})
	return page, more, nil
}
