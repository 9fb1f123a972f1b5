package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// agentData is what an agent can have of a customer.
type agentData struct {
	*service
	name                                     string // of its field; each agent has one of its own
	agent, scenario, rule, session, customer uuid.UUID
	item, asset, question, fill, review      uuid.UUID
	canary                                   string
}

func newAgentData(s *service, name string, customer uuid.UUID) agentData {
	t := s.t
	t.Helper()
	d := agentData{
		service: s, name: name, agent: testkit.ID(), scenario: testkit.ID(), rule: testkit.ID(), session: testkit.ID(),
		customer: customer, canary: "CANARY" + strings.ToUpper(name),
	}
	agent, customerPath := "/v1/agents/"+d.agent.String(), "/v1/customers/"+customer.String()
	define := `{"value_type": "string", "description": "` + d.canary + `"}`
	s.change("PUT", agent+"/definitions/"+name, define).want(200)
	s.change("PUT", agent+"/definitions/"+name+"_asked", define).want(200)
	s.change("PUT", agent+"/scenarios/"+d.scenario.String(), fmt.Sprintf(
		`{"name": "Loan", "description": "%s. Perhaps ask for the %s employer name."}`, d.canary, name)).want(200)
	s.change("PUT", agent+"/rules/"+d.rule.String(), fmt.Sprintf(
		`{"scenario_id": %q, "name": %q, "condition": "always"}`, d.scenario, d.canary)).want(200)
	s.change("PUT", "/v1/scenarios/"+d.scenario.String()+"/requirements/"+name+"_asked",
		`{"required_level": "hard", "fallback_action": "ask"}`).want(200)
	s.change("PUT", "/v1/sessions/"+d.session.String(), fmt.Sprintf(
		`{"agent_id": %q, "customer_id": %q, "turns": [{"speaker": "agent", "text": %q}]}`, d.agent, customer, d.canary)).
		want(200)
	write := func(text string, source vault.ValueSource) uuid.UUID {
		return s.item(s.change("PUT", customerPath+"/values/"+name, fmt.Sprintf(
			`{"agent_id": %q, "value": %q, "source": %q}`, d.agent, d.canary+text, source)).want(200))
	}
	d.asset = s.item(s.change("POST", customerPath+"/assets", fmt.Sprintf(`{"name": %q, "asset_type": "image",
		"storage_provider": "s3", "storage_path": "s3://d/%s", "size_bytes": 1, "upload_session_id": %q,
		"checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`, d.canary, name, d.session)).want(200))
	write("-1", vault.ValueUserProvided)
	d.item = write("-2", vault.ValueHumanEntered)
	write("-3", vault.ValueSystemInferred) // pending
	var fill api.Operation
	s.do("POST", customerPath+"/fill", fmt.Sprintf(`{"scenario_id": %q, "session_id": %q}`, d.scenario, d.session)).
		want(202).into(&fill)
	d.fill = fill.ID
	testkit.Eventually(t, "the question is open", func(ctxType) (bool, bool) {
		var open struct{ Items []vault.Question }
		s.do("GET", "/v1/questions?customer_id="+customer.String(), "").into(&open)
		for _, q := range open.Items {
			if q.AgentID == d.agent {
				d.question = q.ID
			}
		}
		return true, d.question != uuid.Nil
	})
	d.review = testkit.Eventually(t, "a definition waits for review", func(ctxType) (uuid.UUID, bool) {
		var r api.PendingReviews
		s.do("GET", "/v1/reviews", "").want(200).into(&r)
		i := slices.IndexFunc(r.Definitions, func(def vault.Definition) bool { return def.AgentID == d.agent })
		if i < 0 {
			return uuid.Nil, false
		}
		return r.Definitions[i].ID, true
	})
	return d
}

// ids are the ids of what belongs to the agent.
func (d agentData) ids() []string {
	return []string{
		d.agent.String(), d.scenario.String(), d.rule.String(), d.session.String(), d.item.String(), d.asset.String(),
		d.question.String(), d.fill.String(), d.review.String(),
	}
}

// limited creates a key that is limited to the agent.
func (d agentData) limited(scopes ...string) string {
	d.t.Helper()
	secret := api.NewKey()
	if err := d.DB.System().CreateAPIKey(d.t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: d.tenant, Name: "limited", KeyHash: api.HashKey(secret), Scopes: scopes,
		Agents: []uuid.UUID{d.agent},
	}); err != nil {
		d.t.Fatal(err)
	}
	return secret
}

// path replaces the parameters of a path, and the query parameters that name something.
func (d agentData) path(path string) string {
	return strings.NewReplacer("{customer_id}", d.customer.String(), "{item_id}", d.item.String(), "{name}", d.name,
		"{field_name}", d.name, "{agent_id}", d.agent.String(), "{session_id}", d.session.String(),
		"{scenario_id}", d.scenario.String(), "{question_id}", d.question.String(), "{operation_id}", d.fill.String(),
		"{rule_id}", d.rule.String(), "{review_id}", d.review.String(), "{channel}", "sms",
		"{erasure_id}", testkit.ID().String(), "{export_id}", testkit.ID().String()).Replace(path)
}

// body replaces the ids and fields in the example of a body.
func (d agentData) body(example any, agent uuid.UUID) any {
	byMember := map[string]any{
		"agent_id": agent.String(), "scenario_id": d.scenario.String(), "session_id": d.session.String(),
		"rule_id": d.rule.String(), "field_name": d.name, "source_item_id": d.item.String(),
	}
	switch v := example.(type) {
	case map[string]any:
		out := map[string]any{}
		for member, value := range v {
			out[member] = d.body(value, agent)
			if id, ok := byMember[member]; ok {
				out[member] = id
			}
			if _, isWrite := v["source"]; member == "name" && isWrite {
				out[member] = d.name
			}
			if member == "customer_id" || member == "source_customer_id" {
				out[member] = d.customer.String()
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = d.body(v[i], agent)
		}
		return out
	}
	return example
}

// rows is what the database holds of the agent, without what the engine does by itself.
func (d agentData) rows() map[string]string {
	d.t.Helper()
	owner, err := pgx.Connect(d.t.Context(), d.DatabaseURL)
	if err != nil {
		d.t.Fatal(err)
	}
	defer owner.Close(d.t.Context())
	out := map[string]string{}
	for name, sql := range map[string]string{
		"definitions":  `SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id)::text FROM definitions x WHERE agent_id = $1`,
		"scenarios":    `SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id)::text FROM scenarios x WHERE agent_id = $1`,
		"rules":        `SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id)::text FROM rules x WHERE agent_id = $1`,
		"requirements": `SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id)::text FROM requirements x WHERE agent_id = $1`,
		"questions":    `SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id)::text FROM questions x WHERE agent_id = $1`,
		"sessions": `SELECT jsonb_agg(to_jsonb(x) - 'read_due_at' ORDER BY x.id)::text FROM sessions x
			WHERE agent_id = $1`,
		"turns": `SELECT count(*)::text FROM session_turns t
			JOIN sessions s ON s.tenant_id = t.tenant_id AND s.id = t.session_id WHERE s.agent_id = $1`,
		"values": `SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id)::text FROM customer_values x WHERE definition_id IN (
			SELECT id FROM definitions WHERE agent_id = $1)`,
		"assets": `SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id)::text FROM customer_assets x WHERE upload_session_id IN (
			SELECT id FROM sessions WHERE agent_id = $1)`,
	} {
		var text *string
		if err := owner.QueryRow(d.t.Context(), sql, d.agent).Scan(&text); err != nil {
			d.t.Fatal(name, err)
		}
		if text == nil {
			d.t.Fatalf("there are no %s", name)
		}
		out[name] = *text
	}
	return out
}

// A key that is limited to one agent finds and changes nothing of another one, by any route.
func TestAgents_LimitedKeyFindsNothingOfOthers(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	customer := testkit.ID()
	own, other := newAgentData(s, "alpha", customer), newAgentData(s, "beta", customer)
	before := other.rows()
	full := s.key
	s.key = own.limited("read", "write", "verify", "review")

	clean := func(call string, a answer) {
		t.Helper()
		if strings.Contains(string(a.body), other.canary) {
			t.Errorf("%s shows %s: %s", call, other.canary, a.body)
		}
		for _, id := range other.ids() {
			if a.status < 300 && strings.Contains(string(a.body), id) {
				t.Errorf("%s shows %s: %s", call, id, a.body)
			}
		}
	}
	for _, r := range routes() {
		for _, method := range []string{"GET", "PUT", "POST", "DELETE"} {
			op := at(document(), "paths", r.path, strings.ToLower(method))
			if op == nil {
				continue
			}
			path := other.path(r.path)
			bodies := []string{""}
			if example := at(op, "requestBody", "content", "application/json", "example"); example != nil {
				bodies = nil
				for _, agent := range []uuid.UUID{other.agent, own.agent} {
					text, _ := json.Marshal(other.body(example, agent)) //nolint:errchkjson // texts and numbers
					bodies = append(bodies, string(text))
				}
			}
			for _, body := range bodies {
				call := method + " " + r.path + " " + body
				a := s.change(method, path, body)
				clean(call, a)
				names := strings.Contains(r.path, "{") && !strings.Contains(r.path, "{customer_id}") &&
					!strings.Contains(r.path, "{channel}")
				if names && a.status < 400 {
					t.Errorf("%s is answered with %d: %s", call, a.status, a.body)
				}
			}
		}
	}
	customerPath := "/v1/customers/" + customer.String()
	for _, path := range []string{
		"/v1/customers?values=true", customerPath + "?history=true", customerPath + "?known_at=2100-01-01T00:00:00Z",
		"/v1/questions?customer_id=" + customer.String(), "/v1/operations?customer_id=" + customer.String(),
		"/v1/operations?workflow=write-value", "/v1/operations?status=succeeded",
		customerPath + "/missing?scenario_id=" + other.scenario.String(),
		customerPath + "/context?scenario=" + other.scenario.String(),
		customerPath + "/context?scenario=" + own.scenario.String() + "&session_id=" + other.session.String(),
		"/v1/items/" + other.asset.String() + "/derived", "/v1/items/" + other.asset.String() + "/chain",
		"/v1/agents/" + own.agent.String() + "/rules?scenario_id=" + other.scenario.String(),
	} {
		clean(path, s.do("GET", path, ""))
	}

	// It is refused with a reason, and works for its own agent.
	s.do("GET", "/v1/agents/"+other.agent.String()+"/definitions", "").problem(403, vault.CodeNotAllowed)
	s.do("GET", customerPath+"/values/beta", "").problem(403, vault.CodeNotAllowed)
	s.do("GET", "/v1/operations/"+other.fill.String(), "").problem(403, vault.CodeNotAllowed)
	s.do("GET", customerPath+"/context?scenario="+other.scenario.String(), "").problem(403, vault.CodeNotAllowed)
	for _, condition := range []string{"beta:present", "beta:missing", "beta%3D" + other.canary + "-2"} {
		s.do("GET", "/v1/customers?where="+condition, "").problem(403, vault.CodeNotAllowed)
		s.do("GET", "/v1/customers/count?where="+condition, "").problem(403, vault.CodeNotAllowed)
	}
	s.do("GET", "/v1/customers/count?where=alpha:present", "").want(200).has(`"count":1`)
	s.change("DELETE", customerPath, "").problem(403, vault.CodeNotAllowed)
	s.change("PUT", "/v1/agents/"+own.agent.String()+"/definitions/beta", `{"value_type": "string"}`).
		problem(403, vault.CodeNotAllowed)
	s.change("PUT", "/v1/scenarios/"+own.scenario.String()+"/requirements/alpha", fmt.Sprintf(`{"agent_id": %q,
		"required_level": "hard", "fallback_action": "ask", "when_condition": "fields.beta == \"x\""}`, own.agent)).
		problem(403, vault.CodeNotAllowed)
	s.do("GET", customerPath, "").want(200).has(own.canary+"-2", own.asset.String())
	s.do("GET", customerPath+"/history", "").want(200).has(own.canary+"-1", own.canary+"-2")
	s.do("GET", "/v1/items/"+own.item.String()+"/chain", "").want(200).has("alpha")
	s.do("GET", "/v1/agents", "").want(200).has(own.agent.String())
	s.do("GET", "/v1/reviews", "").want(200).has(own.review.String(), own.canary+"-3")
	s.do("GET", "/v1/questions", "").want(200).has(own.question.String())
	s.do("GET", "/v1/operations/"+own.fill.String(), "").want(200)
	s.do("GET", customerPath+"/sessions", "").want(200).has(own.session.String())
	s.change("PUT", customerPath+"/values/alpha", fmt.Sprintf(
		`{"agent_id": %q, "value": "new", "source": "user_provided"}`, own.agent)).want(200)
	s.change("POST", "/v1/turns", fmt.Sprintf(
		`{"customer_id": %q, "agent_id": %q, "session_key": "k", "text": "Hello"}`, customer, own.agent)).want(200)
	s.do("GET", "/v1/operations", "").want(200).has("write-value", "take-turn")

	s.key = full
	for name, was := range before {
		if now := other.rows()[name]; now != was {
			t.Errorf("%s of the other agent were\n%s\nand are\n%s", name, was, now)
		}
	}
}

// The list of agents is checked before a key is made.
func TestParseAgents(t *testing.T) {
	t.Parallel()
	a, b := testkit.ID(), testkit.ID()
	write := []api.Scope{api.ScopeRead, api.ScopeWrite}
	for text, want := range map[string]int{
		"": 0, " ": 0, a.String(): 1, a.String() + ", " + b.String(): 2,
		a.String() + "," + a.String(): 1,
	} {
		if got, err := api.ParseAgents(text, write); err != nil || len(got) != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for text, scopes := range map[string][]api.Scope{
		"no id": write, a.String() + ",": write, uuid.Nil.String(): write, a.String(): {api.ScopeRead, api.ScopeAdmin},
		b.String(): {api.ScopeErase},
	} {
		if got, err := api.ParseAgents(text, scopes); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("%q with %v: got %v, %v", text, scopes, got, err)
		}
	}
}

// The numbers of a dry run tell what values are, so a key for some agents tries only what it could save.
func TestAgents_DryRunOfFieldsOfOthers(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	customer := testkit.ID()
	own, other := newAgentData(s, "alpha", customer), newAgentData(s, "beta", customer)
	s.key = own.limited("read", "write")
	for path, body := range map[string]string{
		"/v1/agents/" + own.agent.String() + "/definitions/beta/dry-run": `{"value_type": "string", "validation_regex": "C.*"}`,
		"/v1/scenarios/" + own.scenario.String() + "/requirements/alpha/dry-run": `{"required_level": "hard",
			"fallback_action": "ask", "when_condition": "fields.beta == 'x'"}`,
		"/v1/agents/" + other.agent.String() + "/definitions/beta/dry-run": `{"value_type": "string"}`,
	} {
		s.do("POST", path, body).problem(403, vault.CodeNotAllowed)
	}
	s.do("POST", "/v1/agents/"+own.agent.String()+"/definitions/alpha/dry-run", `{"value_type": "string"}`).want(200)
}
