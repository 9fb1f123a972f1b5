package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

const tagMerging = "Merging"

// MergeRulePath is the path of a merge rule.
type MergeRulePath struct {
	MergeRule input.ID `path:"merge_rule_id" doc:"The id of the merge rule, chosen by the caller."`
}

func (s *Server) mergingRoutes() {
	type saveRule struct {
		MergeRulePath
		input.Preferences
		input.JSON
	}
	submit[saveRule](s, vault.SaveMergeRule, route{
		method: http.MethodPut, path: "/v1/merge-rules/{merge_rule_id}", tag: tagMerging, access: toAdmin,
		summary: "Save a merge rule",
		detail: "Two customers with equal values of all its fields may be the same person. Only verified values count, " +
			"unless the rule says otherwise.",
		example: `{"name": "Same address", "fields": ["email"]}`,
	})
	type deleteRule struct {
		MergeRulePath
		input.Based
		input.Preferences
	}
	submit[deleteRule](s, vault.DeleteMergeRule, route{
		method: http.MethodDelete, path: "/v1/merge-rules/{merge_rule_id}", tag: tagMerging, access: toAdmin,
		summary: "Delete a merge rule", detail: "Closes its pending proposals. Decisions stay.",
	})
	register(s, route{
		name: "list-merge-rules", method: http.MethodGet, path: "/v1/merge-rules", tag: tagMerging, access: toRead,
		summary: "List the merge rules", detail: "Sorted by id.",
		errors: []int{http.StatusUnprocessableEntity},
	}, func(ctx context.Context, c caller, _ *struct{}) (*page[vault.MergeRule], error) {
		all, err := s.options.Query.MergeRules(ctx, c.tenant)
		return &page[vault.MergeRule]{listOf[vault.MergeRule]{Items: all}}, err
	})
	type propose struct {
		input.Preferences
		input.JSON
	}
	submit[propose](s, vault.ProposeMerges, route{
		method: http.MethodPost, path: "/v1/merge-proposals", tag: tagMerging, access: toReview,
		summary: "Look for customers who may be the same person",
		detail: "By the merge rules of the tenant. Each pair becomes a proposal, which a person decides. A schedule does " +
			"the same.",
		example: `{}`, optionalBody: true,
	})
	type list struct {
		Status   vault.MergeProposalStatus `query:"status" enum:"pending,approved,rejected,closed" doc:"Only proposals with this status. Absent: all."`
		Customer input.ID                  `query:"customer_id" doc:"Only proposals of this customer."`
		input.Page
	}
	register(s, route{
		name: "list-merge-proposals", method: http.MethodGet, path: "/v1/merge-proposals", tag: tagMerging,
		access: toRead, summary: "List the proposed merges", detail: "Oldest first. They hold ids and names, no values.",
	}, func(ctx context.Context, c caller, in *list) (*page[vault.MergeProposal], error) {
		return pageByID(in.Page, func(after *uuid.UUID, limit int) ([]vault.MergeProposal, bool, error) {
			return s.options.Query.MergeProposalsPage(ctx, c.tenant, in.Status, in.Customer.Pointer(), after, limit)
		}, func(m vault.MergeProposal) uuid.UUID { return m.ID })
	})
	type decide struct {
		Proposal input.ID `path:"proposal_id" doc:"The id of the proposal."`
		input.Preferences
		input.JSON
	}
	submit[decide](s, vault.DecideMerge, route{
		method: http.MethodPost, path: "/v1/merge-proposals/{proposal_id}/decision", tag: tagMerging, access: toReview,
		summary: "Approve or reject a proposed merge",
		detail: "An approval merges the customers; unmerge-customer undoes it. A rejected pair is not proposed again for " +
			"the same values. If the proposal is not pending any more, or the customers do not share the values any more, " +
			"nothing is changed and the response is 409.",
		example: `{"decision": "approve", "keep": "older"}`,
	})
}
