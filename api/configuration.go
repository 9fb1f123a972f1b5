package api

import (
	"context"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

func (s *Server) configurationRoutes() {
	register(s, route{
		name: "get-configuration", tag: tagConfig, access: toRead,
		method: http.MethodGet, path: "/v1/agents/{agent_id}/configuration",
		summary: "Get the configuration of an agent",
		detail:  "Returns the definitions, scenarios, rules and requirements that persons saved or approved.",
		errors:  []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *input.AgentPath) (*one[vault.AgentConfiguration], error) {
		configuration, err := s.options.Query.Configuration(ctx, c.tenant, in.Agent.UUID)
		return &one[vault.AgentConfiguration]{configuration}, err
	})
	type apply struct {
		input.AgentPath
		input.Preferences
		input.JSON
	}
	submit[apply](s, vault.ApplyConfiguration, route{
		method: http.MethodPut, path: "/v1/agents/{agent_id}/configuration", tag: tagConfig, access: toConfigure,
		summary: "Apply the configuration of an agent",
		detail: "Stores the changed definitions, scenarios, rules and requirements in one transaction, or nothing. " +
			"Applying the same configuration again changes nothing. Each changed text starts an extraction. A definition that " +
			"loses is_pii, or gets other purposes, needs the scope admin.",
		example: `{
			"definitions": [{"name": "email", "value_type": "email"}],
			"scenarios": [{"id": "` + input.ExampleID + `", "name": "Onboarding", "description": "Ask for the email."}]}`,
		fromPath: []string{"definitions.agent_id", "scenarios.agent_id", "rules.agent_id", "requirements.agent_id"},
	}, func(ctx context.Context, c caller, _ *apply, body *vault.ApplyConfigurationInput) error {
		body.FillAgent()
		return s.checkConfiguration(ctx, c, body)
	})
}
