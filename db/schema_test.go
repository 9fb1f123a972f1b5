package db_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
)

func TestMigrate_UpDownUp(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	if err := db.MigrateDownAll(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	all, err := db.MigrationStatus(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if !m.Applied {
			t.Errorf("%s is not applied", m.Name)
		}
	}
}

func TestMigrate_OldPgvectorIsRefused(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	for version, refused := range map[string]bool{"0.7.4": true, "0.8": false, "0.10.1": false, "1.0.0": false} {
		if err := db.MigrateDownAll(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		dbtest.Exec(t, url, "CREATE EXTENSION IF NOT EXISTS vector")
		dbtest.Exec(t, url, "UPDATE pg_extension SET extversion = $1 WHERE extname = 'vector'", version)
		err := db.Migrate(t.Context(), url)
		if said := err != nil && strings.Contains(err.Error(), "pgvector "+version+" is installed, and 0.8 or newer is needed"); said != refused || (err != nil) != refused {
			t.Errorf("%s: got %v", version, err)
		}
	}
}

func TestTenant_RowOfOtherTenantIsNotFound(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t)
	sealer := dbtest.Sealer(t, d)
	mine, theirs := dbtest.Tenant(t, d), dbtest.Tenant(t, d)
	op, err := db.AcceptOperation(t.Context(), d.Tenant(mine), sealer, mine, db.NewOperation{Workflow: "w", Event: "e", Subject: "s", Payload: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Tenant(mine).GetOperation(t.Context(), mine, op.ID); err != nil {
		t.Errorf("its own tenant does not see it: %v", err)
	}
	// The query names the right tenant; the connection is another's. Row-level security must hold by itself.
	if _, err := d.Tenant(theirs).GetOperation(t.Context(), mine, op.ID); !db.IsNotFound(err) {
		t.Errorf("another tenant: got %v, want no row", err)
	}
	if _, err := d.Tenant(uuid.Nil).GetOperation(t.Context(), mine, op.ID); !db.IsNotFound(err) {
		t.Errorf("no tenant: got %v, want no row", err)
	}
}
