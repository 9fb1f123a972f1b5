package api

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"slices"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// DryRunLook selects the customers that a dry run looks at.
type DryRunLook struct {
	After     input.ID `query:"after" doc:"The next_after of the previous answer. Absent: from the first customer."`
	Customers int      `query:"customers" minimum:"1" maximum:"10000" default:"1000" doc:"The maximum number of customers to look at, in the order of their ids."`
}

func (l DryRunLook) look() query.Look {
	return query.Look{After: l.After.Pointer(), Customers: l.Customers}
}

const (
	dryRunDetail = "Changes nothing. It needs the scopes read and write, as it shows what a save would do, and " +
		"a key that sees PII, as its numbers tell what values are. "
	lookDetail = "The numbers are those of the customers that it looked at: complete says whether these are all, and " +
		"next_after leads to the others. It looks at fewer than asked for if that takes long. A condition that reads the " +
		"session counts as true. "
)

func (s *Server) dryRunRoutes() {
	type definition struct {
		input.AgentPath
		input.FieldPath
		DryRunLook
		input.JSON
	}
	registerDryRun[definition](s, route{
		name: "dry-run-definition", path: "/v1/agents/{agent_id}/definitions/{name}/dry-run",
		summary: "Say what a changed definition would break",
		detail: dryRunDetail + "Returns the stored values that would be invalid, the scenarios that could no longer " +
			"start for customers, and the requirements and conditions that name the field. " + lookDetail,
		example: `{"value_type": "string", "allowed_values": ["gold", "silver"]}`,
	}, func(ctx context.Context, c caller, changed vault.Definition, look query.Look) (vault.DryRun, error) {
		return s.options.Query.DryRunDefinition(ctx, c.tenant, changed, look)
	})
	type requirement struct {
		input.ScenarioPath
		Name string `path:"field_name" maxLength:"50" pattern:"^[a-z_][a-z0-9_]*$" patternDescription:"the name of a field: a to z, 0 to 9 and _, not a digit first, such as email" doc:"The name of the field." example:"email"`
		DryRunLook
		input.JSON
	}
	registerDryRun[requirement](s, route{
		name: "dry-run-requirement", path: "/v1/scenarios/{scenario_id}/requirements/{field_name}/dry-run",
		summary: "Say what a changed requirement would break",
		detail: dryRunDetail + "Returns for how many customers the scenario could no longer start, and who would be " +
			"asked for more. " + lookDetail,
		example:  `{"required_level": "hard", "fallback_action": "ask"}`,
		fromPath: []string{"agent_id"},
	}, func(ctx context.Context, c caller, changed vault.Requirement, look query.Look) (out vault.DryRun, err error) {
		if changed.AgentID, err = s.agentOf(ctx, c, changed.AgentID, changed.ScenarioID); err != nil {
			return out, err
		}
		return s.options.Query.DryRunRequirement(ctx, c.tenant, changed, look)
	})
	type scenario struct {
		input.AgentPath
		input.ScenarioPath
		DryRunLook
		input.JSON
	}
	registerDryRun[scenario](s, route{
		name: "dry-run-scenario", path: "/v1/agents/{agent_id}/scenarios/{scenario_id}/dry-run",
		summary: "Say what a changed scenario would break",
		detail: dryRunDetail + "Returns the requirements whose step or evidence would be gone, and for how many " +
			"customers its new variables change what the scenario asks. What the extraction finds in the new text is not " +
			"known before. " +
			lookDetail,
		example: `{"name": "Onboarding", "description": "We need the customer's email address."}`,
		into:    map[string]string{"scenario_id": "id"},
	}, func(ctx context.Context, c caller, changed vault.Scenario, look query.Look) (vault.DryRun, error) {
		return s.options.Query.DryRunScenario(ctx, c.tenant, changed, look)
	})
	type rule struct {
		input.AgentPath
		Rule input.ID `path:"rule_id" doc:"The id of the rule, from the configuration service."`
		input.JSON
	}
	registerDryRun[rule](s, route{
		name: "dry-run-rule", path: "/v1/agents/{agent_id}/rules/{rule_id}/dry-run",
		summary: "Say what a changed rule would break",
		detail: dryRunDetail + "Returns the requirements of the rule whose evidence would be gone. What the extraction " +
			"finds in the new text is not known before, so it looks at no customer.",
		example: `{"scenario_id": "` + input.ExampleID + `", "name": "Adults only",
			"condition": "The customer is an adult"}`,
		into: map[string]string{"rule_id": "id"},
	}, func(ctx context.Context, c caller, changed vault.Rule, _ query.Look) (vault.DryRun, error) {
		return s.options.Query.DryRunRule(ctx, c.tenant, changed)
	})
}

// dryRunDeletionRoutes adds the dry runs of deletions. Their parameters are those of the deletions.
func (s *Server) dryRunDeletionRoutes() {
	type definition struct {
		input.AgentPath
		input.FieldPath
		DryRunLook
	}
	registerDryRun[definition](s, route{
		name: "dry-run-delete-definition", path: "/v1/agents/{agent_id}/definitions/{name}/dry-run-delete",
		summary: "Say what the deletion of a definition would break",
		detail: dryRunDetail + "Returns the stored values, which stay and would be those of an unknown field, the " +
			"scenarios that could no longer start for customers, the requirements, conditions and rules that name the " +
			"field, and the merge rules that compare by it. " + lookDetail,
	}, func(
		ctx context.Context, c caller, deleted vault.DeleteDefinitionInput, look query.Look,
	) (vault.DryRun, error) {
		return s.options.Query.DryRunDeleteDefinition(ctx, c.tenant, deleted, look)
	})
	type requirement struct {
		input.ScenarioPath
		Name string   `path:"field_name" maxLength:"50" pattern:"^[a-z_][a-z0-9_]*$" doc:"The name of the field." example:"email"`
		Step string   `query:"step_id" maxLength:"100" doc:"The id of a step. Absent: the whole scenario."`
		Rule input.ID `query:"rule_id" doc:"The id of a rule. Absent: the scenario itself."`
		DryRunLook
	}
	registerDryRun[requirement](s, route{
		name: "dry-run-delete-requirement", path: "/v1/scenarios/{scenario_id}/requirements/{field_name}/dry-run-delete",
		summary: "Say what the deletion of a requirement would change",
		detail: dryRunDetail + "Returns for how many customers the scenario could then start, and the requirements that " +
			"depend on the field or read it. " + lookDetail,
	}, func(
		ctx context.Context, c caller, deleted vault.DeleteRequirementInput, look query.Look,
	) (vault.DryRun, error) {
		return s.options.Query.DryRunDeleteRequirement(ctx, c.tenant, deleted, look)
	})
}

// registerDryRun adds the route of a dry run. Its body and parameters are those of the save or deletion.
func registerDryRun[I, In any](
	s *Server, r route, run func(ctx context.Context, c caller, changed In, look query.Look) (vault.DryRun, error),
) {
	params := slices.DeleteFunc(parametersOf(reflect.TypeFor[I](), nil), func(p parameter) bool {
		return !memberOf(reflect.ValueOf(*new(In)), cmp.Or(r.into[p.name], p.name)).IsValid()
	})
	r.method, r.tag, r.access, r.values = http.MethodPost, tagConfig, toConfigure, true
	r.errors = []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}
	if _, ok := any(new(I)).(interface{ Body() input.JSON }); ok {
		r.body = &bodyOf{of: *new(In), omit: append(r.fromPath, targets(params, r.into)...), example: r.example}
	}
	s.dryRuns = append(s.dryRuns, Route{Name: r.name, Path: r.path, Parameters: describeParameters(params, r.into)})
	register(s, r, func(ctx context.Context, c caller, in *I) (*one[vault.DryRun], error) {
		if !c.may(ScopeRead) {
			return nil, &vault.Error{
				Code:    vault.CodeNotAllowed,
				Message: "this API key lacks the scope " + string(ScopeRead) + ", which a dry run needs too",
			}
		}
		body, err := bodyFor[In](in, r)
		if err != nil {
			return nil, err
		}
		if err := bind(reflect.ValueOf(in).Elem(), params, r.into, reflect.ValueOf(&body).Elem()); err != nil {
			return nil, err
		}
		var look query.Look
		if l, ok := any(in).(interface{ look() query.Look }); ok {
			look = l.look()
		}
		out, err := run(ctx, c, body, look)
		return &one[vault.DryRun]{out}, err
	})
}
