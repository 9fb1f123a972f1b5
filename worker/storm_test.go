package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// modelServer is the server of the language model of this package's system. It reads the same e-mail address in every
// conversation and proposes nothing, unless a test makes it hang or refuse.
type modelServer struct {
	mu       sync.Mutex
	hang     chan struct{} // nil: it answers. Else requests wait until it is closed.
	refuse   bool          // it answers 429
	hanging  int
	requests int
}

var modelStub = &modelServer{}

// environ starts the server and returns the settings of a system that uses it.
func (s *modelServer) environ() []string {
	server := httptest.NewServer(s)
	return []string{
		"VAULT_LLM_PROVIDER=openai", "OPENAI_API_KEY=none", "OPENAI_BASE_URL=" + server.URL + "/v1",
		"VAULT_LLM_TIMEOUT_SECONDS=600", "VAULT_LLM_MAX_RETRIES=0",
	}
}

// ServeHTTP implements http.Handler.
func (s *modelServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Format struct {
			Schema struct{ Name string } `json:"json_schema"`
		} `json:"response_format"`
	}
	_ = json.NewDecoder(r.Body).Decode(&asked)
	s.mu.Lock()
	s.requests++
	hang, refuse := s.hang, s.refuse
	if hang != nil {
		s.hanging++
	}
	s.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
		s.mu.Lock()
		s.hanging--
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	if refuse {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"error": {"type": "rate_limit_exceeded"}}`))
		return
	}
	content := `{"fields": []}`
	if asked.Format.Schema.Name == "stated_values" {
		content = `{"values": [{"field_name": "email", "value": "ada@example.org", "confidence": 0.97,
			"quote": "my email is ada@example.org", "turn": 0}]}`
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"choices": []any{map[string]any{"finish_reason": "stop", "message": map[string]any{"content": content}}},
	})
}

// counts returns the number of requests that hang, and of all requests since the last call.
func (s *modelServer) counts() (hanging, requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests, s.requests = s.requests, 0
	return s.hanging, requests
}

func (s *modelServer) set(hang chan struct{}, refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang, s.refuse = hang, refuse
}

// accept submits an operation.
func accept[In, Out any](t *testing.T, tenant uuid.UUID, spec vault.Spec[In, Out], in In) uuid.UUID {
	t.Helper()
	r, err := trigger.Submit(t.Context(), kit.Trigger, tenant, spec, in)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// place is a tenant with a scenario that needs an e-mail address.
type place struct{ tenant, agent, scenario uuid.UUID }

func newPlace(t *testing.T) place {
	t.Helper()
	p := place{kit.Tenant(t), testkit.ID(), testkit.ID()}
	for _, id := range []uuid.UUID{
		accept(t, p.tenant, vault.SaveDefinition, vault.Definition{
			AgentID: p.agent, Name: "email", ValueType: vault.TypeEmail, Enabled: true,
		}),
		accept(t, p.tenant, vault.SaveScenario, vault.Scenario{ID: p.scenario, AgentID: p.agent, Name: "Order"}),
	} {
		kit.Operation(t, p.tenant, id, vault.OperationSucceeded)
	}
	kit.Operation(t, p.tenant, accept(t, p.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: p.agent, ScenarioID: p.scenario, FieldName: "email", RequiredLevel: vault.LevelSoft,
		FallbackAction: vault.FallbackSkip,
	}), vault.OperationSucceeded)
	return p
}

// stormFill is a gap fill with a conversation.
type stormFill struct {
	place
	customer, operation uuid.UUID
}

// fills starts n gap fills for each place.
func fills(t *testing.T, places []place, n int) []stormFill {
	t.Helper()
	var all []stormFill
	for _, p := range places {
		for range n {
			f := stormFill{place: p, customer: testkit.ID()}
			session := testkit.ID()
			kit.Operation(t, p.tenant, accept(t, p.tenant, vault.SaveSession, vault.SaveSessionInput{
				SessionID: session, AgentID: p.agent, CustomerID: f.customer,
				Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "my email is ada@example.org"}},
			}), vault.OperationSucceeded)
			f.operation = accept(t, p.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: f.customer, ScenarioID: p.scenario, SessionID: &session,
			})
			all = append(all, f)
		}
	}
	return all
}

// change makes each kind of change that needs no model, waits until all succeed, and reads what they wrote.
func (p place) change(t *testing.T, round int) {
	t.Helper()
	customer := testkit.ID()
	name := fmt.Sprint("extra_", round)
	for _, id := range []uuid.UUID{
		accept(t, p.tenant, vault.WriteValue, vault.WriteValueInput{
			AgentID: p.agent, CustomerID: customer, Name: "email", Value: json.RawMessage(`"eve@example.org"`),
			Source: vault.ValueUserProvided,
		}),
		accept(t, p.tenant, vault.SaveDefinition, vault.Definition{
			AgentID: p.agent, Name: name, ValueType: vault.TypeString, Enabled: true,
		}),
		accept(t, p.tenant, vault.SaveScenario, vault.Scenario{
			ID: testkit.ID(), AgentID: p.agent, Name: "More", Description: "Ask for the order number.",
		}),
	} {
		kit.Operation(t, p.tenant, id, vault.OperationSucceeded)
	}
	profile, err := kit.Query.Profile(t.Context(), p.tenant, customer)
	if err != nil || string(profile.Fields["email"].Value) != `"eve@example.org"` {
		t.Errorf("the profile has %d fields, %v", len(profile.Fields), err)
	}
	if _, err := kit.Query.Definition(t.Context(), p.tenant, p.agent, name); err != nil {
		t.Error(err)
	}
}

// A model that hangs, or refuses every request, holds up no write, read, definition or scenario. The tests share the
// model and its circuit breaker, so they run one after the other.
func TestStorm(t *testing.T) {
	const perPlace, rounds = 10, 3
	places := []place{newPlace(t), newPlace(t), newPlace(t), newPlace(t)}
	slots := kit.Config.Jobs.Hatchet.ModelConcurrency

	t.Run("a model that hangs", func(t *testing.T) {
		release := make(chan struct{})
		modelStub.set(release, false)
		hung := fills(t, places, perPlace)
		testkit.Eventually(t, "every slot of the model hangs", func(context.Context) (struct{}, bool) {
			hanging, _ := modelStub.counts()
			return struct{}{}, hanging == slots
		})
		for round := range rounds {
			for _, p := range places {
				p.change(t, round)
			}
		}
		if hanging, _ := modelStub.counts(); hanging != slots {
			t.Errorf("%d requests hang, want %d", hanging, slots)
		}
		for _, f := range hung {
			if op, err := kit.Query.Operation(t.Context(), f.tenant, f.operation); err != nil || op.Status.Finished() {
				t.Errorf("a fill is %s while the model hangs, %v", op.Status, err)
			}
		}
		modelStub.set(nil, false)
		close(release)
		for _, f := range hung {
			kit.Operation(t, f.tenant, f.operation, vault.OperationSucceeded)
			profile, err := kit.Query.Profile(t.Context(), f.tenant, f.customer)
			if err != nil || string(profile.Fields["email"].Value) != `"ada@example.org"` {
				t.Errorf("the model answered, and the profile has %d fields, %v", len(profile.Fields), err)
			}
		}
	})

	t.Run("a model that answers 429", func(t *testing.T) {
		modelStub.set(nil, true)
		_, _ = modelStub.counts()
		refused := fills(t, places, perPlace)
		for _, p := range places {
			p.change(t, rounds)
		}
		for _, f := range refused {
			op := kit.Operation(t, f.tenant, f.operation, vault.OperationSucceeded)
			var got vault.FillResult
			if err := json.Unmarshal(op.Result, &got); err != nil || len(got.Fields) != 1 || got.Fields[0].Filled ||
				len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "the conversation could not be read") {
				t.Errorf("the fill ended with %+v, %v", got, err)
			}
		}
		if _, requests := modelStub.counts(); requests >= len(refused) {
			t.Errorf("%d fills made %d requests: the circuit breaker did not open", len(refused), requests)
		}
	})
}
