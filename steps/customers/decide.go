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

// PersistDecision stores the decision of a person about a pending value.
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
