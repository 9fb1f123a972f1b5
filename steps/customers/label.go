package customers

import (
	"context"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// SetLabel sets the label of a customer. A label that was accepted later stays.
func (s Customers) SetLabel(ctx context.Context, ev vault.Event) (once.Applied[vault.CustomerResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.SetCustomerLabelInput,
	) (vault.CustomerResult, error) {
		profile, err := lockKnownProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.CustomerResult{}, err
		}
		err = q.SetProfileLabel(ctx, dbgen.SetProfileLabelParams{
			TenantID: ev.TenantID, ID: profile.ID, Label: in.Label, AcceptedAt: &op.AcceptedAt,
		})
		if err != nil {
			return vault.CustomerResult{}, err
		}
		version, err := t.Profile(ctx, q, ev.TenantID, profile.ID)
		return vault.CustomerResult{CustomerID: in.CustomerID, Version: version}, err
	})
}
