package api

import (
	"context"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func (s *Server) gapRoutes() {
	type missing struct {
		input.CustomerPath
		Scenario input.ID            `query:"scenario_id" required:"true" doc:"The id of the scenario."`
		Step     string              `query:"step_id" maxLength:"100" doc:"The id of a step: only its requirements and those of the whole scenario."`
		Rule     input.ID            `query:"rule_id" doc:"The id of a rule: only its requirements and those without a rule."`
		Session  input.ID            `query:"session_id" doc:"The id of the session with the variables for conditions."`
		Level    vault.RequiredLevel `query:"level" enum:"hard,soft" doc:"Only requirements of this level."`
	}
	register(s, route{
		name: "get-missing", tag: tagCustomers, access: toRead,
		method: http.MethodGet, path: "/v1/customers/{customer_id}/missing",
		summary: "Get the missing fields of a customer for a scenario",
		detail: "Unmet requirements, in the order of collection. For a customer without values, all requirements are " +
			"unmet.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *missing) (*one[query.MissingFields], error) {
		out, err := s.options.Query.Missing(ctx, c.tenant, query.MissingInput{
			CustomerID: in.Customer.UUID, ScenarioID: in.Scenario.UUID, SessionID: in.Session.Pointer(),
			Scope: rules.Scope{StepID: in.Step, RuleID: in.Rule.Pointer(), Level: in.Level},
		})
		return &one[query.MissingFields]{out}, err
	})
	submit[customerBody](s, vault.FillGaps, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/fill", tag: tagCustomers, access: toWrite,
		summary: "Fill the missing fields of a customer for a scenario",
		detail: "From the profile, the session and the conversation. For the remaining fields, the operation opens " +
			"questions (GET /v1/questions), and succeeds once all of them are closed.",
		example: `{"scenario_id": "` + input.ExampleID + `", "session_id": "` + input.ExampleID + `"}`,
	})
}
