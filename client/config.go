package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// SaveDefinition says that an agent may collect a field, and what its values look like.
func (c *Client) SaveDefinition(ctx context.Context, in vault.Definition, opts ...Option) (Operation[vault.SavedResult], error) {
	return change[vault.SavedResult](ctx, c, request{method: http.MethodPut, path: path("v1", "agents", in.AgentID, "definitions", in.Name), body: in}, opts)
}

// GetDefinition gives a field definition.
func (c *Client) GetDefinition(ctx context.Context, agent uuid.UUID, name string) (vault.Definition, error) {
	return get[vault.Definition](ctx, c, path("v1", "agents", agent, "definitions", name), nil)
}

// ListDefinitions gives the field definitions of an agent, by name.
func (c *Client) ListDefinitions(ctx context.Context, agent uuid.UUID) iter.Seq2[vault.Definition, error] {
	return list[vault.Definition](ctx, c, path("v1", "agents", agent, "definitions"), nil)
}

// DeleteDefinition removes a field definition. What was collected stays. While a scenario requires the field the problem is a conflict,
// with the ids of the requirements.
func (c *Client) DeleteDefinition(ctx context.Context, agent uuid.UUID, name string, opts ...Option) (Operation[vault.SavedResult], error) {
	return change[vault.SavedResult](ctx, c, request{method: http.MethodDelete, path: path("v1", "agents", agent, "definitions", name)}, opts)
}

// SaveScenario saves a scenario. What it needs of a customer is extracted from its text afterwards, by the operation that the
// result names.
func (c *Client) SaveScenario(ctx context.Context, in vault.Scenario, opts ...Option) (Operation[vault.SavedResult], error) {
	return change[vault.SavedResult](ctx, c, request{method: http.MethodPut, path: path("v1", "agents", in.AgentID, "scenarios", in.ID), body: in}, opts)
}

// GetScenario gives a scenario.
func (c *Client) GetScenario(ctx context.Context, agent, scenario uuid.UUID) (vault.Scenario, error) {
	return get[vault.Scenario](ctx, c, path("v1", "agents", agent, "scenarios", scenario), nil)
}

// SaveRule saves a rule of a scenario. What it needs is extracted as by SaveScenario.
func (c *Client) SaveRule(ctx context.Context, in vault.Rule, opts ...Option) (Operation[vault.SavedResult], error) {
	return change[vault.SavedResult](ctx, c, request{method: http.MethodPut, path: path("v1", "agents", in.AgentID, "rules", in.ID), body: in}, opts)
}

// GetRule gives a rule.
func (c *Client) GetRule(ctx context.Context, agent, rule uuid.UUID) (vault.Rule, error) {
	return get[vault.Rule](ctx, c, path("v1", "agents", agent, "rules", rule), nil)
}

// SaveRequirement says that a scenario needs a field. The agent is the scenario's where in names none.
func (c *Client) SaveRequirement(ctx context.Context, in vault.Requirement, opts ...Option) (Operation[vault.SavedResult], error) {
	return change[vault.SavedResult](ctx, c, request{
		method: http.MethodPut, path: path("v1", "scenarios", in.ScenarioID, "requirements", in.FieldName), body: in,
	}, opts)
}

// ListRequirements gives what a scenario needs, its rules' requirements too, in the order of collection.
func (c *Client) ListRequirements(ctx context.Context, scenario uuid.UUID) iter.Seq2[vault.Requirement, error] {
	return list[vault.Requirement](ctx, c, path("v1", "scenarios", scenario, "requirements"), nil)
}

// DeleteRequirement says that a scenario, or one step or rule of it, does not need a field any more.
func (c *Client) DeleteRequirement(ctx context.Context, in vault.DeleteRequirementInput, opts ...Option) (Operation[vault.SavedResult], error) {
	r := request{method: http.MethodDelete, path: path("v1", "scenarios", in.ScenarioID, "requirements", in.FieldName), query: url.Values{}}
	if in.StepID != "" {
		r.query.Set("step_id", in.StepID)
	}
	if in.RuleID != nil {
		r.query.Set("rule_id", in.RuleID.String())
	}
	return change[vault.SavedResult](ctx, c, r, opts)
}

// ExtractSchema extracts by hand what a scenario needs, or one of its rules; rule nil: the scenario itself.
func (c *Client) ExtractSchema(ctx context.Context, scenario uuid.UUID, rule *uuid.UUID, opts ...Option) (Operation[vault.ExtractResult], error) {
	body := struct {
		RuleID *uuid.UUID `json:"rule_id,omitempty"`
	}{rule}
	return change[vault.ExtractResult](ctx, c, request{method: http.MethodPost, path: path("v1", "scenarios", scenario, "extract"), body: body}, opts)
}
