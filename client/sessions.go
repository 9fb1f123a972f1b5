package client

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// GetSession gives a session with its turns.
func (c *Client) GetSession(ctx context.Context, session uuid.UUID) (vault.Session, error) {
	return get[vault.Session](ctx, c, path("v1", "sessions", session), nil)
}

// AddTurns adds turns to a session that was saved before.
func (c *Client) AddTurns(ctx context.Context, session uuid.UUID, turns []vault.Turn, opts ...Option) (Operation[vault.SavedResult], error) {
	body := struct {
		Turns []vault.Turn `json:"turns"`
	}{turns}
	return change[vault.SavedResult](ctx, c, request{method: http.MethodPost, path: path("v1", "sessions", session, "turns"), body: body}, opts)
}
