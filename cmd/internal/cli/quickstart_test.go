package cli_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// The quickstart, as a person does it: declare, require, write, read, ask what is missing, fill, answer, replay.
func TestTheQuickstartByHand(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent, customer, scenario, session := newID(), newID(), newID(), newID()

	for name, kind := range map[string]string{"email": "email", "country": "string"} {
		out := c.ok(doc(t, "agent_id", agent, "name", name, "value_type", kind, "is_pii", name == "email", "enabled", true), "fields", "save")
		has(t, out, "save-definition", "succeeded")
	}
	has(t, c.ok("", "fields", "list", "--agent", agent), "FIELD", "email", "country", "What is your email?")

	saved := parsed[vault.Operation](c, doc(t, "agent_id", agent, "id", scenario, "name", "Open an account",
		"description", "Only if the customer is over 18, go on."), "scenarios", "save")
	if saved.Workflow != vault.WorkflowSaveScenario || saved.Status != vault.IntentSucceeded {
		t.Errorf("the scenario is %s by %s", saved.Status, saved.Workflow)
	}
	extraction := resultOf[vault.SavedResult](t, saved).Extraction.String()
	has(t, c.ok("", "operations", "wait", "--operation", extraction), "extract-schema", "succeeded", "date_of_birth")
	for _, name := range []string{"email", "country"} {
		c.ok(doc(t, "agent_id", agent, "scenario_id", scenario, "field_name", name, "required_level", "hard", "fallback_action", "ask"),
			"requirements", "save")
	}
	has(t, c.ok("", "requirements", "list", "--scenario", scenario), "date_of_birth", "extracted", "over 18", "email", "human")

	asset := parsed[vault.Operation](c, doc(t, "customer_id", customer, "name", "id_card", "asset_type", "image", "storage_provider", "s3",
		"storage_path", "uploads/id_card.jpg", "checksum", strings.Repeat("0f", 32)), "assets", "save")
	document := resultOf[vault.ItemResult](t, asset).ItemID.String()
	written := parsed[vault.Operation](c, "", "values", "write", "--agent", agent, "--customer", customer, "--name", "email",
		"--value", "Ada@Example.com", "--source", "document_extracted", "--source-item", document, "--source-type", "profile_asset",
		"--source-metadata", `{"page": 2}`)
	item := resultOf[vault.ItemResult](t, written).ItemID.String()
	has(t, c.ok("", "profile", "--customer", customer), "email", "@example.com", "id_card", item)
	chain := parsed[vault.Chain](c, "", "chain", "--item", item)
	if len(chain.Links) != 2 || chain.Links[0].ID.String() != document || chain.Links[1].ID.String() != item {
		t.Errorf("the chain is %v", chain.Links)
	}
	has(t, c.ok("", "derived", "--item", document), item)

	missing := parsed[query.MissingFields](c, "", "missing", "--customer", customer, "--scenario", scenario)
	var names []string
	for _, m := range missing.Missing {
		names = append(names, m.Requirement.FieldName)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"country", "date_of_birth"}) {
		t.Errorf("missing are %v", names)
	}

	c.ok(doc(t, "session_id", session, "agent_id", agent, "customer_id", customer, "turns",
		[]map[string]string{{"speaker": "customer", "text": "Hi, I want an account."}}), "sessions", "save")
	fill := parsed[vault.Operation](c, "", "fill", "--customer", customer, "--scenario", scenario, "--session", session, "--wait", "0")
	if fill.Workflow != vault.WorkflowFillGaps || fill.Status.Finished() {
		t.Errorf("with --wait 0 the fill is %s", fill.Status)
	}
	question := kit.Question(t, uuid.MustParse(c.tenant), uuid.MustParse(customer))
	has(t, c.ok("", "questions", "--customer", customer), question.ID.String(), "country")
	has(t, c.ok("", "answer", "--question", question.ID.String(), "--value", "Norway"), "answer-question", "succeeded")
	has(t, c.ok("", "operations", "wait", "--operation", fill.ID.String()), "fill-gaps", "succeeded", "country", "undefined")
	history := parsed[[]vault.Field](c, "", "values", "history", "--customer", customer, "--name", "country")
	if len(history) != 1 || string(history[0].Value) != `"Norway"` || history[0].Source != vault.FieldUserProvided {
		t.Errorf("the history of country is %v", history)
	}
}

func resultOf[T any](t *testing.T, op vault.Operation) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(op.Result, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAFailedOperationIsReplayedByHand(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent, customer := newID(), newID()
	c.ok(doc(t, "agent_id", agent, "name", "email", "value_type", "email", "enabled", true), "fields", "save")
	write := []string{"values", "write", "--agent", agent, "--customer", customer, "--name", "nickname", "--value", "Ada", "--idempotency-key", "k1"}
	has(t, c.refused("", write...), "nickname")
	failed := parsed[vault.Operation](c, "", append(write, "--wait", "0")...) // the same key is the same operation
	has(t, c.ok("", "operations", "get", "--operation", failed.ID.String()), "write-field", "failed", "nickname")

	c.ok(doc(t, "agent_id", agent, "name", "nickname", "value_type", "string", "enabled", true), "fields", "save")
	has(t, c.ok("", "operations", "replay", "--operation", failed.ID.String()), failed.ID.String(), "succeeded")
	has(t, c.ok("", "profile", "--customer", customer), "nickname", "Ada")
	has(t, c.refused("", "operations", "replay", "--operation", failed.ID.String()), "only a failed one can be replayed")
}

func TestASweepByHand(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	has(t, c.ok("", "expire"), "expire-fields", "succeeded", "marked")
	has(t, c.ok("", "orphans"), "detect-orphans", "succeeded", "marked")
}

func TestAnOperationThatTakesLongerThanWaitIsNoError(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent, scenario := newID(), newID()
	c.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "fields", "save")
	c.ok(doc(t, "agent_id", agent, "id", scenario, "name", "Open an account"), "scenarios", "save")
	c.ok(doc(t, "agent_id", agent, "scenario_id", scenario, "field_name", "country", "required_level", "hard", "fallback_action", "ask"),
		"requirements", "save")
	fill := parsed[vault.Operation](c, "", "fill", "--customer", newID(), "--scenario", scenario, "--wait", "100ms", "--deadline", "1s")
	if fill.Status != vault.IntentAccepted {
		t.Errorf("while it waits for a customer the fill is %s", fill.Status)
	}
	has(t, c.ok("", "operations", "wait", "--operation", fill.ID.String()), "succeeded", "expired")
}

func TestTenantsAreMadeAndListed(t *testing.T) {
	t.Parallel()
	c := &terminal{t: t} // of no tenant
	id := newID()
	has(t, c.ok("", "tenants", "create", "--id", id, "--name", "Acme"), id, "Acme")
	has(t, c.ok("", "tenants", "list"), id, "Acme")
	has(t, c.refused("", "tenants", "create", "--id", id, "--name", "Acme"), "exists already")
}
