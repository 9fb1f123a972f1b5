package client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

var (
	kit    *testkit.Kit
	server *httptest.Server // the API over the kit
)

func TestMain(m *testing.M) {
	os.Exit(testkit.Main(m, func(k *testkit.Kit) {
		kit = k
		var err error
		if server, err = k.ServeAPI(context.Background(), nil); err != nil {
			panic(err)
		}
	}))
}

// newClient creates a client with its own tenant and all scopes. transport, if not nil, sends its requests.
func newClient(t testing.TB, transport http.RoundTripper) (*client.Client, uuid.UUID) {
	t.Helper()
	tenant := kit.Tenant(t)
	key, _, err := kit.APIKey(t.Context(), tenant, "read", "write", "admin")
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Options{Server: server.URL, Key: key, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return c, tenant
}

// newKey creates a tenant and a key for examples.
func newKey() string {
	ctx, tenant := context.Background(), testkit.ID()
	_, err := kit.DB.System().CreateTenant(ctx, tenant, "example")
	if err != nil {
		panic(err)
	}
	key, _, err := kit.APIKey(ctx, tenant, "read", "write")
	if err != nil {
		panic(err)
	}
	return key
}

// patience is the time-out for the outcome of an operation.
var patience = client.Wait(testkit.Patience)

func define(t testing.TB, c *client.Client, agent uuid.UUID, name string, kind vault.ValueType) {
	t.Helper()
	must[client.Operation[vault.SavedResult]](t)(
		c.SaveDefinition(t.Context(), vault.Definition{AgentID: agent, Name: name, ValueType: kind, Enabled: true}, patience))
}

// must fails the test if a call fails.
func must[T any](t testing.TB) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(fmt.Errorf("%w", err))
		}
		return out
	}
}
