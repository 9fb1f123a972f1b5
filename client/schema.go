package client

import (
	"context"
	"iter"
	"net/url"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// GetDefinition returns a definition.
func (c *Client) GetDefinition(ctx context.Context, agent uuid.UUID, name string) (vault.Definition, error) {
	return get[vault.Definition](ctx, c, path("v1", "agents", agent, "definitions", name), nil)
}

// ListDefinitions lists the definitions of an agent, sorted by name.
func (c *Client) ListDefinitions(ctx context.Context, agent uuid.UUID) iter.Seq2[vault.Definition, error] {
	return list[vault.Definition](ctx, c, path("v1", "agents", agent, "definitions"), nil)
}

// ListAgents lists the agents that have a definition or a scenario, sorted by id.
func (c *Client) ListAgents(ctx context.Context) iter.Seq2[vault.AgentSummary, error] {
	return list[vault.AgentSummary](ctx, c, path("v1", "agents"), nil)
}

// ListScenarios lists the scenarios of an agent, sorted by id, without their texts.
func (c *Client) ListScenarios(ctx context.Context, agent uuid.UUID) iter.Seq2[vault.ScenarioSummary, error] {
	return list[vault.ScenarioSummary](ctx, c, path("v1", "agents", agent, "scenarios"), nil)
}

// ListRules lists the rules of an agent, sorted by id, without their texts. scenario selects those of one scenario;
// nil: of all.
func (c *Client) ListRules(
	ctx context.Context, agent uuid.UUID, scenario *uuid.UUID,
) iter.Seq2[vault.RuleSummary, error] {
	query := url.Values{}
	if scenario != nil {
		query.Set("scenario_id", scenario.String())
	}
	return list[vault.RuleSummary](ctx, c, path("v1", "agents", agent, "rules"), query)
}

// GetScenario returns a scenario.
func (c *Client) GetScenario(ctx context.Context, agent, scenario uuid.UUID) (vault.Scenario, error) {
	return get[vault.Scenario](ctx, c, path("v1", "agents", agent, "scenarios", scenario), nil)
}

// ExplainScenario returns for each sentence of a scenario and its rules what it gave and what was passed over.
func (c *Client) ExplainScenario(ctx context.Context, scenario uuid.UUID) (vault.ScenarioExplanation, error) {
	return get[vault.ScenarioExplanation](ctx, c, path("v1", "scenarios", scenario, "explanation"), nil)
}

// GetConfiguration returns what persons wrote for an agent.
func (c *Client) GetConfiguration(ctx context.Context, agent uuid.UUID) (vault.AgentConfiguration, error) {
	return get[vault.AgentConfiguration](ctx, c, path("v1", "agents", agent, "configuration"), nil)
}

// GetRule returns a rule.
func (c *Client) GetRule(ctx context.Context, agent, rule uuid.UUID) (vault.Rule, error) {
	return get[vault.Rule](ctx, c, path("v1", "agents", agent, "rules", rule), nil)
}

// ListRequirements lists the requirements of a scenario and its rules, in the order of collection.
func (c *Client) ListRequirements(ctx context.Context, scenario uuid.UUID) iter.Seq2[vault.Requirement, error] {
	return list[vault.Requirement](ctx, c, path("v1", "scenarios", scenario, "requirements"), nil)
}

// Review is an extracted definition or requirement, a pending value, or a proposed merge, that needs a decision.
type Review struct {
	Kind        vault.ReviewKind   `json:"kind"`
	ID          uuid.UUID          `json:"id"`
	Definition  *vault.Definition  `json:"definition,omitempty"`
	Requirement *vault.Requirement `json:"requirement,omitempty"`
	// Value is decided by DecideValue; ID is that of the pending version.
	Value *vault.PendingValue `json:"value,omitempty"`
	// Merge is decided by DecideMerge.
	Merge *vault.MergeProposal `json:"merge,omitempty"`
}

// ListReviews lists the pending reviews: extracted definitions first, then requirements, then
// pending values, then proposed merges, oldest first.
func (c *Client) ListReviews(ctx context.Context) iter.Seq2[Review, error] {
	type pending struct {
		vault.Reviews
		Next string `json:"next_cursor"`
	}
	return pages(ctx, c, path("v1", "reviews"), nil, func(p pending) ([]Review, string) {
		var out []Review
		for _, d := range p.Definitions {
			out = append(out, Review{Kind: vault.ReviewOfDefinition, ID: d.ID, Definition: &d})
		}
		for _, r := range p.Requirements {
			out = append(out, Review{Kind: vault.ReviewOfRequirement, ID: r.ID, Requirement: &r})
		}
		for _, v := range p.Values {
			out = append(out, Review{Kind: vault.ReviewOfValue, ID: v.Pending.ID, Value: &v})
		}
		for _, m := range p.Merges {
			out = append(out, Review{Kind: vault.ReviewOfMerge, ID: m.ID, Merge: &m})
		}
		return out, p.Next
	})
}
