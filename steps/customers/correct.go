package customers

import (
	"context"

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
		return s.write(ctx, t, q, op, correctionOf(in), func(row *dbgen.InsertValueParams) {
			row.Decision, row.DecidedBy, row.DecidedAt = string(vault.DecisionCorrected), in.CorrectedBy, &op.AcceptedAt
			row.DecisionNote = in.Reason
		})
	})
}

// correctionOf returns the write of a correction.
func correctionOf(in vault.CorrectValueInput) vault.WriteValueInput {
	return vault.WriteValueInput{
		ItemID: in.ItemID, AgentID: in.AgentID, CustomerID: in.CustomerID, Name: in.Name, Value: in.Value,
		Source: vault.ValueHumanEntered, Verified: in.Verified, VerificationMethod: in.VerificationMethod,
		VerifiedBy: in.CorrectedBy,
	}
}
