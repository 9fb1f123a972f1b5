package cli

import (
	"context"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) mergeRulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "merge-rules", Short: "Manage the rules that find customers who may be the same person"}
	var removed vault.DeleteMergeRuleInput
	remove := withID(&cobra.Command{Use: "delete", Short: "Delete a merge rule and close its pending proposals"},
		"merge-rule", "merge rule `id`", &removed.MergeRuleID)
	ifVersion(remove, &removed.Based)
	cmd.AddCommand(
		a.read(byKey, &cobra.Command{Use: "list", Short: "List the merge rules"},
			func(ctx context.Context, c *client.Client) (any, error) {
				all, err := client.Collect(c.ListMergeRules(ctx))
				return mergeRuleList(all), err
			}),
		save(a, &cobra.Command{
			Use: "save", Short: "Save a merge rule",
			Example: `  echo '{"merge_rule_id": "0198…", "name": "Same address", "fields": ["email"]}' | vault merge-rules save`,
		}, (*client.Client).SaveMergeRule),
		submit(a, remove, &removed, (*client.Client).DeleteMergeRule),
	)
	return cmd
}

func (a *App) mergesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "merges", Short: "Find customers who may be the same person, and decide about them"}
	var proposed vault.ProposeMergesInput
	var decided vault.DecideMergeInput
	var status vault.MergeProposalStatus
	var customer *uuid.UUID
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List the proposed merges, oldest first", Example: "  vault merges list --status pending",
	}
	enumVar(list, &status, "status", "", "list only proposals with this status", vault.MergeProposalStatuses)
	optionalID(list, &customer, "customer", "`id` of a customer: list only its proposals")
	limitVar(list, &limit, "proposals")
	propose := &cobra.Command{Use: "propose", Short: "Look for customers who may be the same person now"}
	optionalID(propose, &proposed.MergeRuleID, "merge-rule", "`id` of one merge rule (default: all enabled ones)")
	decide := withID(&cobra.Command{
		Use: "decide", Short: "Approve or reject a proposed merge",
		Example: "  vault merges decide --proposal 0198… --decision approve --keep older",
	}, "proposal", "`id` of the proposal, as the list shows it", &decided.ProposalID)
	enumVar(decide, &decided.Decision, "decision", "", "decision", []vault.Decision{vault.Approve, vault.Reject})
	enumVar(decide, &decided.Keep, "keep", "", "customer who remains after an approval (default older)", vault.MergeKeeps)
	_ = decide.MarkFlagRequired("decision")
	cmd.AddCommand(
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			all, err := upTo(c.ListMergeProposals(ctx, status, customer), limit)
			return mergeProposalList(all), err
		}),
		submit(a, propose, &proposed, (*client.Client).ProposeMerges),
		submit(a, decide, &decided, (*client.Client).DecideMerge),
	)
	return cmd
}

type mergeRuleList []vault.MergeRule

func (all mergeRuleList) table(w io.Writer) {
	head(w, "ID", "NAME", "FIELDS", "UNVERIFIED", "MAX GROUP", "ENABLED", "LOOKED AT")
	for _, r := range all {
		line(w, r.ID, dash(r.Name), strings.Join(r.Fields, ","), yesNo(r.Unverified), r.MaxGroup, yesNo(r.Enabled),
			when(r.LookedAt))
	}
}

type mergeProposalList []vault.MergeProposal

func (all mergeProposalList) table(w io.Writer) {
	head(w, "ID", "OLDER", "NEWER", "FIELDS", "STATUS", "REASON", "PROPOSED")
	for _, m := range all {
		line(w, m.ID, m.OlderCustomerID, m.NewerCustomerID, strings.Join(m.Fields, ","), m.Status, dash(string(m.Reason)),
			when(&m.ProposedAt))
	}
}
