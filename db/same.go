package db

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
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

// CheckSessionOf refuses the session of another customer: owner is whose it is. Only where that is another id than the customer's is
// it looked up whether the two are one.
func CheckSessionOf(ctx context.Context, q *dbgen.Queries, tenant, customer, session, owner uuid.UUID) error {
	if owner == customer {
		return nil
	}
	same, err := SameCustomers(ctx, q, tenant, customer)
	if err == nil && !slices.Contains(same, owner) {
		err = vault.Invalid("session_id", "session %s is of another customer", session)
	}
	return err
}
