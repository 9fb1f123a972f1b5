package customers

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
)

// eraseWithdrawn removes the values of fields whose definition says that a withdrawn consent erases them, with their
// history and what gap fills hold of them. Items that were derived from them stay, marked as stale. Conversations stay.
// It returns the number of removed versions.
func eraseWithdrawn(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, tenant uuid.UUID, profile dbgen.CustomerProfile,
) (int, error) {
	names, err := q.ListWithdrawnFields(ctx, tenant, profile.ID)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	removed, err := q.RemoveFieldValues(ctx, dbgen.RemoveFieldValuesParams{
		TenantID: tenant, ProfileID: profile.ID, Names: names,
	})
	if err != nil {
		return 0, err
	}
	items, operations := make([]uuid.UUID, len(removed)), make([]uuid.UUID, len(removed))
	for i, r := range removed {
		items[i], operations[i] = r.ID, r.OperationID
	}
	if err := q.EraseValueOperations(ctx, tenant, operations); err != nil {
		return 0, err
	}
	customers, err := db.MergedCustomers(ctx, q, tenant, profile.CustomerID)
	if err != nil {
		return 0, err
	}
	err = q.RemoveFieldQuestions(ctx, dbgen.RemoveFieldQuestionsParams{
		TenantID: tenant, Customers: customers, Names: names,
	})
	if err != nil {
		return 0, err
	}
	if err := q.RemoveFillCandidates(ctx, tenant, customers); err != nil || len(items) == 0 {
		return 0, err
	}
	cut, err := q.CutDerivedItems(ctx, tenant, items)
	if err != nil {
		return 0, err
	}
	var others []uuid.UUID
	for _, c := range cut {
		items = append(items, c.ID)
		if c.ProfileID != profile.ID {
			others = append(others, c.ProfileID)
		}
	}
	if len(others) > 0 {
		if err := t.Profiles(ctx, q, others); err != nil {
			return 0, err
		}
	}
	return len(removed), t.Chains(ctx, q, items)
}
