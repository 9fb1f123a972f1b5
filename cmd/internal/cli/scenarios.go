package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) scenariosCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "scenarios", Short: "conversation flows; a save starts the extraction of what it needs"}
	var agent, scenario uuid.UUID
	get := with(with(&cobra.Command{Use: "get", Short: "show a scenario"}, "agent", "agent id", &agent), "scenario", "scenario id", &scenario)
	extract := with(&cobra.Command{Use: "extract", Short: "extract what a scenario or rule needs by hand"}, "scenario", "scenario id", &scenario)
	var rule *uuid.UUID
	optionalID(extract, &rule, "rule", "rule id, for a rule of the scenario")
	cmd.AddCommand(
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) { return c.GetScenario(ctx, agent, scenario) }),
		change(a, extract, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.ExtractResult], error) {
			return c.ExtractSchema(ctx, vault.ExtractSchemaInput{ScenarioID: scenario, RuleID: rule}, opts...)
		}),
		save(a, &cobra.Command{
			Use: "save", Short: "save a scenario",
			Example: `  echo '{"agent_id": "0198…", "id": "0198…", "name": "Onboarding", "description": "If the customer is over 18, …"}' | vault scenarios save`,
		}, func(ctx context.Context, c *client.Client, in vault.Scenario, opts ...client.Option) (client.Operation[vault.SavedResult], error) {
			return a.extracted(ctx, c)(c.SaveScenario(ctx, in, opts...))
		}),
	)
	return cmd
}

// extracted waits for the extraction that a save started, as long as --wait says, and tells what it came to: what is read next is
// most likely what was extracted.
func (a *App) extracted(ctx context.Context, c *client.Client) func(client.Operation[vault.SavedResult], error) (client.Operation[vault.SavedResult], error) {
	return func(saved client.Operation[vault.SavedResult], err error) (client.Operation[vault.SavedResult], error) {
		if err != nil || a.wait == 0 || saved.Result.Extraction == nil {
			return saved, err
		}
		op, err := a.outcome(ctx, c, *saved.Result.Extraction)
		var out vault.ExtractResult
		switch {
		case err != nil:
			_, _ = fmt.Fprintln(a.Err, "it is saved; what it needs was not extracted:", Message(err))
		case !op.Status.Finished() || json.Unmarshal(op.Result, &out) != nil:
			_, _ = fmt.Fprintf(a.Err, "it is saved; what it needs is being extracted: vault operations wait --operation %s\n", op.ID)
		default:
			_, _ = fmt.Fprintf(a.Err, "it needs: %s\n", cmp.Or(strings.Join(out.Requirements, ", "), "nothing that was found ("+out.Outcome+")"))
		}
		return saved, nil
	}
}
