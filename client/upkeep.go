package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// ExpireOwnValues marks the values and assets of the tenant whose expiry has passed as expired. It needs the
// scope admin.
func (c *Client) ExpireOwnValues(ctx context.Context, opts ...Option) (Operation[vault.SweepResult], error) {
	return c.sweep(ctx, vault.ExpireValues.Name, opts)
}

// DetectOwnOrphans marks items of the tenant without their source. It needs the scope admin.
func (c *Client) DetectOwnOrphans(ctx context.Context, opts ...Option) (Operation[vault.SweepResult], error) {
	return c.sweep(ctx, vault.DetectOrphans.Name, opts)
}

func (c *Client) sweep(ctx context.Context, name string, opts []Option) (Operation[vault.SweepResult], error) {
	return change[vault.SweepResult](ctx, c, request{method: http.MethodPost, path: path("v1", "sweeps", name)}, opts)
}

// DropCachedProfile removes the cache entry of a customer. It is never necessary: the vault invalidates entries itself.
// It needs the scope admin, or the admin token and Options.Tenant.
func (c *Client) DropCachedProfile(ctx context.Context, customer uuid.UUID) error {
	return c.do(ctx, request{method: http.MethodDelete, path: path("admin", "cache", "profiles", customer)}, nil)
}

// Health is the health of a server.
type Health struct {
	// Status is ok, ready, degraded (an optional dependency is unavailable), unavailable or stopping.
	Status string `json:"status"`
	// Dependencies holds ok or an error for each dependency.
	Dependencies map[string]string `json:"dependencies,omitempty"`
}

// Ready reports whether the server takes requests: it is ready, or an optional dependency is unavailable.
func (h Health) Ready() bool { return h.Status == "ready" || h.Status == "degraded" }

// GetHealth checks that the process is running. It needs no key.
func (c *Client) GetHealth(ctx context.Context) (Health, error) {
	return get[Health](ctx, c, path("healthz"), nil)
}

// GetReadiness checks the server and its dependencies. A server that is not ready is not an error. It needs no key.
func (c *Client) GetReadiness(ctx context.Context) (Health, error) {
	var out Health
	got, err := c.send(ctx, request{method: http.MethodGet, path: path("readyz"), once: true})
	if err != nil {
		return out, err
	}
	if !got.json() || json.Unmarshal(got.body, &out) != nil || out.Status == "" {
		return out, fmt.Errorf("%w: the response with status %d is not the health of a vault", ErrNotVault, got.status)
	}
	return out, nil
}
