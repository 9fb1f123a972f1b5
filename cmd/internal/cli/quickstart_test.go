package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

type operation = client.Operation[json.RawMessage]

// Every operation of the API has a command, which this test uses. A new operation without a command fails the last
// lines.
func TestCommands_CoverAllOperations(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent, customer, scenario, rule, session := newID(), newID(), newID(), newID(), newID()

	// Definitions, scenarios and requirements.
	for name, kind := range map[string]string{"email": "email", "country": "string"} {
		out := c.ok(doc(t, "agent_id", agent, "name", name, "value_type", kind, "is_pii", name == "email", "enabled", true),
			"definitions", "save")
		has(t, out, "save-definition", "succeeded")
	}
	has(t, c.ok("", "definitions", "list", "--agent", agent), "FIELD", "email", "country", "What is your email?")
	if d := parsed[vault.Definition](c, "", "definitions", "get", "--agent", agent, "--name", "email"); d.ValueType != vault.TypeEmail {
		t.Errorf("the field is %+v", d)
	}
	saved := parsed[operation](c, doc(t, "agent_id", agent, "id", scenario, "name", "Open an account",
		"description", "Only if the customer is over 18, go on."), "scenarios", "save")
	if saved.Workflow != vault.SaveScenario.Name || saved.Status != vault.OperationSucceeded {
		t.Errorf("the scenario is %s by %s", saved.Status, saved.Workflow)
	}
	extraction := resultOf[vault.SavedResult](t, saved).Extraction.String()
	has(t, c.ok("", "operations", "wait", "--operation", extraction, "--wait", "2m"), "extract-schema", "succeeded",
		"date_of_birth")
	has(t, c.ok("", "scenarios", "get", "--agent", agent, "--scenario", scenario), "Open an account")
	has(
		t,
		c.ok(doc(t, "agent_id", agent, "id", rule, "scenario_id", scenario, "name", "Greet", "condition", "always"), "rules",
			"save"),
		"succeeded",
	)
	has(t, c.ok("", "agents", "list"), agent)
	has(t, c.ok("", "scenarios", "list", "--agent", agent), scenario, "Open an account")
	has(t, c.ok("", "rules", "list", "--agent", agent, "--scenario", scenario), rule, "Greet")
	has(t, c.ok("", "rules", "get", "--agent", agent, "--rule", rule), "Greet")
	has(t, c.ok("", "scenarios", "extract", "--scenario", scenario, "--rule", rule), "extract-schema")
	has(t, c.ok("", "scenarios", "explain", "--scenario", scenario), "[description]", "Only if the customer is over 18")

	// Configuration as a file.
	file := c.ok("", "export-config", "--agent", agent)
	has(t, file, "agent_id: "+agent, "name: Open an account")
	has(t, c.ok(file, "apply"), "no changes")
	more := strings.Replace(file, "definitions:\n", "definitions:\n- name: pet\n  value_type: string\n", 1)
	has(t, c.ok(more, "apply", "--dry-run"), "+ definition pet")
	has(t, c.ok(more, "apply"), "+ definition pet", "applied")
	has(t, c.ok(more, "apply"), "no changes")
	has(t, c.ok(file, "apply"), "definition pet (not in the file; stays)", "no changes")
	has(t, c.ok(file, "apply", "--prune"), "- definition pet", "applied")
	has(t, c.refused("agent_id: "+agent+"\ndefinitions:\n- name: pet\n  value_type: animal\n", "apply"),
		"definitions[0]", "value_type")
	for _, name := range []string{"email", "country"} {
		c.ok(doc(t, "scenario_id", scenario, "field_name", name, "required_level", "hard", "fallback_action", "ask"),
			"requirements", "save")
	}
	has(t, c.ok("", "requirements", "list", "--scenario", scenario), "date_of_birth", "extracted", "over 18", "email",
		"human")

	// A document, and a value from it.
	asset := parsed[operation](
		c,
		doc(t, "customer_id", customer, "name", "id_card", "asset_type", "image", "storage_provider", "s3",
			"storage_path", "uploads/id_card.jpg", "checksum", strings.Repeat("0f", 32)),
		"assets",
		"add",
	)
	document := resultOf[vault.ItemResult](t, asset).ItemID.String()
	written := parsed[operation](c, "", "values", "write", "--agent", agent, "--customer", customer, "--name", "email",
		"--value", "Ada@Example.com", "--source", "document_extracted", "--source-item", document, "--source-type",
		"profile_asset", "--source-metadata", `{"page": 2}`)
	item := resultOf[vault.ItemResult](t, written).ItemID.String()
	has(t, c.ok("", "customers", "get", "--customer", customer), "email", "@example.com", "\nASSET ", "id_card", item)
	has(t, c.ok("", "values", "verify", "--agent", agent, "--customer", customer, "--name", "email", "--method", "link"),
		"succeeded")
	if f := parsed[vault.Value](c, "", "values", "get", "--customer", customer, "--name", "email"); !f.Verified ||
		f.ID.String() != item {
		t.Errorf("the value is %+v", f)
	}
	doubt := parsed[operation](c, "", "values", "write", "--agent", agent, "--customer", customer, "--name", "email",
		"--value", "ada@example.org", "--source", "user_provided")
	claimed := resultOf[vault.ItemResult](t, doubt)
	if claimed.Status != vault.StatusPending {
		t.Errorf("a claim against a verified value is %+v", claimed)
	}
	has(t, c.ok("", "reviews", "list"), "value", claimed.ItemID.String())
	has(t, c.ok("", "values", "decide", "--item", claimed.ItemID.String(), "--decision", "reject", "--by", "Grace"),
		"decide-value", "succeeded")
	has(t, c.ok("", "values", "propose-deletion", "--customer", customer, "--name", "email", "--reason", "wrong"),
		"propose-deletion", "succeeded")
	proposed := parsed[vault.Value](c, "", "values", "get", "--customer", customer, "--name", "email")
	has(t, c.ok("", "reviews", "list"), "value", proposed.ID.String())
	has(t, c.ok("", "values", "decide", "--item", proposed.ID.String(), "--decision", "reject"), "succeeded")
	chain := parsed[vault.Chain](c, "", "items", "chain", "--item", item)
	if len(chain.Links) != 2 || chain.Links[0].ID.String() != document || chain.Links[1].ID.String() != item {
		t.Errorf("the chain is %v", chain.Links)
	}
	has(t, c.ok("", "items", "derived", "--item", document), item)
	has(t, c.ok("", "customers", "history", "--customer", customer), "email", item)
	has(t, c.ok("", "channels", "link", "--customer", customer, "--channel", "email", "--external-id", "ada@example.com"),
		"link-channel", "succeeded")
	has(t, c.ok("", "customers", "find", "--channel", "email", "--external-id", "ada@example.com"), customer)
	has(t, c.ok("", "customers", "label", "--customer", customer, "--label", "VIP"), "set-customer-label", "succeeded")
	has(
		t,
		c.ok("", "consents", "record", "--customer", customer, "--purpose", "marketing", "--granted", "--expires-at",
			"2100-01-01T00:00:00Z"),
		"succeeded", "no definition names this purpose",
	)
	has(t, c.ok("", "customers", "get", "--customer", customer), "ada@example.com", "marketing: yes", "document_verified")
	has(t, c.ok("", "customers", "list"), customer)

	// Missing fields and gap fill.
	missing := parsed[client.MissingFields](c, "", "missing", "--customer", customer, "--scenario", scenario)
	var names []string
	for _, m := range missing.Missing {
		names = append(names, m.Requirement.FieldName)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"country", "date_of_birth"}) {
		t.Errorf("missing are %v", names)
	}
	c.ok(
		doc(t, "session_id", session, "agent_id", agent, "customer_id", customer, "variables",
			map[string]string{"plan": "gold"}),
		"sessions",
		"save",
	)
	has(t, c.ok("", "turns", "add", "--session", session, "--speaker", "customer", "--text", "Hi, I want an account."),
		"succeeded")
	has(t, c.ok("", "sessions", "get", "--session", session), "I want an account", "gold")
	has(t, c.ok("", "sessions", "read", "--session", session), "read-conversation", "succeeded")
	fill := parsed[operation](c, "", "fill", "--customer", customer, "--scenario", scenario, "--session", session,
		"--wait", "0")
	if fill.Status.Finished() {
		t.Errorf("with --wait 0 the fill is %s", fill.Status)
	}
	question := kit.Question(t, c.tenant, uuidOf(t, customer))
	has(t, c.ok("", "questions", "list", "--customer", customer), question.ID.String(), "country", "value")
	has(t, c.ok("", "sessions", "list", "--customer", customer), session)
	has(t, c.ok("", "customers", "get", "--customer", customer), question.ID.String(), "fill-gaps", "accepted")
	has(t, c.ok("", "operations", "list", "--status", "unfinished", "--customer", customer), fill.ID.String(), "fill-gaps")
	has(t, c.ok("", "questions", "get", "--question", question.ID.String()), "country")
	has(t, c.ok("", "questions", "claim", "--question", question.ID.String(), "--channel", "chat"), "claim-question",
		"succeeded")
	has(t, c.ok("", "questions", "await", "--customer", customer, "--channel", "chat"), question.ID.String())
	has(t, c.ok("", "answer", "--question", question.ID.String(), "--value", "Norway"), "answer-question", "succeeded")
	has(t, c.ok("", "operations", "wait", "--operation", fill.ID.String(), "--wait", "2m"), "fill-gaps", "succeeded",
		"country", "undefined")
	has(t, c.ok("", "turns", "take", "--customer", customer, "--session", session, "--text", "Thank you"), "take-turn",
		"succeeded", "CUSTOMER CONTEXT")
	has(t, c.ok("", "turns", "take", "--channel", "chat", "--identity", "grace", "--session-key", "chat-1", "--agent", agent,
		"--text", "Hello"), "take-turn", "succeeded", "customer_created")
	has(t, c.ok("", "customers", "context", "--customer", customer, "--scenario", scenario), "- country: \"Norway\" | stated")
	has(t, c.ok("", "--json", "customers", "context", "--customer", customer), `"section": "known"`)
	has(t, c.ok("", "customers", "list", "--where", "country=norway"), customer)
	has(t, c.ok("", "--json", "customers", "count", "--where", "country=Norway"), `"complete": true`)
	has(t, c.refused("", "customers", "list", "--where", "country"), "where[0]", "country=DE")
	recalled := c.ok("", "--json", "customers", "recall", "--customer", customer, "--question", "Which country?")
	has(t, recalled, `"name": "country"`, `"kind": "fact"`)
	c.ok("", "customers", "recall", "--customer", customer, "--question", "Which country?")
	history := parsed[[]vault.Value](c, "", "values", "history", "--customer", customer, "--name", "country")
	if len(history) != 1 || string(history[0].Value) != `"Norway"` || history[0].Source != vault.ValueUserProvided {
		t.Errorf("the history of country is %v", history)
	}
	has(t, c.ok("", "values", "correct", "--agent", agent, "--customer", customer, "--name", "country", "--value", "Sweden",
		"--reason", "the customer moved"), "correct-value", "succeeded")
	wrong := parsed[vault.Value](c, "", "values", "get", "--customer", customer, "--name", "country")
	undone := resultOf[vault.DeleteResult](t, parsed[operation](c, "", "items", "delete", "--item", wrong.ID.String(), "--restore-previous"))
	if !undone.Restored || *undone.PreviousID != history[0].ID {
		t.Errorf("the deletion gave %+v", undone)
	}
	other := newID()
	second := parsed[operation](c, "", "fill", "--customer", other, "--scenario", scenario, "--wait", "0")
	kit.Question(t, c.tenant, uuidOf(t, other))
	has(t, c.ok("", "operations", "cancel", "--operation", second.ID.String()), "cancel-fill", "succeeded")

	// Lists.
	c.ok(doc(t, "agent_id", agent, "name", "languages", "value_type", "string", "multiple", true), "definitions", "save")
	list := []string{"--agent", agent, "--customer", customer, "--name", "languages", "--value", "Norwegian"}
	has(t, c.ok("", append([]string{"values", "add"}, list...)...), "add-element", "succeeded")
	has(t, c.ok("", append([]string{"values", "remove"}, list...)...), "remove-element", "succeeded")

	// Deletion and dependents.
	has(t, c.refused("", "items", "delete", "--item", document), "Cannot delete: has dependents", item)
	has(t, c.ok("", "items", "delete", "--item", document, "--force"), "delete-item", "succeeded")
	has(t, c.ok("", "items", "restore", "--item", document), "restore-item", "succeeded")

	// Imports and merges.
	third := resultOf[vault.CustomerResult](
		t,
		parsed[operation](c, "", "customers", "open", "--channel", "sms", "--external-id", "+4915112345678"),
	).CustomerID.String()
	has(
		t,
		c.ok(`{"writes": [{"agent_id": "`+agent+`", "name": "country", "value": "Chile", "source": "human_entered"}]}`,
			"values", "import", "--customer", third),
		"import-values",
		"succeeded",
	)
	has(
		t,
		c.ok(fmt.Sprintf(`{"customer_id": %q, "name": "country", "value": "Peru"}`, third), "import", "-", "--format",
			"jsonl", "--agent", agent),
		"written",
		"1",
	)
	has(t, c.ok("", "export", "--customer", third), "Peru")
	has(t, c.ok("", "customers", "merge", "--customer", customer, "--source", third), "merge-customers", "succeeded")
	has(t, c.ok("", "customers", "merges", "--customer", customer), third, "undoable")
	has(t, c.ok("", "customers", "get", "--customer", third), "vault customers unmerge --customer "+third)
	has(t, c.refused("", "customers", "unmerge", "--customer", customer), "name the customer who was merged", third)
	has(t, c.ok("", "customers", "unmerge", "--customer", third), "unmerge-customer", "succeeded")
	out := filepath.Join(t.TempDir(), "third")
	has(t, c.ok("", "customers", "export", "--customer", third, "--out", out), "customer_values", "customer.html")
	for _, name := range []string{"customer.json", "customer.html"} {
		if text, err := os.ReadFile(filepath.Join(out, name)); err != nil || !strings.Contains(string(text), "Peru") {
			t.Errorf("%s lacks the value, %v", name, err)
		}
	}
	has(t, c.ok("", "customers", "delete", "--customer", third), "delete-customer", "succeeded")
	has(t, c.refused("", "customers", "erase", "--customer", third), "--yes")
	erased := parsed[operation](c, "", "customers", "erase", "--customer", third, "--yes")
	has(t, c.ok("", "erasure", "list"), erased.ID.String(), "finished")
	has(t, c.ok("", "erasure", "get", "--erasure", erased.ID.String()), "finished")
	receipt, key := filepath.Join(t.TempDir(), "receipt.json"), filepath.Join(t.TempDir(), "key.json")
	for file, text := range map[string]string{
		receipt: c.ok("", "erasure", "receipt", "--erasure", erased.ID.String()), key: c.ok("", "erasure", "public-key"),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	has(t, c.ok("", "erasure", "verify", receipt, "--public-key", key, "--customer", third), "valid", "customer_values")
	has(t, c.refused("", "erasure", "verify", receipt, "--public-key", key, "--customer", customer), "another customer")
	has(t, c.refused("", "customers", "erase", "--customer", third, "--yes"), "was erased by operation "+erased.ID.String())
	unknown := newID()
	has(t, c.refused("", "customers", "erase", "--customer", unknown, "--yes"), "unknown customer: "+unknown)
	text, err := os.ReadFile(receipt)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{`"customer_values": `, `"customer_values": 1`}, {"  ", "\t "}, {`"erasure_id": "0`, `"erasure_id": "1`}} {
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if err := os.WriteFile(receipt, []byte(changed), 0o600); err != nil || changed == string(text) {
			t.Fatal("the receipt is not changed", err)
		}
		has(t, c.refused("", "erasure", "verify", receipt, "--public-key", key), "receipt")
	}

	// Deletion of requirements and definitions.
	has(t, c.refused("", "definitions", "delete", "--agent", agent, "--name", "email"), "is required by scenario",
		"delete those requirements first")
	has(t, c.ok("", "requirements", "delete", "--scenario", scenario, "--name", "email"), "delete-requirement",
		"succeeded")
	has(t, c.ok("", "definitions", "delete", "--agent", agent, "--name", "email"), "delete-definition", "succeeded")

	// Reviews.
	has(
		t,
		c.ok(doc(t, "agent_id", agent, "id", newID(), "name", "Loan", "description", "Perhaps ask for the employer name."),
			"scenarios", "save"),
		"succeeded",
	)
	reviews := testkit.Eventually(t, "something waits for review", func(ctxType) ([]client.Review, bool) {
		all := parsed[[]client.Review](c, "", "reviews", "list")
		return all, len(all) > 0
	})
	has(t, c.ok("", "customers", "get", "--customer", customer), "pending, of all agents: vault reviews list")
	has(t, c.ok("", "reviews", "list"), reviews[0].ID.String(), string(reviews[0].Kind))
	has(
		t,
		c.ok("", "reviews", "decide", "--kind", string(reviews[0].Kind), "--review", reviews[0].ID.String(), "--decision",
			"approve"),
		"decide-review",
		"succeeded",
	)

	// A failed operation is replayed after a fix.
	write := []string{
		"values",
		"write",
		"--agent",
		agent,
		"--customer",
		customer,
		"--name",
		"nickname",
		"--value",
		"Ada",
		"--idempotency-key",
		"k1",
	}
	has(t, c.refused("", write...), "nickname", "operation")
	failed := parsed[operation](c, "", append(write, "--wait", "0")...) // the same key is the same operation
	has(t, c.ok("", "operations", "list", "--status", "failed", "--workflow", "write-value"), failed.ID.String(), "nickname")
	has(t, c.ok("", "operations", "get", "--operation", failed.ID.String()), "write-value", "failed", "nickname")
	has(t, c.ok("", "operations", "runs", "--operation", failed.ID.String()), "STEP", "ATTEMPTS")
	has(t, c.ok("", "audit", "list", "--action", "rejected"), "write-value", "key:", failed.ID.String())
	has(t, c.ok("", "audit", "verify"), "intact", "yes")
	has(t, c.ok("", "events", "--types", "operation.failed, value.changed"), "operation.failed", "write-value", "value.changed")
	has(t, c.ok("", "events", "--latest"), "ID", "TYPE")
	hook := testkit.ID().String()
	c.ok(doc(t, "webhook_id", hook, "url", "https://example.com/x", "types", []string{"fill.done"},
		"secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="), "webhooks", "save")
	has(t, c.ok("", "webhooks", "list"), hook, "https://example.com/x")
	has(t, c.ok("", "webhooks", "get", "--webhook", hook), hook)
	has(t, c.ok("", "webhooks", "test", "--webhook", hook), "test-webhook", "succeeded")
	has(t, c.ok("", "webhooks", "deliveries", "--webhook", hook), "webhook.test")
	has(t, c.ok("", "webhooks", "replay", "--webhook", hook), "replay-deliveries", "succeeded")
	has(t, c.ok("", "webhooks", "delete", "--webhook", hook), "delete-webhook", "succeeded")
	mergeRule := testkit.ID().String()
	c.ok(doc(t, "merge_rule_id", mergeRule, "fields", []string{"country"}), "merge-rules", "save")
	has(t, c.ok("", "merge-rules", "list"), mergeRule, "country")
	has(t, c.ok("", "merges", "propose"), "propose-merges", "succeeded")
	has(t, c.ok("", "merges", "list", "--status", "pending"), "OLDER", "NEWER")
	has(t, c.refused("", "merges", "decide", "--proposal", testkit.ID().String(), "--decision", "reject"), "merge proposal")
	has(t, c.ok("", "merge-rules", "delete", "--merge-rule", mergeRule), "delete-merge-rule", "succeeded")
	has(t, c.refused("", "events", "--types", "weather"), "types", "value.changed")
	has(t, c.refused("", "events", "--after", "999999999"), "after", "999999999")
	has(t, c.refused("", "api-keys", "create", "--name", "x", "--scopes", "read", "--purpose", "offers"), "purpose",
		"definition")
	created := parsed[struct{ ID, Key string }](c, "", "api-keys", "create", "--name", "runtime", "--scopes", "read")
	if !strings.HasPrefix(created.Key, "cv_") {
		t.Errorf("the new key is %q", created.Key)
	}
	has(t, c.ok("", "api-keys", "list"), created.ID, "runtime")
	has(t, c.ok("", "api-keys", "revoke", "--key", created.ID), "succeeded")
	has(t, c.ok("", "usage"), "TOKENS")
	has(t, c.ok("", "questions", "closed", "--customer", customer), question.ID.String())
	c.ok(doc(t, "agent_id", agent, "name", "nickname", "value_type", "string", "enabled", true), "definitions", "save")
	has(t, c.ok(doc(t, "agent_id", agent, "name", "nickname", "value_type", "number"), "definitions", "dry-run"), "nickname", "update")
	has(t, c.ok(doc(t, "agent_id", agent, "id", scenario, "name", "Other", "description", "Nothing."),
		"scenarios", "dry-run"), "Other")
	has(t, c.ok(doc(t, "agent_id", agent, "id", newID(), "scenario_id", scenario, "name", "New", "condition", "Nothing."),
		"rules", "dry-run"), "New", "create")
	has(t, c.ok(doc(t, "agent_id", agent, "scenario_id", scenario, "field_name", "nickname", "required_level", "soft",
		"fallback_action", "skip"), "requirements", "dry-run"), "nickname")
	has(t, c.ok("", "definitions", "dry-run-delete", "--agent", agent, "--name", "nickname"), "nickname", "delete")
	c.ok(doc(t, "agent_id", agent, "scenario_id", scenario, "field_name", "nickname", "required_level", "soft",
		"fallback_action", "skip"), "requirements", "save", "--if-version", "none")
	has(t, c.refused(doc(t, "agent_id", agent, "scenario_id", scenario, "field_name", "nickname", "required_level", "soft",
		"fallback_action", "skip"), "requirements", "save", "--if-version", "none"), "if_version", "was changed by key:")
	has(t, c.ok("", "requirements", "dry-run-delete", "--scenario", scenario, "--name", "nickname"), "nickname", "delete")
	has(t, c.refused("", "requirements", "delete", "--scenario", scenario, "--name", "nickname", "--if-version", newID()),
		"if_version", "nothing was changed")
	c.ok("", "requirements", "delete", "--scenario", scenario, "--name", "nickname")
	has(t, c.ok("", "operations", "replay", "--operation", failed.ID.String()), failed.ID.String(), "succeeded")
	has(t, c.refused("", "operations", "replay", "--operation", failed.ID.String()), "a failed operation can be replayed")
	has(t, c.ok("", "values", "expire", "--customer", customer, "--name", "nickname"), "expire-value", "succeeded")

	many := c.ok(`{"identities": [{"channel": "sms", "external_id": "+4915112345600"}]}`, "customers", "open-many")
	has(t, many, "open-customers", "succeeded")

	// Maintenance.
	has(t, c.refused("", "admin", "expire-stale"), "covers all tenants", "ADMIN_TOKEN")
	operator := *c
	operator.environ = []string{"ADMIN_TOKEN=" + testkit.AdminToken}
	has(t, operator.ok("", "admin", "expire-stale"), "expire-values", "succeeded", "marked")
	has(t, operator.ok("", "admin", "detect-orphans"), "detect-orphans", "succeeded", "marked")
	has(t, c.ok("", "sweeps", "expire-values"), "expire-values", "succeeded", "marked")
	has(t, c.ok("", "sweeps", "detect-orphans"), "detect-orphans", "succeeded", "marked")
	has(t, c.ok("", "admin", "drop-cache", "--customer", customer), "dropped")
	has(t, c.ok("", "health"), "database", "ok")

	asked.mu.Lock()
	defer asked.mu.Unlock()
	for _, route := range described(t) {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(route, `[^/]+`) + "$")
		found := false
		for _, key := range []string{c.key, testkit.AdminToken} {
			for request := range asked.byKey[key] {
				found = found || pattern.MatchString(request)
			}
		}
		if !found {
			t.Errorf("no command asks for %s", route)
		}
	}
}

// described returns the operations of the API as "METHOD route".
func described(t *testing.T) []string {
	t.Helper()
	rec := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	var out []string
	for path, methods := range document.Paths {
		for method := range methods {
			out = append(out, strings.ToUpper(method)+" "+path)
		}
	}
	if len(out) < 40 {
		t.Fatalf("only %d operations are described", len(out))
	}
	return out
}

func resultOf[T any](t *testing.T, op operation) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(op.Result, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// An operator needs no key for sweeps, and selects a tenant for everything else.
func TestAdmin_WithAdminToken(t *testing.T) {
	t.Parallel()
	c := &terminal{t: t, environ: []string{"ADMIN_TOKEN=" + testkit.AdminToken}}
	sweep := parsed[operation](c, "", "admin", "expire-stale", "--wait", "2m")
	has(t, c.ok("", "operations", "get", "--operation", sweep.ID.String()), "expire-values", "succeeded")
	of := []string{"--tenant", kit.Tenant(t).String()}
	for _, ask := range []string{"get", "wait"} {
		has(t, c.ok("", "operations", ask, "--operation", sweep.ID.String()), "expire-values", "succeeded")
		has(t, c.refused("", append([]string{"operations", ask, "--operation", sweep.ID.String()}, of...)...), "unknown operation")
	}
	has(t, c.refused("", "admin", "drop-cache", "--customer", newID()), "X-Tenant", "the tenant of the customer",
		"--tenant")
	has(t, c.ok("", "admin", "drop-cache", "--customer", newID(), "--tenant", kit.Tenant(t).String()), "dropped")
	has(t, c.refused("", "admin", "drop-cache", "--customer", newID(), "--tenant", "acme"), "tenant", "is not a UUID")
	has(t, c.refused("", "customers", "list"), "no API key", "VAULT_API_KEY")
}

// fillable returns a customer and a scenario that needs one field from the customer.
func fillable(c *terminal) (customer, scenario string) {
	t, agent := c.t, newID()
	scenario = newID()
	c.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "definitions", "save")
	c.ok(doc(t, "agent_id", agent, "id", scenario, "name", "Open an account"), "scenarios", "save")
	c.ok(doc(t, "scenario_id", scenario, "field_name", "country", "required_level", "hard", "fallback_action", "ask"),
		"requirements", "save")
	return newID(), scenario
}

func TestFill_ReturnsFirstQuestion(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	customer, scenario := fillable(c)
	fill := []string{"fill", "--customer", customer, "--scenario", scenario, "--wait", "2m", "--idempotency-key", "one"}
	out, errs, err := c.run("", fill...)
	if err != nil {
		t.Fatal(err)
	}
	question := kit.Question(t, c.tenant, uuidOf(t, customer))
	has(t, out, question.ID.String(), "What is your country?")
	has(t, errs, "vault answer --question "+question.ID.String(), "vault operations wait --operation ")
	c.ok("", "answer", "--question", question.ID.String(), "--value", "Norway")
	done := parsed[operation](c, "", fill...) // the same fill, which ends without a further question
	if result := resultOf[vault.FillResult](t, done); len(result.Fields) != 1 || !result.Fields[0].Filled {
		t.Errorf("the fill is %s with %+v", done.Status, result)
	}
}

func TestWait_ExpiredSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	customer, scenario := fillable(c)
	fill := parsed[operation](c, "", "fill", "--customer", customer, "--scenario", scenario, "--wait", "0").ID.String()
	out, errs, err := c.run("", "operations", "wait", "--operation", fill, "--wait", "1ms")
	if err != nil {
		t.Fatal(err)
	}
	has(t, out, fill)
	has(t, errs, "accepted", "vault operations wait --operation "+fill)
	_, errs, err = c.run("", "fill", "--customer", newID(), "--scenario", scenario, "--wait", "0")
	if err != nil || errs != "" {
		t.Errorf("with --wait 0 standard error says %q, %v", errs, err)
	}
}

func TestHealth_UnavailableFails(t *testing.T) {
	t.Parallel()
	for status, fails := range map[string]bool{"ready": false, "degraded": false, "unavailable": true, "stopping": true} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if r.URL.Path == "/healthz" {
				_, _ = io.WriteString(w, `{"status": "ok"}`)
				return
			}
			if fails {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			_, _ = io.WriteString(w, `{"status": "`+status+`", "dependencies": {"database": "ok"}}`)
		}))
		defer srv.Close()
		out, _, err := (&terminal{t: t}).run("", "health", "--server", srv.URL)
		has(t, out, status, "database")
		if (err != nil) != fails {
			t.Errorf("with the status %s the command returns %v", status, err)
		}
	}
}

func TestWait_ExpiredIsNoError(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent, scenario := newID(), newID()
	c.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "definitions", "save")
	c.ok(doc(t, "agent_id", agent, "id", scenario, "name", "Open an account"), "scenarios", "save")
	c.ok(doc(t, "scenario_id", scenario, "field_name", "country", "required_level", "hard", "fallback_action", "ask"),
		"requirements", "save")
	fill := parsed[operation](c, "", "fill", "--customer", newID(), "--scenario", scenario, "--wait", "100ms",
		"--deadline", "8s")
	if fill.Status.Finished() {
		t.Errorf("while it waits for a customer the fill is %s", fill.Status)
	}
	has(t, c.ok("", "operations", "wait", "--operation", fill.ID.String(), "--wait", "2m"), "succeeded", "expired")
}

func TestTenants_CreateAndList(t *testing.T) {
	t.Parallel()
	c := &terminal{t: t} // without a tenant
	id := newID()
	has(t, c.ok("", "tenants", "create", "--id", id, "--name", "Acme"), id, "Acme")
	has(t, c.ok("", "tenants", "list"), id, "Acme")
	has(t, c.refused("", "tenants", "create", "--id", id, "--name", "Acme"), "exists already")
}
