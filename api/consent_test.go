package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// canaryCase is a customer with values in every place that a read shows.
type canaryCase struct {
	*service
	agent, session, customer, item uuid.UUID
	scenario                       uuid.UUID
}

const canary = "CANARY7731"

// consent records a consent of the customer.
func (c canaryCase) consent(purpose string, granted bool) {
	c.t.Helper()
	c.change("POST", "/v1/customers/"+c.customer.String()+"/consents",
		fmt.Sprintf(`{"purpose": %q, "granted": %t}`, purpose, granted)).want(200)
}

func newCanaryCase(t *testing.T, definition string) canaryCase {
	t.Helper()
	return newCanaryCaseIn(newService(t, kit), definition)
}

func newCanaryCaseIn(s *service, definition string) canaryCase {
	t := s.t
	t.Helper()
	c := canaryCase{
		service: s, agent: testkit.ID(), session: testkit.ID(), customer: testkit.ID(), scenario: testkit.ID(),
	}
	s.change("PUT", "/v1/agents/"+c.agent.String()+"/definitions/passport", definition).want(200)
	s.change("PUT", "/v1/agents/"+c.agent.String()+"/definitions/plan", `{"value_type": "string"}`).want(200)
	c.consent("support", true)
	write := func(name, value, more string) {
		t.Helper()
		s.change("PUT", "/v1/customers/"+c.customer.String()+"/values/"+name,
			fmt.Sprintf(`{"agent_id": %q, "value": %q, %s}`, c.agent, value, more)).want(200)
	}
	quote := `"source_item_type": "external", "source_item_id": "` + testkit.ID().String() +
		`", "source_metadata": {"quote": "It is ` + canary + `."}`
	write("passport", canary+"-1@example.com", `"source": "user_provided"`)
	write("passport", canary+"-2@example.com", `"source": "user_provided", `+quote)
	write("passport", canary+"-3@example.com", `"source": "system_inferred", `+quote) // pending
	write("plan", "gold", `"source": "user_provided"`)
	s.change("PUT", "/v1/sessions/"+c.session.String(), fmt.Sprintf(
		`{"agent_id": %q, "customer_id": %q, "variables": {"passport": %q}, "turns": [
			{"speaker": "customer", "text": "Good morning."},
			{"speaker": "customer", "text": "It is %s-2@example.com, by the way."}]}`,
		c.agent, c.customer, canary, canary)).want(200)
	var value vault.Value
	s.do("GET", "/v1/customers/"+c.customer.String()+"/values/passport", "", "Vault-Purpose: "+c.purposeOf(definition)).
		want(200).into(&value)
	c.item = value.ID
	return c
}

// purposeOf returns the header of a read that sees everything: no purpose if the definition needs none.
func (canaryCase) purposeOf(definition string) string {
	if strings.Contains(definition, "purposes") {
		return "support"
	}
	return ""
}

// paths returns the path of every route of /openapi.json that reads, with the id of its operation.
func (c canaryCase) paths() map[string]string {
	c.t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			ID string `json:"operationId"`
		} `json:"paths"`
	}
	c.do("GET", "/openapi.json", "").want(200).into(&doc)
	ids := strings.NewReplacer("{customer_id}", c.customer.String(), "{item_id}", c.item.String(), "{name}", "passport",
		"{agent_id}", c.agent.String(), "{session_id}", c.session.String(), "{scenario_id}", c.scenario.String(),
		"{question_id}", testkit.ID().String(), "{operation_id}", testkit.ID().String(), "{rule_id}", testkit.ID().String())
	out := map[string]string{}
	for path, methods := range doc.Paths {
		if op, ok := methods["get"]; ok {
			if path = ids.Replace(path); strings.Contains(path, "{") {
				path = path[:strings.IndexByte(path, '{')] + testkit.ID().String()
			}
			out[path] = op.ID
		}
	}
	customer := "/v1/customers/" + c.customer.String()
	out["/v1/customers?values=true"] = "list-customers"
	for _, query := range []string{"?history=true", "?known_at=2100-01-01T00:00:00Z"} {
		out[customer+query] = "get-customer"
	}
	out["/v1/events?values=true"] = "list-events"
	if len(out) < 25 {
		c.t.Fatalf("only %d routes read", len(out))
	}
	return out
}

// reads calls every route that reads, and returns those whose answer has a text.
func (c canaryCase) reads(text string, headers ...string) []string {
	c.t.Helper()
	var out []string
	for path := range c.paths() {
		if a := c.do("GET", path, "", headers...); strings.Contains(string(a.body), text) {
			out = append(out, path)
		}
	}
	// These read too, and have a body.
	agent := "/v1/agents/" + c.agent.String()
	for path, body := range map[string]string{
		"/v1/customers/" + c.customer.String() + "/recall": `{"question": "passport ` + text + ` by the way"}`,
		agent + "/definitions/passport/dry-run":            `{"value_type": "string", "validation_regex": "[0-9]"}`,
		agent + "/definitions/plan/dry-run":                `{"value_type": "string"}`,
		agent + "/definitions/passport/dry-run-delete":     "",
	} {
		if a := c.do("POST", path, body, headers...); a.status < 500 && strings.Contains(string(a.body), text) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// A withheld value is in no answer of any route, whatever purpose is stated.
func TestConsent_WithheldFromEveryRoute(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "string", "purposes": ["support", "offers"]}`)
	shown := c.reads(canary, "Vault-Purpose: support")
	for _, path := range []string{"recall", "/v1/sessions/", "/v1/events"} {
		if !slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(s, path) }) {
			t.Errorf("with consent and purpose, %s does not show the value", path)
		}
	}
	if len(shown) < 11 {
		t.Errorf("with consent and purpose, only these show the value: %v", shown)
	}
	for name, headers := range map[string][]string{"no purpose": nil, "not consented to": {"Vault-Purpose: offers"}} {
		if shown := c.reads(canary, headers...); len(shown) > 0 {
			t.Errorf("%s: the value is in %v", name, shown)
		}
	}
	customer := "/v1/customers/" + c.customer.String()
	c.do("GET", customer, "").want(200).has(`"plan"`, `"withheld":[{"name":"passport","reason":"purpose_required"}]`)
	c.do("GET", customer, "", "Vault-Purpose: offers").want(200).has(`"reason":"no_consent"`)
	c.do("GET", customer+"/history", "").want(200).has(`"withheld":[{"name":"passport","reason":"purpose_required"}]`)
	c.do("GET", "/v1/customers?values=true", "").want(200).has(`"reason":"purpose_required"`)
	c.do("GET", customer+"/values/passport", "").problem(403, vault.CodeConsentRequired)
	c.do("GET", customer, "", "Vault-Purpose: nobody knows it").problem(422, vault.CodeInvalid)

	c.consent("support", false)
	if shown := c.reads(canary, "Vault-Purpose: support"); len(shown) > 0 {
		t.Errorf("after the withdrawal the value is in %v", shown)
	}
	body := fmt.Sprintf(`{"agent_id": %q, "value": "X", "source": "user_provided"}`, c.agent)
	c.change("PUT", customer+"/values/passport", body).problem(403, vault.CodeConsentRequired)
	c.change("PUT", customer+"/values/plan", body).want(200)
}

// What a field needs belongs to its name: a definition of another agent without purposes does not open it.
func TestConsent_BelongsToTheName(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "string", "purposes": ["support"]}`)
	other := testkit.ID().String()
	c.change("PUT", "/v1/agents/"+other+"/definitions/passport", `{"value_type": "string"}`).want(200)
	if shown := c.reads(canary); len(shown) > 0 {
		t.Errorf("the value is in %v", shown)
	}
	c.consent("support", false)
	c.change("PUT", "/v1/customers/"+c.customer.String()+"/values/passport",
		fmt.Sprintf(`{"agent_id": %q, "value": "X", "source": "user_provided"}`, other)).problem(403, vault.CodeConsentRequired)
}

func TestKeys_PurposeAndMasking(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "email", "is_pii": true}`)
	if shown := c.reads("ANARY7731"); len(shown) < 8 {
		t.Errorf("a key with the right to PII sees the value only in %v", shown)
	}
	secret := api.NewKey()
	if err := kit.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: c.tenant, Name: "masked", KeyHash: api.HashKey(secret), Scopes: []string{"read"}, Masked: true,
	}); err != nil {
		t.Fatal(err)
	}
	key := "Authorization: Bearer " + secret
	if shown := c.reads("ANARY7731", key); len(shown) > 0 {
		t.Errorf("a key without the right to PII sees the value in %v", shown)
	}
	c.do("GET", "/v1/customers/"+c.customer.String(), "", key).want(200).has("•••@example.com", `"gold"`)

	c = newCanaryCase(t, `{"value_type": "string", "purposes": ["support"]}`)
	secret = api.NewKey()
	if err := kit.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: c.tenant, Name: "support", KeyHash: api.HashKey(secret), Scopes: []string{"read"},
		Purpose: "support",
	}); err != nil {
		t.Fatal(err)
	}
	c.do("GET", "/v1/customers/"+c.customer.String(), "", "Authorization: Bearer "+secret).want(200).has(canary)
}

// A key that sees masked values neither changes what is masked nor asks, by a condition or a pattern of its choice, what
// values are.
func TestKeys_MaskedKeyConfiguresNothing(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "email", "is_pii": true}`)
	agent, scenario := "/v1/agents/"+c.agent.String(), "/v1/scenarios/"+c.scenario.String()
	c.change("PUT", agent+"/scenarios/"+c.scenario.String(), `{"name": "Call"}`).want(200)
	before := string(c.do("GET", agent+"/configuration", "").want(200).body)
	secret := api.NewKey()
	if err := kit.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: c.tenant, Name: "masked", KeyHash: api.HashKey(secret), Scopes: []string{"admin"},
		Masked: true,
	}); err != nil {
		t.Fatal(err)
	}
	key := "Authorization: Bearer " + secret
	condition := `{"required_level": "soft", "fallback_action": "ask", "when_condition": "fields.passport.startsWith('C')"}`
	rule := fmt.Sprintf(`{"scenario_id": %q, "name": "Ask", "condition": "The passport starts with C"}`, c.scenario)
	for _, r := range [][3]string{
		{"PUT", agent + "/definitions/passport", `{"value_type": "email"}`},
		{"DELETE", agent + "/definitions/passport", ""},
		{"POST", agent + "/definitions/passport/dry-run", `{"value_type": "email", "validation_regex": "C.*"}`},
		{"PUT", agent + "/configuration", `{"definitions": [{"name": "passport", "value_type": "email"}]}`},
		{"PUT", agent + "/scenarios/" + c.scenario.String(), `{"name": "Call"}`},
		{"POST", agent + "/scenarios/" + c.scenario.String() + "/dry-run", `{"name": "Call"}`},
		{"POST", scenario + "/extract", ""},
		{"PUT", agent + "/rules/" + testkit.ID().String(), rule},
		{"POST", agent + "/rules/" + testkit.ID().String() + "/dry-run", rule},
		{"PUT", scenario + "/requirements/plan", condition},
		{"POST", scenario + "/requirements/plan/dry-run", condition},
		{"POST", agent + "/definitions/passport/dry-run-delete", ""},
		{"POST", scenario + "/requirements/plan/dry-run-delete", ""},
		{"DELETE", scenario + "/requirements/plan", ""},
		{"POST", "/v1/reviews/" + testkit.ID().String() + "/decision", `{"kind": "definition", "decision": "approve", "edit": {"is_pii": false}}`},
	} {
		c.do(r[0], r[1], r[2], key).problem(403, vault.CodeNotAllowed)
	}
	if after := string(c.do("GET", agent+"/configuration", "").want(200).body); after != before {
		t.Errorf("something was changed: %s", after)
	}
	c.do("GET", "/v1/sessions/"+c.session.String(), "", key).want(200).has(`"text":"•••"`)
	if body := string(c.do("GET", "/v1/sessions/"+c.session.String(), "", key).body); strings.Contains(body, "Good morning") {
		t.Errorf("a conversation is shown: %s", body)
	}
}

// Only a key with the scope admin makes a definition protect its values less.
func TestKeys_LooseningNeedsAdmin(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "string", "is_pii": true, "purposes": ["support"]}`)
	secret, _ := c.newKey("read", "write")
	key := "Authorization: Bearer " + secret
	passport := "/v1/agents/" + c.agent.String() + "/definitions/passport"
	configuration := "/v1/agents/" + c.agent.String() + "/configuration"
	for member, bodies := range map[string][]string{
		"is_pii":   {`{"value_type": "string", "purposes": ["support"]}`},
		"purposes": {`{"value_type": "string", "is_pii": true}`, `{"value_type": "string", "is_pii": true, "purposes": ["support", "offers"]}`},
	} {
		for _, body := range bodies {
			if p := c.do("PUT", passport, body, key).problem(403, vault.CodeNotAllowed); p.Field != member ||
				!strings.Contains(p.Detail, "scope admin") {
				t.Errorf("%s says %+v", body, p)
			}
			p := c.do("PUT", configuration, `{"definitions": [{"name": "passport", `+body[1:]+`]}`, key).
				problem(403, vault.CodeNotAllowed)
			if p.Field != "definitions[0]."+member {
				t.Errorf("%s says %+v", body, p)
			}
		}
	}
	c.do("PUT", configuration, `{"prune": true, "definitions": [{"name": "plan", "value_type": "string"}]}`, key).
		problem(403, vault.CodeNotAllowed)
	c.do("DELETE", passport, "", key).problem(403, vault.CodeNotAllowed)
	if shown := c.reads(canary, key); len(shown) > 0 {
		t.Errorf("the value is in %v", shown)
	}
	stricter := `{"value_type": "string", "is_pii": true, "purposes": ["support"], "required_verification": true}`
	c.do("PUT", passport, stricter, key, "Prefer: wait=10").want(200)
	c.change("PUT", passport, `{"value_type": "string"}`).want(200)
}
