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
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) definitionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "definitions", Short: "Manage the definitions of fields"}
	var agent uuid.UUID
	var name string
	var deleted vault.DeleteDefinitionInput
	one := func(use, short string, agent *uuid.UUID) *cobra.Command {
		return withID(&cobra.Command{Use: use, Short: short}, "agent", "agent `id`", agent)
	}
	list := one("list", "List the definitions of an agent", &agent)
	get := one("get", "Show a definition", &agent)
	textVar(get, &name, "name", "name of the field", true)
	remove := one("delete", "Delete a definition; collected values remain", &deleted.AgentID)
	textVar(remove, &deleted.Name, "name", "name of the field", true)
	ifVersion(remove, &deleted.Based)
	foresee := one("dry-run-delete", "Say what the deletion of a definition would break; changes nothing", &deleted.AgentID)
	textVar(foresee, &deleted.Name, "name", "name of the field", true)
	cmd.AddCommand(
		dryRunDelete(a, foresee, &deleted, (*client.Client).DryRunDeleteDefinition),
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListDefinitions(ctx, agent))
		}),
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) {
			return c.GetDefinition(ctx, agent, name)
		}),
		save(a, &cobra.Command{
			Use: "save", Short: "Save a definition",
			Example: `  echo '{"agent_id": "0198…", "name": "email", "value_type": "email", "is_pii": true}' ` +
				`| vault definitions save`,
		}, (*client.Client).SaveDefinition),
		dryRun(a, "definition", `{"agent_id": "0198…", "name": "plan", "value_type": "string", "allowed_values": ["gold"]}`,
			(*client.Client).DryRunDefinition),
		submit(a, remove, &deleted, (*client.Client).DeleteDefinition),
	)
	return cmd
}

func (a *App) requirementsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "requirements", Short: "Manage the requirements of scenarios"}
	var scenario uuid.UUID
	var deleted vault.DeleteRequirementInput
	list := withID(&cobra.Command{Use: "list", Short: "List the requirements of a scenario"},
		"scenario", "scenario `id`", &scenario)
	remove := withID(&cobra.Command{Use: "delete", Short: "Delete a requirement; extraction does not add it again"},
		"scenario", "scenario `id`", &deleted.ScenarioID)
	ifVersion(remove, &deleted.Based)
	foresee := withID(&cobra.Command{
		Use: "dry-run-delete", Short: "Say what the deletion of a requirement would change; changes nothing",
	}, "scenario", "scenario `id`", &deleted.ScenarioID)
	for _, of := range []*cobra.Command{remove, foresee} {
		textVar(of, &deleted.FieldName, "name", "name of the field", true)
		textVar(of, &deleted.StepID, "step", "`id` of a step (default: the whole scenario)", false)
		optionalID(of, &deleted.RuleID, "rule", "`id` of a rule")
	}
	cmd.AddCommand(
		dryRunDelete(a, foresee, &deleted, (*client.Client).DryRunDeleteRequirement),
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListRequirements(ctx, scenario))
		}),
		save(a, &cobra.Command{
			Use: "save", Short: "Save a requirement",
			Example: `  echo '{"scenario_id": "0198…", "field_name": "email", "required_level": "hard", ` +
				`"fallback_action": "ask"}' | vault requirements save`,
		}, (*client.Client).SaveRequirement),
		dryRun(a, "requirement", `{"scenario_id": "0198…", "field_name": "email", "required_level": "hard", "fallback_action": "ask"}`,
			(*client.Client).DryRunRequirement),
		submit(a, remove, &deleted, (*client.Client).DeleteRequirement),
	)
	return cmd
}

func (a *App) scenariosCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "scenarios", Short: "Manage scenarios; the vault derives requirements from their texts"}
	var agent, scenario uuid.UUID
	var extracted vault.ExtractSchemaInput
	list := withID(&cobra.Command{Use: "list", Short: "List the scenarios of an agent"}, "agent", "agent `id`", &agent)
	get := withID(withID(&cobra.Command{Use: "get", Short: "Show a scenario"},
		"agent", "agent `id`", &agent), "scenario", "scenario `id`", &scenario)
	extract := withID(&cobra.Command{Use: "extract", Short: "Extract the requirements of a scenario or rule now"},
		"scenario", "scenario `id`", &extracted.ScenarioID)
	optionalID(extract, &extracted.RuleID, "rule", "`id` of a rule of the scenario")
	explain := withID(&cobra.Command{
		Use: "explain", Short: "Explain sentence by sentence what a scenario and its rules need, and what was passed over",
	}, "scenario", "scenario `id`", &scenario)
	cmd.AddCommand(
		a.read(byKey, explain, func(ctx context.Context, c *client.Client) (any, error) {
			out, err := c.ExplainScenario(ctx, scenario)
			return explanation{out}, err
		}),
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListScenarios(ctx, agent))
		}),
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) {
			return c.GetScenario(ctx, agent, scenario)
		}),
		submit(a, extract, &extracted, (*client.Client).ExtractSchema),
		save(a, &cobra.Command{
			Use: "save", Short: "Save a scenario",
			Example: `  echo '{"agent_id": "0198…", "id": "0198…", "name": "Onboarding", ` +
				`"description": "If the customer is over 18, …"}' | vault scenarios save`,
		}, waitForExtraction(a, (*client.Client).SaveScenario)),
		dryRun(a, "scenario", `{"agent_id": "0198…", "id": "0198…", "name": "Onboarding"}`,
			(*client.Client).DryRunScenario),
	)
	return cmd
}

func (a *App) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "Manage the rules of scenarios; the vault derives requirements from their texts"}
	var agent, rule uuid.UUID
	var scenario *uuid.UUID
	list := withID(&cobra.Command{Use: "list", Short: "List the rules of an agent"}, "agent", "agent `id`", &agent)
	optionalID(list, &scenario, "scenario", "`id` of a scenario: list only its rules")
	get := withID(withID(&cobra.Command{Use: "get", Short: "Show a rule"},
		"agent", "agent `id`", &agent), "rule", "rule `id`", &rule)
	cmd.AddCommand(
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListRules(ctx, agent, scenario))
		}),
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) { return c.GetRule(ctx, agent, rule) }),
		save(a, &cobra.Command{
			Use: "save", Short: "Save a rule",
			Example: `  echo '{"agent_id": "0198…", "id": "0198…", "scenario_id": "0198…", "name": "Minors", ` +
				`"condition": "age < 18"}' | vault rules save`,
		}, waitForExtraction(a, (*client.Client).SaveRule)),
		dryRun(a, "rule", `{"agent_id": "0198…", "id": "0198…", "scenario_id": "0198…", "name": "Minors", "condition": "age < 18"}`,
			func(c *client.Client, ctx context.Context, in vault.Rule, _ client.Look) (vault.DryRun, error) {
				return c.DryRunRule(ctx, in)
			}),
	)
	return cmd
}

// waitForExtraction waits for the extraction that a save starts, up to --wait, and reports its result: the next command
// probably reads the extracted requirements.
func waitForExtraction[In any](a *App, save method[In, vault.SavedResult]) method[In, vault.SavedResult] {
	return func(
		c *client.Client, ctx context.Context, in In, opts ...client.Option,
	) (client.Operation[vault.SavedResult], error) {
		saved, err := save(c, ctx, in, opts...)
		if err != nil || a.wait == 0 || saved.Result.Extraction == nil {
			return saved, err
		}
		op, err := a.outcome(ctx, c, *saved.Result.Extraction)
		var out vault.ExtractResult
		switch {
		case err != nil:
			_, _ = fmt.Fprintln(a.Err, "saved, but the requirements were not extracted:", Message(err))
		case !op.Status.Finished() || json.Unmarshal(op.Result, &out) != nil:
			_, _ = fmt.Fprintf(a.Err, "saved; the extraction is still running: vault operations wait --operation %s\n", op.ID)
		default:
			_, _ = fmt.Fprintf(a.Err, "requirements: %s\n",
				cmp.Or(strings.Join(out.Requirements, ", "), "none ("+out.Outcome+")"))
		}
		return saved, nil
	}
}

func (a *App) reviewsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "reviews", Short: "Approve, edit or reject what the vault derived from texts"}
	var in vault.DecideReviewInput
	var edit string
	decide := withID(&cobra.Command{
		Use: "decide", Short: "Approve or reject an extracted definition or requirement",
		Example: `  vault reviews decide --kind requirement --review 0198… --decision approve ` +
			`--edit '{"required_level": "soft"}'`,
	}, "review", "`id` of the requirement or definition, as the list shows it", &in.ID)
	enumVar(decide, &in.Kind, "kind", "", "kind of the review",
		[]vault.ReviewKind{vault.ReviewOfRequirement, vault.ReviewOfDefinition})
	enumVar(decide, &in.Decision, "decision", "", "decision", []vault.Decision{vault.Approve, vault.Reject})
	_ = decide.MarkFlagRequired("kind")
	_ = decide.MarkFlagRequired("decision")
	textVar(decide, &edit, "edit", "changes to an approved requirement or definition, as a JSON object", false)
	cmd.AddCommand(
		a.read(byKey, &cobra.Command{Use: "list", Short: "List the pending reviews, oldest first"},
			func(ctx context.Context, c *client.Client) (any, error) { return client.Collect(c.ListReviews(ctx)) }),
		submit(a, decide, &in, (*client.Client).DecideReview, func(in *vault.DecideReviewInput) error {
			if edit == "" {
				return nil
			}
			in.Edit = &vault.ReviewEdit{}
			return rules.DecodeStrict([]byte(edit), in.Edit)
		}),
	)
	return cmd
}
