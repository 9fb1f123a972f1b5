package api_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
)

// A key that is limited to agents recalls neither the facts nor the conversations of others.
func TestAgents_RecallOfOthers(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "string"}`)
	own, secret := testkit.ID(), api.NewKey()
	c.change("PUT", "/v1/agents/"+own.String()+"/definitions/plan", `{"value_type": "string"}`).want(200)
	if err := kit.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: c.tenant, Name: "limited", KeyHash: api.HashKey(secret), Scopes: []string{"read"},
		Agents: []uuid.UUID{own},
	}); err != nil {
		t.Fatal(err)
	}
	path, body := "/v1/customers/"+c.customer.String()+"/recall", `{"question": "passport plan gold by the way morning"}`
	c.do("POST", path, body).want(200).has(canary, "Good morning")
	got := string(c.do("POST", path, body, "Authorization: Bearer "+secret).want(200).has("gold").body)
	if strings.Contains(got, canary) || strings.Contains(got, "Good morning") || strings.Contains(got, "passport") {
		t.Errorf("a limited key recalls %s", got)
	}
	// Nor does it learn that a field of others is withheld.
	c.change("PUT", "/v1/agents/"+c.agent.String()+"/definitions/passport", `{"value_type": "string", "purposes": ["kyc"]}`).
		want(200)
	testkit.Eventually(t, "the purposes are in force", func(context.Context) (string, bool) {
		all := string(c.do("POST", path, body).want(200).body)
		return all, strings.Contains(all, "purpose_required")
	})
	got = string(c.do("POST", path, body, "Authorization: Bearer "+secret).want(200).has("gold").body)
	if strings.Contains(got, "passport") || strings.Contains(got, "withheld") {
		t.Errorf("of a field of others, a limited key recalls %s", got)
	}
}
