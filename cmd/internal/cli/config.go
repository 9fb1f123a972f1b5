package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/worker"
)

// save makes a command that reads a JSON document and saves it.
func save[T any](a *App, short, example string, accept func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, in T, opts ...trigger.Option) (trigger.Receipt, error)) *cobra.Command {
	var file string
	cmd := &cobra.Command{Use: "save", Short: short, Args: cobra.NoArgs, Example: example,
		RunE: a.change(func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, opts []trigger.Option) (trigger.Receipt, error) {
			var in T
			if err := a.input(file, &in); err != nil {
				return trigger.Receipt{}, err
			}
			return accept(ctx, c, tenant, in, opts...)
		})}
	cmd.Flags().StringVarP(&file, "file", "f", "-", "the JSON document; -: standard input")
	return cmd
}

func (a *App) fieldsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "fields", Short: "field definitions: what may be collected"}
	flags := ids{}
	list := &cobra.Command{Use: "list", Short: "list the fields of an agent", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			agent, err := flags.get("agent")
			if err != nil {
				return nil, err
			}
			return r.Query.Definitions(ctx, tenant, agent)
		})}
	flags.add(list, "agent", "agent id", true)
	cmd.AddCommand(list, save(a, "save a field definition",
		`  echo '{"agent_id": "0198…", "name": "email", "value_type": "email", "is_pii": true, "enabled": true}' | vault fields save`,
		func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, in vault.Definition, opts ...trigger.Option) (trigger.Receipt, error) {
			return c.SaveDefinition(ctx, tenant, in, opts...)
		}))
	return cmd
}

func (a *App) requirementsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "requirements", Short: "what a scenario needs"}
	flags := ids{}
	list := &cobra.Command{Use: "list", Short: "list what a scenario needs", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			scenario, err := flags.get("scenario")
			if err != nil {
				return nil, err
			}
			return r.Query.Requirements(ctx, tenant, scenario)
		})}
	flags.add(list, "scenario", "scenario id", true)
	cmd.AddCommand(list, save(a, "save a requirement",
		`  echo '{"agent_id": "0198…", "scenario_id": "0198…", "field_name": "email", "required_level": "hard", "fallback_action": "ask"}' | vault requirements save`,
		func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, in vault.Requirement, opts ...trigger.Option) (trigger.Receipt, error) {
			return c.SaveRequirement(ctx, tenant, in, opts...)
		}))
	return cmd
}

func (a *App) scenariosCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "scenarios", Short: "conversation flows; a save starts the extraction of what it needs"}
	flags := ids{}
	get := &cobra.Command{Use: "get", Short: "show a scenario", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			scenario, err := flags.get("scenario")
			if err != nil {
				return nil, err
			}
			return r.Query.Scenario(ctx, tenant, scenario)
		})}
	flags.add(get, "scenario", "scenario id", true)
	extractFlags := ids{}
	extract := &cobra.Command{Use: "extract", Short: "extract what a scenario or rule needs by hand", Args: cobra.NoArgs,
		RunE: a.change(func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, opts []trigger.Option) (trigger.Receipt, error) {
			var in vault.ExtractSchema
			var err error
			if in.AgentID, err = extractFlags.get("agent"); err != nil {
				return trigger.Receipt{}, err
			}
			if in.ScenarioID, err = extractFlags.get("scenario"); err != nil {
				return trigger.Receipt{}, err
			}
			if in.RuleID, err = extractFlags.optional("rule"); err != nil {
				return trigger.Receipt{}, err
			}
			return c.ExtractSchema(ctx, tenant, in, opts...)
		})}
	extractFlags.add(extract, "agent", "agent id", true)
	extractFlags.add(extract, "scenario", "scenario id", true)
	extractFlags.add(extract, "rule", "rule id, for a rule of the scenario", false)
	cmd.AddCommand(get, extract, save(a, "save a scenario",
		`  echo '{"agent_id": "0198…", "id": "0198…", "name": "Onboarding", "description": "If the customer is over 18, …"}' | vault scenarios save`,
		func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, in vault.Scenario, opts ...trigger.Option) (trigger.Receipt, error) {
			return c.SaveScenario(ctx, tenant, in, opts...)
		}))
	return cmd
}

func (a *App) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "behaviour rules of a scenario; a save starts the extraction of what it needs"}
	cmd.AddCommand(save(a, "save a rule", "",
		func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, in vault.Rule, opts ...trigger.Option) (trigger.Receipt, error) {
			return c.SaveRule(ctx, tenant, in, opts...)
		}))
	return cmd
}

func (a *App) sessionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "sessions", Short: "variables and turns of conversations, for gap fill"}
	cmd.AddCommand(save(a, "save variables and add turns",
		`  echo '{"session_id": "0198…", "agent_id": "0198…", "customer_id": "0198…", "turns": [{"speaker": "customer", "text": "Hi"}]}' | vault sessions save`,
		func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, in vault.SaveSession, opts ...trigger.Option) (trigger.Receipt, error) {
			return c.SaveSession(ctx, tenant, in, opts...)
		}))
	return cmd
}

func (a *App) assetsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "assets", Short: "references to documents"}
	cmd.AddCommand(save(a, "record a document", "",
		func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, in vault.AddAsset, opts ...trigger.Option) (trigger.Receipt, error) {
			return c.AddAsset(ctx, tenant, in, opts...)
		}))
	return cmd
}
