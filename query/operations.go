package query

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// Questions gives the questions that wait for a customer, the oldest first: also those that were asked of whom their profile was
// merged with.
func (q *Queries) Questions(ctx context.Context, tenant, customer uuid.UUID) ([]vault.Question, error) {
	tq := q.db.Tenant(tenant)
	same, err := db.SameCustomers(ctx, tq, tenant, customer)
	if err != nil {
		return nil, err
	}
	rows, err := tq.ListOpenQuestions(ctx, tenant, same)
	if err != nil {
		return nil, err
	}
	out := make([]vault.Question, len(rows))
	for i, row := range rows {
		out[i] = db.QuestionOf(row)
	}
	return out, nil
}

// Question gives one question, open or not.
func (q *Queries) Question(ctx context.Context, tenant, id uuid.UUID) (vault.Question, error) {
	row, err := q.db.Tenant(tenant).GetQuestion(ctx, tenant, id)
	if err != nil {
		return vault.Question{}, db.Found(err, "question", id)
	}
	return db.QuestionOf(row), nil
}

// Operation says how a change went, or goes.
func (q *Queries) Operation(ctx context.Context, tenant, id uuid.UUID) (vault.Operation, error) {
	row, err := q.db.Tenant(tenant).GetIntent(ctx, tenant, id)
	if err != nil {
		return vault.Operation{}, db.Found(err, "operation", id)
	}
	return db.OperationOf(row)
}
