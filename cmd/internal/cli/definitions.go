package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) definitionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "definitions", Short: "field definitions: what may be collected"}
	var agent uuid.UUID
	list := with(&cobra.Command{Use: "list", Short: "list the fields of an agent"}, "agent", "agent id", &agent)
	get := with(&cobra.Command{Use: "get", Short: "show a field definition"}, "agent", "agent id", &agent)
	var name string
	textVar(get, &name, "name", "the field", true)
	remove := with(&cobra.Command{Use: "delete", Short: "delete a field definition; what was collected stays"}, "agent", "agent id", &agent)
	textVar(remove, &name, "name", "the field", true)
	cmd.AddCommand(
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListDefinitions(ctx, agent))
		}),
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) { return c.GetDefinition(ctx, agent, name) }),
		save(a, &cobra.Command{
			Use: "save", Short: "save a field definition",
			Example: `  echo '{"agent_id": "0198…", "name": "email", "value_type": "email", "is_pii": true, "enabled": true}' | vault definitions save`,
		}, func(ctx context.Context, c *client.Client, in vault.Definition, opts ...client.Option) (client.Operation[vault.SavedResult], error) {
			return c.SaveDefinition(ctx, in, opts...)
		}),
		change(a, remove, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.SavedResult], error) {
			return c.DeleteDefinition(ctx, vault.DeleteDefinitionInput{AgentID: agent, Name: name}, opts...)
		}),
	)
	return cmd
}
