package db_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openOne opens a database with a single connection for tenants, which every query must give back.
func openOne(t *testing.T) (*db.DB, string) {
	t.Helper()
	url := dbtest.URL(t)
	d, err := dbtest.OpenLogins(t.Context(), url, db.Options{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d, url
}

// checkClean checks that the one connection is free, and that nothing of a tenant is on it.
func checkClean(t *testing.T, d *db.DB, after string) {
	t.Helper()
	// A connection whose context ended is closed in the background.
	for deadline := time.Now().Add(20 * time.Second); d.AppPool().Stat().AcquiredConns() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s: the connection was not given back", after)
		}
	}
	var tenant string
	var rows int
	err := d.AppPool().QueryRow(t.Context(), "SELECT coalesce(current_setting('vault.tenant', true), ''), (SELECT count(*) FROM operations)").Scan(&tenant, &rows)
	if err != nil {
		t.Fatalf("after %s: %v", after, err)
	}
	if tenant != "" || rows != 0 {
		t.Errorf("after %s: the connection is left with tenant %q, and sees %d rows", after, tenant, rows)
	}
}

func params(e env) dbgen.UpsertScenarioParams {
	return dbgen.UpsertScenarioParams{
		TenantID: e.tenant, ID: newID(), AgentID: newID(), Name: "s", Content: []byte(`{}`), ContentHash: "h", OperationID: newID(), AcceptedAt: now(),
	}
}
