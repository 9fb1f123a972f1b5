package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// user runs commands with only a key and the address of the API.
type user struct {
	t       *testing.T
	environ []string
}

// ok runs a command that succeeds and returns its output.
func (u user) ok(stdin string, args ...string) string {
	u.t.Helper()
	out, errs, code := runWith(u.t, u.environ, stdin, args...)
	if code != 0 {
		u.t.Fatalf("vault %s: %d, %s", strings.Join(args, " "), code, errs)
	}
	return out
}

// refused runs a command that fails and returns its message.
func (u user) refused(stdin string, args ...string) string {
	u.t.Helper()
	out, errs, code := runWith(u.t, u.environ, stdin, args...)
	if code != 1 || out != "" || !strings.HasPrefix(errs, "vault: ") {
		u.t.Errorf("vault %s exits with %d, prints %s and says %s", strings.Join(args, " "), code, out, errs)
	}
	return errs
}

// resultOf submits an operation and returns its result.
func resultOf[R any](u user, stdin string, args ...string) operation[R] {
	u.t.Helper()
	var op operation[R]
	if out := u.ok(stdin, append(args, "--json", "--wait", "2m")...); json.Unmarshal([]byte(out), &op) != nil ||
		op.Status != vault.OperationSucceeded {
		u.t.Fatalf("vault %s prints %s", strings.Join(args, " "), out)
	}
	return op
}

// The quickstart of the seed with the command line, against an API, a worker and an engine in separate processes.
func theQuickstartByCommandsAlone(t *testing.T, s *system, server *process) {
	t.Helper()
	tenant, agent, customer, scenario := testkit.ID().
		String(),
		testkit.ID().
			String(),
		testkit.ID().
			String(),
		testkit.ID().
			String()
	if _, errs, code := run(t, s.Environ(), "tenants", "create", "--id", tenant, "--name", "Acme"); code != 0 {
		t.Fatal(errs)
	}
	id, key := newKey(t, s.Environ(), tenant, "read,write")
	at := "VAULT_SERVER=http://" + server.health
	u := user{t, []string{at, "VAULT_API_KEY=" + key}}

	// 1. Definitions.
	resultOf[vault.SavedResult](
		u,
		fmt.Sprintf(`{"agent_id": %q, "name": "email", "display_name": "Email Address", "value_type": "email", "is_pii": true,
		"enabled": true, "collection_prompt": "What is your email address?"}`, agent),
		"definitions",
		"save",
	)
	resultOf[vault.SavedResult](u,
		fmt.Sprintf(`{"agent_id": %q, "name": "legal_name", "value_type": "string", "enabled": true}`, agent), "definitions",
		"save")
	// 2. Requirements: extracted from the scenario, and saved.
	resultOf[vault.SavedResult](
		u,
		fmt.Sprintf(
			`{"agent_id": %q, "id": %q, "name": "Onboarding", "description": "Only if the customer is over 18, go on."}`, agent,
			scenario),
		"scenarios",
		"save",
	)
	resultOf[vault.SavedResult](
		u,
		fmt.Sprintf(`{"scenario_id": %q, "field_name": "email", "required_level": "hard", "fallback_action": "ask"}`,
			scenario),
		"requirements",
		"save",
	)
	contains(t, u.ok("", "requirements", "list", "--scenario", scenario), "date_of_birth", "over 18", "email", "human")
	// 3. A value from a document, and 4. its chain.
	asset := resultOf[vault.ItemResult](
		u,
		fmt.Sprintf(`{"customer_id": %q, "name": "id_card", "asset_type": "image", "storage_provider": "s3",
		"storage_path": "s3://documents/1", "checksum": %q}`, customer, strings.Repeat("0f", 32)),
		"assets",
		"add",
	).Result.ItemID.String()
	name := resultOf[vault.ItemResult](u, "", "values", "write", "--agent", agent, "--customer", customer, "--name",
		"legal_name", "--value", "John Smith", "--source", "document_extracted", "--source-item", asset, "--source-type",
		"profile_asset", "--source-metadata", `{"tool": "ocr_extractor"}`).Result.ItemID.String()
	contains(t, u.ok("", "items", "chain", "--item", name), "id_card", "legal_name", "ocr_extractor")
	contains(t, u.refused("", "items", "delete", "--item", asset), "Cannot delete: has dependents", name)
	contains(t, u.refused("", "items", "delete", "--item", asset, "--force"), "scope admin")
	rejection := u.refused("", "values", "write", "--agent", agent, "--customer", customer, "--name", "email", "--value",
		"hunter2")
	contains(t, rejection, "Field validation failed: email", "name@example.com")
	if strings.Contains(rejection, "hunter2") {
		t.Errorf("it quotes PII: %s", rejection)
	}
	// 5. Missing fields. 6. Gap fill: a question and its answer.
	contains(t, u.ok("", "missing", "--customer", customer, "--scenario", scenario), "email", "date_of_birth", "absent")
	fill := resultOfAccepted(u, "fill", "--customer", customer, "--scenario", scenario)
	question := testkit.Eventually(t, "a question waits", func(context.Context) (vault.Question, bool) {
		var all []vault.Question
		if err := json.Unmarshal([]byte(u.ok("", "questions", "list", "--customer", customer, "--json")), &all); err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			return vault.Question{}, false
		}
		return all[0], true
	})
	if question.Prompt != "What is your email address?" {
		t.Errorf("the question is %q", question.Prompt)
	}
	resultOf[vault.ItemResult](u, "", "answer", "--question", question.ID.String(), "--value", "ada@example.com")
	contains(t, u.ok("", "operations", "wait", "--operation", fill, "--wait", "2m"), "fill-gaps", "succeeded", "customer")
	contains(t, u.ok("", "customers", "get", "--customer", customer), `"ada@example.com"`, `"John Smith"`)

	// Import and export of a file.
	dir := t.TempDir()
	file, rejects, exported := filepath.Join(dir, "customers.csv"), filepath.Join(dir,
		"rejects.jsonl"), filepath.Join(dir, "customers.jsonl")
	if err := os.WriteFile(file, []byte("customer_id,email\n"+testkit.ID().String()+",eve@example.com\n"+testkit.ID().String()+",nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := run(t, u.environ, "import", file, "--agent", agent, "--rejects", rejects)
	if code != 2 || !strings.Contains(out, "rejected       1") || !strings.Contains(errs, rejects) {
		t.Errorf("import exits with %d, prints %s and says %s", code, out, errs)
	}
	u.ok("", "export", "--output", exported)
	if text, err := os.ReadFile(exported); err != nil || strings.Count(string(text), "\n") != 3 ||
		!strings.Contains(string(text), "eve@example.com") {
		t.Errorf("exported is %v, %s", err, text)
	}

	// Maintenance with the admin token and without a key.
	operator := user{t, []string{at, "ADMIN_TOKEN=" + adminToken}}
	resultOf[vault.SweepResult](operator, "", "admin", "expire-stale")

	// No key, a wrong key, a key of another tenant, a revoked key, no vault.
	get := []string{"customers", "get", "--customer", customer}
	contains(t, user{t, []string{at}}.refused("", get...), "no API key", "VAULT_API_KEY", "vault keys create")
	contains(t, user{t, []string{at, "VAULT_API_KEY=" + key[:len(key)-4] + "AAAA"}}.refused("", get...), "not known",
		"VAULT_API_KEY")
	_, other := newKey(t, s.Environ(), s.tenant.String(), "read,write")
	contains(t, user{t, []string{at, "VAULT_API_KEY=" + other}}.refused("", get...), "unknown customer",
		"the tenant is that of VAULT_API_KEY")
	contains(t, user{t, []string{"VAULT_SERVER=http://127.0.0.1:1", "VAULT_API_KEY=" + key}}.refused("", get...),
		"no vault answers", "vault serve", "VAULT_SERVER")
	if _, errs, code := run(t, s.Environ(), "keys", "revoke", "--tenant", tenant, "--key", id); code != 0 {
		t.Error(errs)
	}
	testkit.Eventually(t, "the revoked key is refused", func(context.Context) (string, bool) {
		_, errs, code := run(t, u.environ, get...)
		return errs, code == 1 && strings.Contains(errs, "was revoked") && strings.Contains(errs, "vault keys create")
	})
	for _, secret := range []string{key, "ada@example.com", "John Smith", "hunter2"} {
		if strings.Contains(server.log.String(), secret) {
			t.Errorf("the log of the API holds %q", secret)
		}
	}
}

// resultOfAccepted submits an operation without waiting and returns it.
func resultOfAccepted(u user, args ...string) string {
	u.t.Helper()
	var op operation[json.RawMessage]
	if out := u.ok("", append(args, "--json", "--wait", "0")...); json.Unmarshal([]byte(out), &op) != nil ||
		op.Status.Finished() {
		u.t.Fatalf("vault %s prints %s", strings.Join(args, " "), out)
	}
	return op.ID.String()
}

func contains(t *testing.T, text string, others ...string) {
	t.Helper()
	for _, other := range others {
		if !strings.Contains(text, other) {
			t.Errorf("there is no %q in\n%s", other, text)
		}
	}
}
