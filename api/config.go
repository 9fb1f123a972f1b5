package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

const tagConfig = "Configuration"

func (s *Server) configRoutes() {
	s.fieldRoutes()
	s.scenarioRoutes()
	s.requirementRoutes()
}

// listOf is a page of a list.
type listOf[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent: this is the last one."`
}

type page[T any] struct{ Body listOf[T] }

type one[T any] struct{ Body T }

func (s *Server) fieldRoutes() {
	type FieldOfAgent struct {
		input.AgentPath
		input.FieldPath
	}
	type save struct {
		FieldOfAgent
		input.Preferences
		input.JSON
	}
	submit[save](s, vault.SaveDefinition, route{
		method: http.MethodPut, path: "/v1/agents/{agent_id}/definitions/{name}", tag: tagConfig, access: toWrite,
		summary: "Save a field definition",
		detail:  "Says that an agent may collect a field, and what its values look like.",
		example: `{
			"display_name": "Email Address", "value_type": "email", "is_pii": true, "enabled": true,
			"collection_prompt": "What is your email address?"}`,
	})
	register(s, route{
		name: "get-definition", method: http.MethodGet, path: "/v1/agents/{agent_id}/definitions/{name}", tag: tagConfig, access: toRead,
		summary: "Get a field definition", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *FieldOfAgent) (*one[vault.Definition], error) {
		def, err := s.options.Query.Definition(ctx, c.tenant, in.Agent.UUID, in.Name)
		return &one[vault.Definition]{def}, err
	})
	type remove struct {
		FieldOfAgent
		input.Preferences
	}
	submit[remove](s, vault.DeleteDefinition, route{
		method: http.MethodDelete, path: "/v1/agents/{agent_id}/definitions/{name}", tag: tagConfig, access: toWrite,
		summary: "Delete a field definition",
		detail:  "What was collected stays. Refused while a scenario requires the field; related names the requirements.",
	})
	type list struct {
		input.AgentPath
		input.Page
	}
	register(s, route{
		name: "list-definitions", method: http.MethodGet, path: "/v1/agents/{agent_id}/definitions", tag: tagConfig, access: toRead,
		summary: "List the field definitions of an agent", detail: "By name.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Definition], error) {
		after, err := decodeCursor[afterName](in.Cursor)
		if err != nil {
			return nil, err
		}
		all, err := s.options.Query.Definitions(ctx, c.tenant, in.Agent.UUID)
		if err != nil {
			return nil, err
		}
		items, next := pageOfSorted(all, after, in.Limit,
			func(d vault.Definition) afterName { return afterName{d.Name} },
			func(a, b afterName) int { return strings.Compare(a.Name, b.Name) })
		return &page[vault.Definition]{listOf[vault.Definition]{items, next}}, nil
	})
}

// afterName is a place in a list by name.
type afterName struct {
	Name string `json:"name"`
}

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
		method: http.MethodPut, path: "/v1/agents/{agent_id}/scenarios/{scenario_id}", tag: tagConfig, access: toWrite,
		summary: "Save a scenario",
		detail:  "What it needs of a customer is extracted from its text after it is saved; the result names that operation.",
		example: `{
			"name": "Onboarding", "description": "We need the customer's email address. Only if the customer is over 18, go on."}`,
		into: map[string]string{"scenario_id": "id"},
	})
	register(s, route{
		name: "get-scenario", method: http.MethodGet, path: "/v1/agents/{agent_id}/scenarios/{scenario_id}", tag: tagConfig, access: toRead,
		summary: "Get a scenario", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *ScenarioOfAgent) (*one[vault.Scenario], error) {
		scenario, err := s.options.Query.Scenario(ctx, c.tenant, in.Scenario.UUID)
		if err == nil && scenario.AgentID != in.Agent.UUID {
			err = vault.Unknown("scenario", in.Scenario.UUID)
		}
		return &one[vault.Scenario]{scenario}, err
	})

	type RuleOfAgent struct {
		input.AgentPath
		Rule input.ID `path:"rule_id" doc:"The rule, by the id that the config service gave it."`
	}
	type saveRule struct {
		RuleOfAgent
		input.Preferences
		input.JSON
	}
	submit[saveRule](s, vault.SaveRule, route{
		method: http.MethodPut, path: "/v1/agents/{agent_id}/rules/{rule_id}", tag: tagConfig, access: toWrite,
		summary: "Save a rule of a scenario",
		detail:  "What it needs of a customer is extracted from its text after it is saved; the result names that operation.",
		example: `{
			"scenario_id": "` + input.ExampleID + `", "name": "Adults only", "condition": "The customer is at least 18 years old", "action": "Go on"}`,
		into: map[string]string{"rule_id": "id"},
	})
	register(s, route{
		name: "get-rule", method: http.MethodGet, path: "/v1/agents/{agent_id}/rules/{rule_id}", tag: tagConfig, access: toRead,
		summary: "Get a rule", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *RuleOfAgent) (*one[vault.Rule], error) {
		rule, err := s.options.Query.Rule(ctx, c.tenant, in.Rule.UUID)
		if err == nil && rule.AgentID != in.Agent.UUID {
			err = vault.Unknown("rule", in.Rule.UUID)
		}
		return &one[vault.Rule]{rule}, err
	})
}

func (s *Server) requirementRoutes() {
	type list struct {
		input.ScenarioPath
		input.Page
	}
	register(s, route{
		name: "list-requirements", method: http.MethodGet, path: "/v1/scenarios/{scenario_id}/requirements", tag: tagConfig, access: toRead,
		summary: "List what a scenario needs", detail: "Its rules' requirements too, in the order of collection.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Requirement], error) {
		after, err := decodeCursor[afterRequirement](in.Cursor)
		if err != nil {
			return nil, err
		}
		all, err := s.options.Query.Requirements(ctx, c.tenant, in.Scenario.UUID)
		if err != nil {
			return nil, err
		}
		all = sorted(all, placeOf, compareRequirements)
		items, next := pageOfSorted(all, after, in.Limit, placeOf, compareRequirements)
		return &page[vault.Requirement]{listOf[vault.Requirement]{items, next}}, nil
	})

	type RequirementPath struct {
		input.ScenarioPath
		Name string `path:"field_name" maxLength:"50" pattern:"^[a-z_][a-z0-9_]*$" doc:"The name of the field." example:"email"`
	}
	type save struct {
		RequirementPath
		input.Preferences
		input.JSON
	}
	submit[save](s, vault.SaveRequirement, route{
		method: http.MethodPut, path: "/v1/scenarios/{scenario_id}/requirements/{field_name}", tag: tagConfig, access: toWrite,
		summary: "Save that a scenario needs a field",
		detail:  "The agent is the scenario's, unless the body names it. For one step or rule, with step_id or rule_id.",
		example: `{
			"required_level": "hard", "fallback_action": "ask", "when_condition": "fields.age >= 18", "depends_on_fields": ["age"]}`,
		fromPath: []string{"agent_id"},
	}, func(ctx context.Context, c caller, in *save, body *vault.Requirement) (err error) {
		body.AgentID, err = s.agentOf(ctx, c, body.AgentID, in.Scenario.UUID)
		return err
	})

	type remove struct {
		RequirementPath
		Step string   `query:"step_id" maxLength:"100" doc:"The requirement of this step; absent: that of the whole scenario."`
		Rule input.ID `query:"rule_id" doc:"The requirement of this rule."`
		input.Preferences
	}
	submit[remove](s, vault.DeleteRequirement, route{
		method: http.MethodDelete, path: "/v1/scenarios/{scenario_id}/requirements/{field_name}", tag: tagConfig, access: toWrite,
		summary: "Delete that a scenario needs a field",
		detail:  "Extraction does not bring back what was deleted; saving it does.",
	})

	type extract struct {
		input.ScenarioPath
		input.Preferences
		input.JSON
	}
	submit[extract](s, vault.ExtractSchema, route{
		method: http.MethodPost, path: "/v1/scenarios/{scenario_id}/extract", tag: tagConfig, access: toWrite,
		summary:  "Extract by hand what a scenario or rule needs",
		detail:   "It is done by itself after each save. Unchanged content costs no model call.",
		example:  `{}`,
		fromPath: []string{"agent_id", "content_hash"}, optionalBody: true,
	}, func(ctx context.Context, c caller, in *extract, body *vault.ExtractSchemaInput) (err error) {
		body.AgentID, err = s.agentOf(ctx, c, uuid.Nil, in.Scenario.UUID)
		return err
	})
}

type extraction struct {
	RuleID *uuid.UUID `json:"rule_id,omitempty"`
}

// agentOf is the agent that was named, else that of a scenario.
func (s *Server) agentOf(ctx context.Context, c caller, named, scenario uuid.UUID) (uuid.UUID, error) {
	if named != uuid.Nil {
		return named, nil
	}
	found, err := s.options.Query.Scenario(ctx, c.tenant, scenario)
	return found.AgentID, err
}

// afterRequirement is a place in a scenario's requirements.
type afterRequirement struct {
	Order int       `json:"order"`
	Name  string    `json:"name"`
	ID    uuid.UUID `json:"id"`
}

func placeOf(r vault.Requirement) afterRequirement {
	return afterRequirement{r.Order, r.FieldName, r.ID}
}

func compareRequirements(a, b afterRequirement) int {
	return cmp.Or(cmp.Compare(a.Order, b.Order), strings.Compare(a.Name, b.Name), strings.Compare(a.ID.String(), b.ID.String()))
}
