package client

import (
	"context"
	"iter"
	"net/url"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// ListQuestions gives the questions that wait for an answer, the oldest first: to one customer, or to all where it is nil.
func (c *Client) ListQuestions(ctx context.Context, customer *uuid.UUID) iter.Seq2[vault.Question, error] {
	query := url.Values{}
	if customer != nil {
		query.Set("customer_id", customer.String())
	}
	return list[vault.Question](ctx, c, path("v1", "questions"), query)
}

// GetQuestion gives a question, open or not.
func (c *Client) GetQuestion(ctx context.Context, question uuid.UUID) (vault.Question, error) {
	return get[vault.Question](ctx, c, path("v1", "questions", question), nil)
}
