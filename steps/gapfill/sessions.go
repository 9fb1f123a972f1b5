package gapfill

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/missing"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Sessions stores the variables and turns of conversations.
type Sessions struct {
	Once once.Runner
	// QuietAfter is the time without a turn after which the conversation is read. 0: on request only.
	QuietAfter time.Duration
}

// PersistSession merges the variables of a session and appends its turns. A save that arrives late replaces no variable
// that was accepted after it, and its turns are ordered by acceptance.
func (s Sessions) PersistSession(ctx context.Context, ev vault.Event) (once.Stored[vault.SavedResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.SaveSessionInput,
	) (vault.SavedResult, error) {
		if err := rules.Check(in); err != nil {
			return vault.SavedResult{}, err
		}
		if _, err := s.save(ctx, q, op, in); err != nil {
			return vault.SavedResult{}, err
		}
		return vault.SavedResult{ID: in.SessionID}, q.WakeFillsOfSession(ctx, ev.TenantID, in.SessionID)
	})
}

// save stores a session in the caller's transaction, and returns it with its lock. It wakes no gap fill.
func (s Sessions) save(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.SaveSessionInput,
) (dbgen.Session, error) {
	stored, owner, err := s.upsert(ctx, q, op, in)
	if err != nil {
		return stored, err
	}
	if err := db.CheckErased(ctx, q, s.Once.Sealer, op.TenantID, in.CustomerID); err != nil {
		return stored, err
	}
	if err := limitTurns(ctx, q, op.TenantID, in); err != nil {
		return stored, err
	}
	for i, turn := range in.Turns {
		at := op.AcceptedAt
		if turn.At != nil {
			at = *turn.At
		}
		text, err := s.Once.Sealer.SealTurn(ctx, owner, in.SessionID, turn.Text)
		if err != nil {
			return stored, err
		}
		err = q.AppendTurn(ctx, dbgen.AppendTurnParams{
			TenantID: op.TenantID, SessionID: in.SessionID, Speaker: string(turn.Speaker), Text: text, OperationID: op.ID,
			AcceptedAt: op.AcceptedAt, SaidAt: at,
		})
		if err != nil {
			return stored, fmt.Errorf("add turn %d: %w", i, err)
		}
	}
	return stored, s.schedule(ctx, q, op.TenantID, in)
}

// upsert creates the session or merges its variables, and returns it with the customer with whose key its content is
// sealed: the one under whose id it began.
func (s Sessions) upsert(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.SaveSessionInput,
) (stored dbgen.Session, owner db.Owner, err error) {
	owner = db.Owner{TenantID: op.TenantID, CustomerID: in.CustomerID}
	row := dbgen.UpsertSessionParams{
		TenantID: op.TenantID, ID: in.SessionID, AgentID: in.AgentID, CustomerID: in.CustomerID,
	}
	if row.VariableAcceptedAt, err = acceptTimes(op, in.Variables); err != nil {
		return stored, owner, err
	}
	if row.Variables, err = s.Once.Sealer.SealVariables(ctx, owner, in.SessionID, in.Variables); err != nil {
		return stored, owner, err
	}
	if stored, err = q.UpsertSession(ctx, row); !db.IsNotFound(err) {
		return stored, owner, err
	}
	if row.CustomerID, err = sessionOwner(ctx, q, op.TenantID, in); err != nil {
		return stored, owner, err
	}
	owner.CustomerID = row.CustomerID
	if row.Variables, err = s.Once.Sealer.SealVariables(ctx, owner, in.SessionID, in.Variables); err != nil {
		return stored, owner, err
	}
	stored, err = q.UpsertSession(ctx, row)
	return stored, owner, err
}

// schedule sets the time at which the facts of the session are read: at once if it ended, else when it has been quiet.
func (s Sessions) schedule(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.SaveSessionInput) error {
	said := slices.ContainsFunc(in.Turns, func(t vault.Turn) bool { return t.Speaker == vault.SpeakerCustomer })
	after := s.QuietAfter
	if in.Ended {
		after = 0
	}
	if s.QuietAfter == 0 || !said && !in.Ended {
		return nil
	}
	return q.ScheduleSessionRead(ctx, dbgen.ScheduleSessionReadParams{TenantID: tenant, ID: in.SessionID, After: after})
}

// sessionOwner returns the customer id under which a session began, if that customer was merged with this one: a
// customer who is recognised during a conversation can continue it.
func sessionOwner(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.SaveSessionInput,
) (uuid.UUID, error) {
	row, err := q.GetSession(ctx, tenant, in.SessionID)
	if err != nil {
		return uuid.Nil, err
	}
	err = missing.CheckOwner(ctx, q, tenant, in.CustomerID, in.SessionID, row.CustomerID)
	if row.AgentID != in.AgentID || vault.Permanent(err) {
		err = vault.Conflict(
			"session_id", "session_id: session %s belongs to another customer or agent; use a new id", in.SessionID,
		)
	}
	return row.CustomerID, err
}

// acceptTimes encodes, for each variable, its time of acceptance as text that sorts by time.
func acceptTimes(op dbgen.Operation, in map[string]json.RawMessage) (json.RawMessage, error) {
	times := make(map[string]string, len(in))
	for name := range in {
		times[name] = op.AcceptedAt.UTC().Format("2006-01-02T15:04:05.000000Z") + " " + op.ID.String()
	}
	return json.Marshal(times)
}

// limitTurns rejects turns beyond vault.MaxTurns of the session. The caller has locked the session.
func limitTurns(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.SaveSessionInput) error {
	if len(in.Turns) == 0 {
		return nil
	}
	stored, err := q.CountTurns(ctx, tenant, in.SessionID)
	if err == nil && stored+int64(len(in.Turns)) > vault.MaxTurns {
		return vault.Invalid("turns", "the session has %d turns and would have %d; the limit is %d, so begin another session",
			stored, stored+int64(len(in.Turns)), vault.MaxTurns)
	}
	return err
}
