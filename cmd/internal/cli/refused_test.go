package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/internal/testkit"
)

// Every message names the cause and the fix.
func TestCommands_InvalidInputNamesCause(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent := newID()
	c.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "definitions", "save")
	for name, bad := range map[string]struct {
		stdin string
		args  []string
		want  []string
	}{
		"a malformed UUID": {"", []string{"customers", "get", "--customer", "ada"}, []string{"customer", `"ada" is not a UUID`}},
		"a malformed UUID of a change": {
			"", []string{"values", "write", "--agent", agent, "--customer", "ada", "--name", "country", "--value", "x"}, []string{"customer", "is not a UUID"},
		},
		"malformed JSON":   {`{"name": `, []string{"definitions", "save"}, []string{"JSON"}},
		"no JSON":          {"", []string{"definitions", "save"}, []string{"JSON"}},
		"an unknown key":   {doc(t, "agent_id", agent, "title", "email"), []string{"definitions", "save"}, []string{"title"}},
		"a missing key":    {doc(t, "agent_id", agent, "name", "email"), []string{"definitions", "save"}, []string{"value_type"}},
		"an unknown type":  {doc(t, "agent_id", agent, "name", "email", "value_type", "mail"), []string{"definitions", "save"}, []string{"value_type", "email", "phone"}},
		"a bad regex":      {doc(t, "agent_id", agent, "name", "code", "value_type", "string", "validation_regex", "["), []string{"definitions", "save"}, []string{"validation_regex"}},
		"a missing file":   {"", []string{"definitions", "save", "--file", "/nowhere.json"}, []string{"/nowhere.json"}},
		"an unknown agent": {"", []string{"definitions", "list", "--agent", newID()}, []string{"unknown agent"}},
		"an unknown scenario": {
			"", []string{"missing", "--customer", newID(), "--scenario", newID()}, []string{"unknown scenario"},
		},
		"a fill of an unknown scenario": {"", []string{"fill", "--customer", newID(), "--scenario", newID()}, []string{"unknown scenario"}},
		"an unknown customer":           {"", []string{"customers", "get", "--customer", newID()}, []string{"unknown customer"}},
		"an unknown item":               {"", []string{"items", "chain", "--item", newID()}, []string{"unknown item"}},
		"an unknown question":           {"", []string{"answer", "--question", newID(), "--value", "x"}, []string{"unknown question"}},
		"an unknown operation":          {"", []string{"operations", "get", "--operation", newID()}, []string{"unknown operation"}},
		"an unknown source": {
			"",
			[]string{"values", "write", "--agent", agent, "--customer", newID(), "--name", "country", "--value", "x", "--source", "gossip"},
			[]string{"source", "user_provided"},
		},
		"an order of sources with an unknown one": {
			doc(t, "agent_id", agent, "name", "plan", "value_type", "string", "source_priority", []string{"tool_result", "gossip"}),
			[]string{"definitions", "save"},
			[]string{"source_priority[1]", "user_provided"},
		},
		"a time in the future": {
			"", []string{"customers", "get", "--customer", newID(), "--as-of", "2999-01-01T00:00:00Z"}, []string{"as_of", "future"},
		},
		"a time in the future of what was known": {
			"", []string{"customers", "get", "--customer", newID(), "--known-at", "2999-01-01T00:00:00Z"}, []string{"known_at", "future"},
		},
		"a value that is too large": {
			"",
			[]string{"values", "write", "--agent", agent, "--customer", newID(), "--name", "country", "--value", strings.Repeat("x", 65<<10)},
			[]string{"country", "64 KiB"},
		},
		"a depth out of range": {"", []string{"items", "chain", "--item", newID(), "--depth", "1000"}, []string{"depth", "100"}},
		"a missing flag":       {"", []string{"customers", "get"}, []string{"customer"}},
		"an unknown flag":      {"", []string{"customers", "get", "--custmer", newID()}, []string{"custmer"}},
		"an unknown command":   {"", []string{"profiles"}, []string{"profiles"}},
		"a mistyped command":   {"", []string{"admin", "expire-stal"}, []string{`"expire-stal" for "vault admin"`, "--help"}},
		"a key of no name":     {"", []string{"keys", "create", "--name", "", "--tenant", c.tenant.String()}, []string{"name", "required"}},
		"a tenant of no name":  {"", []string{"tenants", "create", "--name", ""}, []string{"name", "required"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			has(t, (&terminal{t: t, tenant: c.tenant, key: c.key}).refused(bad.stdin, bad.args...), bad.want...)
		})
	}
}

// The message for a missing or wrong key names the fix.
func TestCommands_NeedAKey(t *testing.T) {
	t.Parallel()
	mine, other := newTerminal(t), newTerminal(t)
	agent := newID()
	mine.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "definitions", "save")
	list := []string{"definitions", "list", "--agent", agent}
	c := func(key string) *terminal { return &terminal{t: t, key: key} }
	has(t, c("").refused("", list...), "no API key", "VAULT_API_KEY", "vault keys create")
	has(t, c("nonsense").refused("", list...), "the API key is not known", "VAULT_API_KEY")
	has(t, c("cv_"+strings.Repeat("x", 43)).refused("", list...), "the API key is not known", "VAULT_API_KEY")
	has(t, c(mine.key+"\n").refused("", list...), "key", "line break")
	has(t, other.refused("", list...), "unknown agent", "the tenant is that of VAULT_API_KEY")

	// Keys that are read-only, revoked or expired.
	tenant := []string{"--tenant", mine.tenant.String()}
	created := parsed[struct{ ID, Key string }](mine, "",
		append([]string{"keys", "create", "--name", "short", "--scopes", "read"}, tenant...)...)
	reader := c(created.Key)
	has(t, reader.ok("", list...), "country")
	has(t, reader.refused(doc(t, "agent_id", agent, "name", "email", "value_type", "email"), "definitions", "save"),
		"scope write", "vault keys create --scopes")
	has(t, reader.refused("", "admin", "drop-cache", "--customer", newID()), "scope admin")
	mine.ok("", append([]string{"keys", "revoke", "--key", created.ID}, tenant...)...)
	has(t, testkit.Eventually(t, "the revoked key is refused", func(ctxType) (string, bool) {
		_, _, err := reader.run("", list...)
		if err == nil {
			return "", false
		}
		return cli.Message(err), true
	}), "revoked", "vault keys create")
	has(t, mine.refused("", append([]string{"keys", "create", "--name", "x", "--purpose", "offers"}, tenant...)...),
		"purpose", "save the definition")
	brief := parsed[struct{ ID, Key string }](mine, "",
		append([]string{"keys", "create", "--name", "brief", "--expires-in", "1ns"}, tenant...)...)
	has(t, c(brief.Key).refused("", list...), "has expired", "vault keys create")
}

// A wrong address is another error than a wrong key.
func TestCommands_WrongAddress(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	has(t, c.refused("", "customers", "list", "--server", page.URL), "this is not a vault", "--server", "VAULT_SERVER")
	page.Close()
	has(t, c.refused("", "customers", "list", "--server", page.URL), "no vault answers at "+page.URL, "vault serve",
		"VAULT_SERVER")
	has(t, c.refused("", "customers", "list", "--server", "localhost:8000"), "server", "http://localhost:8000")
	has(t, c.refused("", "health", "--server", page.URL), "no vault answers")
}

func TestKeys_NeedATenant(t *testing.T) {
	t.Parallel()
	c := &terminal{t: t}
	has(t, c.refused("", "keys", "list"), "no tenant", "--tenant", "VAULT_TENANT")
	has(t, c.refused("", "keys", "list", "--tenant", "acme"), "tenant", "is not a UUID")
	c.environ = []string{"VAULT_TENANT=" + kit.Tenant(t).String()}
	c.ok("", "keys", "list")
	has(t, c.refused("", "keys", "create", "--name", "x", "--tenant", newID()), "does not exist",
		"vault tenants create") // the flag overrides the variable
}

// A message can quote a rejected value to its sender, unless it is PII.
func TestRejection_QuotesNoPII(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent, customer := newID(), newID()
	c.ok(
		doc(t, "agent_id", agent, "name", "plan", "value_type", "string", "allowed_values", []string{"silver", "gold"},
			"enabled", true),
		"definitions",
		"save",
	)
	c.ok(doc(t, "agent_id", agent, "name", "email", "value_type", "email", "is_pii", true, "enabled", true), "definitions",
		"save")
	write := func(name, value string) string {
		return c.refused("", "values", "write", "--agent", agent, "--customer", customer, "--name", name, "--value", value)
	}
	has(t, write("plan", "bronze"), "plan", `"bronze"`, "silver", "gold")
	if message := write("email", "ada(at)example"); strings.Contains(message, "ada(at)") {
		t.Errorf("it quotes PII: %s", message)
	}
}

// All configuration errors are reported at once, without secrets.
func TestConfig_AllErrorsAtOnce(t *testing.T) {
	t.Parallel()
	app := &cli.App{Environ: func() []string {
		return []string{"DATABASE_URL=mysql://x", "VAULT_PROFILE_VALIDATION_MODE=loose", "VAULT_SEALING_KEY=not a key"}
	}, In: strings.NewReader(""), Out: &strings.Builder{}, Err: &strings.Builder{}}
	root := cli.Root(app)
	root.SetArgs([]string{"tenants", "list"})
	err := root.ExecuteContext(t.Context())
	if err == nil {
		t.Fatal("it was not refused")
	}
	has(t, cli.Message(err), "DATABASE_URL", "VAULT_PROFILE_VALIDATION_MODE", "loose", "strict", "VAULT_SEALING_KEY")
	if strings.Contains(cli.Message(err), "not a key") {
		t.Errorf("it shows a secret: %s", err)
	}
}

func TestConfigShow_HidesSecrets(t *testing.T) {
	t.Parallel()
	c := &terminal{t: t}
	out := c.ok("", "config", "show")
	has(t, out, "profile.validation_mode = strict")
	if strings.Contains(out, kit.Config.SealingKey.Reveal()) || strings.Contains(out, kit.Engine.Token()) {
		t.Errorf("it shows a secret:\n%s", out)
	}
	has(t, c.ok("", "config", "reference"), "VAULT_SEALING_KEY", "DATABASE_URL")
}

// --json prints valid JSON, also for an empty list.
func TestJSON_IsAlwaysValid(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	c.environ = []string{"MIGRATE_DATABASE_URL=" + kit.DatabaseURL}
	agent, scenario := newID(), newID()
	c.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "definitions", "save")
	c.ok(doc(t, "agent_id", agent, "id", scenario, "name", "Nothing"), "scenarios", "save")
	for _, args := range [][]string{
		{"definitions", "list", "--agent", agent},
		{"requirements", "list", "--scenario", scenario},
		{"scenarios", "get", "--agent", agent, "--scenario", scenario},
		{"missing", "--customer", newID(), "--scenario", scenario},
		{"questions", "list", "--customer", newID()},
		{"reviews", "list"},
		{"customers", "list"},
		{"health"},
		{"tenants", "list"},
		{"migrate", "status"},
		{"config", "show"},
		{"config", "reference"},
		{"sealing-key"},
		{"id"},
		{"keys", "list", "--tenant", c.tenant.String()},
		{"fill", "--customer", newID(), "--scenario", scenario},
		{"admin", "drop-cache", "--customer", newID()},
	} {
		out := c.ok("", append(args, "--json")...)
		if !json.Valid([]byte(out)) || strings.TrimSpace(out) == "null" {
			t.Errorf("vault %s --json prints %s", strings.Join(args, " "), out)
		}
	}
}
