package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

// DropCachedProfile makes the cache forget a customer. It is never needed: for an operator who wants to be sure. Needs the scope
// admin, or the admin token and Options.Tenant.
func (c *Client) DropCachedProfile(ctx context.Context, customer uuid.UUID) error {
	return c.do(ctx, request{method: http.MethodDelete, path: path("admin", "cache", "profiles", customer)}, nil)
}

// Health is whether a server can answer.
type Health struct {
	Status       string            `json:"status"`                 // ok, ready, degraded (something is missing that can be done without), unavailable or stopping
	Dependencies map[string]string `json:"dependencies,omitempty"` // each one: ok, or what is wrong with it
}

// GetHealth gives whether the process lives. It needs no key.
func (c *Client) GetHealth(ctx context.Context) (Health, error) {
	return get[Health](ctx, c, path("healthz"), nil)
}

// GetReadiness gives whether the server can answer, and which dependency is missing. That it cannot is no error. It needs no key.
func (c *Client) GetReadiness(ctx context.Context) (Health, error) {
	var out Health
	got, err := c.send(ctx, request{method: http.MethodGet, path: path("readyz"), once: true})
	if err != nil {
		return out, err
	}
	if !got.json() || json.Unmarshal(got.body, &out) != nil || out.Status == "" {
		return out, fmt.Errorf("%w: the answer is %d, and says nothing of its health", ErrNotVault, got.status)
	}
	return out, nil
}
