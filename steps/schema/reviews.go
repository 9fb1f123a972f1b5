package schema

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/required"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// PersistReview stores a person's decision about an extracted requirement or definition. A rejected row stays, so the
// next extraction does not add it again.
func (s Definitions) PersistReview(ctx context.Context, ev vault.Event) (once.Applied[vault.SavedResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DecideReviewInput,
	) (vault.SavedResult, error) {
		if err := rules.Check(in); err != nil {
			return vault.SavedResult{}, err
		}
		state := vault.ReviewApproved
		if in.Decision == vault.Reject {
			state = vault.ReviewRejected
		}
		out := vault.SavedResult{ID: in.ID}
		if in.Kind == vault.ReviewOfDefinition {
			return out, reviewDefinition(ctx, t, q, op, in, state)
		}
		var err error
		out.Warnings, err = reviewRequirement(ctx, t, q, op, in, state)
		return out, err
	})
}

func reviewDefinition(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DecideReviewInput,
	state vault.ReviewState,
) error {
	row, err := q.LockDefinition(ctx, op.TenantID, in.ID)
	if err != nil {
		return db.WrapNotFound(err, "definition", in.ID)
	}
	if err := checkReviewable(row.Origin, row.ReviewState, state, in.OnlyPending); err != nil {
		return err
	}
	if decidedLater(row.ReviewState, row.AcceptedAt, op) {
		return nil
	}
	decided := dbgen.ReviewDefinitionParams{
		TenantID: op.TenantID, ID: in.ID, ReviewState: string(state), OperationID: op.ID, AcceptedAt: op.AcceptedAt,
		Enabled: state == vault.ReviewApproved,
	}
	if in.Edit != nil {
		decided.IsPii, decided.RequiredVerification = in.Edit.IsPII, in.Edit.RequiredVerification
	}
	if err := q.ReviewDefinition(ctx, decided); err != nil {
		return err
	}
	var scenarios []uuid.UUID
	if state == vault.ReviewRejected { // what nobody may collect is not required
		scenarios, err = q.RejectFieldRequirements(ctx, dbgen.RejectFieldRequirementsParams{
			TenantID: op.TenantID, AgentID: row.AgentID, FieldName: row.Name, OperationID: op.ID, AcceptedAt: op.AcceptedAt,
		})
		if err != nil {
			return err
		}
	}
	if err := t.Definitions(ctx, q, op.TenantID, row.AgentID); err != nil {
		return err
	}
	slices.SortFunc(scenarios, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, scenario := range slices.Compact(scenarios) {
		if err := t.Requirements(ctx, q, op.TenantID, scenario); err != nil {
			return err
		}
	}
	return nil
}

func reviewRequirement(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DecideReviewInput,
	state vault.ReviewState,
) (warnings []string, err error) {
	row, err := q.LockRequirement(ctx, op.TenantID, in.ID)
	if err != nil {
		return nil, db.WrapNotFound(err, "requirement", in.ID)
	}
	if err := checkReviewable(row.Origin, row.ReviewState, state, in.OnlyPending); err != nil {
		return nil, err
	}
	edited := edit(db.RequirementOf(row), in.Edit)
	if err := rules.Check(edited); err != nil {
		return nil, err
	}
	if in.Edit != nil {
		if err := required.CheckConditionTypes(ctx, q, op.TenantID, row.AgentID, edited.WhenCondition); err != nil {
			return nil, err
		}
		if warnings, err = referenceWarnings(ctx, q, op.TenantID, edited); err != nil {
			return nil, err
		}
	}
	if decidedLater(row.ReviewState, row.AcceptedAt, op) {
		return warnings, nil
	}
	if err := t.Requirements(ctx, q, op.TenantID, row.ScenarioID); err != nil {
		return nil, err
	}
	return warnings, q.ReviewRequirement(ctx, dbgen.ReviewRequirementParams{
		TenantID: op.TenantID, ID: in.ID, ReviewState: string(state), RequiredLevel: string(edited.RequiredLevel),
		FallbackAction: string(edited.FallbackAction), WhenCondition: edited.WhenCondition,
		DependsOnFields: once.NonNil(edited.DependsOn),
		CollectionOrder: int32(edited.Order), //nolint:gosec // checked
		OperationID:     op.ID, AcceptedAt: op.AcceptedAt,
	})
}

// decidedLater reports whether a decision that was accepted later is stored already. Its edits stay.
func decidedLater(state string, at time.Time, op dbgen.Operation) bool {
	decided := state == string(vault.ReviewApproved) || state == string(vault.ReviewRejected)
	return decided && at.After(op.AcceptedAt)
}

// checkReviewable rejects the review of a row that a person saved, and a review that reverses an earlier decision or,
// with onlyPending, repeats it.
func checkReviewable(origin, now string, wanted vault.ReviewState, onlyPending bool) error {
	decided := now == string(vault.ReviewApproved) || now == string(vault.ReviewRejected)
	switch {
	case onlyPending && decided && origin == string(vault.OriginExtracted):
		return vault.Conflict("decision", "decision: this row was %s before; nothing was changed", now)
	case origin != string(vault.OriginExtracted):
		return vault.Conflict("id", "id: a person saved this row; only extracted rows can be reviewed")
	case now == string(vault.ReviewPending) || now == string(vault.ReviewNone) || now == string(wanted):
		return nil
	default:
		return vault.Conflict(
			"decision", "decision: this row is already %s; save the requirement or definition to change it", now,
		)
	}
}

func edit(r vault.Requirement, e *vault.ReviewEdit) vault.Requirement {
	if e == nil {
		return r
	}
	if e.RequiredLevel != nil {
		r.RequiredLevel = *e.RequiredLevel
	}
	if e.FallbackAction != nil {
		r.FallbackAction = *e.FallbackAction
	}
	if e.WhenCondition != nil {
		r.WhenCondition = *e.WhenCondition
	}
	if e.DependsOn != nil {
		r.DependsOn = e.DependsOn
	}
	if e.Order != nil {
		r.Order = *e.Order
	}
	return r
}
