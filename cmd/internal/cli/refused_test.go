package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/cmd/internal/cli"
)

// Every message says what was wrong, and what would be right.
func TestBadInputIsRefusedWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent := newID()
	c.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "fields", "save")
	for name, bad := range map[string]struct {
		stdin string
		args  []string
		want  []string
	}{
		"a malformed UUID": {"", []string{"profile", "--customer", "ada"}, []string{"customer", `"ada" is not a UUID`}},
		"a malformed UUID of a change": {
			"", []string{"values", "write", "--agent", agent, "--customer", "ada", "--name", "country", "--value", "x"}, []string{"customer", "is not a UUID"},
		},
		"malformed JSON":   {`{"name": `, []string{"fields", "save"}, []string{"JSON"}},
		"no JSON":          {"", []string{"fields", "save"}, []string{"JSON"}},
		"an unknown key":   {doc(t, "agent_id", agent, "title", "email"), []string{"fields", "save"}, []string{"title"}},
		"a missing key":    {doc(t, "agent_id", agent, "name", "email"), []string{"fields", "save"}, []string{"value_type"}},
		"an unknown type":  {doc(t, "agent_id", agent, "name", "email", "value_type", "mail"), []string{"fields", "save"}, []string{"value_type", "email", "phone"}},
		"a bad regex":      {doc(t, "agent_id", agent, "name", "code", "value_type", "string", "validation_regex", "["), []string{"fields", "save"}, []string{"validation_regex"}},
		"a missing file":   {"", []string{"fields", "save", "--file", "/nowhere.json"}, []string{"/nowhere.json"}},
		"an unknown agent": {"", []string{"fields", "list", "--agent", newID()}, []string{"unknown agent"}},
		"an unknown scenario": {
			"", []string{"missing", "--customer", newID(), "--scenario", newID()}, []string{"unknown scenario"},
		},
		"a fill of an unknown scenario": {"", []string{"fill", "--customer", newID(), "--scenario", newID()}, []string{"unknown scenario"}},
		"an unknown customer":           {"", []string{"profile", "--customer", newID()}, []string{"unknown customer"}},
		"an unknown item":               {"", []string{"chain", "--item", newID()}, []string{"unknown item"}},
		"an unknown question":           {"", []string{"answer", "--question", newID(), "--value", "x"}, []string{"unknown question"}},
		"an unknown operation":          {"", []string{"operations", "get", "--operation", newID()}, []string{"unknown operation"}},
		"an unknown source": {
			"", []string{"values", "write", "--agent", agent, "--customer", newID(), "--name", "country", "--value", "x", "--source", "gossip"},
			[]string{"source", "user_provided"},
		},
		"a value that is too large": {
			"", []string{"values", "write", "--agent", agent, "--customer", newID(), "--name", "country", "--value", strings.Repeat("x", 65<<10)},
			[]string{"country", "64 KiB"},
		},
		"a depth out of range": {"", []string{"chain", "--item", newID(), "--depth", "1000"}, []string{"depth", "100"}},
		"a missing flag":       {"", []string{"profile"}, []string{"customer"}},
		"an unknown flag":      {"", []string{"profile", "--custmer", newID()}, []string{"custmer"}},
		"an unknown command":   {"", []string{"profiles"}, []string{"profiles"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			has(t, (&terminal{t: t, tenant: c.tenant}).refused(bad.stdin, bad.args...), bad.want...)
		})
	}
}

func TestATenantIsAskedFor(t *testing.T) {
	t.Parallel()
	c := &terminal{t: t}
	has(t, c.refused("", "profile", "--customer", newID()), "no tenant", "--tenant", "VAULT_TENANT")
	c.tenant = "acme"
	has(t, c.refused("", "profile", "--customer", newID()), "tenant", "is not a UUID")
	c.tenant = newID()
	has(t, c.refused(doc(t, "agent_id", newID(), "name", "email", "value_type", "email"), "fields", "save"), "unknown tenant", "vault tenants create")
}

func TestTheTenantMayComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	mine, other := newTerminal(t), newTerminal(t)
	agent := newID()
	mine.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "fields", "save")
	c := &terminal{t: t, environ: []string{"VAULT_TENANT=" + mine.tenant}}
	has(t, c.ok("", "fields", "list", "--agent", agent), "country")
	has(t, c.refused("", "fields", "list", "--agent", agent, "--tenant", other.tenant), "unknown agent") // a flag wins
}

// A rejected value may be quoted to whoever sent it, unless it is PII.
func TestARejectionIsPrintedForTheCaller(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent, customer := newID(), newID()
	c.ok(doc(t, "agent_id", agent, "name", "plan", "value_type", "string", "allowed_values", []string{"silver", "gold"}, "enabled", true), "fields", "save")
	c.ok(doc(t, "agent_id", agent, "name", "email", "value_type", "email", "is_pii", true, "enabled", true), "fields", "save")
	write := func(name, value string) string {
		return c.refused("", "values", "write", "--agent", agent, "--customer", customer, "--name", name, "--value", value)
	}
	has(t, write("plan", "bronze"), "plan", `"bronze"`, "silver", "gold")
	if message := write("email", "ada(at)example"); strings.Contains(message, "ada(at)") {
		t.Errorf("it quotes PII: %s", message)
	}
}

// Whatever is configured wrongly is told at once, and no secret is shown.
func TestAWrongConfigurationIsToldWhole(t *testing.T) {
	t.Parallel()
	app := &cli.App{Environ: func() []string {
		return []string{"DATABASE_URL=mysql://x", "VAULT_PROFILE_VALIDATION_MODE=loose", "VAULT_SEALING_KEY=not a key"}
	}, In: strings.NewReader(""), Out: &strings.Builder{}}
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

func TestTheConfigurationIsShownWithoutSecrets(t *testing.T) {
	t.Parallel()
	c := &terminal{t: t}
	out := c.ok("", "config", "show")
	has(t, out, "profile.validation_mode = strict")
	if strings.Contains(out, kit.Config.SealingKey.Reveal()) || strings.Contains(out, kit.Engine.Token()) {
		t.Errorf("it shows a secret:\n%s", out)
	}
	has(t, c.ok("", "config", "reference"), "VAULT_SEALING_KEY", "DATABASE_URL")
}

// What programs read is JSON, an empty list included.
func TestJSONIsAlwaysValid(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	agent, scenario := newID(), newID()
	c.ok(doc(t, "agent_id", agent, "name", "country", "value_type", "string", "enabled", true), "fields", "save")
	c.ok(doc(t, "agent_id", agent, "id", scenario, "name", "Nothing"), "scenarios", "save")
	for _, args := range [][]string{
		{"fields", "list", "--agent", agent}, {"requirements", "list", "--scenario", scenario}, {"scenarios", "get", "--scenario", scenario},
		{"missing", "--customer", newID(), "--scenario", scenario}, {"questions", "--customer", newID()}, {"tenants", "list"},
		{"migrate", "status"}, {"fill", "--customer", newID(), "--scenario", scenario}, {"expire"},
	} {
		out := c.ok("", append(args, "--json")...)
		if !json.Valid([]byte(out)) || strings.TrimSpace(out) == "null" {
			t.Errorf("vault %s --json prints %s", strings.Join(args, " "), out)
		}
	}
}
