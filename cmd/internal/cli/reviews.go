package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) reviewsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "reviews", Short: "what was extracted and waits for a person"}
	var in vault.DecideReviewInput
	var edit string
	decide := with(&cobra.Command{
		Use: "decide", Short: "approve or reject what was extracted",
		Example: `  vault reviews decide --kind requirement --review 0198… --decision approve --edit '{"required_level": "soft"}'`,
	}, "review", "the id of the requirement or definition, as the list shows it", &in.ID)
	enumVar(decide, &in.Kind, "kind", "", "what it is", []vault.ReviewKind{vault.ReviewOfRequirement, vault.ReviewOfDefinition})
	enumVar(decide, &in.Decision, "decision", "", "the decision", []vault.Decision{vault.Approve, vault.Reject})
	_ = decide.MarkFlagRequired("kind")
	_ = decide.MarkFlagRequired("decision")
	textVar(decide, &edit, "edit", "for an approved requirement: a JSON object of what is changed", false)
	cmd.AddCommand(
		a.read(byKey, &cobra.Command{Use: "list", Short: "list what waits, the oldest first"}, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListReviews(ctx))
		}),
		change(a, decide, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.SavedResult], error) {
			if edit != "" {
				in.Edit = &vault.ReviewEdit{}
				if err := rules.DecodeStrict([]byte(edit), in.Edit); err != nil {
					return client.Operation[vault.SavedResult]{}, err
				}
			}
			return c.DecideReview(ctx, in, opts...)
		}),
	)
	return cmd
}
