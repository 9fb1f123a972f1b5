package gapfill

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// nextPatience is how long an answer waits at most for the next question: far above the few milliseconds that it takes,
// and far below the time-out of the step.
const nextPatience = 5 * time.Second

// askNext opens the next question of a fill in the run of an answer, so that the customer waits for no other run. It
// only asks: a fill that must read its conversation, that waits for writes or that is done is left to its own run,
// which its wake-up starts. The same holds after an error. The wake-ups that askNext has served are deleted last, so a
// process that dies on the way loses none.
func (s Gaps) askNext(ctx context.Context, tenant, fill uuid.UUID) {
	ctx, cancel := context.WithTimeout(ctx, nextPatience)
	defer cancel()
	if err := s.tryAsk(ctx, tenant, fill); err != nil {
		s.Log.WarnContext(ctx, "question_not_asked_at_once", "operation_id", fill, "error_code", vault.CodeOf(err))
	}
}

func (s Gaps) tryAsk(ctx context.Context, tenant, fill uuid.UUID) error {
	q := s.Once.DB.Tenant(tenant)
	served, err := q.LastFillWakeup(ctx, tenant, fill)
	if err != nil {
		return err
	}
	if served == 0 {
		return nil // its own run has seen the answer
	}
	hasRead, err := q.HasReadConversation(ctx, tenant, fill)
	if err != nil || !hasRead {
		return err
	}
	op, err := q.GetIdleOperation(ctx, tenant, fill)
	if db.IsNotFound(err) {
		return nil // a run of the fill works on it
	}
	if err != nil || op.Status != string(vault.OperationAccepted) {
		return err
	}
	ev := vault.Event{TenantID: tenant, OperationID: fill, Push: op.Attempts}
	out, accepted, err := s.acceptFound(ctx, ev, nil, nil)
	if err != nil || len(accepted) > 0 {
		s.push(ctx, accepted)
		return err
	}
	if len(out.Writes) > 0 {
		return nil
	}
	if out, err = s.askAgain(ctx, ev, questionsOnly); err != nil || out.Question == nil {
		return err
	}
	return q.DeleteServedWakeups(ctx, dbgen.DeleteServedWakeupsParams{TenantID: tenant, FillID: fill, LastID: served})
}

// push pushes accepted writes. The relay pushes those that the engine does not take.
func (s Gaps) push(ctx context.Context, accepted []dbgen.Operation) {
	if len(accepted) == 0 {
		return
	}
	if err := s.Enqueuer.Enqueue(ctx, accepted...); err != nil {
		s.Log.WarnContext(ctx, "writes_not_pushed", "operation_id", accepted[0].ParentID, "error_code", vault.CodeOf(err))
	}
}

// asking says how far a run of a fill goes.
type asking bool

const (
	// toTheEnd ends a fill that has nothing left to ask.
	toTheEnd asking = true
	// questionsOnly leaves the end to the fill's own run: what the answer changed is not invalidated yet, and a caller
	// that sees the fill done must not read an old profile.
	questionsOnly asking = false
)
