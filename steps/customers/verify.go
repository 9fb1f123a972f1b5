package customers

import (
	"context"
	"slices"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// PersistVerification marks the value that was active when the verification was accepted. It rejects the verification
// if the value was replaced since.
func (s Values) PersistVerification(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.VerifyValueInput,
	) (vault.ItemResult, error) {
		def, err := FindDefinition(ctx, q, ev.TenantID, in.AgentID, in.Name)
		if err != nil {
			return vault.ItemResult{}, err
		}
		if def == nil {
			return vault.ItemResult{}, vault.Unknown("field", in.Name)
		}
		if len(def.VerificationMethods) > 0 && !slices.Contains(def.VerificationMethods, in.Method) {
			return vault.ItemResult{}, vault.Invalid(
				"method", "%s can be verified by %s", in.Name, vault.OneOf(def.VerificationMethods),
			)
		}
		profile, err := lockKnownProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.ItemResult{}, err
		}
		field, err := q.GetActiveValue(ctx, dbgen.GetActiveValueParams{
			TenantID: ev.TenantID, ProfileID: profile.ID, Name: in.Name,
		})
		if db.IsNotFound(err) {
			return vault.ItemResult{}, vault.Conflict(
				"name", "name: the customer has no active %s to verify; write it first", in.Name,
			)
		}
		if err != nil {
			return vault.ItemResult{}, err
		}
		if (in.ItemID != nil && *in.ItemID != field.ID) || (in.ItemID == nil && field.AcceptedAt.After(op.AcceptedAt)) {
			return vault.ItemResult{}, vault.Conflict(
				"item_id", "item_id: %s was replaced by item %s before the verification; verify that one", in.Name, field.ID,
			)
		}
		if verifiedSince(field, op.AcceptedAt) { // a newer verification is stored already
			return vault.ItemResult{ItemID: field.ID, Status: vault.StatusActive, ProfileVersion: profile.Version}, nil
		}
		err = q.VerifyValue(ctx, dbgen.VerifyValueParams{
			TenantID: ev.TenantID, ID: field.ID, VerificationMethod: in.Method, VerifiedBy: in.VerifiedBy,
			VerifiedAt: &op.AcceptedAt,
		})
		if err != nil {
			return vault.ItemResult{}, err
		}
		version, err := t.Profile(ctx, q, ev.TenantID, profile.ID)
		return vault.ItemResult{ItemID: field.ID, Status: vault.StatusActive, ProfileVersion: version}, err
	})
}

// verifiedSince reports whether a verification of the value was accepted after a time. A verification that came with
// the value does not count.
func verifiedSince(field dbgen.CustomerValue, at time.Time) bool {
	return field.Verified && field.VerifiedAt != nil && field.VerifiedAt.After(at) &&
		!field.VerifiedAt.Equal(field.CollectedAt)
}
