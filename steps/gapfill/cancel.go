package gapfill

import (
	"context"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// CancelFill stops a gap fill from asking and closes its open question. It locks the fill's operation, as AskCustomer
// does, so no question is opened after it.
func (s Gaps) CancelFill(ctx context.Context, ev vault.Event) (once.Stored[vault.CancelResult], error) {
	return once.Store(ctx, s.Once, ev, func(
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
		params, err := once.OpenPayload[vault.FillGapsInput](s.Once, fill)
		if err != nil {
			return out, err
		}
		err = q.EnsureGapFill(ctx, dbgen.EnsureGapFillParams{
			OperationID: fill.ID, TenantID: ev.TenantID, CustomerID: params.CustomerID, ScenarioID: params.ScenarioID,
		})
		if err != nil {
			return out, err
		}
		if _, err := q.CancelGapFill(ctx, ev.TenantID, fill.ID); err != nil {
			return out, err
		}
		asked, err := q.ListFillQuestions(ctx, ev.TenantID, fill.ID)
		if err != nil {
			return out, err
		}
		for _, question := range asked {
			if question.Status != string(vault.QuestionOpen) {
				continue
			}
			out.QuestionID = &question.ID
			if _, err := s.close(ctx, q, question, vault.QuestionCancelled); err != nil {
				return out, err
			}
		}
		return out, nil
	})
}

// AnnounceCancel resumes the gap fill that waits for the closed question. If the announcement is lost, the relay pushes
// the operation again.
func (s Gaps) AnnounceCancel(ctx context.Context, ev vault.Event) (vault.CancelResult, error) {
	done, err := s.CancelFill(ctx, ev) // returns the stored result
	out := done.Result
	if err != nil {
		return out, err
	}
	if out.QuestionID != nil {
		err := s.Enqueuer.PushScoped(ctx, vault.EventQuestionClosed, out.QuestionID.String(), vault.Event{
			OperationID: ev.OperationID, TenantID: ev.TenantID, Subject: out.QuestionID.String(),
		})
		if err != nil {
			return out, err
		}
	}
	return out, s.Once.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error { return once.Succeed(ctx, q, ev) })
}
