package sdkgen_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	mcpsdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/mcp"
	"github.com/contextvault/contextvault/vault"
)

// messages are what the customer says.
var messages = []string{
	"Hello, I want to sign up.", "My email is ada@example.com", "I live in Norway, and I am 36 years old.", "Thank you.",
}

// asked are the questions of the agent.
var asked = []string{"What is your email address?", "Where do you live?"}

// talk is a conversation with a customer of a tenant of its own.
type talk struct {
	c        *client.Client // for its configuration, and to look at its outcome
	key      string         // of the agent
	agent    uuid.UUID
	scenario uuid.UUID
}

// who names the customer, the session and the scenario in a turn.
func (k *talk) who() map[string]string {
	return map[string]string{
		"channel": "web", "external_id": "visitor-1", "session_key": "chat-1", "scenario_id": k.scenario.String(),
	}
}

// newTalk prepares a scenario that needs an e-mail address and a country.
func newTalk(t *testing.T) *talk {
	t.Helper()
	tenant, admin := newKey(t)
	c, err := client.New(client.Options{Server: server.URL, Key: admin})
	if err != nil {
		t.Fatal(err)
	}
	k := &talk{c: c, agent: uuid.New(), scenario: uuid.New()}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	k.key, _, err = kit.APIKey(t.Context(), tenant, "read", "write")
	must(err)
	for _, d := range []vault.Definition{
		{Name: "email", ValueType: vault.TypeEmail, CollectionPrompt: asked[0]},
		{Name: "country", ValueType: vault.TypeString, CollectionPrompt: asked[1]},
		{Name: "age", ValueType: vault.TypeNumber},
	} {
		d.AgentID, d.Enabled = k.agent, true
		_, err = c.SaveDefinition(t.Context(), d, patience)
		must(err)
	}
	_, err = c.SaveScenario(t.Context(), vault.Scenario{
		AgentID: k.agent, ID: k.scenario, Name: "Onboarding", Description: "Welcome the customer.",
	}, patience)
	must(err)
	for order, field := range []string{"email", "country"} {
		_, err = c.SaveRequirement(t.Context(), vault.Requirement{
			ScenarioID: k.scenario, FieldName: field, RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
			Order: order,
		}, patience)
		must(err)
	}
	return k
}

// outcome returns the profile without ids and times.
func (k *talk) outcome(t *testing.T) map[string]any {
	t.Helper()
	customer, err := k.c.FindCustomer(t.Context(), "web", "visitor-1")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := k.c.GetCustomer(t.Context(), customer.CustomerID)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{"channels": len(profile.Channels), "consents": len(profile.Consents), "assets": len(profile.Assets)}
	for name, v := range profile.Fields {
		var metadata map[string]any
		if len(v.SourceMetadata) > 0 {
			if err := json.Unmarshal(v.SourceMetadata, &metadata); err != nil {
				t.Fatal(err)
			}
		}
		out[name] = map[string]any{
			"value": string(v.Value), "source": v.Source, "status": v.Status, "confidence": v.Confidence,
			"verified": v.Verified, "quote": metadata["quote"], "turn": metadata["turn"],
		}
	}
	return out
}

// answers returns what an agent says to a message: the next question, or an answer with the context block.
func answers(question, context string) string {
	if question != "" {
		return question
	}
	return "answer with context " + strconv.FormatBool(strings.Contains(context, "ada@example.com"))
}

// overHTTP holds the conversation by requests that no client makes.
func overHTTP(t *testing.T, k *talk) string {
	t.Helper()
	var said strings.Builder
	for _, text := range messages {
		body := k.who()
		body["text"] = text
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/turns", bytes.NewReader(encoded))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+k.key)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Prefer", "wait=60")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%d %s, %v", resp.StatusCode, answer, err)
		}
		var op struct {
			Result struct {
				Question struct {
					Prompt string `json:"prompt"`
				} `json:"question"`
				Context string `json:"context"`
			} `json:"result"`
		}
		if err := json.Unmarshal(answer, &op); err != nil {
			t.Fatal(err)
		}
		said.WriteString(answers(op.Result.Question.Prompt, op.Result.Context) + "\n")
	}
	return said.String()
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// overMCP holds the conversation by the tools of /mcp.
func overMCP(t *testing.T, k *talk) string {
	t.Helper()
	agent := mcpsdk.NewClient(&mcpsdk.Implementation{Name: "test", Version: "1"}, nil)
	session, err := agent.Connect(t.Context(), &mcpsdk.StreamableClientTransport{
		Endpoint:   server.URL + mcp.Path + "?agent=" + k.agent.String() + "&scenario=" + k.scenario.String(),
		HTTPClient: &http.Client{Transport: bearer(k.key)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() }) // the server may have ended it
	var said strings.Builder
	for _, text := range messages {
		out, err := session.CallTool(t.Context(), &mcpsdk.CallToolParams{Name: "take_turn", Arguments: map[string]any{
			"channel": "web", "external_id": "visitor-1", "session_key": "chat-1", "text": text,
		}})
		if err != nil || out.IsError {
			t.Fatalf("%v %v", out, err)
		}
		var turn struct {
			Question struct {
				Prompt string `json:"prompt"`
			} `json:"question"`
		}
		var context string
		for _, content := range out.Content {
			part, ok := content.(*mcpsdk.TextContent)
			if !ok {
				t.Fatalf("the answer has a %T", content)
			}
			if !strings.HasPrefix(part.Text, "{") {
				context += part.Text
			} else if err := json.Unmarshal([]byte(part.Text), &turn); err != nil {
				t.Fatal(err)
			}
		}
		said.WriteString(answers(turn.Question.Prompt, context) + "\n")
	}
	return said.String()
}

// withGo holds the conversation by the Go client. The loop of the page itself is run by the tests of the client.
func withGo(t *testing.T, k *talk) string {
	t.Helper()
	c, err := client.New(client.Options{Server: server.URL, Key: k.key})
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for _, text := range messages {
		turn, err := c.TakeTurn(t.Context(), vault.TakeTurnInput{
			Channel: "web", ExternalID: "visitor-1", SessionKey: "chat-1", ScenarioID: k.scenario, Text: text,
		}, patience)
		if err != nil {
			t.Fatal(err)
		}
		var question string
		if turn.Result.Question != nil {
			question = turn.Result.Question.Prompt
		}
		said.WriteString(answers(question, turn.Result.Context) + "\n")
	}
	return said.String()
}

// withPython runs the loop of the page.
func withPython(t *testing.T, k *talk) string {
	t.Helper()
	interpreter := python(t)
	code := loopOf(t, "python") + "\n\nmessages = iter(" + encoded(t, messages) + ")\n" +
		"converse(lambda: next(messages, None), print, " +
		"lambda context, text: f\"answer with context {str('ada@example.com' in context).lower()}\", **" + encoded(t, k.who()) + ")\n"
	return run(t, k.key, t.TempDir(), interpreter, program(t, t.TempDir(), "loop.py", code))
}

// withTypeScript runs the loop of the page.
func withTypeScript(t *testing.T, k *talk) string {
	t.Helper()
	code := loopOf(t, "typescript") + "\nconst messages: string[] = " + encoded(t, messages) + ";\n" +
		"await converse(async () => messages.shift(), console.log, " +
		"async (context) => `answer with context ${context.includes(\"ada@example.com\")}`, " + encoded(t, k.who()) + ");\n"
	return runTypeScript(t, k.key, code)
}

// encoded returns texts as JSON, which is a literal in Python and in TypeScript.
func encoded(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// loopOf returns the loop of docs/agents.md in a language, and checks its length.
func loopOf(t *testing.T, language string) string {
	t.Helper()
	code, lines := blocksOf(t, page(t, "agents.md"), language)[0], 0
	for line := range strings.SplitSeq(code, "\n") {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "import ") && !strings.HasPrefix(line, "from ") {
			lines++
		}
	}
	if lines > 12 {
		t.Errorf("the loop in %s has %d lines", language, lines)
	}
	return code
}

// The same conversation ends in the same profile by each way, and the agent says the same.
func TestAgents_EveryWayEndsInTheSameProfile(t *testing.T) {
	t.Parallel()
	reference := newTalk(t)
	said := overHTTP(t, reference)
	profile := reference.outcome(t)
	if want := asked[0] + "\n" + asked[1] + "\nanswer with context true\nanswer with context true\n"; said != want {
		t.Fatalf("the agent says\n%s", said)
	}
	for name, value := range map[string]string{"email": `"ada@example.com"`, "country": `"Norway"`, "age": "36"} {
		if got, ok := profile[name].(map[string]any); !ok || got["value"] != value {
			t.Errorf("the profile is %v", profile)
		}
	}
	if n := routes.requests(reference.key); n != len(messages) {
		t.Errorf("%d messages took %d requests", len(messages), n)
	}
	for way, converse := range map[string]func(*testing.T, *talk) string{
		"MCP": overMCP, "Go": withGo, "Python": withPython, "TypeScript": withTypeScript,
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t)
			if got := converse(t, k); got != said {
				t.Errorf("the agent says\n%s", got)
			}
			if got := k.outcome(t); !reflect.DeepEqual(got, profile) {
				t.Errorf("the profile is\n%v, want\n%v", got, profile)
			}
			if n := routes.requests(k.key); way != "MCP" && n != len(messages) {
				t.Errorf("%d messages took %d requests", len(messages), n)
			}
		})
	}
}
