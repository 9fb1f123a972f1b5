package customers

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// PersistExpiry ends the value that was active when the operation was accepted, as the sweep does once expires_at has
// passed. It rejects the operation if the value was replaced since.
func (s Values) PersistExpiry(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.ExpireValueInput,
	) (vault.ItemResult, error) {
		profile, err := lockKnownProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.ItemResult{}, err
		}
		field, err := q.GetActiveValue(ctx, dbgen.GetActiveValueParams{
			TenantID: ev.TenantID, ProfileID: profile.ID, Name: in.Name,
		})
		if db.IsNotFound(err) {
			return vault.ItemResult{}, vault.Conflict("name", "name: the customer has no active %s that could expire", in.Name)
		}
		if err != nil {
			return vault.ItemResult{}, err
		}
		if (in.ItemID != nil && *in.ItemID != field.ID) || (in.ItemID == nil && field.AcceptedAt.After(op.AcceptedAt)) {
			return vault.ItemResult{}, vault.Conflict(
				"item_id", "item_id: %s was replaced by item %s before its expiry; expire that one", in.Name, field.ID,
			)
		}
		err = q.ExpireValue(ctx, dbgen.ExpireValueParams{TenantID: ev.TenantID, ID: field.ID, At: op.AcceptedAt})
		if err != nil {
			return vault.ItemResult{}, err
		}
		if err := RefreshStale(ctx, t, q, ev.TenantID, []uuid.UUID{field.ID}, profile.ID); err != nil {
			return vault.ItemResult{}, err
		}
		version, err := t.Profile(ctx, q, ev.TenantID, profile.ID)
		return vault.ItemResult{ItemID: field.ID, Status: vault.StatusExpired, ProfileVersion: version}, err
	})
}
