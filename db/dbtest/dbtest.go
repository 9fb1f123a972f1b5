// Package dbtest creates a migrated database for each test, on the real PostgreSQL server of ADMIN_DATABASE_URL.
//
// The URLs of databases have the login of the server's administrator, who creates and inspects them. The programs under
// test have the logins of logins.go.
package dbtest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
)

// ServerEnv is the variable with the URL of the PostgreSQL server. Its login must be a superuser: it creates
// databases and logins. If it is not set, DATABASE_URL is used.
const ServerEnv = "ADMIN_DATABASE_URL"

// Server returns the URL of the PostgreSQL server of the tests. "": none is set.
func Server() string { return cmp.Or(os.Getenv(ServerEnv), os.Getenv("DATABASE_URL")) }

const timeout = time.Minute

var errNoServer = errors.New(ServerEnv + " is not set: run `make test`, which starts PostgreSQL and sets it")

// Clone creates a migrated database and returns its URL. drop drops it.
func Clone(ctx context.Context) (clone string, drop func(context.Context) error, err error) {
	server := Server()
	if server == "" {
		return "", nil, errNoServer
	}
	sum := sha256.New()
	for _, file := range db.SchemaFiles() {
		sum.Write([]byte(file))
	}
	template := Template{Name: "vault_template_" + hex.EncodeToString(sum.Sum(nil))[:12], Build: db.Migrate}
	if clone, drop, err = template.Clone(ctx, server); err != nil {
		return "", nil, err
	}
	return clone, drop, ensureLogins(ctx, server)
}

// URL creates a migrated database for this test and drops it when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	url, drop, err := Clone(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := drop(ctx); err != nil {
			t.Logf("drop test database: %v", err)
		}
	})
	return url
}

// Open creates a migrated database for this test and opens it.
func Open(t testing.TB) *db.DB {
	t.Helper()
	return OpenURL(t, URL(t))
}

// OpenURL opens a database with the logins of tests, and closes it when the test ends.
func OpenURL(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := OpenLogins(t.Context(), url, db.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// Tenant creates a tenant.
func Tenant(t testing.TB, d *db.DB) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	if _, err := d.System().CreateTenant(t.Context(), id, "test"); err != nil {
		t.Fatal(err)
	}
	return id
}

// Sealer returns a sealer with a new key, for a database. nil: for data of no customer.
func Sealer(t testing.TB, d *db.DB) *db.Sealer {
	t.Helper()
	key, err := db.NewSealingKey()
	if err != nil {
		t.Fatal(err)
	}
	s, err := db.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	if d != nil {
		s.Bind(d)
	}
	return s
}
