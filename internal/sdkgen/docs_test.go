package sdkgen_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// blocksOf returns the code of a language in a page of docs/.
func blocksOf(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, block := range strings.Split(string(text), "```"+language+"\n")[1:] {
		code, _, _ := strings.Cut(block, "```")
		out = append(out, code)
	}
	if len(out) == 0 {
		t.Fatalf("docs/%s has no %s", page, language)
	}
	return out
}

func indented(code string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(code), "\n", "\n    ") + "\n"
}

func program(t *testing.T, dir, name, code string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// want are the lines that the quickstart prints.
const quickstartPrints = "Missing: email (required_level=hard)\nFilled email from profile\n"

func TestQuickstart_PythonRuns(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	_, key := newKey(t)
	code := "import asyncio\n\n\nasync def main():\n"
	for _, block := range blocksOf(t, "quickstart.md", "python") {
		code += indented(block)
	}
	code += "    assert profile.fields[\"email\"].value == \"ada@example.com\"\n    assert chain.links[-1].name == \"email\"\n" +
		"\n\nasyncio.run(main())\n"
	if got := run(t, key, t.TempDir(), interpreter, program(t, t.TempDir(), "quickstart.py", code)); got != quickstartPrints {
		t.Errorf("it prints\n%s", got)
	}
}

// runTypeScript compiles a program of the docs beside the client, runs it, and returns what it prints.
func runTypeScript(t *testing.T, key, code string) string {
	t.Helper()
	dir := build(t)
	folder, err := os.MkdirTemp(dir, "docs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) }) // a folder that stays does no harm
	program(t, folder, "program.ts", strings.ReplaceAll(code, `"@contextvault/client"`, `"../src/index.js"`))
	config := program(t, folder, "tsconfig.json", `{"extends": "../tsconfig.json", "include": ["program.ts"],
		"compilerOptions": {"rootDir": "..", "outDir": "out", "declaration": false}}`)
	config, err = filepath.Abs(config)
	if err != nil {
		t.Fatal(err)
	}
	compile := exec.CommandContext(t.Context(), "node_modules/.bin/tsc", "-p", config)
	compile.Dir = dir
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("the program does not compile: %v\n%s", err, out)
	}
	return run(t, key, dir, "node", filepath.Join(filepath.Base(folder), "out", filepath.Base(folder), "program.js"))
}

// loopLines counts the lines of a loop without imports, comments and blank lines.
func loopLines(code string) int {
	n := 0
	for line := range strings.SplitSeq(code, "\n") {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "import ") && !strings.HasPrefix(line, "from ") && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}

// messages are what the customer says in the conversation of the loops.
var messages = []string{"Hello, I want to sign up.", "My email is ada@example.com", "Thank you."}

// talk prepares a tenant for a conversation and returns what names it.
func talk(t *testing.T) (c *client.Client, key string, who map[string]string) {
	t.Helper()
	_, key = newKey(t)
	c, err := client.New(client.Options{Server: server.URL, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	agent, scenario := uuid.New(), uuid.New()
	_, err = c.SaveDefinition(t.Context(), vault.Definition{
		AgentID: agent, Name: "email", ValueType: vault.TypeEmail, Enabled: true, CollectionPrompt: "What is your email address?",
	}, patience)
	if err == nil {
		_, err = c.SaveScenario(t.Context(), vault.Scenario{AgentID: agent, ID: scenario, Name: "Onboarding", Description: "Welcome."}, patience)
	}
	if err == nil {
		_, err = c.SaveRequirement(t.Context(), vault.Requirement{
			ScenarioID: scenario, FieldName: "email", RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
		}, patience)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, key, map[string]string{
		"channel": "web", "external_id": "visitor-1", "session_key": "chat-1", "scenario_id": scenario.String(),
	}
}

// outcome is the profile after a conversation, without ids and times.
func outcome(t *testing.T, c *client.Client, who map[string]string) map[string]string {
	t.Helper()
	op, err := c.OpenCustomer(t.Context(), vault.OpenCustomerInput{Channel: who["channel"], ExternalID: who["external_id"]}, patience)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := c.GetCustomer(t.Context(), op.Result.CustomerID)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for name, value := range profile.Fields {
		out[name] = string(value.Value) + " " + string(value.Source) + " " + string(value.Status)
	}
	return out
}

// overHTTP holds the conversation with bare requests.
func overHTTP(t *testing.T) map[string]string {
	t.Helper()
	c, _, who := talk(t)
	for _, text := range messages {
		if _, err := c.TakeTurn(t.Context(), turnOf(who, text), patience); err != nil {
			t.Fatal(err)
		}
	}
	return outcome(t, c, who)
}

func turnOf(who map[string]string, text string) vault.TakeTurnInput {
	encoded, _ := json.Marshal(who) //nolint:errchkjson // texts
	var in vault.TakeTurnInput
	_ = json.Unmarshal(encoded, &in) // the members have these names
	in.Text = text
	return in
}

// The loops of docs/agents.md work, and end in the same profile as the same conversation with the Go client.
func TestAgents_LoopsEndInTheSameProfile(t *testing.T) {
	t.Parallel()
	want := overHTTP(t)
	if !strings.HasPrefix(want["email"], `"ada@example.com" `) {
		t.Fatalf("the profile is %v", want)
	}
	said, err := json.Marshal(messages)
	if err != nil {
		t.Fatal(err)
	}
	const asked = "What is your email address?\n"
	check := func(t *testing.T, code, prints string, c *client.Client, who map[string]string) {
		t.Helper()
		if n := loopLines(code); n > 12 {
			t.Errorf("the loop has %d lines", n)
		}
		if !strings.HasPrefix(prints, asked) || !strings.HasSuffix(prints, "answer with context true\n") {
			t.Errorf("it says\n%s", prints)
		}
		if got := outcome(t, c, who); !reflect.DeepEqual(got, want) {
			t.Errorf("the profile is %v, want %v", got, want)
		}
	}
	t.Run("Python", func(t *testing.T) {
		t.Parallel()
		interpreter := python(t)
		c, key, who := talk(t)
		loop := blocksOf(t, "agents.md", "python")[0]
		arguments, err := json.Marshal(who)
		if err != nil {
			t.Fatal(err)
		}
		code := loop + "\n\nmessages = iter(" + string(said) + ")\n" +
			"converse(lambda: next(messages, None), print, " +
			"lambda context, text: f\"answer with context {str('ada@example.com' in context).lower()}\", **" + string(arguments) + ")\n"
		check(t, loop, run(t, key, t.TempDir(), interpreter, program(t, t.TempDir(), "loop.py", code)), c, who)
	})
	t.Run("TypeScript", func(t *testing.T) {
		t.Parallel()
		c, key, who := talk(t)
		loop := blocksOf(t, "agents.md", "typescript")[0]
		arguments, err := json.Marshal(who)
		if err != nil {
			t.Fatal(err)
		}
		code := loop + "\nconst messages: string[] = " + string(said) + ";\n" +
			"await converse(async () => messages.shift(), console.log, " +
			"async (context) => `answer with context ${context.includes(\"ada@example.com\")}`, " + string(arguments) + ");\n"
		check(t, loop, runTypeScript(t, key, code), c, who)
	})
}

func TestQuickstart_TypeScriptRuns(t *testing.T) {
	t.Parallel()
	build(t)
	_, key := newKey(t)
	code := strings.Join(blocksOf(t, "quickstart.md", "typescript"), "\n") +
		"if (profile.fields[\"email\"]?.value !== \"ada@example.com\" || chain.links.length !== 1) throw new Error(\"the profile differs\");\n"
	if got := runTypeScript(t, key, code); got != quickstartPrints {
		t.Errorf("it prints\n%s", got)
	}
}
