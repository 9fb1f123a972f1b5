package db

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// ConfigurationOf reads what persons wrote for an agent, without the members that the vault sets. It is empty for an
// agent without anything.
func ConfigurationOf(
	ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID,
) (vault.AgentConfiguration, error) {
	out := vault.AgentConfiguration{AgentID: agent}
	definitions, err := q.ListDefinitions(ctx, tenant, agent)
	if err != nil {
		return out, err
	}
	for _, row := range definitions {
		d, err := DefinitionOf(row)
		if err != nil {
			return out, err
		}
		if d.Origin == vault.OriginHuman || d.Review == vault.ReviewApproved {
			out.Definitions = append(out.Definitions, d)
		}
	}
	scenarios, err := q.ListScenarios(ctx, tenant, agent)
	if err != nil {
		return out, err
	}
	for _, row := range scenarios {
		s, err := ScenarioOf(row)
		if err != nil {
			return out, err
		}
		out.Scenarios = append(out.Scenarios, s)
	}
	rules, err := q.ListRules(ctx, tenant, agent)
	if err != nil {
		return out, err
	}
	for _, row := range rules {
		r, err := RuleOf(row)
		if err != nil {
			return out, err
		}
		out.Rules = append(out.Rules, r)
	}
	requirements, err := q.ListSavedRequirements(ctx, tenant, agent)
	if err != nil {
		return out, err
	}
	for _, row := range requirements {
		out.Requirements = append(out.Requirements, RequirementOf(row))
	}
	return out, nil
}
