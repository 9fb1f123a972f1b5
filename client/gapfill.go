package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// ListQuestions lists the open questions to a customer, oldest first. nil: to all customers.
func (c *Client) ListQuestions(ctx context.Context, customer *uuid.UUID) iter.Seq2[vault.Question, error] {
	query := url.Values{}
	if customer != nil {
		query.Set("customer_id", customer.String())
	}
	return list[vault.Question](ctx, c, path("v1", "questions"), query)
}

// ListClosedQuestions lists the closed questions to a customer, newest first.
func (c *Client) ListClosedQuestions(ctx context.Context, customer uuid.UUID) iter.Seq2[vault.Question, error] {
	return list[vault.Question](ctx, c, path("v1", "customers", customer, "questions", "closed"), nil)
}

// GetQuestion returns a question, open or closed.
func (c *Client) GetQuestion(ctx context.Context, question uuid.UUID) (vault.Question, error) {
	return get[vault.Question](ctx, c, path("v1", "questions", question), nil)
}

// GetSession returns a session with its turns.
func (c *Client) GetSession(ctx context.Context, session uuid.UUID) (vault.Session, error) {
	return get[vault.Session](ctx, c, path("v1", "sessions", session), nil)
}

// TakeSessionTurn is TakeTurn for a session with an id of the caller's own.
func (c *Client) TakeSessionTurn(
	ctx context.Context, session uuid.UUID, in vault.TakeTurnInput, opts ...Option,
) (Operation[vault.TurnResult], error) {
	in.SessionID = session
	return change[vault.TurnResult](ctx, c, request{
		method: http.MethodPost, path: path("v1", "sessions", session, "take-turn"), body: in,
	}, opts)
}

// MaxAwait is the maximum time that AwaitQuestions waits.
const MaxAwait = time.Minute

// AwaitQuestions returns the open questions to a customer that a channel may ask now, and waits up to d for one if
// there is none. d: at most a minute. channel "": the questions that no channel has claimed.
func (c *Client) AwaitQuestions(
	ctx context.Context, customer uuid.UUID, channel string, d time.Duration,
) ([]vault.Question, error) {
	query := url.Values{"wait": {strconv.Itoa(int(d.Seconds()))}}
	if channel != "" {
		query.Set("channel", channel)
	}
	var out page[vault.Question]
	err := c.do(ctx, request{
		method: http.MethodGet, path: path("v1", "customers", customer, "questions"), query: query, wait: d,
	}, &out)
	return out.Items, err
}

// AddTurns adds turns to an existing session.
func (c *Client) AddTurns(
	ctx context.Context, session uuid.UUID, turns []vault.Turn, opts ...Option,
) (Operation[vault.SavedResult], error) {
	body := struct {
		Turns []vault.Turn `json:"turns"`
	}{turns}
	return change[vault.SavedResult](ctx, c, request{
		method: http.MethodPost, path: path("v1", "sessions", session, "turns"), body: body,
	}, opts)
}
