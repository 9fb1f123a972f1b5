package client_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// The loop of docs/agents.md.
func converse(
	ctx context.Context, c *client.Client, scenario uuid.UUID, messages <-chan string, say func(vault.TurnResult),
) error {
	for text := range messages {
		turn, err := c.TakeTurn(ctx, vault.TakeTurnInput{
			Channel: "chat", ExternalID: "ada-42", SessionKey: "chat-1", ScenarioID: scenario, Text: text,
		}, client.Wait(30*time.Second))
		if err != nil {
			return err
		}
		say(turn.Result) // the context block for the prompt, and the next question
	}
	return nil
}

func TestAgents_Loop(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, nil)
	agent, scenario := uuid.New(), uuid.New()
	wait := client.Wait(time.Minute)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.SaveDefinition(t.Context(), vault.Definition{
		AgentID: agent, Name: "email", ValueType: vault.TypeEmail, Enabled: true,
	}, wait)
	must(err)
	_, err = c.SaveScenario(t.Context(), vault.Scenario{AgentID: agent, ID: scenario, Name: "Onboarding"}, wait)
	must(err)
	_, err = c.SaveRequirement(t.Context(), vault.Requirement{
		ScenarioID: scenario, FieldName: "email", RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
	}, wait)
	must(err)
	messages := make(chan string, 2)
	messages <- "Hello"
	messages <- "It is ada@example.com"
	close(messages)
	var turns []vault.TurnResult
	must(converse(t.Context(), c, scenario, messages, func(r vault.TurnResult) { turns = append(turns, r) }))
	if len(turns) != 2 || turns[0].Question == nil || turns[1].Question != nil || len(turns[1].Learned) != 1 ||
		!strings.Contains(turns[1].Context, `- email: "ada@example.com" | stated`) {
		t.Errorf("the turns are %+v", turns)
	}
	profile, err := c.GetCustomer(t.Context(), turns[1].CustomerID)
	must(err)
	if string(profile.Fields["email"].Value) != `"ada@example.com"` {
		t.Errorf("the profile is %+v", profile.Fields)
	}

	document, err := os.ReadFile("../docs/agents.md")
	must(err)
	source, err := os.ReadFile("agent_test.go")
	must(err)
	_, block, found := strings.Cut(string(document), "```go\n")
	block, _, _ = strings.Cut(block, "```")
	if !found || !strings.Contains(string(source), block) || strings.Count(block, "\n") > 12 {
		t.Errorf("the loop of the document is not the one of this test, or too long:\n%s", block)
	}
}
