package workflows_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// done waits for a change to succeed.
func done(t *testing.T, r trigger.Receipt, err error) vault.Operation {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	op, err := r.Wait(ctx)
	if err != nil {
		t.Fatalf("%s: %v", r.Workflow, err)
	}
	return op
}

// result decodes the result of an operation.
func result[T any](t *testing.T, op vault.Operation) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(op.Result, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func define(t *testing.T, tenant uuid.UUID, defs ...vault.Definition) {
	t.Helper()
	for _, d := range defs {
		d.Enabled = true
		r, err := trigger.Submit(t.Context(), kit.Trigger, tenant, vault.SaveDefinition, d)
		done(t, r, err)
	}
}

func text(s string) json.RawMessage {
	out, _ := json.Marshal(s)
	return out
}

func TestWriteValue_ReachesTheReader(t *testing.T) {
	t.Parallel()
	tenant, agent, customer := kit.Tenant(t), testkit.ID(), testkit.ID()
	define(t, tenant, vault.Definition{AgentID: agent, Name: "email", ValueType: vault.TypeEmail, IsPII: true})
	r, err := trigger.Submit(t.Context(), kit.Trigger, tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: agent, CustomerID: customer, Name: "email", Value: text("ada@example.com"), Source: vault.ValueUserProvided,
	})
	op := done(t, r, err)
	item := result[vault.ItemResult](t, op)
	p, err := kit.Query.Profile(t.Context(), tenant, customer)
	if err != nil {
		t.Fatal(err)
	}
	got := p.Fields["email"]
	if string(got.Value) != `"ada@example.com"` || got.ID != item.ItemID || got.Status != vault.StatusActive {
		t.Errorf("got %s, status %s, id %s, want the value written as %s", got.Value, got.Status, got.ID, item.ItemID)
	}
}
