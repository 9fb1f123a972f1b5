package testkit

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/telemetry"
)

// AdminToken is the operator's, at ServeAPI.
const AdminToken = "operators-only"

// keyStore keeps API keys where `vault keys` does.
type keyStore struct{ db *db.DB }

// FindKey implements api.Keys.
func (k keyStore) FindKey(ctx context.Context, hash []byte) (api.Key, error) {
	row, err := k.db.System().FindAPIKey(ctx, hash)
	if err != nil {
		return api.Key{}, db.Found(err, "API key", "it")
	}
	key := api.Key{ID: row.ID, TenantID: row.TenantID, Hash: row.KeyHash, ExpiresAt: row.ExpiresAt, RevokedAt: row.RevokedAt, LastUsedAt: row.LastUsedAt}
	for _, s := range row.Scopes {
		key.Scopes = append(key.Scopes, api.Scope(s))
	}
	return key, nil
}

// TouchKey implements api.Keys.
func (k keyStore) TouchKey(ctx context.Context, id uuid.UUID) error {
	return k.db.System().TouchAPIKey(ctx, id)
}

// ServeAPI serves the system over HTTP in this process, without a limit on requests. wrap may stand in front of it; nil: nothing
// does. Close the server.
func (k *Kit) ServeAPI(ctx context.Context, wrap func(http.Handler) http.Handler) (*httptest.Server, error) {
	operator := ID()
	if _, err := k.DB.System().CreateTenant(ctx, operator, "operator"); err != nil {
		return nil, fmt.Errorf("make the operator's tenant: %w", err)
	}
	var h http.Handler = api.New(api.Options{
		Query: k.Query, Trigger: k.Trigger, Keys: keyStore{k.DB}, AdminToken: AdminToken, OperatorTenant: operator, Log: Log(),
		DropProfile: func(ctx context.Context, tenant, customer uuid.UUID) error {
			return k.Cache.Drop(ctx, cache.ProfileKey(tenant, customer))
		},
		Dependencies: []telemetry.Dependency{{Name: "database", Required: true, Check: k.DB.Ping}, {Name: "redis", Check: k.Cache.Ping}},
	})
	if wrap != nil {
		h = wrap(h)
	}
	return httptest.NewServer(h), nil
}

// APIKey makes a key of a tenant.
func (k *Kit) APIKey(ctx context.Context, tenant uuid.UUID, scopes ...string) (secret string, id uuid.UUID, err error) {
	secret, id = api.NewKey(), ID()
	err = k.DB.System().CreateAPIKey(ctx, dbgen.CreateAPIKeyParams{
		ID: id, TenantID: tenant, Name: "test", KeyHash: api.HashKey(secret), Scopes: scopes,
	})
	return secret, id, err
}
