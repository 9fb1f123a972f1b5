package offline

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/llmtest"
	"github.com/contextvault/contextvault/vault"
)

func TestModel_ReportsUsage(t *testing.T) {
	var got []llm.Usage
	m, err := New(llm.Config{Usage: func(u llm.Usage) {
		u.Duration = 0
		got = append(got, u)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ProposeRequirements(
		t.Context(),
		llm.ProposeRequest{Texts: []llm.Text{{Text: "if the customer is over 18"}}},
	); err != nil {
		t.Fatal(err)
	}
	if _, err := m.ExtractValues(
		t.Context(),
		llm.ExtractRequest{Definitions: llmtest.Definitions("email:email"), Turns: askedTurns},
	); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Embed(t.Context(), []string{"a"}); err != nil {
		t.Fatal(err)
	}
	var want []llm.Usage
	for _, op := range []llm.Operation{llm.OperationPropose, llm.OperationExtract, llm.OperationEmbed} {
		want = append(want, llm.Usage{Operation: op, Model: llm.ProviderOffline, Calls: 1, Outcome: llm.OutcomeOK})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

var askedTurns = []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "a@b.com"}}

func TestExtractValues_CanceledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, err := New(llm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.ExtractValues(ctx, llm.ExtractRequest{Definitions: llmtest.Definitions("email:email"), Turns: askedTurns})
	if vault.CodeOf(err) != vault.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}
