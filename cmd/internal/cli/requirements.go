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
	remove := with(&cobra.Command{Use: "delete", Short: "delete a requirement; extraction does not bring it back"}, "scenario", "scenario id", &scenario)
	var deleted vault.DeleteRequirementInput
	textVar(remove, &deleted.FieldName, "name", "the field", true)
	textVar(remove, &deleted.StepID, "step", "of this step, instead of the whole scenario", false)
	optionalID(remove, &deleted.RuleID, "rule", "of this rule")
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
		change(a, remove, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.SavedResult], error) {
			deleted.ScenarioID = scenario
			return c.DeleteRequirement(ctx, deleted, opts...)
		}),
	)
	return cmd
}
