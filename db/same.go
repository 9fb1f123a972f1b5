package db

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
)

// SameCustomers gives the customers who are one with a customer since their profiles were merged, the customer included: what is
// kept under the id of one, as a question is, is of all of them.
func SameCustomers(ctx context.Context, q *dbgen.Queries, tenant, customer uuid.UUID) ([]uuid.UUID, error) {
	same, err := q.ListSameCustomers(ctx, tenant, customer)
	if err == nil && !slices.Contains(same, customer) { // nothing was written for it yet
		same = append(same, customer)
	}
	return same, err
}
