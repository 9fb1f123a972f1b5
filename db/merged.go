package db

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
)

// MergedCustomers returns all customers that share a profile with the customer since a merge, the customer included. A
// record under the id of one of them, such as a question, belongs to all of them.
func MergedCustomers(ctx context.Context, q *dbgen.Queries, tenant, customer uuid.UUID) ([]uuid.UUID, error) {
	merged, err := q.ListMergedCustomers(ctx, tenant, customer)
	if err == nil && !slices.Contains(merged, customer) { // a customer without a profile
		merged = append(merged, customer)
	}
	return merged, err
}
