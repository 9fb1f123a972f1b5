package trigger

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Submit accepts an operation: it validates the input, commits the operation and pushes its event in the background. An
// accepted operation always ends as succeeded or failed, even if the workflow engine is down now.
//
// The error is a *vault.Error if the input is invalid or contains an unknown id. Submit checks the agents of
// vault.WithAgents and no other permission: the caller must allow forced deletions and restores only for admins.
func Submit[In, Out any](
	ctx context.Context, c *Client, tenant uuid.UUID, spec vault.Spec[In, Out], in In, opts ...Option,
) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	if err := rules.CheckTimes(in, time.Now()); err != nil {
		return Receipt{}, err
	}
	if err := agents.CheckInput(ctx, c.db.Tenant(tenant), tenant, spec.Name, in); err != nil {
		return Receipt{}, err
	}
	op := db.NewOperation{
		Workflow: spec.Name, Event: spec.EventFor(in), Subject: spec.Subject(in), Payload: in,
		Actor: vault.ActorOf(ctx), Fields: vault.FieldsOf(in), Forced: vault.IsForced(in),
		Decision:   vault.DecisionOf(in),
		CustomerID: spec.CustomerOf(in),
	}
	if err := resolve(ctx, c.db.Tenant(tenant), tenant, in, &op); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, op, opts)
}
