package db_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
)

// inSystemTx runs fn in a transaction that sees all tenants.
func inSystemTx(t *testing.T, d *db.DB, fn func(q *dbgen.Queries) error) {
	t.Helper()
	if err := d.InSystemTx(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func rotate(t *testing.T, s *db.Sealer, d *db.DB, tenant uuid.UUID) {
	t.Helper()
	inSystemTx(t, d, func(q *dbgen.Queries) error {
		began, err := s.RotateTenantKey(t.Context(), q, tenant, time.Now().Add(time.Hour))
		if !began {
			t.Error("no rotation began")
		}
		return err
	})
}

// A process that has the key of before a rotation in its memory opens what the new one wrapped, and wraps with the new
// one itself. So no key of a customer is lost when the old one is removed.
func TestTenantKeys_ProcessWithTheOldKey(t *testing.T) {
	t.Parallel()
	url, key := dbtest.URL(t), newKey(t)
	rotating, d := process(t, url, key)
	stale, _ := process(t, url, key)
	tenant, row := dbtest.Tenant(t, d), newID()
	seal := func(s *db.Sealer, customer uuid.UUID) []byte {
		t.Helper()
		sealed, err := s.Seal(t.Context(), db.Owner{TenantID: tenant, CustomerID: customer}, row, "kept")
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	sealed := [][]byte{seal(rotating, newID()), seal(stale, newID())}
	blind, err := stale.BlindKey(t.Context(), tenant, "tax_id", "x")
	if err != nil {
		t.Fatal(err)
	}
	rotate(t, rotating, d, tenant)
	sealed = append(sealed, seal(stale, newID()), seal(rotating, newID()), seal(rotating, newID()))
	for _, is := range sealed {
		if _, err := stale.OpenBytes(t.Context(), tenant, row, is); err != nil {
			t.Error(err)
		}
	}
	rewrapped := 0
	inSystemTx(t, d, func(q *dbgen.Queries) (err error) {
		rewrapped, err = rotating.RewrapKeys(t.Context(), q, tenant, 100)
		return err
	})
	if rewrapped != 3 { // two customers, and the key of the blind index
		t.Errorf("%d keys were wrapped again", rewrapped)
	}
	for range 2 { // the second has nothing to do
		inSystemTx(t, d, func(q *dbgen.Queries) error { return rotating.RetireTenantKeys(t.Context(), q, tenant) })
	}
	sealed = append(sealed, seal(stale, newID()))
	fresh, _ := process(t, url, key)
	for _, is := range sealed {
		if _, err := fresh.OpenBytes(t.Context(), tenant, row, is); err != nil {
			t.Error(err)
		}
	}
	if again, err := fresh.BlindKey(t.Context(), tenant, "tax_id", "x"); err != nil || again != blind {
		t.Errorf("the blind index of the tenant changed, %v", err)
	}
}

// A rotation that is not finished keeps the old key: what it wrapped opens, and a second rotation loses nothing.
func TestTenantKeys_UnfinishedRotation(t *testing.T) {
	t.Parallel()
	url, key := dbtest.URL(t), newKey(t)
	s, d := process(t, url, key)
	tenant, row := dbtest.Tenant(t, d), newID()
	var sealed [][]byte
	for range 3 {
		is, err := s.Seal(t.Context(), db.Owner{TenantID: tenant, CustomerID: newID()}, row, "kept")
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, is)
		rotate(t, s, d, tenant)
		inSystemTx(t, d, func(q *dbgen.Queries) error { return s.RetireTenantKeys(t.Context(), q, tenant) })
	}
	left, err := s.Rotation(t.Context(), d.System())
	if err != nil || left.CustomerKeys != 3 || !left.Done() {
		t.Errorf("left: %+v, %v", left, err)
	}
	fresh, _ := process(t, url, key)
	for _, is := range sealed {
		if _, err := fresh.OpenBytes(t.Context(), tenant, row, is); err != nil {
			t.Error(err)
		}
	}
}

// A key in the row of another tenant does not open, and the error of a key that is missing says what to restore.
func TestTenantKeys_MovedAndMissing(t *testing.T) {
	t.Parallel()
	url, key := dbtest.URL(t), newKey(t)
	s, d := process(t, url, key)
	first, second, row := dbtest.Tenant(t, d), dbtest.Tenant(t, d), newID()
	sealed := map[uuid.UUID][]byte{}
	for _, tenant := range []uuid.UUID{first, second} {
		var err error
		if sealed[tenant], err = s.Seal(t.Context(), db.Owner{TenantID: tenant, CustomerID: newID()}, row, "kept"); err != nil {
			t.Fatal(err)
		}
	}
	dbtest.Exec(t, url, "UPDATE tenant_keys SET sealed = (SELECT sealed FROM tenant_keys WHERE tenant_id = $1) WHERE tenant_id = $2",
		first, second)
	fresh, _ := process(t, url, key)
	if _, err := fresh.OpenBytes(t.Context(), second, row, sealed[second]); err == nil {
		t.Error("a moved key was used")
	}
	dbtest.Exec(t, url, "DELETE FROM tenant_keys WHERE tenant_id = $1", first)
	_, err := fresh.OpenBytes(t.Context(), first, row, sealed[first])
	if err == nil || !strings.Contains(err.Error(), "restore tenant_keys and customer_keys from the same dump") {
		t.Errorf("without the key of the tenant: %v", err)
	}
}
