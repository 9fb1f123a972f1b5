package gapfill

import (
	"context"
	"fmt"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// QuietQueued counts the work of one sweep over quiet sessions.
type QuietQueued struct {
	once.NoEffect

	Queued    int `json:"queued"`    // read-conversation operations
	Postponed int `json:"postponed"` // sessions with a gap fill that has not ended
}

// QueueQuietSessions accepts a read-conversation operation for each session of all tenants that ended or is quiet. A
// session with a gap fill that has not ended is due again later. Each session is taken in a transaction of its own, so
// several sweeps can run at the same time. A cron starts it, with the zero Event.
func (s Conversations) QueueQuietSessions(ctx context.Context, _ vault.Event) (QuietQueued, error) {
	var out QuietQueued
	batch := int32(max(1, s.Gaps.Settings.SweepBatch)) //nolint:gosec // bounded by the configuration
	for {
		due, err := s.Gaps.Once.DB.System().ListDueSessions(ctx, batch)
		if err != nil || len(due) == 0 {
			return out, err
		}
		var accepted []dbgen.Operation
		for _, d := range due {
			op, busy, err := s.queue(ctx, d)
			switch {
			case err != nil:
				return out, err
			case busy:
				out.Postponed++
			case op != nil:
				out.Queued++
				accepted = append(accepted, *op)
			}
		}
		if err := s.Gaps.Enqueuer.Enqueue(ctx, accepted...); err != nil { // the relay pushes them
			s.Gaps.Log.WarnContext(ctx, "readings_not_pushed", "error_code", vault.CodeOf(err))
		}
	}
}

// queue accepts the operation for one due session. op is nil if another sweep took the session.
func (s Conversations) queue(
	ctx context.Context, d dbgen.ListDueSessionsRow,
) (op *dbgen.Operation, busy bool, err error) {
	err = s.Gaps.Once.DB.InTx(ctx, d.TenantID, func(q *dbgen.Queries) error {
		op, busy = nil, false
		taken, err := q.TakeDueSession(ctx, dbgen.TakeDueSessionParams{
			TenantID: d.TenantID, ID: d.ID, ReadDueAt: *d.ReadDueAt,
		})
		if db.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if busy = taken.Busy; busy {
			after := max(s.Gaps.Settings.QuietAfter, time.Minute) // later than now, or this sweep would not end
			return q.ScheduleSessionRead(ctx, dbgen.ScheduleSessionReadParams{TenantID: d.TenantID, ID: d.ID, After: after})
		}
		in := vault.ReadConversationInput{SessionID: d.ID}
		row, err := db.AcceptOperation(ctx, q, s.Gaps.Once.Sealer, d.TenantID, db.NewOperation{
			Workflow: vault.ReadConversation.Name,
			Event:    vault.ReadConversation.Event,
			Subject:  vault.ReadConversation.Subject(in),
			Key:      fmt.Sprintf("quiet:%s:%d", d.ID, d.ReadDueAt.UnixMicro()),
			Actor:    vault.WorkflowActor(vault.WorkflowReadQuietSessions, [16]byte{}),
			Payload:  in,
			Pushing:  true,
		})
		op = &row
		return err
	})
	return op, busy, err
}

// timeOf returns the time of a turn, nil for an unknown one.
func (st *gapState) timeOf(turn int) *time.Time {
	for _, t := range st.session.Turns {
		if t.Index == turn {
			return t.At
		}
	}
	return nil
}
