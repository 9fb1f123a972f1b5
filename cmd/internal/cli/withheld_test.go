package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// readsNothing are the commands that show no data of customers: they change something, operate an installation, or make
// something new. Every other command is called by TestWithheld_NoCommandShowsIt.
var readsNothing = []string{
	"admin detect-orphans", "admin drop-cache", "admin expire-stale", "answer", "apply", "assets add", "channels link",
	"config reference", "consents record", "customers delete", "customers erase", "customers label", "customers merge",
	"customers open", "customers open-many", "customers unmerge", "definitions delete", "definitions save",
	"erasure repeat", "erasure verify", "fill", "id", "import", "items delete", "items restore", "keys create", "keys revoke",
	"keys rotate", "mcp", "merge-rules delete", "merge-rules save", "merges decide", "merges propose", "migrate down", "migrate repair", "migrate up", "operations cancel", "operations replay",
	"questions claim", "requirements delete", "requirements save", "reviews decide", "rules save", "scenarios extract",
	"scenarios save", "sealing-key add", "sealing-key promote", "sealing-key prune", "serve",
	"sessions read", "sessions save", "tenants create", "turns add", "values add", "values correct",
	"values decide", "values import", "values propose-deletion", "values remove", "values save", "values verify", "values write",
	"worker",
}

// shown is a place of an installation with the value of one field in every place that a command shows.
type shown struct {
	*terminal
	flags map[string]string
}

const secret = "CANARY5119"

func newShown(t *testing.T, definition string) shown {
	t.Helper()
	c := shown{newTerminal(t), map[string]string{}}
	agent, customer, scenario, session := newID(), newID(), newID(), newID()
	c.ok(`{"agent_id": "`+agent+`", "name": "passport", `+definition+`}`, "definitions", "save")
	c.ok(doc(t, "agent_id", agent, "id", scenario, "name", "Loan", "description", "Say hello."), "scenarios", "save")
	c.ok(doc(t, "scenario_id", scenario, "field_name", "passport", "required_level", "hard", "fallback_action", "ask"),
		"requirements", "save")
	c.ok("", "consents", "record", "--customer", customer, "--purpose", "support", "--granted")
	quoted := `{"quote": "It is ` + secret + `."}`
	write := func(value, source string) string {
		return parsed[struct{ Result vault.ItemResult }](c.terminal, "", "values", "write", "--agent", agent, "--customer",
			customer, "--name", "passport", "--value", value, "--source", source, "--source-item", newID(), "--source-type",
			"external", "--source-metadata", quoted).Result.ItemID.String()
	}
	write(secret+"-1@example.com", "user_provided")
	item := write(secret+"-2@example.com", "human_entered")
	write(secret+"-3@example.com", "system_inferred") // pending
	c.ok(doc(t, "session_id", session, "agent_id", agent, "customer_id", customer,
		"variables", map[string]string{"passport": secret}), "sessions", "save")
	c.flags = map[string]string{
		"agent": agent, "customer": customer, "scenario": scenario, "session": session, "item": item, "name": "passport",
		"question": newID(), "operation": newID(), "rule": newID(), "channel": "sms", "external-id": "+4915112345678",
		"tenant": c.tenant.String(), "field": "passport", "text": "Hello", "session-key": "k", "for": "0s",
	}
	return c
}

// leaves returns the commands that do something, by their words.
func leaves(cmd *cobra.Command, words ...string) map[string]*cobra.Command {
	out := map[string]*cobra.Command{}
	for _, sub := range cmd.Commands() {
		path := append(slices.Clone(words), sub.Name())
		for name, leaf := range leaves(sub, path...) {
			out[name] = leaf
		}
		if sub.Runnable() && !sub.HasSubCommands() {
			out[strings.Join(path, " ")] = sub
		}
	}
	return out
}

// reads runs every command that may show something, as tables, as JSON and to files, and returns those that show a text.
func (c shown) reads(text string) []string {
	c.t.Helper()
	var out []string
	ran, all := 0, leaves(cli.Root(&cli.App{Environ: os.Environ}))
	for _, name := range readsNothing {
		if all[name] == nil {
			c.t.Errorf("there is no command %s", name)
		}
	}
	for name, cmd := range all {
		if slices.Contains(readsNothing, name) {
			continue
		}
		ran++
		for _, more := range [][]string{
			nil,
			{"--json"},
			{"--history"},
			{"--profiles", "--history"},
			{"--status", "pending"},
			{"--as-of", "2026-01-01T00:00:00Z"},
			{"--known-at", "2026-01-01T00:00:00Z"},
			{"--format", "json"},
		} {
			if len(more) > 0 && more[0] != "--json" && cmd.Flag(strings.TrimPrefix(more[0], "--")) == nil {
				continue
			}
			args := append(strings.Fields(name), more...)
			for flag, value := range c.flags {
				if cmd.Flag(flag) != nil && !(name == "audit list" && flag == "operation") && !slices.Contains(args, "--"+flag) {
					args = append(args, "--"+flag, value)
				}
			}
			folder := c.t.TempDir()
			for _, flag := range []string{"out", "output"} {
				if cmd.Flag(flag) != nil {
					args = append(args, "--"+flag, filepath.Join(folder, "file.jsonl"))
				}
			}
			printed, warned, err := c.run("", args...)
			if err != nil {
				warned += cli.Message(err)
			}
			files, _ := filepath.Glob(filepath.Join(folder, "*"))
			for _, file := range files {
				content, _ := os.ReadFile(file)
				printed += string(content)
			}
			if strings.Contains(printed+warned, text) {
				out = append(out, name)
			}
		}
	}
	if ran < 35 {
		c.t.Fatalf("only %d commands read", ran)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A withheld value is in no output of any command that reads, and a key without PII sees it masked.
func TestWithheld_NoCommandShowsIt(t *testing.T) {
	t.Parallel()
	t.Run("no purpose", func(t *testing.T) {
		t.Parallel()
		c := newShown(t, `"value_type": "email", "purposes": ["support", "offers"]`)
		for _, command := range [][]string{
			{"customers", "get", "--customer", c.flags["customer"]},
			{"export"},
			{"export", "--json"},
			{"customers", "history", "--customer", c.flags["customer"]},
		} {
			if _, note, err := c.run("", command...); err != nil || !strings.Contains(note, "withheld: passport (purpose_req") {
				t.Errorf("%v does not name what it leaves out: %q, %v", command, note, err)
			}
		}
		c.environ = []string{"VAULT_PURPOSE=support"}
		if found := c.reads(secret); len(found) < 6 {
			t.Errorf("with consent and purpose, only these show the value: %v", found)
		}
		for _, purpose := range []string{"", "VAULT_PURPOSE=offers"} {
			c.environ = []string{purpose}
			// The export of a customer is the customer's own copy: it has everything.
			found := slices.DeleteFunc(c.reads(secret), func(name string) bool { return name == "customers export" })
			if len(found) > 0 {
				t.Errorf("%q: the value is shown by %v", purpose, found)
			}
		}
	})
	t.Run("no PII", func(t *testing.T) {
		t.Parallel()
		c := newShown(t, `"value_type": "email", "is_pii": true`)
		if found := c.reads(secret[1:]); len(found) < 6 {
			t.Errorf("a key with the right to PII sees the value only by %v", found)
		}
		c.key = api.NewKey()
		if err := kit.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
			ID: testkit.ID(), TenantID: c.tenant, Name: "masked", KeyHash: api.HashKey(c.key), Scopes: []string{"admin"},
			Masked: true,
		}); err != nil {
			t.Fatal(err)
		}
		if found := c.reads(secret[1:]); len(found) > 0 {
			t.Errorf("a key without the right to PII sees the value by %v", found)
		}
	})
}
