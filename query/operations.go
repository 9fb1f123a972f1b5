package query

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/vault"
)

// Question returns one question, open or closed.
func (q *Queries) Question(ctx context.Context, tenant, id uuid.UUID) (vault.Question, error) {
	if err := q.checkIDs(ctx, tenant, id); err != nil {
		return vault.Question{}, err
	}
	row, err := q.db.Tenant(tenant).GetQuestion(ctx, tenant, id)
	if err != nil {
		return vault.Question{}, db.WrapNotFound(err, "question", id)
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return vault.Question{}, err
	}
	out := []vault.Question{db.QuestionOf(row)}
	err = g.questions(ctx, out)
	return out[0], err
}

// Operation returns the state of an operation. A reader who is limited to agents sees those that it caused, and the gap
// fills of its agents.
func (q *Queries) Operation(ctx context.Context, tenant, id uuid.UUID) (vault.Operation, error) {
	if err := agents.CheckOperation(ctx, q.db.Tenant(tenant), tenant, id); err != nil {
		return vault.Operation{}, err
	}
	row, err := q.db.Tenant(tenant).GetOperation(ctx, tenant, id)
	if err != nil {
		return vault.Operation{}, db.WrapNotFound(err, "operation", id)
	}
	return db.WithAwaited(ctx, q.db.Tenant(tenant), row)
}
