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
	"github.com/contextvault/contextvault/internal/keystore"
	"github.com/contextvault/contextvault/telemetry"
)

// AdminToken is the admin token of ServeAPI.
const AdminToken = "operators-only-0123456789abcdefghij"

// ServeAPI serves the API in this process, without a rate limit. wrap adds middleware; nil: none. Close the server.
func (k *Kit) ServeAPI(ctx context.Context, wrap func(http.Handler) http.Handler) (*httptest.Server, error) {
	operator := ID()
	if _, err := k.DB.System().CreateTenant(ctx, operator, "operator"); err != nil {
		return nil, fmt.Errorf("create the operator's tenant: %w", err)
	}
	var h http.Handler = api.New(k.APIOptions(operator))
	if wrap != nil {
		h = wrap(h)
	}
	return httptest.NewServer(h), nil
}

// APIOptions returns the options of the API, without a rate limit. Sweeps by hand belong to the tenant operator.
func (k *Kit) APIOptions(operator uuid.UUID) api.Options {
	return api.Options{
		Query:          k.Query,
		Trigger:        k.Trigger,
		Keys:           keystore.Store{DB: k.DB},
		AdminToken:     AdminToken,
		OperatorTenant: operator,
		Log:            Log(),
		Unavailable:    db.IsUnavailable,
		DropProfile: func(ctx context.Context, tenant, customer uuid.UUID) error {
			return k.Cache.Drop(ctx, cache.ProfileKey(tenant, customer))
		},
		Dependencies: []telemetry.Dependency{
			{Name: "database", Required: true, Check: k.DB.Ping},
			{Name: "redis", Check: k.Cache.Ping},
		},
	}
}

// APIKey creates an API key of a tenant.
func (k *Kit) APIKey(ctx context.Context, tenant uuid.UUID, scopes ...string) (secret string, id uuid.UUID, err error) {
	secret, id = api.NewKey(), ID()
	err = k.DB.System().CreateAPIKey(ctx, dbgen.CreateAPIKeyParams{
		ID: id, TenantID: tenant, Name: "test", KeyHash: api.HashKey(secret), Scopes: scopes,
	})
	return secret, id, err
}
