package client

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// GetDefinition gives a field definition.
func (c *Client) GetDefinition(ctx context.Context, agent uuid.UUID, name string) (vault.Definition, error) {
	return get[vault.Definition](ctx, c, path("v1", "agents", agent, "definitions", name), nil)
}

// ListDefinitions gives the field definitions of an agent, by name.
func (c *Client) ListDefinitions(ctx context.Context, agent uuid.UUID) iter.Seq2[vault.Definition, error] {
	return list[vault.Definition](ctx, c, path("v1", "agents", agent, "definitions"), nil)
}

// GetScenario gives a scenario.
func (c *Client) GetScenario(ctx context.Context, agent, scenario uuid.UUID) (vault.Scenario, error) {
	return get[vault.Scenario](ctx, c, path("v1", "agents", agent, "scenarios", scenario), nil)
}

// GetRule gives a rule.
func (c *Client) GetRule(ctx context.Context, agent, rule uuid.UUID) (vault.Rule, error) {
	return get[vault.Rule](ctx, c, path("v1", "agents", agent, "rules", rule), nil)
}

// ListRequirements gives what a scenario needs, its rules' requirements too, in the order of collection.
func (c *Client) ListRequirements(ctx context.Context, scenario uuid.UUID) iter.Seq2[vault.Requirement, error] {
	return list[vault.Requirement](ctx, c, path("v1", "scenarios", scenario, "requirements"), nil)
}
