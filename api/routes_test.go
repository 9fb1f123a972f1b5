package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// The quickstart over HTTP, and every route of /openapi.json, with valid and invalid input. Each response is checked
// against the document.
func TestRoutes_AllWork(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, scenario, rule, session, customer := testkit.ID(), testkit.ID(), testkit.ID(), testkit.ID(), testkit.ID()
	agentPath, customerPath := "/v1/agents/"+agent.String(), "/v1/customers/"+customer.String()

	// Definitions, scenarios and requirements.
	for name, kind := range map[string]string{"email": "email", "country": "string", "legal_name": "string"} {
		s.change("PUT", agentPath+"/definitions/"+name, fmt.Sprintf(`{"value_type": %q, "enabled": true}`, kind)).want(200)
	}
	var def vault.Definition
	s.do("GET", agentPath+"/definitions/email", "").want(200).into(&def)
	if def.Name != "email" || def.AgentID != agent {
		t.Errorf("got %+v", def)
	}
	// A response can be sent back as input.
	s.change("PUT", agentPath+"/definitions/email", string(s.do("GET", agentPath+"/definitions/email", "").body)).want(200)
	s.do("GET", agentPath+"/definitions", "").want(200)
	s.change("PUT", agentPath+"/scenarios/"+scenario.String(), `{"name": "Onboarding", "description": "Say hello."}`).
		want(200)
	s.do("GET", agentPath+"/scenarios/"+scenario.String(), "").want(200)
	s.change("PUT", agentPath+"/rules/"+rule.String(), fmt.Sprintf(`{"scenario_id": %q, "name": "Greet", "condition": "always"}`, scenario)).
		want(200)
	s.do("GET", agentPath+"/rules/"+rule.String(), "").want(200)
	for _, name := range []string{"email", "country"} {
		s.change("PUT", "/v1/scenarios/"+scenario.String()+"/requirements/"+name, `{"required_level": "hard", "fallback_action": "ask"}`).
			want(200)
	}
	s.do("GET", "/v1/scenarios/"+scenario.String()+"/requirements", "").want(200)
	s.do("GET", "/v1/agents", "").want(200).has(agent.String())
	s.do("GET", "/v1/events", "").want(200)
	s.do("GET", "/v1/events?after=x", "").problem(422, vault.CodeInvalid)
	s.proposedMerges(agent)
	hook := "/v1/webhooks/" + testkit.ID().String()
	s.change("PUT", hook, `{"url": "https://example.com/x", "types": ["fill.done"], "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}`).
		want(200)
	s.change("PUT", hook, `{"url": "https://127.0.0.1/x"}`).problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/webhooks", "").want(200).has(`"url":"https://example.com/x"`)
	if body := s.do("GET", hook, "").want(200).body; strings.Contains(string(body), "whsec_") {
		t.Errorf("the webhook shows its secret: %s", body)
	}
	s.do("GET", hook+"/deliveries", "").want(200).has(`"items":[]`)
	s.do("GET", hook+"/deliveries?status=lost", "").problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/webhooks/"+testkit.ID().String(), "").problem(404, vault.CodeUnknown)
	s.do("GET", "/v1/webhooks/"+testkit.ID().String()+"/deliveries", "").problem(404, vault.CodeUnknown)
	s.change("POST", hook+"/replay", "").want(200).has(`"replayed":0`)
	s.change("POST", hook+"/replay", `{"delivery_id": "`+testkit.ID().String()+`"}`).problem(404, vault.CodeUnknown)
	s.change("POST", hook+"/test", "").want(200).has("delivery_id")
	s.change("PUT", hook, `{"url": "https://example.com/x", "enabled": false}`).want(200)
	s.change("POST", hook+"/test", "").problem(409, vault.CodeConflict)
	s.change("DELETE", hook, "").want(200)
	s.change("DELETE", hook, "").problem(404, vault.CodeUnknown)
	s.do("GET", agentPath+"/scenarios", "").want(200).has(scenario.String())
	s.do("GET", agentPath+"/rules?scenario_id="+scenario.String(), "").want(200).has(rule.String())
	s.change("POST", "/v1/scenarios/"+scenario.String()+"/extract", "").want(200)
	s.change("POST", "/v1/scenarios/"+scenario.String()+"/extract", fmt.Sprintf(`{"rule_id": %q}`, rule)).want(200)
	s.do("GET", "/v1/scenarios/"+scenario.String()+"/explanation", "").want(200).has("Say hello.")
	var configured vault.AgentConfiguration // what it exports can be applied, and then changes nothing
	exported := s.do("GET", agentPath+"/configuration", "").want(200)
	exported.into(&configured)
	if len(configured.Definitions) == 0 || len(configured.Scenarios) != 1 || len(configured.Rules) != 1 {
		t.Errorf("the configuration is %+v", configured)
	}
	s.change("PUT", agentPath+"/configuration", string(exported.body)).want(200).has(`"changes":[]`)
	s.change("PUT", agentPath+"/configuration", `{"definitions": [{"name": "pet", "value_type": "string"}]}`).want(200).
		has(`{"kind":"definition","name":"pet","action":"create"}`)

	s.change("DELETE", agentPath+"/definitions/email", "").problem(409, vault.CodeConflict) // it is required
	s.do("POST", agentPath+"/definitions/country/dry-run", `{"value_type": "string", "is_pii": true}`).want(200).
		has(`"action":"update"`, `"member":"is_pii"`, `"complete":true`)
	s.do("POST", agentPath+"/definitions/country/dry-run", `{"value_type": "text"}`).problem(422, vault.CodeInvalid)
	s.do("POST", agentPath+"/definitions/country/dry-run?customers=0", `{"value_type": "string"}`).
		problem(422, vault.CodeInvalid)
	s.do("POST", "/v1/scenarios/"+scenario.String()+"/requirements/email/dry-run", `{"required_level": "soft", "fallback_action": "skip"}`).
		want(200).has(`"action":"update"`, `"blocked_before":true`)
	s.do("POST", "/v1/scenarios/"+scenario.String()+"/requirements/nothing/dry-run", `{"required_level": "soft", "fallback_action": "skip"}`).
		problem(404, vault.CodeUnknown)
	s.do("POST", agentPath+"/definitions/email/dry-run-delete", "").want(200).
		has(`"action":"delete"`, "The deletion is refused", `"complete":true`)
	s.do("POST", agentPath+"/definitions/nothing/dry-run-delete", "").problem(404, vault.CodeUnknown)
	s.do("POST", "/v1/scenarios/"+scenario.String()+"/requirements/email/dry-run-delete", "").want(200).
		has(`"action":"delete"`, `"asks_before":["country","email"],"asks_after":["country"]`)
	s.do("POST", "/v1/scenarios/"+scenario.String()+"/requirements/email/dry-run-delete?step_id=other", "").
		problem(404, vault.CodeUnknown)
	const never = "0198c5f2-8a4b-7cde-9f01-23456789abcd"
	s.change("DELETE", agentPath+"/definitions/email?if_version="+never, "").problem(409, vault.CodeConflict)
	s.change("PUT", agentPath+"/definitions/email", `{"value_type": "email", "if_version": "`+never+`"}`).
		problem(409, vault.CodeConflict)
	s.do("POST", agentPath+"/scenarios/"+scenario.String()+"/dry-run", `{"name": "Onboarding", "description": "Say goodbye."}`).
		want(200).has(`"members":["description"]`)
	s.do("POST", agentPath+"/rules/"+rule.String()+"/dry-run", fmt.Sprintf(`{"scenario_id": %q, "name": "Greet", "condition": "never"}`, scenario)).
		want(200).has(`"members":["condition"]`)
	s.change("PUT", agentPath+"/definitions/nickname", `{"value_type": "string", "enabled": true}`).want(200)
	s.change("PUT", "/v1/scenarios/"+scenario.String()+"/requirements/nickname", fmt.Sprintf(`{"required_level": "soft", "fallback_action": "skip", "rule_id": %q}`, rule)).
		want(200)
	s.change("DELETE", "/v1/scenarios/"+scenario.String()+"/requirements/nickname", "").
		problem(404, vault.CodeUnknown)
		// of the scenario itself
	s.change("DELETE", "/v1/scenarios/"+scenario.String()+"/requirements/nickname?rule_id="+rule.String(), "").want(200)
	s.change("DELETE", agentPath+"/definitions/nickname", "").want(200)
	s.do("GET", agentPath+"/definitions/nickname", "").want(404)

	// A definition that a person saves is enabled, unless it says otherwise.
	for _, d := range []struct {
		member  string
		enabled bool
	}{{"", true}, {`, "enabled": true`, true}, {`, "enabled": false`, false}} {
		s.change("PUT", agentPath+"/definitions/hobby", `{"value_type": "string"`+d.member+`}`).want(200)
		var saved vault.Definition
		s.do("GET", agentPath+"/definitions/hobby", "").want(200).into(&saved)
		if saved.Enabled != d.enabled {
			t.Errorf("saved with %q the definition has enabled %t", d.member, saved.Enabled)
		}
	}

	// A customer and its values.
	s.change("PUT", "/v1/sessions/"+session.String(), fmt.Sprintf(`{"agent_id": %q, "customer_id": %q, "variables": {"plan": "gold"}}`, agent, customer)).
		want(200)
	s.change("POST", "/v1/sessions/"+session.String()+"/turns", `{"turns": [{"speaker": "customer", "text": "My email is ada@example.com"}]}`).
		want(200)
	var empty vault.Profile // of a customer who has a session and no value yet
	s.do("GET", customerPath, "").want(200).into(&empty)
	if empty.CustomerID != customer || empty.Version != 0 || len(empty.Fields) != 0 || empty.CreatedAt.IsZero() {
		t.Errorf("the profile before the first value is %+v", empty)
	}
	s.do("GET", customerPath+"/sessions", "").want(200).has(session.String())
	quiet := "/v1/sessions/" + testkit.ID().String()
	s.change("PUT", quiet, fmt.Sprintf(`{"agent_id": %q, "customer_id": %q, "ended": true, "turns": [
		{"speaker": "customer", "text": "My email is quill@example.com"}]}`, agent, testkit.ID())).want(200)
	s.change("POST", quiet+"/read", "").want(200).has(`"outcome":"read"`)
	s.change("POST", quiet+"/read", "").want(200).has(`"outcome":"nothing_new"`)
	var read vault.Session
	s.do("GET", "/v1/sessions/"+session.String(), "").want(200).into(&read)
	if len(read.Turns) != 1 || string(read.Variables["plan"]) != `"gold"` {
		t.Errorf("the session is %+v", read)
	}
	asset := s.item(
		s.change("POST", customerPath+"/assets", `{"name": "id_card", "asset_type": "image", "storage_provider": "s3", "storage_path": "s3://d/1",
		"size_bytes": 1, "checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`).
			want(200),
	)
	name := s.item(
		s.change("PUT", customerPath+"/values/legal_name", fmt.Sprintf(`{"agent_id": %q, "value": "Ada Quill", "source": "document_extracted",
		"source_item_id": %q, "source_item_type": "profile_asset"}`, agent, asset)).
			want(200),
	)
	s.do("GET", customerPath+"/values/legal_name", "").want(200)
	s.change("POST", customerPath+"/values/legal_name/verify", fmt.Sprintf(`{"agent_id": %q, "method": "document"}`, agent)).
		want(200)
	s.do("GET", customerPath+"/values/legal_name/history", "").want(200)
	s.change("POST", customerPath+"/import", fmt.Sprintf(`{"writes": [{"agent_id": %q, "name": "legal_name", "value": "Ada Q.", "source": "human_entered"}]}`, agent)).
		want(200)
	var waiting vault.Profile // the import does not replace the verified name
	s.do("GET", customerPath, "").want(200).into(&waiting)
	if len(waiting.Pending) != 1 || string(waiting.Fields["legal_name"].Value) != `"Ada Quill"` {
		t.Fatalf("the profile with a pending value is %+v", waiting)
	}
	pending := waiting.Pending[0].ID
	var undecided api.PendingReviews
	s.do("GET", "/v1/reviews", "").want(200).into(&undecided)
	if len(undecided.Values) != 1 || undecided.Values[0].Pending.ID != pending || undecided.Values[0].Active.ID != name {
		t.Errorf("the reviews are %+v", undecided)
	}
	s.change("POST", "/v1/items/"+pending.String()+"/decision", `{"decision": "approve", "decided_by": "Grace"}`).want(200)
	s.change("POST", "/v1/items/"+pending.String()+"/decision", `{"decision": "reject"}`).problem(409, vault.CodeConflict)
	s.change("POST", customerPath+"/values/legal_name/propose-deletion", `{"reason": "customer_asked"}`).want(200)
	s.do("GET", "/v1/reviews", "").want(200).has(`"deletion_reason":"customer_asked"`)
	s.change("POST", customerPath+"/values/legal_name/propose-deletion", `{"reason": "Ada said so"}`).
		problem(422, vault.CodeInvalid)
	s.change("POST", customerPath+"/values/legal_name/correction", fmt.Sprintf(`{"agent_id": %q, "value": "Ada Q.", "reason": "spelling"}`, agent)).
		want(200)
	s.change("POST", "/v1/import", fmt.Sprintf(`{"skip_invalid": true, "writes": [
		{"agent_id": %[1]q, "customer_id": %[2]q, "name": "country", "value": "Norway", "source": "human_entered"},
		{"agent_id": %[1]q, "customer_id": %[2]q, "name": "email", "value": "no address", "source": "human_entered"}]}`, agent, testkit.ID())).want(200)
	s.change("PUT", agentPath+"/definitions/languages", `{"value_type": "string", "multiple": true}`).want(200)
	element := fmt.Sprintf(`{"agent_id": %q, "value": "Norwegian", "source": "user_provided"}`, agent)
	s.change("POST", customerPath+"/values/languages/elements", element).want(200)
	s.change("POST", customerPath+"/values/languages/elements/remove", element).want(200)
	s.change("POST", customerPath+"/values/languages/expiry", "").want(200).has(`"expired"`)
	s.change("POST", customerPath+"/values/languages/expiry", "").problem(409, vault.CodeConflict)
	s.change("POST", customerPath+"/channels", `{"channel": "email", "external_id": "ada@example.com"}`).want(200)
	s.change("POST", customerPath+"/consents", `{"purpose": "marketing", "granted": true}`).want(200)
	s.change("PUT", customerPath+"/label", `{"label": "VIP"}`).want(200)
	var listed struct{ Items []vault.Customer }
	s.do("GET", "/v1/customers?values=true", "").want(200).into(&listed)
	named := s.do("GET", "/v1/customers?values=true&where=legal_name%3DADA+Q.&where=email:missing", "").want(200)
	named.has(customer.String()).has(`"Ada Q."`)
	s.do("GET", "/v1/customers/count?where=legal_name%3Dada+q.", "").want(200).has(`"count":1,"complete":true`)
	s.do("GET", "/v1/customers?where=legal_name", "").problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/customers?where=no_such_field:missing", "").problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/customers?where=legal_name:present&cursor=aaaaa", "").want(400)
	s.do("GET", "/v1/channels/whatsapp/customer?external_id=nobody", "").problem(404, vault.CodeUnknown)
	s.do("GET", "/v1/channels/whatsapp/customer", "").problem(422, vault.CodeInvalid)
	if i := slices.IndexFunc(listed.Items, func(c vault.Customer) bool { return c.CustomerID == customer }); i < 0 ||
		string(listed.Items[i].Fields["legal_name"].Value) != `"Ada Q."` {
		t.Errorf("listed are %+v", listed)
	}
	s.do("POST", customerPath+"/recall", `{"question": "What is her email?", "limit": 3}`).want(200).has("My email is ada@example.com")
	s.do("POST", customerPath+"/recall", `{"question": ""}`).problem(422, vault.CodeInvalid)
	s.do("POST", "/v1/customers/"+testkit.ID().String()+"/recall", `{"question": "x"}`).problem(404, vault.CodeUnknown)
	s.do("GET", customerPath+"/history", "").want(200)
	var profile api.CustomerProfile
	s.do("GET", customerPath+"?history=true", "").want(200).into(&profile)
	if string(profile.Fields["legal_name"].Value) != `"Ada Q."` || len(profile.History) != 5 || len(profile.Assets) != 1 ||
		len(profile.Channels) != 1 ||
		len(profile.Consents) != 1 {
		t.Errorf("the profile is %+v", profile)
	}

	s.do("GET", customerPath+"/context?scenario="+scenario.String()+"&session_id="+session.String(), "").want(200).
		has("CUSTOMER CONTEXT")

	// Missing fields and gap fill.
	var missing query.MissingFields
	s.do("GET", customerPath+"/missing?scenario_id="+scenario.String()+"&level=hard&session_id="+session.String(), "").
		want(200).
		into(&missing)
	if len(missing.Missing) != 2 || !missing.Blocked {
		t.Errorf("missing is %+v", missing)
	}
	fill := s.do("POST", customerPath+"/fill", fmt.Sprintf(`{"scenario_id": %q, "session_id": %q}`, scenario, session)).
		want(202)
	var accepted api.Operation
	fill.into(&accepted)
	if at := fill.header.Get("Location"); at != "/v1/operations/"+accepted.ID.String() ||
		accepted.Status != vault.OperationAccepted {
		t.Errorf("accepted: %s, at %s", fill.body, at)
	}
	question := s.Question(t, s.tenant, customer)
	s.do("GET", "/v1/questions?customer_id="+customer.String(), "").want(200)
	s.do("GET", "/v1/questions/"+question.ID.String(), "").want(200)
	s.change("POST", "/v1/questions/"+question.ID.String()+"/claim", `{"channel": "chat"}`).want(200)
	s.do("GET", customerPath+"/questions?channel=chat", "").want(200).has(question.ID.String())
	s.change("POST", "/v1/questions/"+question.ID.String()+"/answer", `{"value": "Norway"}`).want(200)
	s.do("GET", customerPath+"/questions/closed", "").want(200).has(question.ID.String(), `"answered"`)
	s.change("POST", "/v1/turns", fmt.Sprintf(`{"customer_id": %q, "session_id": %q, "text": "Thank you"}`,
		question.CustomerID, session)).want(200)
	s.change("POST", "/v1/sessions/"+session.String()+"/take-turn",
		fmt.Sprintf(`{"customer_id": %q, "text": "Goodbye"}`, question.CustomerID)).want(200)
	s.Operation(t, s.tenant, accepted.ID, vault.OperationSucceeded)
	s.do("GET", "/v1/operations/"+accepted.ID.String(), "").want(200)

	// A gap fill is cancelled while its question is open.
	third := testkit.ID()
	s.do("POST", "/v1/customers/"+third.String()+"/fill", fmt.Sprintf(`{"scenario_id": %q}`, scenario)).
		want(202).
		into(&accepted)
	s.Question(t, s.tenant, third)
	s.change("POST", "/v1/operations/"+accepted.ID.String()+"/cancel", "").want(200)
	s.Operation(t, s.tenant, accepted.ID, vault.OperationSucceeded)
	s.change("POST", "/v1/operations/"+testkit.ID().String()+"/cancel", "").problem(404, vault.CodeUnknown)

	// Lineage.
	s.do("GET", "/v1/items/"+name.String()+"/chain?depth=3", "").want(200)
	s.do("GET", "/v1/items/"+asset.String()+"/derived", "").want(200)
	s.change("PUT", customerPath+"/values/legal_name", fmt.Sprintf(`{"agent_id": %q, "value": "Ada Quill", "source": "document_extracted",
		"source_item_id": %q, "source_item_type": "profile_asset", "verified": true, "verification_method": "document"}`, agent, asset)).
		want(200)
	var p api.Problem
	s.change("DELETE", "/v1/items/"+asset.String(), "").want(409).into(&p)
	if p.Code != vault.CodeHasDependents || len(p.Related) == 0 ||
		!strings.HasPrefix(p.Detail, "Cannot delete: has dependents") ||
		p.Operation == nil {
		t.Errorf("got %+v", p)
	}
	rejected := *p.Operation
	s.change("DELETE", "/v1/items/"+asset.String()+"?force=true", "").want(200)
	s.change("POST", "/v1/items/"+asset.String()+"/restore", "").want(200)
	s.change("POST", "/v1/operations/"+rejected.String()+"/replay", "").want(200) // all derived items are deleted
	s.change("POST", "/v1/operations/"+rejected.String()+"/replay", "").problem(409, vault.CodeConflict)
	s.do("GET", "/v1/audit?action=rejected", "").want(200)
	s.do("GET", "/v1/audit?actor=nobody", "").problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/audit/verification", "").want(200)
	s.do("GET", "/v1/audit/verification?expect=1", "").problem(422, vault.CodeInvalid)

	// Keys and usage.
	hash := strings.ReplaceAll(testkit.ID().String()+testkit.ID().String(), "-", "")
	key := fmt.Sprintf(`{"name": "runtime", "scopes": ["read"], "key_hash": %q}`, hash)
	var created struct {
		Result vault.KeyResult `json:"result"`
	}
	s.change("POST", "/v1/keys", key).want(200).into(&created)
	s.change("POST", "/v1/keys", key).problem(409, vault.CodeConflict)
	s.change("POST", "/v1/keys", `{"name": "runtime", "scopes": ["root"], "key_hash": "1"}`).problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/keys", "").want(200).has(created.Result.KeyID.String())
	s.change("DELETE", "/v1/keys/"+created.Result.KeyID.String(), "").want(200)
	s.change("DELETE", "/v1/keys/"+testkit.ID().String(), "").problem(404, vault.CodeUnknown)
	s.do("GET", "/v1/usage", "").want(200)

	// Merge.
	var opened struct {
		Result vault.CustomerResult `json:"result"`
	}
	s.change("POST", "/v1/customers", `{"channel": "sms", "external_id": "+4915112345678"}`).want(200).into(&opened)
	s.do("GET", "/v1/channels/sms/customer?external_id=%2B4915112345678", "").want(200).has(`"customer_id":"`)
	s.change("POST", "/v1/customers/open", `{"identities": [{"channel": "sms", "external_id": "+4915112345678"}]}`).want(200)
	other := "/v1/customers/" + opened.Result.CustomerID.String()
	s.change("POST", customerPath+"/merge", fmt.Sprintf(`{"source_customer_id": %q}`, opened.Result.CustomerID)).want(200)
	s.do("GET", customerPath+"/merges", "").want(200).has(opened.Result.CustomerID.String(), `"undoable"`)
	s.do("GET", other, "").want(200).has(`"requested_customer_id"`)
	s.change("POST", customerPath+"/unmerge", "").want(409).has(opened.Result.CustomerID.String())
	s.change("POST", other+"/unmerge", "").want(200)
	s.change("DELETE", other, "").want(200)
	s.do("GET", other, "").want(404)

	// Reviews of an extraction.
	second := testkit.ID()
	s.change("PUT", agentPath+"/scenarios/"+second.String(), `{"name": "Loan", "description": "We need the customer's date of birth. Perhaps ask for the employer name."}`).
		want(200)
	reviews := testkit.Eventually(t, "something waits for review", func(ctx ctxType) (api.PendingReviews, bool) {
		var r api.PendingReviews
		s.do("GET", "/v1/reviews", "").want(200).into(&r)
		return r, len(r.Definitions) > 0
	})
	s.change("POST", "/v1/reviews/"+reviews.Definitions[0].ID.String()+"/decision", `{"kind": "definition", "decision": "approve"}`).
		want(200)

	// Administration and health.
	s.change("POST", "/v1/sweeps/expire-values", "").want(200)
	s.change("POST", "/v1/sweeps/detect-orphans", "").want(200)
	operator := "Authorization: Bearer " + adminToken
	s.change("POST", "/admin/profiles/expire-stale", "", operator).want(200)
	s.change("POST", "/admin/profiles/detect-orphans", "", operator).want(200)
	s.do("DELETE", "/admin/cache/profiles/"+customer.String(), "").want(204)
	s.do("GET", "/healthz", "").want(200)
	s.do("GET", "/readyz", "").want(200)

	// Erasure and export.
	gone := "/v1/customers/" + testkit.ID().String()
	s.change("POST", gone+"/consents", `{"purpose": "support", "granted": true}`).want(200)
	var made struct {
		ID uuid.UUID `json:"operation_id"`
	}
	s.change("POST", gone+"/exports", "").want(200).into(&made)
	s.do("GET", gone+"/exports/"+made.ID.String(), "").want(200).has(`"complete": true`)
	s.do("GET", gone+"/exports/"+made.ID.String()+"?format=html", "").want(200).has("</html>")
	s.change("POST", gone+"/erasure", `{"derived": "erase"}`).want(200).into(&made)
	s.do("GET", "/v1/erasures", "").want(200).has(made.ID.String())
	s.do("GET", "/v1/erasures/"+made.ID.String(), "").want(200).has("signature")
	s.do("GET", "/v1/receipt-key", "").want(200).has("public_key")

	// Lists of operations.
	s.do("GET", "/v1/operations?status=failed&customer_id="+customer.String(), "").want(200).has("unmerge-customer")
	s.do("GET", "/v1/operations?workflow=write-value&limit=1", "").want(200).has(`"next_cursor"`)
	s.do("GET", "/v1/operations/"+rejected.String()+"/runs", "").want(200).has(`"runs"`)
	s.do("GET", "/v1/operations/"+testkit.ID().String()+"/runs", "").problem(404, vault.CodeUnknown)
	s.do("GET", "/v1/operations?workflow=write", "").problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/operations?status=lost", "").problem(422, vault.CodeInvalid)

	s.everyRouteWithBadInput()
	for _, r := range routes() {
		for _, method := range []string{"GET", "PUT", "POST", "DELETE"} {
			if at(document(), "paths", r.path, strings.ToLower(method)) == nil {
				continue
			}
			name := method + " " + r.path
			if !s.seen[name][2] || !s.seen[name][4] && r.path != "/healthz" && r.path != "/readyz" {
				t.Errorf("%s: answered well %v, badly %v; want both", name, s.seen[name][2], s.seen[name][4])
			}
		}
	}
}

// item returns the item that an operation created.
func (s *service) item(a answer) uuid.UUID {
	s.t.Helper()
	var op struct {
		Result vault.ItemResult `json:"result"`
	}
	a.into(&op)
	return op.Result.ItemID
}

// everyRouteWithBadInput sends invalid input to every route.
func (s *service) everyRouteWithBadInput() {
	fill := func(path, with string) string {
		for _, name := range []string{"agent_id", "scenario_id", "rule_id", "session_id", "customer_id", "item_id", "question_id", "review_id", "operation_id", "erasure_id", "export_id", "key_id", "webhook_id", "merge_rule_id", "proposal_id"} {
			path = strings.ReplaceAll(path, "{"+name+"}", with)
		}
		return strings.NewReplacer("{name}", "email", "{field_name}", "email").Replace(path)
	}
	for _, r := range routes() {
		for _, method := range []string{"GET", "PUT", "POST", "DELETE"} {
			op := at(document(), "paths", r.path, strings.ToLower(method))
			if op == nil || at(op, "security") == nil {
				continue
			}
			good := fill(r.path, testkit.ID().String())
			auth := "Authorization: Bearer " + s.key
			if len(at(op, "security").([]any)) == 1 && at(op, "security").([]any)[0].(map[string]any)["admin"] != nil {
				auth = "Authorization: Bearer " + adminToken
			}
			s.do(method, good, "", "Authorization: ").problem(401, "unauthenticated")
			s.do(method, good+"?surprise=1", "", auth).problem(422, vault.CodeInvalid)
			if bad := fill(r.path, "not-a-uuid"); bad != good && strings.Contains(r.path, "_id}") {
				p := s.do(method, bad, "").problem(422, vault.CodeInvalid)
				if !strings.Contains(p.Detail, "is not a UUID, such as") || !strings.HasSuffix(p.Field, "_id") {
					s.t.Errorf("%s %s: %s", method, r.path, p.Detail)
				}
				s.do(method, fill(r.path, uuid.Nil.String()), "").problem(422, vault.CodeInvalid)
			}
			if strings.Contains(r.path, "name}") {
				s.do(method, strings.ReplaceAll(good, "email", "E-Mail"), "").problem(422, vault.CodeInvalid)
				s.do(method, strings.ReplaceAll(good, "email", "e%00"), "").problem(400, "malformed")
			}
			if at(op, "responses", "202") != nil {
				s.do(method, good, "", auth, "Idempotency-Key: "+strings.Repeat("x", 201)).problem(422, vault.CodeInvalid)
				s.do(method, good, "", auth, "Idempotency-Key: caf\xe9").problem(422, vault.CodeInvalid)
			}
			if takesCursor(op) {
				for _, cursor := range []string{"x", "e30", "eyJuYW1lIjoxfQ", strings.Repeat("A", 400)} {
					p := s.do("GET", good+"?cursor="+cursor, "").problem(400, "malformed")
					if p.Field != "cursor" {
						s.t.Errorf("%s: %+v", r.path, p)
					}
				}
				s.do("GET", good+"?limit=0", "").problem(422, vault.CodeInvalid)
				s.do("GET", good+"?limit=x", "").problem(422, vault.CodeInvalid)
			}
			if at(op, "requestBody") != nil {
				s.badBodies(method, good, at(op, "requestBody", "required") == true)
			}
		}
	}
	s.do("GET", "/v1/customers/"+testkit.ID().String(), "").problem(404, vault.CodeUnknown)
	s.do("GET", "/v1/operations/"+testkit.ID().String(), "").problem(404, vault.CodeUnknown)
	s.do("GET", "/v1/customers/"+testkit.ID().String()+"/missing", "").problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/customers/"+testkit.ID().String()+"/missing?scenario_id=x&session_id=y", "").
		problem(422, vault.CodeInvalid)
	s.do("GET", "/v1/customers/"+testkit.ID().String()+"/missing?level=firm&scenario_id="+testkit.ID().String(), "").
		problem(422, vault.CodeInvalid)
}

func takesCursor(op any) bool {
	params, _ := at(op, "parameters").([]any)
	return slices.ContainsFunc(params, func(p any) bool { return at(p, "name") == "cursor" })
}

func (s *service) badBodies(method, path string, required bool) {
	if required {
		s.do(method, path, "").problem(http.StatusBadRequest, "malformed")
		s.do(method, path, `null`).problem(422, vault.CodeInvalid)
	}
	for _, body := range []string{`{`, `not JSON`, `{} {}`, "{\"a\": \"\xff\"}", strings.Repeat(`[`, 20000)} {
		s.do(method, path, body).problem(http.StatusBadRequest, "malformed")
	}
	for _, body := range []string{`[]`, `1`, `{"surprise": 1}`, `{"a": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`} {
		s.do(method, path, body).problem(422, vault.CodeInvalid)
	}
	s.do(method, path, `{}`, "Content-Type: text/plain").problem(http.StatusUnsupportedMediaType, "unsupported_media")
	s.do(method, path, `{"x": "`+strings.Repeat("x", 9<<20)+`"}`).problem(http.StatusRequestEntityTooLarge, "too_large")
}

func TestNotServed_IsAProblem(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	s.do("GET", "/", "").problem(404, "no_such_route")
	s.do("GET", "/v1/nothing", "", "Authorization: ").problem(404, "no_such_route")
	for _, query := range []string{"cursor=%zz", "limit=1;cursor=x"} { // must not return the first page
		for _, path := range []string{"/v1/customers", "/v1/customers/" + testkit.ID().String(), "/healthz"} {
			s.do("GET", path+"?"+query, "").problem(400, "malformed")
		}
	}
	s.do("GET", "/v1/agents/"+testkit.ID().String()+"/definitions/a/b", "").problem(404, "no_such_route")
	a := s.do("PATCH", "/v1/customers/"+testkit.ID().String(), "")
	a.problem(405, "method_not_here")
	if allow := a.header.Get("Allow"); allow != "GET, HEAD, DELETE" {
		t.Errorf("allowed are %s", allow)
	}
	if id := s.do("GET", "/healthz", "", "X-Request-Id: abc-1").header.Get("X-Request-Id"); id != "abc-1" {
		t.Errorf("the request id is %q", id)
	}
	if id := s.do("GET", "/healthz", "", "X-Request-Id: a b").header.Get("X-Request-Id"); id == "a b" || id == "" {
		t.Errorf("the request id is %q", id)
	}
}

// PostgreSQL stores no U+0000 and no bytes that are not UTF-8, so no route passes them on.
func TestRoutes_AddressIsText(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	for _, not := range []string{"a%00b", "%ff%fe", "%ed%a0%80"} {
		for path, field := range map[string]string{
			"/v1/channels/chat/customer?external_id=" + not: "external_id",
			"/v1/channels/" + not + "/customer":             "path",
			"/v1/customers?where=city=" + not:               "where",
			"/v1/customers?where=city=x&where=city=" + not:  "where",
			"/v1/audit?subject=" + not:                      "subject",
			"/v1/audit?purpose=" + not:                      "purpose",
			"/v1/customers?" + not + "=1":                   "query",
		} {
			if p := s.do("GET", path, "").problem(400, "malformed"); p.Field != field {
				t.Errorf("%s: the field is %q, not %q", path, p.Field, field)
			}
		}
	}
	s.do("GET", "/v1/channels/chat/customer?external_id=%E2%82%AC", "").problem(404, vault.CodeUnknown)
}

// A rejection has a reason. It quotes the value only if it is not PII.
func TestWriteValue_RejectionHasReason(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, customer := testkit.ID(), testkit.ID()
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/email", `{"value_type": "email", "enabled": true}`).
		want(200)
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/secret_email", `{"value_type": "email", "enabled": true, "is_pii": true}`).
		want(200)
	for name, quoted := range map[string]bool{"email": true, "secret_email": false} {
		a := s.change("PUT", "/v1/customers/"+customer.String()+"/values/"+name,
			fmt.Sprintf(`{"agent_id": %q, "value": "hunter2", "source": "user_provided"}`, agent))
		p := a.problem(422, vault.CodeInvalid)
		if !strings.HasPrefix(p.Detail, "Field validation failed: "+name+": ") || p.Field != name || p.Operation == nil ||
			strings.Contains(string(a.body), "hunter2") != quoted {
			t.Errorf("%s: %s", name, a.body)
		}
		op := s.do("GET", "/v1/operations/"+p.Operation.String(), "").want(200)
		if !strings.Contains(string(op.body), "Field validation failed") ||
			strings.Contains(string(op.body), "hunter2") != quoted {
			t.Errorf("%s: the operation is %s", name, op.body)
		}
	}
	p := s.do("PUT", "/v1/customers/"+customer.String()+"/values/email", fmt.Sprintf(`{"agent_id": %q, "customer_id": %q, "value": 1, "source": "user_provided"}`, agent, testkit.ID())).
		problem(422, vault.CodeInvalid)
	if p.Field != "customer_id" {
		t.Errorf("got %+v", p)
	}
}

// The problem names a repeated member by its path, also inside a value.
func TestDecode_RepeatedMemberIsMalformed(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, customer := testkit.ID(), testkit.ID().String()
	for body, field := range map[string]string{
		`{"agent_id": %[1]q, "value": 1, "source": "tool_result", "value": 2}`:                               "value",
		`{"agent_id": %[1]q, "value": {"a": [1, {"b": 1, "b": 2}]}, "source": "tool_result"}`:                "value.a[1].b",
		`{"agent_id": %[1]q, "value": 1, "source": "tool_result", "source_metadata": {"a": 1, "\u0061": 1}}`: "source_metadata.a",
	} {
		p := s.do("PUT", "/v1/customers/"+customer+"/values/x", fmt.Sprintf(body, agent)).problem(400, "malformed")
		if p.Field != field || !strings.HasPrefix(p.Detail, field+": is repeated") {
			t.Errorf("%s: got %s, %s", body, p.Field, p.Detail)
		}
	}
}

// A blank text is refused or stored by mode. It never meets a requirement.
func TestWriteValue_BlankFollowsTheMode(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, scenario, customer := testkit.ID().String(), testkit.ID().String(), testkit.ID().String()
	s.change("PUT", "/v1/agents/"+agent+"/scenarios/"+scenario, `{"name": "Blank"}`).want(200)
	for _, mode := range []string{"strict", "warn", "disabled"} {
		s.change("PUT", "/v1/agents/"+agent+"/definitions/"+mode,
			fmt.Sprintf(`{"value_type": "string", "enabled": true, "validation_mode": %q}`, mode)).want(200)
		s.change("PUT", "/v1/scenarios/"+scenario+"/requirements/"+mode,
			`{"required_level": "hard", "fallback_action": "ask"}`).want(200)
		a := s.change("PUT", "/v1/customers/"+customer+"/values/"+mode,
			fmt.Sprintf(`{"agent_id": %q, "value": " \u200b", "source": "user_provided"}`, agent))
		if mode == "strict" {
			a.problem(422, vault.CodeInvalid)
			continue
		}
		if warned := strings.Contains(string(a.want(200).body), "without a visible character"); warned != (mode == "warn") {
			t.Errorf("%s: got %s", mode, a.body)
		}
	}
	var missing query.MissingFields
	s.do("GET", "/v1/customers/"+customer+"/missing?scenario_id="+scenario, "").want(200).into(&missing)
	if len(missing.Missing) != 3 {
		t.Errorf("missing are %+v", missing.Missing)
	}
}

// JSON that is nested too deep is valid JSON: the problem names the cause.
func TestDecode_TooDeepIsAProblem(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	deep := func(levels int) string {
		return `{"agent_id": "` + testkit.ID().
			String() +
			`", "source": "tool_result", "value": ` + strings.Repeat(
			"[",
			levels,
		) + strings.Repeat("]", levels) + `}`
	}
	value := "/v1/customers/" + testkit.ID().String() + "/values/x"
	for levels, want := range map[int]int{101: http.StatusUnprocessableEntity, 20_000: http.StatusBadRequest} {
		p := s.do("PUT", value, deep(levels)).
			problem(want, map[int]vault.Code{422: vault.CodeInvalid, 400: "malformed"}[want])
		if !strings.Contains(p.Detail, "nested") || !strings.Contains(p.Detail, "100 levels") {
			t.Errorf("%d levels: %s", levels, p.Detail)
		}
	}
}

func TestIdempotencyKey_RepeatIsSameOperation(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, customer := testkit.ID(), testkit.ID()
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/plan", `{"value_type": "string", "enabled": true}`).
		want(200)
	write := func(value string, headers ...string) answer {
		return s.do("PUT", "/v1/customers/"+customer.String()+"/values/plan",
			fmt.Sprintf(`{"agent_id": %q, "value": %q, "source": "user_provided"}`, agent, value), headers...)
	}
	var first, again api.Operation
	write("gold", "Idempotency-Key: k1", "Prefer: wait=60").want(200).into(&first)
	write("gold", "Idempotency-Key: k1").want(202).into(&again)
	if again.ID != first.ID || again.Status != vault.OperationSucceeded {
		t.Errorf("the repeat is %+v of %+v", again, first)
	}
	write("silver", "Idempotency-Key: k1").problem(409, vault.CodeConflict)
	var h struct {
		Items []vault.Value `json:"items"`
	}
	s.do("GET", "/v1/customers/"+customer.String()+"/values/plan/history", "").want(200).into(&h)
	if len(h.Items) != 1 {
		t.Errorf("%d versions", len(h.Items))
	}
}

func TestPrefer_Wait(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	path, body := "/v1/agents/"+testkit.ID().String()+"/definitions/plan", `{"value_type": "string", "enabled": true}`
	for prefer, want := range map[string]struct {
		status  int
		applied string
	}{
		"wait=60": {200, "wait=60"}, "respond-async, Wait=\"60\"; x=1": {200, "wait=60"}, "wait=600": {200, "wait=60"},
		"wait=0": {202, ""}, "wait=soon": {202, ""}, "wait": {202, ""}, "wait=-1": {202, ""}, "return=minimal": {202, ""},
	} {
		a := s.do("PUT", path, body, "Prefer: "+prefer)
		if a.status != want.status || a.header.Get("Preference-Applied") != want.applied {
			t.Errorf("Prefer: %s: %d, applied %q", prefer, a.status, a.header.Get("Preference-Applied"))
		}
	}
}

func TestLists_HavePages(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, scenario, customer := testkit.ID(), testkit.ID(), testkit.ID()
	base := "/v1/agents/" + agent.String()
	names := []string{"a", "b", "c", "d", "e"}
	for _, name := range names {
		s.change("PUT", base+"/definitions/"+name, `{"value_type": "string", "enabled": true}`).want(200)
	}
	s.change("PUT", base+"/scenarios/"+scenario.String(), `{"name": "S"}`).want(200)
	asset := s.item(
		s.change("POST", "/v1/customers/"+customer.String()+"/assets", `{"name": "id_card", "asset_type": "image", "storage_provider": "s3", "storage_path": "s3://d/1",
		"size_bytes": 1, "checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`).
			want(200),
	)
	for i, name := range names {
		s.change("PUT", "/v1/scenarios/"+scenario.String()+"/requirements/"+name, fmt.Sprintf(`{"required_level": "soft", "fallback_action": "ask", "collection_order": %d}`, -i)).
			want(200)
		s.change("PUT", "/v1/customers/"+customer.String()+"/values/a", fmt.Sprintf(`{"agent_id": %q, "value": "v%d", "source": "tool_result", "source_item_id": %q, "source_item_type": "profile_asset"}`, agent, i, asset)).
			want(200)
	}
	for n := range 5 {
		s.do("POST", "/v1/customers/"+testkit.ID().String()+"/fill", fmt.Sprintf(`{"scenario_id": %q}`, scenario)).want(202)
		s.change("POST", "/v1/customers", fmt.Sprintf(`{"channel": "sms", "external_id": "+491511234567%d"}`, n)).want(200)
	}
	testkit.Eventually(t, "questions wait", func(ctxType) (struct{}, bool) {
		return struct{}{}, len(s.pages("/v1/questions", 500)) >= 5
	})
	for path, field := range map[string]string{
		base + "/definitions": "name", "/v1/scenarios/" + scenario.String() + "/requirements": "field_name",
		"/v1/customers/" + customer.String() + "/values/a/history": "value", "/v1/customers/" + customer.String() + "/history": "id", "/v1/items/" + asset.String() + "/derived": "id", "/v1/questions": "id",
		"/v1/customers": "customer_id",
	} {
		whole := s.pages(path, 500)
		for _, size := range []int{1, 2, 5} {
			paged := s.pages(path, size)
			if len(whole) < 5 || len(paged) != len(whole) {
				t.Errorf("%s by %d: %d entries of %d", path, size, len(paged), len(whole))
				continue
			}
			for i := range whole {
				if fmt.Sprint(whole[i][field]) != fmt.Sprint(paged[i][field]) {
					t.Errorf("%s by %d: entry %d is %v, want %v", path, size, i, paged[i][field], whole[i][field])
				}
			}
		}
	}
}

func (s *service) pages(path string, size int) []map[string]any {
	s.t.Helper()
	var all []map[string]any
	cursor := ""
	for {
		var page struct {
			Items []map[string]any `json:"items"`
			Next  string           `json:"next_cursor"`
		}
		s.do("GET", fmt.Sprintf("%s?limit=%d&cursor=%s", path, size, cursor), "").want(200).into(&page)
		if len(page.Items) > size {
			s.t.Errorf("%s: %d entries on a page of %d", path, len(page.Items), size)
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

// GET of an operation honours Prefer: wait.
func TestGetOperation_Waits(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, customer := testkit.ID(), testkit.ID()
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/email", `{"value_type": "email", "enabled": true}`).
		want(200)
	for value, want := range map[string]vault.OperationStatus{"ada@example.com": vault.OperationSucceeded, "nonsense": vault.OperationFailed} {
		var accepted, op api.Operation
		s.do("PUT", "/v1/customers/"+customer.String()+"/values/email", fmt.Sprintf(`{"agent_id": %q, "value": %q, "source": "user_provided"}`, agent, value)).
			want(202).
			into(&accepted)
		s.do("GET", "/v1/operations/"+accepted.ID.String(), "", "Prefer: wait=60").want(200).into(&op)
		if op.Status != want || (op.Error != nil) != (want == vault.OperationFailed) {
			t.Errorf("%s: the operation is %+v", value, op)
		}
	}
	s.do("GET", "/v1/operations/"+testkit.ID().String(), "", "Prefer: wait=60").problem(404, vault.CodeUnknown)
}

// The list of customers is limited to one tenant, without deleted and merged customers.
func TestListCustomers_EachOnce(t *testing.T) {
	t.Parallel()
	s, other := newService(t, kit), newService(t, kit)
	open := func(of *service, number string) string {
		var op struct {
			Result vault.CustomerResult `json:"result"`
		}
		of.change("POST", "/v1/customers", fmt.Sprintf(`{"channel": "sms", "external_id": %q}`, number)).want(200).into(&op)
		return op.Result.CustomerID.String()
	}
	kept, merged, deleted := open(s, "+4915112345678"), open(s, "+4915112345679"), open(s, "+4915112345680")
	open(other, "+4915112345678")
	s.change("POST", "/v1/customers/"+kept+"/merge", fmt.Sprintf(`{"source_customer_id": %q}`, merged)).want(200)
	s.change("DELETE", "/v1/customers/"+deleted, "").want(200)
	if all := s.pages("/v1/customers", 500); len(all) != 1 || all[0]["customer_id"] != kept {
		t.Errorf("listed are %v, want %s", all, kept)
	}
}
