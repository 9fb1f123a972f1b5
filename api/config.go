package api

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/trigger"
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
	change(s, operation{
		name: "save-definition", method: http.MethodPut, path: "/v1/agents/{agent_id}/definitions/{name}", tag: tagConfig, access: toWrite,
		summary: "Save a field definition", detail: "Says that an agent may collect a field, and what its values look like.",
		body: &bodyOf{of: vault.Definition{}, omit: []string{"agent_id", "name"}, example: `{
			"display_name": "Email Address", "value_type": "email", "is_pii": true, "enabled": true,
			"collection_prompt": "What is your email address?"}`},
		result: reflect.TypeFor[vault.SavedResult](),
	}, func(ctx context.Context, c caller, in *save, opts []trigger.Option) (trigger.Receipt, error) {
		def, err := decode[vault.Definition](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		if def.Name != "" && def.Name != in.Name {
			return trigger.Receipt{}, vault.Invalid("name", "is another one than in the path; leave it out of the body")
		}
		def.Name = in.Name
		if err := from(&def.AgentID, in.Agent, "agent_id"); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.SaveDefinition, def, opts...)
	})
	register(s, operation{
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
	change(s, operation{
		name: "delete-definition", method: http.MethodDelete, path: "/v1/agents/{agent_id}/definitions/{name}", tag: tagConfig, access: toWrite,
		summary: "Delete a field definition", detail: "What was collected stays. Refused while a scenario requires the field; related names the requirements.",
		result: reflect.TypeFor[vault.SavedResult](),
	}, func(ctx context.Context, c caller, in *remove, opts []trigger.Option) (trigger.Receipt, error) {
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.DeleteDefinition, vault.DeleteDefinitionInput{AgentID: in.Agent.UUID, Name: in.Name}, opts...)
	})
	type list struct {
		input.AgentPath
		input.Page
	}
	register(s, operation{
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
	change(s, operation{
		name: "save-scenario", method: http.MethodPut, path: "/v1/agents/{agent_id}/scenarios/{scenario_id}", tag: tagConfig, access: toWrite,
		summary: "Save a scenario", detail: "What it needs of a customer is extracted from its text after it is saved; the result names that operation.",
		body: &bodyOf{of: vault.Scenario{}, omit: []string{"agent_id", "id"}, example: `{
			"name": "Onboarding", "description": "We need the customer's email address. Only if the customer is over 18, go on."}`},
		result: reflect.TypeFor[vault.SavedResult](),
	}, func(ctx context.Context, c caller, in *save, opts []trigger.Option) (trigger.Receipt, error) {
		scenario, err := decode[vault.Scenario](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		if err := cmp.Or(from(&scenario.AgentID, in.Agent, "agent_id"), from(&scenario.ID, in.Scenario, "id")); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.SaveScenario, scenario, opts...)
	})
	register(s, operation{
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
	change(s, operation{
		name: "save-rule", method: http.MethodPut, path: "/v1/agents/{agent_id}/rules/{rule_id}", tag: tagConfig, access: toWrite,
		summary: "Save a rule of a scenario", detail: "What it needs of a customer is extracted from its text after it is saved; the result names that operation.",
		body: &bodyOf{of: vault.Rule{}, omit: []string{"agent_id", "id"}, example: `{
			"scenario_id": "` + input.ExampleID + `", "name": "Adults only", "condition": "The customer is at least 18 years old", "action": "Go on"}`},
		result: reflect.TypeFor[vault.SavedResult](),
	}, func(ctx context.Context, c caller, in *saveRule, opts []trigger.Option) (trigger.Receipt, error) {
		rule, err := decode[vault.Rule](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		if err := cmp.Or(from(&rule.AgentID, in.Agent, "agent_id"), from(&rule.ID, in.Rule, "id")); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.SaveRule, rule, opts...)
	})
	register(s, operation{
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
	register(s, operation{
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
	change(s, operation{
		name: "save-requirement", method: http.MethodPut, path: "/v1/scenarios/{scenario_id}/requirements/{field_name}", tag: tagConfig, access: toWrite,
		summary: "Save that a scenario needs a field", detail: "The agent is the scenario's, unless the body names it. For one step or rule, with step_id or rule_id.",
		body: &bodyOf{of: vault.Requirement{}, omit: []string{"agent_id", "scenario_id", "field_name"}, example: `{
			"required_level": "hard", "fallback_action": "ask", "when_condition": "fields.age >= 18", "depends_on_fields": ["age"]}`},
		result: reflect.TypeFor[vault.SavedResult](),
	}, func(ctx context.Context, c caller, in *save, opts []trigger.Option) (trigger.Receipt, error) {
		req, err := decode[vault.Requirement](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		if req.FieldName != "" && req.FieldName != in.Name {
			return trigger.Receipt{}, vault.Invalid("field_name", "is another one than in the path; leave it out of the body")
		}
		req.FieldName = in.Name
		if err := from(&req.ScenarioID, in.Scenario, "scenario_id"); err != nil {
			return trigger.Receipt{}, err
		}
		if req.AgentID, err = s.agentOf(ctx, c, req.AgentID, in.Scenario.UUID); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.SaveRequirement, req, opts...)
	})

	type remove struct {
		RequirementPath
		Step string   `query:"step_id" maxLength:"100" doc:"The requirement of this step; absent: that of the whole scenario."`
		Rule input.ID `query:"rule_id" doc:"The requirement of this rule."`
		input.Preferences
	}
	change(s, operation{
		name: "delete-requirement", method: http.MethodDelete, path: "/v1/scenarios/{scenario_id}/requirements/{field_name}", tag: tagConfig, access: toWrite,
		summary: "Delete that a scenario needs a field", detail: "Extraction does not bring back what was deleted; saving it does.",
		result: reflect.TypeFor[vault.SavedResult](),
	}, func(ctx context.Context, c caller, in *remove, opts []trigger.Option) (trigger.Receipt, error) {
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.DeleteRequirement, vault.DeleteRequirementInput{
			ScenarioID: in.Scenario.UUID, FieldName: in.Name, StepID: in.Step, RuleID: in.Rule.Given(),
		}, opts...)
	})

	type extract struct {
		input.ScenarioPath
		input.Preferences
		input.JSON
	}
	change(s, operation{
		name: "extract-schema", method: http.MethodPost, path: "/v1/scenarios/{scenario_id}/extract", tag: tagConfig, access: toWrite,
		summary: "Extract by hand what a scenario or rule needs", detail: "It is done by itself after each save. Unchanged content costs no model call.",
		body:   &bodyOf{of: extraction{}, optional: true, example: `{}`},
		result: reflect.TypeFor[vault.ExtractResult](),
	}, func(ctx context.Context, c caller, in *extract, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decodeOptional[extraction](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		agent, err := s.agentOf(ctx, c, uuid.Nil, in.Scenario.UUID)
		if err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.ExtractSchema, vault.ExtractSchemaInput{
			AgentID: agent, ScenarioID: in.Scenario.UUID, RuleID: body.RuleID,
		}, opts...)
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
