package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

func (s *Server) requirementRoutes() {
	type list struct {
		input.ScenarioPath
		input.Page
	}
	register(s, route{
		name: "list-requirements", tag: tagConfig, access: toRead,
		method: http.MethodGet, path: "/v1/scenarios/{scenario_id}/requirements",
		summary: "List the requirements of a scenario",
		detail:  "Includes the requirements of its rules. Sorted by the order of collection.",
		errors:  []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Requirement], error) {
		after, err := decodeCursor[afterRequirement](in.Cursor)
		if err != nil {
			return nil, err
		}
		all, err := s.options.Query.Requirements(ctx, c.tenant, in.Scenario.UUID)
		if err != nil {
			return nil, err
		}
		all = cursor.Sorted(all, positionOf, compareRequirements)
		items, next := cursor.Page(all, after, in.Limit, positionOf, compareRequirements)
		return &page[vault.Requirement]{listOf[vault.Requirement]{Items: items, Next: next}}, nil
	})

	type RequirementPath struct {
		input.ScenarioPath
		Name string `path:"field_name" maxLength:"50" pattern:"^[a-z_][a-z0-9_]*$" patternDescription:"the name of a field: a to z, 0 to 9 and _, not a digit first, such as email" doc:"The name of the field." example:"email"`
	}
	type save struct {
		RequirementPath
		input.Preferences
		input.JSON
	}
	submit[save](s, vault.SaveRequirement, route{
		method: http.MethodPut, path: "/v1/scenarios/{scenario_id}/requirements/{field_name}",
		tag: tagConfig, access: toConfigure,
		summary: "Save a requirement",
		detail: "The agent is the agent of the scenario, unless the body names one. With step_id or rule_id, the " +
			"requirement applies to a step or a rule.",
		example: `{
			"required_level": "hard", "fallback_action": "ask", "when_condition": "fields.age >= 18",
			"depends_on_fields": ["age"]}`,
		fromPath: []string{"agent_id"},
	}, func(ctx context.Context, c caller, in *save, body *vault.Requirement) (err error) {
		body.AgentID, err = s.agentOf(ctx, c, body.AgentID, in.Scenario.UUID)
		return err
	})

	type remove struct {
		RequirementPath
		Step string   `query:"step_id" maxLength:"100" doc:"The id of a step. Absent: the whole scenario."`
		Rule input.ID `query:"rule_id" doc:"The id of a rule. Absent: the scenario itself."`
		input.Based
		input.Preferences
	}
	submit[remove](s, vault.DeleteRequirement, route{
		method: http.MethodDelete, path: "/v1/scenarios/{scenario_id}/requirements/{field_name}",
		tag: tagConfig, access: toConfigure,
		summary: "Delete a requirement",
		detail:  "A later extraction does not add it again. Saving it adds it again.",
	})
}

// afterRequirement is a position in the requirements of a scenario.
type afterRequirement struct {
	Order int       `json:"order"`
	Name  string    `json:"name"`
	ID    uuid.UUID `json:"id"`
}

func positionOf(r vault.Requirement) afterRequirement {
	return afterRequirement{r.Order, r.FieldName, r.ID}
}

func compareRequirements(a, b afterRequirement) int {
	return cmp.Or(cmp.Compare(a.Order, b.Order), strings.Compare(a.Name, b.Name),
		strings.Compare(a.ID.String(), b.ID.String()))
}
