package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "behaviour rules of a scenario; a save starts the extraction of what it needs"}
	var agent, rule uuid.UUID
	get := with(with(&cobra.Command{Use: "get", Short: "show a rule"}, "agent", "agent id", &agent), "rule", "rule id", &rule)
	cmd.AddCommand(
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) { return c.GetRule(ctx, agent, rule) }),
		save(a, &cobra.Command{
			Use: "save", Short: "save a rule",
			Example: `  echo '{"agent_id": "0198…", "id": "0198…", "scenario_id": "0198…", "name": "Minors", "condition": "age < 18"}' | vault rules save`,
		}, func(ctx context.Context, c *client.Client, in vault.Rule, opts ...client.Option) (client.Operation[vault.SavedResult], error) {
			return a.extracted(ctx, c)(c.SaveRule(ctx, in, opts...))
		}),
	)
	return cmd
}
