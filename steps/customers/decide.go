package customers

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// PersistDecision stores the decision of a person about a pending value, or about a proposed deletion.
func (s Values) PersistDecision(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DecideValueInput,
	) (vault.ItemResult, error) {
		owner, err := lockItem(ctx, q, ev.TenantID, in.ItemID, false)
		if err != nil {
			return vault.ItemResult{}, err
		}
		if vault.SourceType(owner.Kind) != vault.SourceProfileField {
			return vault.ItemResult{}, vault.Invalid("item_id", "%s is an asset; only a pending value can be decided", in.ItemID)
		}
		row, err := q.GetAnyValue(ctx, ev.TenantID, in.ItemID)
		if err != nil {
			return vault.ItemResult{}, db.WrapNotFound(err, "item", in.ItemID)
		}
		if row.DeletedAt == nil && row.DeletionProposedAt != nil {
			return s.decideDeletion(ctx, t, q, row, in)
		}
		decision := vault.DecisionAccepted
		if in.Decision == vault.Reject {
			decision = vault.DecisionRejected
		}
		if row.DeletedAt != nil || row.Status != string(vault.StatusPending) {
			return alreadyDecided(row, decision, owner.Version)
		}
		result := vault.ItemResult{ItemID: in.ItemID}
		result.Status, err = s.Decide(ctx, t, q, row, dbgen.DecideValueParams{
			Decision: string(decision), DecidedBy: in.DecidedBy, DecidedAt: &op.AcceptedAt, DecisionNote: in.Note,
		})
		if err != nil {
			return vault.ItemResult{}, err
		}
		result.ProfileVersion, err = t.Profile(ctx, q, ev.TenantID, row.ProfileID)
		return result, err
	})
}

// ProposeDeletion marks the active value of a field for the decision of a person. It deletes nothing. A value that is
// marked already keeps its mark.
func (s Values) ProposeDeletion(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.ProposeDeletionInput,
	) (vault.ItemResult, error) {
		profile, err := lockKnownProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.ItemResult{}, err
		}
		row, err := q.GetActiveValue(ctx, dbgen.GetActiveValueParams{
			TenantID: ev.TenantID, ProfileID: profile.ID, Name: in.Name,
		})
		if db.IsNotFound(err) {
			return vault.ItemResult{}, vault.Conflict("name", "name: the customer has no active %s to delete", in.Name)
		}
		if err != nil {
			return vault.ItemResult{}, err
		}
		if row.AcceptedAt.After(op.AcceptedAt) {
			return vault.ItemResult{}, vault.Conflict(
				"name", "name: the value of %s was replaced by item %s before the proposal; propose again", in.Name, row.ID)
		}
		out := vault.ItemResult{ItemID: row.ID, Status: vault.StatusActive, ProfileVersion: profile.Version}
		if row.DeletionProposedAt != nil {
			return out, nil
		}
		err = q.SetDeletionProposal(ctx, dbgen.SetDeletionProposalParams{
			TenantID: ev.TenantID, ID: row.ID, ProposedAt: &op.AcceptedAt, Reason: string(in.Reason),
		})
		if err != nil {
			return vault.ItemResult{}, err
		}
		out.ProfileVersion, err = t.Profile(ctx, q, ev.TenantID, profile.ID)
		return out, err
	})
}

// decideDeletion applies the decision about a proposed deletion, under the lock of the profile.
func (s Values) decideDeletion(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, row dbgen.CustomerValue, in vault.DecideValueInput,
) (vault.ItemResult, error) {
	out := vault.ItemResult{ItemID: row.ID, Status: vault.ItemStatus(row.Status)}
	err := q.SetDeletionProposal(ctx, dbgen.SetDeletionProposalParams{TenantID: row.TenantID, ID: row.ID})
	if err == nil && in.Decision == vault.Approve {
		_, err = Items{Once: s.Once, Now: s.Now}.remove(ctx, t, q, row.TenantID, vault.DeleteItemInput{ItemID: row.ID})
	}
	if err != nil {
		return vault.ItemResult{}, err
	}
	out.ProfileVersion, err = t.Profile(ctx, q, row.TenantID, row.ProfileID)
	return out, err
}

// alreadyDecided is the outcome for a value that is not pending: none if the same decision was made before, else a
// conflict.
func alreadyDecided(
	row dbgen.CustomerValue, decision vault.ValueDecision, version int64,
) (vault.ItemResult, error) {
	status := vault.ItemStatus(row.Status)
	switch {
	case row.DeletedAt != nil:
		return vault.ItemResult{}, vault.Unknown("item", row.ID)
	case row.Decision == string(decision):
		return vault.ItemResult{ItemID: row.ID, Status: status, ProfileVersion: version}, nil
	case row.Decision != "":
		return vault.ItemResult{}, vault.Conflict(
			"decision", "decision: %s was %s already; correct the value to change it", row.ID, row.Decision)
	default:
		return vault.ItemResult{}, vault.Conflict(
			"item_id", "item_id: %s is %s; only a pending value can be decided", row.ID, row.Status)
	}
}

// Decide applies a decision about a pending value in the caller's transaction, which holds the lock of the profile. It
// returns the new status of the value, whose profile the caller touches.
func (s Values) Decide(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, row dbgen.CustomerValue, decision dbgen.DecideValueParams,
) (vault.ItemStatus, error) {
	now := s.Now()
	state := dbgen.SetValueStateParams{TenantID: row.TenantID, ID: row.ID}
	changed := []uuid.UUID{row.ID}
	if decision.Decision == string(vault.DecisionRejected) {
		at := db.UTC(now)
		state.Status, state.SupersededByID, state.SupersededAt = string(vault.StatusSuperseded), row.YieldsToID, &at
		state.YieldsToID = row.YieldsToID
	} else {
		if err := checkConsent(ctx, q, row.TenantID, row.ProfileID, row.Name, now); err != nil {
			return "", err
		}
		place, err := s.accept(ctx, q, row, now)
		if err != nil {
			return "", err
		}
		state.Status = string(place.Status)
		changed = append(changed, changedBy(place)...)
	}
	if err := q.SetValueState(ctx, state); err != nil {
		return "", err
	}
	if err := RefreshStale(ctx, t, q, row.TenantID, changed, row.ProfileID); err != nil {
		return "", err
	}
	decision.TenantID, decision.ID = row.TenantID, row.ID
	if row.Encrypted {
		note, err := s.Once.Sealer.SealNote(ctx, row, decision.DecisionNote)
		if err != nil {
			return "", err
		}
		decision.DecisionNote = note
	}
	return vault.ItemStatus(state.Status), q.DecideValue(ctx, decision)
}

// accept makes room for a pending value that becomes active.
func (s Values) accept(
	ctx context.Context, q *dbgen.Queries, row dbgen.CustomerValue, now time.Time,
) (rules.Placement, error) {
	var none rules.Placement
	sourceFound, err := hasSource(ctx, q, row)
	if err != nil {
		return none, err
	}
	version, history, err := loadVersion(ctx, q, s.Once.Sealer, row)
	if err != nil {
		return none, err
	}
	place := rules.Accept(history, version, sourceFound, now)
	return place, makeRoom(ctx, q, row.TenantID, row.ID, place, now)
}
