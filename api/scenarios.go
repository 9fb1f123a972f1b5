package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

const extractionDetail = "The vault then extracts the requirements from the text, in another operation. " +
	"The result contains its id."

func (s *Server) scenarioRoutes() {
	type ScenarioOfAgent struct {
		input.AgentPath
		input.ScenarioPath
	}
	type save struct {
		ScenarioOfAgent
		input.Preferences
		input.JSON
	}
	submit[save](s, vault.SaveScenario, route{
		method: http.MethodPut, path: "/v1/agents/{agent_id}/scenarios/{scenario_id}", tag: tagConfig, access: toConfigure,
		summary: "Save a scenario",
		detail:  extractionDetail,
		example: `{
			"name": "Onboarding",
			"description": "We need the customer's email address. Only if the customer is over 18, go on."}`,
		into: map[string]string{"scenario_id": "id"},
	})
	register(s, route{
		name: "list-agents", method: http.MethodGet, path: "/v1/agents", tag: tagConfig, access: toRead,
		summary: "List the agents", detail: "Sorted by id: every agent with a definition or a scenario.",
	}, func(ctx context.Context, c caller, in *input.Page) (*page[vault.AgentSummary], error) {
		return pageByID(*in, func(after *uuid.UUID, limit int) ([]vault.AgentSummary, bool, error) {
			return s.options.Query.AgentsPage(ctx, c.tenant, after, limit)
		}, func(a vault.AgentSummary) uuid.UUID { return a.AgentID })
	})
	type listScenarios struct {
		input.AgentPath
		input.Page
	}
	register(s, route{
		name: "list-scenarios", tag: tagConfig, access: toRead,
		method: http.MethodGet, path: "/v1/agents/{agent_id}/scenarios",
		summary: "List the scenarios of an agent", detail: "Sorted by id, without their texts.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *listScenarios) (*page[vault.ScenarioSummary], error) {
		return pageByID(in.Page, func(after *uuid.UUID, limit int) ([]vault.ScenarioSummary, bool, error) {
			return s.options.Query.ScenariosPage(ctx, c.tenant, in.Agent.UUID, after, limit)
		}, func(scenario vault.ScenarioSummary) uuid.UUID { return scenario.ID })
	})
	register(s, route{
		name: "get-scenario", tag: tagConfig, access: toRead,
		method: http.MethodGet, path: "/v1/agents/{agent_id}/scenarios/{scenario_id}",
		summary: "Get a scenario", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *ScenarioOfAgent) (*one[vault.Scenario], error) {
		scenario, err := s.options.Query.Scenario(ctx, c.tenant, in.Scenario.UUID)
		if err == nil && scenario.AgentID != in.Agent.UUID {
			err = vault.Unknown("scenario", in.Scenario.UUID)
		}
		return &one[vault.Scenario]{scenario}, err
	})
	type extract struct {
		input.ScenarioPath
		input.Preferences
		input.JSON
	}
	submit[extract](s, vault.ExtractSchema, route{
		method: http.MethodPost, path: "/v1/scenarios/{scenario_id}/extract", tag: tagConfig, access: toConfigure,
		summary:  "Extract the requirements of a scenario or rule now",
		detail:   "Each save starts an extraction by itself. Unchanged content needs no model call.",
		example:  `{}`,
		fromPath: []string{"agent_id", "content_hash"}, optionalBody: true,
	}, func(ctx context.Context, c caller, in *extract, body *vault.ExtractSchemaInput) (err error) {
		body.AgentID, err = s.agentOf(ctx, c, uuid.Nil, in.Scenario.UUID)
		return err
	})

	register(s, route{
		name: "explain-scenario", tag: tagConfig, access: toRead,
		method: http.MethodGet, path: "/v1/scenarios/{scenario_id}/explanation",
		summary: "Explain the requirements of a scenario",
		detail: "Returns for each sentence of the scenario and its rules the requirements that it gave, how they were " +
			"matched with definitions, and the phrases that were passed over, with the reasons.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *input.ScenarioPath) (*one[vault.ScenarioExplanation], error) {
		explanation, err := s.options.Query.ExplainScenario(ctx, c.tenant, in.Scenario.UUID)
		return &one[vault.ScenarioExplanation]{explanation}, err
	})

	type RuleOfAgent struct {
		input.AgentPath
		Rule input.ID `path:"rule_id" doc:"The id of the rule, from the configuration service."`
	}
	type saveRule struct {
		RuleOfAgent
		input.Preferences
		input.JSON
	}
	submit[saveRule](s, vault.SaveRule, route{
		method: http.MethodPut, path: "/v1/agents/{agent_id}/rules/{rule_id}", tag: tagConfig, access: toConfigure,
		summary: "Save a rule of a scenario",
		detail:  extractionDetail,
		example: `{
			"scenario_id": "` + input.ExampleID + `", "name": "Adults only",
			"condition": "The customer is at least 18 years old", "action": "Go on"}`,
		into: map[string]string{"rule_id": "id"},
	})
	type listRules struct {
		input.AgentPath
		Scenario input.ID `query:"scenario_id" doc:"Only rules of this scenario."`
		input.Page
	}
	register(s, route{
		name: "list-rules", method: http.MethodGet, path: "/v1/agents/{agent_id}/rules", tag: tagConfig, access: toRead,
		summary: "List the rules of an agent", detail: "Sorted by id, without their texts.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *listRules) (*page[vault.RuleSummary], error) {
		return pageByID(in.Page, func(after *uuid.UUID, limit int) ([]vault.RuleSummary, bool, error) {
			return s.options.Query.RulesPage(ctx, c.tenant, in.Agent.UUID, in.Scenario.Pointer(), after, limit)
		}, func(r vault.RuleSummary) uuid.UUID { return r.ID })
	})
	register(s, route{
		name: "get-rule", tag: tagConfig, access: toRead,
		method: http.MethodGet, path: "/v1/agents/{agent_id}/rules/{rule_id}",
		summary: "Get a rule", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *RuleOfAgent) (*one[vault.Rule], error) {
		rule, err := s.options.Query.Rule(ctx, c.tenant, in.Rule.UUID)
		if err == nil && rule.AgentID != in.Agent.UUID {
			err = vault.Unknown("rule", in.Rule.UUID)
		}
		return &one[vault.Rule]{rule}, err
	})
}

// agentOf returns the named agent, or the agent of the scenario if named is uuid.Nil.
func (s *Server) agentOf(ctx context.Context, c caller, named, scenario uuid.UUID) (uuid.UUID, error) {
	if named != uuid.Nil {
		return named, nil
	}
	found, err := s.options.Query.Scenario(ctx, c.tenant, scenario)
	return found.AgentID, err
}
