package customers

import (
	"context"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// ValidateCorrection validates a correction before anything is locked.
func (s Values) ValidateCorrection(ctx context.Context, ev vault.Event) (once.Validated, error) {
	var out once.Validated
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, _ dbgen.Operation, in vault.CorrectValueInput) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		_, checked, err := s.checkValue(ctx, q, ev.TenantID, correctionOf(in))
		once.ObserveValue(s.Observer, vault.CorrectValue.Name, checked, err)
		out.Warnings = checked.Warnings
		return err
	})
	return out, err
}

// PersistCorrection stores the right value as the newest version. It replaces the active one, however strong that is;
// both stay in the history.
func (s Values) PersistCorrection(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.CorrectValueInput,
	) (vault.ItemResult, error) {
		if err := s.checkReplaces(ctx, q, op, in); err != nil {
			return vault.ItemResult{}, err
		}
		return s.write(ctx, t, q, op, correctionOf(in), func(row *dbgen.InsertValueParams) {
			row.Decision, row.DecidedBy, row.DecidedAt = string(vault.DecisionCorrected), in.CorrectedBy, &op.AcceptedAt
			row.DecisionNote = in.Reason
		})
	})
}

// checkReplaces rejects a correction of a version that is not active any more. It locks the profile.
func (s Values) checkReplaces(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.CorrectValueInput,
) error {
	if in.ReplacesID == nil {
		return nil
	}
	profile, err := lockKnownProfile(ctx, s.Once, q, op.TenantID, in.CustomerID)
	if err != nil {
		return err
	}
	active, err := q.GetActiveValue(ctx, dbgen.GetActiveValueParams{
		TenantID: op.TenantID, ProfileID: profile.ID, Name: in.Name,
	})
	if err != nil && !db.IsNotFound(err) {
		return err
	}
	if err != nil || active.ID != *in.ReplacesID {
		return vault.Conflict("replaces_item_id",
			"replaces_item_id: another version of %s is active by now; nothing was changed", in.Name)
	}
	return nil
}

// correctionOf returns the write of a correction.
func correctionOf(in vault.CorrectValueInput) vault.WriteValueInput {
	return vault.WriteValueInput{
		ItemID: in.ItemID, AgentID: in.AgentID, CustomerID: in.CustomerID, Name: in.Name, Value: in.Value,
		Source: vault.ValueHumanEntered, Verified: in.Verified, VerificationMethod: in.VerificationMethod,
		VerifiedBy: in.CorrectedBy,
	}
}
