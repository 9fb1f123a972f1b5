package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// scene is one customer of one agent, in a tenant of its own.
type scene struct {
	t                       *testing.T
	tenant, agent, customer uuid.UUID
}

// newScene returns a scene with the definitions email (PII), country, plan and name (PII).
func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, tenant: kit.Tenant(t), agent: testkit.ID(), customer: testkit.ID()}
	s.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true},
		vault.Definition{Name: "country", ValueType: vault.TypeString},
		vault.Definition{
			Name: "plan", ValueType: vault.TypeString, AllowedValues: []json.RawMessage{text("silver"), text("gold")},
		},
		vault.Definition{Name: "name", ValueType: vault.TypeString, IsPII: true},
	)
	return s
}

func (s *scene) define(defs ...vault.Definition) {
	s.t.Helper()
	for i := range defs {
		defs[i].AgentID = s.agent
	}
	define(s.t, s.tenant, defs...)
}

// rejected waits for a change to be rejected and returns the error.
func rejected(t *testing.T, r trigger.Receipt, err error) *vault.Error {
	t.Helper()
	if err != nil {
		t.Fatalf("%s was not accepted: %v", r.Workflow, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	var reason *vault.Error
	if op, err := r.Wait(ctx); !errors.As(err, &reason) {
		t.Fatalf("%s was not rejected: %s, %v", r.Workflow, op.Status, err)
	}
	return reason
}

func (s *scene) fact(name, value string) vault.WriteValueInput {
	return vault.WriteValueInput{
		AgentID: s.agent, CustomerID: s.customer, Name: name, Value: text(value), Source: vault.ValueUserProvided,
	}
}

// write writes a value and waits until it is acknowledged.
func (s *scene) write(in vault.WriteValueInput) vault.ItemResult {
	s.t.Helper()
	r, err := trigger.Submit(s.t.Context(), kit.Trigger, s.tenant, vault.WriteValue, in)
	return result[vault.ItemResult](s.t, done(s.t, r, err))
}

// asset adds an asset and returns its id.
func (s *scene) asset(name string) uuid.UUID {
	s.t.Helper()
	r, err := trigger.Submit(s.t.Context(), kit.Trigger, s.tenant, vault.AddAsset, vault.AddAssetInput{
		CustomerID: s.customer, Name: name, AssetType: "image", StorageProvider: "s3", StoragePath: "uploads/" + name,
		Checksum: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	})
	return result[vault.ItemResult](s.t, done(s.t, r, err)).ItemID
}

// scenario saves a scenario with a text that needs nothing, and saves these requirements in order.
func (s *scene) scenario(requirements ...vault.Requirement) uuid.UUID {
	s.t.Helper()
	id := testkit.ID()
	r, err := trigger.Submit(s.t.Context(), kit.Trigger, s.tenant, vault.SaveScenario, vault.Scenario{
		ID: id, AgentID: s.agent, Name: "Open an account",
	})
	done(s.t, r, err)
	for i, req := range requirements {
		req.AgentID, req.ScenarioID, req.Order, req.RequiredLevel = s.agent, id, i, vault.LevelHard
		r, err := trigger.Submit(s.t.Context(), kit.Trigger, s.tenant, vault.SaveRequirement, req)
		done(s.t, r, err)
	}
	return id
}

// asked requires fields with the fallback ask.
func asked(names ...string) []vault.Requirement {
	out := make([]vault.Requirement, len(names))
	for i, name := range names {
		out[i] = vault.Requirement{FieldName: name, FallbackAction: vault.FallbackAsk}
	}
	return out
}

func (s *scene) profile() vault.Profile {
	s.t.Helper()
	p, err := kit.Query.Profile(s.t.Context(), s.tenant, s.customer)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// value returns the value that a reader sees, "" without one.
func (s *scene) value(name string) string {
	s.t.Helper()
	return string(s.profile().Fields[name].Value)
}

// history returns every version of a field, newest first.
func (s *scene) history(name string) []vault.Value {
	s.t.Helper()
	versions, err := kit.Query.History(s.t.Context(), s.tenant, s.customer, name)
	if err != nil {
		s.t.Fatal(err)
	}
	return versions
}

// versions returns value and status of every version of a field, newest first.
func (s *scene) versions(name string) []string {
	s.t.Helper()
	out := []string{}
	for _, v := range s.history(name) {
		out = append(out, string(v.Value)+" "+string(v.Status))
	}
	return out
}

// cron runs a workflow as its cron does, with the empty input.
func cron(t *testing.T, workflow string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := kit.Client.Run(ctx, workflow, struct{}{})
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("%s: %v", workflow, err)
		}
	case <-ctx.Done():
		t.Fatalf("%s did not end", workflow)
	}
}
