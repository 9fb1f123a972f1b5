package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) requirementsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "requirements", Short: "what a scenario needs"}
	var scenario uuid.UUID
	list := with(&cobra.Command{Use: "list", Short: "list what a scenario needs"}, "scenario", "scenario id", &scenario)
	cmd.AddCommand(
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListRequirements(ctx, scenario))
		}),
		save(a, &cobra.Command{
			Use: "save", Short: "save a requirement",
			Example: `  echo '{"scenario_id": "0198…", "field_name": "email", "required_level": "hard", "fallback_action": "ask"}' | vault requirements save`,
		}, func(ctx context.Context, c *client.Client, in vault.Requirement, opts ...client.Option) (client.Operation[vault.SavedResult], error) {
			return c.SaveRequirement(ctx, in, opts...)
		}),
	)
	return cmd
}
