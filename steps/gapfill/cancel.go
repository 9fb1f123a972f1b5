package gapfill

import (
	"context"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// CancelFill closes the open question of a gap fill and ends the fill with what it has, in the same transaction: it
// does not depend on a run of the fill. A fill with writes in progress ends when they have an outcome. CancelFill locks
// the fill's operation, as AskCustomer does, so no question is opened after it.
func (s Gaps) CancelFill(ctx context.Context, ev vault.Event) (once.Stored[vault.CancelResult], error) {
	var ended *vault.FillResult
	done, err := once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, _ dbgen.Operation, in vault.CancelFillInput,
	) (vault.CancelResult, error) {
		out := vault.CancelResult{FillID: in.FillID}
		fill, err := q.LockOperation(ctx, ev.TenantID, in.FillID)
		if err == nil && fill.Workflow != vault.FillGaps.Name {
			return out, vault.Unknown("gap fill", in.FillID)
		}
		if err != nil {
			return out, db.WrapNotFound(err, "gap fill", in.FillID)
		}
		if once.IsApplied(fill) || vault.OperationStatus(fill.Status).Finished() {
			return out, vault.Conflict("fill_id", "fill_id: gap fill %s has ended already; read its result", in.FillID)
		}
		params, err := once.OpenPayload[vault.FillGapsInput](ctx, s.Once, fill)
		if err != nil {
			return out, err
		}
		if err := ensureFill(ctx, q, fill, params); err != nil {
			return out, err
		}
		if _, err := q.CancelGapFill(ctx, ev.TenantID, fill.ID); err != nil {
			return out, err
		}
		state, err := s.load(ctx, q, fill, params)
		if err != nil && !vault.Permanent(err) {
			return out, err
		}
		for _, question := range state.asked {
			if question.Status != string(vault.QuestionOpen) || question.FillID != fill.ID {
				continue
			}
			out.QuestionID = &question.ID
			if _, err := s.close(ctx, q, question, vault.QuestionCancelled); err != nil {
				return out, err
			}
		}
		ended, err = s.endCancelled(ctx, q, state, vault.Permanent(err))
		return out, err
	})
	if err == nil && ended != nil {
		once.ObserveFill(s.Observer, *ended)
	}
	return done, err
}

// endCancelled ends a cancelled fill, unless writes are in progress: then it returns nil. A fill whose scenario or
// customer is gone ends without fields.
func (s Gaps) endCancelled(
	ctx context.Context, q *dbgen.Queries, st *gapState, gone bool,
) (*vault.FillResult, error) {
	if len(st.writes()) > 0 {
		return nil, nil
	}
	result := vault.FillResult{Fields: []vault.GapResult{}, Cancelled: true}
	if !gone {
		if _, err := s.needs(ctx, q, st, nil, nil); err != nil { // records why each field is not filled
			return nil, err
		}
		result = st.result()
	}
	return &result, s.end(ctx, q, db.EventOf(st.op), result)
}
