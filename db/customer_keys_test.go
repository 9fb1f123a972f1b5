package db_test

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/vault"
)

// process returns a sealer as another process has it: with pools and a memory of its own.
func process(t *testing.T, url, key string) (*db.Sealer, *db.DB) {
	t.Helper()
	d := dbtest.OpenURL(t, url)
	return sealer(t, key).Bind(d), d
}

func keysOf(t *testing.T, d *db.DB, tenant uuid.UUID, customers ...uuid.UUID) []dbgen.ListCustomerKeysRow {
	t.Helper()
	rows, err := d.Tenant(tenant).ListCustomerKeys(t.Context(), tenant, customers)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCustomerKeys_FirstNeedInManyProcesses(t *testing.T) {
	t.Parallel()
	url, key := dbtest.URL(t), newKey(t)
	first, d := process(t, url, key)
	second, _ := process(t, url, key)
	tenant := dbtest.Tenant(t, d)
	customers := make([]uuid.UUID, 20)
	for i := range customers {
		customers[i] = newID()
	}
	type sealed struct {
		owner db.Owner
		row   uuid.UUID
		bytes []byte
	}
	var mu sync.Mutex
	var all []sealed
	var group sync.WaitGroup
	for i := range 8 {
		s := []*db.Sealer{first, second}[i%2]
		group.Go(func() {
			if i > 5 { // a batch
				if err := s.Prepare(t.Context(), tenant, customers, true); err != nil {
					t.Error(err)
				}
			}
			for _, c := range customers {
				is := sealed{owner: db.Owner{TenantID: tenant, CustomerID: c}, row: newID()}
				var err error
				if is.bytes, err = s.Seal(t.Context(), is.owner, is.row, "kept"); err != nil {
					t.Error(err)
				}
				mu.Lock()
				all = append(all, is)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if rows := keysOf(t, d, tenant, customers...); len(rows) != len(customers) {
		t.Errorf("%d customers have %d keys", len(customers), len(rows))
	}
	third, _ := process(t, url, key)
	for _, is := range all {
		if got := db.OwnerOf(tenant, is.bytes); got != is.owner {
			t.Fatalf("the owner is %v, want %v", got, is.owner)
		}
		plain, err := third.OpenBytes(t.Context(), tenant, is.row, is.bytes)
		if err != nil || string(plain) != `"kept"` {
			t.Fatalf("in another process: %s, %v", plain, err)
		}
	}
}

// Whoever has everything but the row of the key can open nothing, the sealing key included.
func TestCustomerKeys_DeletedKeyOpensNothing(t *testing.T) {
	t.Parallel()
	url, key := dbtest.URL(t), newKey(t)
	s, d := process(t, url, key)
	tenant, row := dbtest.Tenant(t, d), newID()
	gone, stays := newID(), newID()
	seal := func(customer uuid.UUID) []byte {
		t.Helper()
		sealed, err := s.Seal(t.Context(), db.Owner{TenantID: tenant, CustomerID: customer}, row, "kept")
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	sealed, other := seal(gone), seal(stays)
	listening, listener := process(t, url, key)
	connected := make(chan struct{}, 8)
	go listener.ListenOperations(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)), func() { connected <- struct{}{} },
		func(uuid.UUID) {})
	<-connected
	open := func(s *db.Sealer, sealed []byte) error {
		_, err := s.OpenBytes(t.Context(), tenant, row, sealed)
		return err
	}
	if err := errors.Join(open(listening, sealed), open(listening, other)); err != nil {
		t.Fatal(err)
	}
	deleted, err := d.Tenant(tenant).DeleteCustomerKeys(t.Context(), tenant, []uuid.UUID{gone, newID()})
	if err != nil || deleted != 1 {
		t.Fatalf("%d keys were deleted, %v", deleted, err)
	}
	s.Forget(tenant, gone)
	if err := open(s, sealed); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("in the process that deleted it: %v", err)
	}
	for { // another process hears of it; until then it may open
		if err := open(listening, sealed); err == nil {
			continue
		} else if vault.CodeOf(err) != vault.CodeUnknown {
			t.Errorf("in a process that listens: %v", err)
		}
		break
	}
	if err := errors.Join(open(s, other), open(listening, other)); err != nil {
		t.Errorf("another customer's data: %v", err)
	}
	again := seal(gone) // the customer gets a new key, which opens nothing of before
	if err := open(s, again); err != nil {
		t.Error(err)
	}
	if err := open(s, sealed); err == nil || !strings.Contains(err.Error(), "another key, or altered") {
		t.Errorf("with a new key of the customer: %v", err)
	}
}

// A key in the row of another customer or tenant does not open, so no customer's data can be sealed with a foreign key.
func TestCustomerKeys_BoundToCustomer(t *testing.T) {
	t.Parallel()
	url, key := dbtest.URL(t), newKey(t)
	s, d := process(t, url, key)
	tenant, first, second := dbtest.Tenant(t, d), newID(), newID()
	if err := s.Prepare(t.Context(), tenant, []uuid.UUID{first, second}, true); err != nil {
		t.Fatal(err)
	}
	dbtest.Exec(t, url, "UPDATE customer_keys SET wrapped = (SELECT wrapped FROM customer_keys WHERE customer_id = $1) "+
		"WHERE customer_id = $2", first, second)
	fresh, _ := process(t, url, key)
	if _, err := fresh.Seal(t.Context(), db.Owner{TenantID: tenant, CustomerID: second}, newID(), "x"); err == nil {
		t.Error("a moved key was used")
	}
	strange, _ := process(t, url, newKey(t))
	if _, err := strange.Seal(t.Context(), db.Owner{TenantID: tenant, CustomerID: first}, newID(), "x"); err == nil {
		t.Error("another sealing key opened a customer's key")
	}
	_, err := s.Seal(t.Context(), db.Owner{TenantID: newID(), CustomerID: first}, newID(), "x")
	if vault.CodeOf(err) != vault.CodeUnknown || !strings.Contains(err.Error(), "tenant") {
		t.Errorf("for an unknown tenant: %v", err)
	}
}

// Transactions that hold all connections of the pool still get keys, and a rollback takes no key back: what another
// process sealed with it stays readable.
func TestCustomerKeys_InTransactions(t *testing.T) {
	t.Parallel()
	url, key := dbtest.URL(t), newKey(t)
	s, d := process(t, url, key)
	tenant := dbtest.Tenant(t, d)
	rollback := errors.New("rolled back")
	const many = 24 // more than connections
	var group sync.WaitGroup
	for range many {
		group.Go(func() {
			owner, row := db.Owner{TenantID: tenant, CustomerID: newID()}, newID()
			var sealed []byte
			err := d.InTx(t.Context(), tenant, func(q *dbgen.Queries) (err error) {
				if _, err = q.ResolveCustomers(t.Context(), tenant, []uuid.UUID{owner.CustomerID}); err != nil {
					return err
				}
				if sealed, err = s.Seal(t.Context(), owner, row, "kept"); err != nil {
					return err
				}
				return rollback
			})
			if !errors.Is(err, rollback) {
				t.Error(err)
			}
			s.Forget(tenant, owner.CustomerID)
			if _, err := s.OpenBytes(t.Context(), tenant, row, sealed); err != nil {
				t.Errorf("after the rollback: %v", err)
			}
		})
	}
	group.Wait()
}
