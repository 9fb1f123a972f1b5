package query_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// fill gives a customer n active values of 60,000 bytes that compress well in the database.
func (v *vaultOf) fill(customer uuid.UUID, n int) {
	v.t.Helper()
	dbtest.Exec(v.t, v.url, `INSERT INTO customer_profiles (id, tenant_id, customer_id) VALUES ($1, $2, $3)`,
		newID(), v.tenant, customer)
	dbtest.Exec(v.t, v.url, `INSERT INTO customer_values (id, tenant_id, profile_id, name, value, value_type, source, status,
			collected_at, operation_id, accepted_at)
		SELECT gen_random_uuid(), p.tenant_id, p.id, 'f' || i, to_jsonb(repeat('a', 60000)), 'string', 'user_provided',
			'active', now(), gen_random_uuid(), now()
		FROM customer_profiles p, generate_series(1, $3::int) i
		WHERE p.tenant_id = $1 AND p.customer_id = $2`, v.tenant, customer, n)
}

func TestHistoryPage_Bytes(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.fill(v.customer, 250)
	var after *query.HistoryPosition
	seen, pages := map[uuid.UUID]bool{}, 0
	for {
		page, more, err := v.HistoryPage(t.Context(), v.tenant, v.customer, "", after, query.MaxPage)
		v.must(err)
		bytes := 0
		for _, f := range page {
			bytes += len(f.Value)
			seen[f.ID] = true
		}
		if len(page) == 0 || bytes > vault.MaxPageBytes {
			t.Fatalf("a page of %d versions has %d bytes", len(page), bytes)
		}
		if pages++; !more {
			break
		}
		last := page[len(page)-1]
		after = &query.HistoryPosition{AcceptedAt: last.AcceptedAt, OperationID: last.OperationID, ID: last.ID}
	}
	if len(seen) != 250 || pages < 4 {
		t.Errorf("%d pages have %d versions, want 250", pages, len(seen))
	}
}

func TestActiveValues_Bytes(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	var customers []uuid.UUID
	for _, n := range []int{20, 7, 7, 7} { // the first alone exceeds the limit, then two fit
		customers = append(customers, newID())
		v.fill(customers[len(customers)-1], n)
	}
	for _, want := range []int{1, 2, 1} {
		values, read, err := v.ActiveValues(t.Context(), v.tenant, customers)
		v.must(err)
		if read != want {
			t.Fatalf("%d customers are read, want %d", read, want)
		}
		for _, id := range customers[:read] {
			if len(values[id]) < 7 {
				t.Errorf("a customer of the page has %d values", len(values[id]))
			}
		}
		customers = customers[read:]
	}
}
