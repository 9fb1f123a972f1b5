package mcp_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/mcp"
	"github.com/contextvault/contextvault/vault"
)

// foreign saves a scenario of another agent, and creates a key of this agent alone.
func (s *tenant) foreign() (scenario uuid.UUID, key string) {
	s.t.Helper()
	scenario, key = testkit.ID(), api.NewKey()
	_, err := s.admin.SaveScenario(s.t.Context(), vault.Scenario{AgentID: testkit.ID(), ID: scenario, Name: "Other"}, patience)
	s.must(err)
	_, err = s.admin.CreateKey(s.t.Context(), vault.CreateKeyInput{
		Name: "agent", Scopes: []string{"read"}, Agents: []uuid.UUID{s.agent}, KeyHash: hex.EncodeToString(api.HashKey(key)),
	}, patience)
	s.must(err)
	return scenario, key
}

// A server is not opened with a scenario that each tool would refuse.
func TestOpen_ScenarioOfAnotherAgentIsRefused(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	other, limited := s.foreign()
	for name, c := range map[string]struct {
		scenario    uuid.UUID
		key, detail string
		status      int
	}{
		"unknown":                              {testkit.ID(), s.key, "scenario: agent " + s.agent.String() + " has no scenario with this id", 422},
		"of another agent":                     {other, s.key, "scenario: agent " + s.agent.String() + " has no scenario with this id", 422},
		"of an agent that the key may not use": {other, limited, "not_allowed", 403},
	} {
		_, err := mcp.New(t.Context(), mcp.Options{Client: s.client(c.key, ""), Agent: s.agent, Scenario: c.scenario})
		if err == nil || !strings.Contains(err.Error(), c.detail) {
			t.Errorf("%s: a server of its own says %v", name, err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			fmt.Sprintf("%s%s?agent=%s&scenario=%s", server.URL, mcp.Path, s.agent, c.scenario), strings.NewReader(initialize))
		s.must(err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Authorization", "Bearer "+c.key)
		res, err := http.DefaultClient.Do(req)
		s.must(err)
		body, err := io.ReadAll(res.Body)
		s.must(errors.Join(err, res.Body.Close()))
		if res.StatusCode != c.status || !strings.Contains(string(body), c.detail) {
			t.Errorf("%s: over HTTP %d %s", name, res.StatusCode, body)
		}
	}
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",` +
	`"capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`

// What a key may not read is no internal error.
func TestResources_RefusedByTheKey(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	other, limited := s.foreign()
	a := s.overHTTP(limited)
	for uri, code := range map[string]string{
		"vault://scenarios/" + other.String():                     `"not_allowed"`,
		"vault://scenarios/" + testkit.ID().String():              "", // not found
		"vault://customers/" + testkit.ID().String() + "/profile": "",
	} {
		_, err := a.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
		wire, ok := errors.AsType[*jsonrpc.Error](err)
		if !ok || wire.Code != jsonrpc.CodeInvalidParams || wire.Message == "" || !strings.Contains(string(wire.Data), code) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

// An error about a purpose names what an agent can do: no argument of a tool states a purpose.
func TestTools_PurposeRequired(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *tenant, connect func(key, purpose string) *agentOf) {
		s.define(vault.Definition{Name: "customer", ValueType: vault.TypeString, Purposes: []string{"billing"}})
		customer := testkit.ID()
		_, err := s.admin.RecordConsent(t.Context(), vault.RecordConsentInput{
			CustomerID: customer, Purpose: "billing", Granted: true,
		}, patience)
		s.must(err)
		_, err = s.admin.WriteValue(t.Context(), vault.WriteValueInput{
			AgentID: s.agent, CustomerID: customer, Name: "customer", Value: json.RawMessage(`"Ada"`),
			Source: vault.ValueUserProvided,
		}, patience)
		s.must(err)
		got := connect(s.key, "").refused("explain_value", args{"customer_id": customer.String(), "field": "customer"})
		if got.Code != vault.CodeConsentRequired || got.Argument != "field" ||
			!strings.Contains(got.Detail, "no argument states it") || !strings.Contains(got.Detail, "VAULT_PURPOSE") {
			t.Errorf("without a purpose: %+v", got)
		}
	})
}

// A line that is no message gets an error, and the session goes on.
func TestRun_GarbageIsAnswered(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	served, err := mcp.New(t.Context(), mcp.Options{
		Client: s.client(s.key, ""), Agent: s.agent, Log: slog.New(slog.DiscardHandler),
	})
	s.must(err)
	in, to := io.Pipe()
	from, out := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- served.Run(ctx, in, out) }()
	t.Cleanup(func() {
		stop()
		_ = to.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	answers := bufio.NewScanner(from)
	answers.Buffer(nil, 1<<20)
	send := func(line string) string {
		t.Helper()
		if _, err := io.WriteString(to, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() {
			t.Fatalf("the session ended after %.80q: %v", line, answers.Err())
		}
		return answers.Text()
	}
	const ping = `{"jsonrpc":"2.0","id":"p","method":"ping"}`
	if got := send(initialize); !strings.Contains(got, `"protocolVersion":"2025-06-18"`) {
		t.Fatalf("initialize: %s", got)
	}
	_, err = io.WriteString(to, "\r\n\n"+`{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\r\n")
	s.must(err)
	for line, want := range map[string]struct {
		code int64
		id   string
	}{
		"garbage":                  {jsonrpc.CodeParseError, "null"},
		ping + " and more":         {jsonrpc.CodeParseError, "null"},
		`{"jsonrpc":"2.0",`:        {jsonrpc.CodeParseError, "null"},
		"42":                       {jsonrpc.CodeInvalidRequest, "null"},
		`{"id":7,"method":"ping"}`: {jsonrpc.CodeInvalidRequest, "7"},
		`{"jsonrpc":"2.0","id":{},"method":"ping"}`: {jsonrpc.CodeInvalidRequest, "null"},
		"[]":                       {jsonrpc.CodeInvalidRequest, "null"},
		"[" + ping + "]":           {jsonrpc.CodeInvalidRequest, "null"},
		strings.Repeat("x", 2<<20): {jsonrpc.CodeInvalidRequest, "null"},
	} {
		var got struct {
			ID    json.RawMessage `json:"id"`
			Error jsonrpc.Error   `json:"error"`
		}
		s.must(json.Unmarshal([]byte(send(line)), &got))
		if got.Error.Code != want.code || string(got.ID) != want.id || got.Error.Message == "" {
			t.Errorf("%.80q: %+v", line, got)
		}
		if got := send(ping); !strings.Contains(got, `"id":"p"`) || !strings.Contains(got, `"result"`) {
			t.Errorf("after %.80q: %s", line, got)
		}
	}
}
