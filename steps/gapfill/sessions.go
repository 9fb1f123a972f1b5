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
		variables, marks, err := withAcceptTimes(op, in.Variables)
		if err != nil {
			return vault.SavedResult{}, err
		}
		row := dbgen.UpsertSessionParams{
			TenantID: ev.TenantID, ID: in.SessionID, AgentID: in.AgentID, CustomerID: in.CustomerID, Variables: variables,
			VariableAcceptedAt: marks,
		}
		if _, err = q.UpsertSession(ctx, row); db.IsNotFound(err) {
			if row.CustomerID, err = sessionOwner(ctx, q, ev.TenantID, in); err == nil {
				_, err = q.UpsertSession(ctx, row)
			}
		}
		if err != nil {
			return vault.SavedResult{}, err
		}
		if err := db.CheckErased(ctx, q, s.Once.Sealer, ev.TenantID, in.CustomerID); err != nil {
			return vault.SavedResult{}, err
		}
		if err := limitTurns(ctx, q, ev.TenantID, in); err != nil {
			return vault.SavedResult{}, err
		}
		for i, turn := range in.Turns {
			at := op.AcceptedAt
			if turn.At != nil {
				at = *turn.At
			}
			err := q.AppendTurn(ctx, dbgen.AppendTurnParams{
				TenantID: ev.TenantID, SessionID: in.SessionID, Speaker: string(turn.Speaker), Text: turn.Text, OperationID: op.ID,
				AcceptedAt: op.AcceptedAt, SaidAt: at,
			})
			if err != nil {
				return vault.SavedResult{}, fmt.Errorf("add turn %d: %w", i, err)
			}
		}
		if err := s.schedule(ctx, q, ev.TenantID, in); err != nil {
			return vault.SavedResult{}, err
		}
		return vault.SavedResult{ID: in.SessionID}, q.WakeFillsOfSession(ctx, ev.TenantID, in.SessionID)
	})
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

// withAcceptTimes encodes variables, and for each variable its time of acceptance as text that sorts by time.
func withAcceptTimes(op dbgen.Operation, in map[string]json.RawMessage) (variables, marks json.RawMessage, err error) {
	times := make(map[string]string, len(in))
	for name := range in {
		times[name] = op.AcceptedAt.UTC().Format("2006-01-02T15:04:05.000000Z") + " " + op.ID.String()
	}
	if in == nil {
		in = map[string]json.RawMessage{}
	}
	if variables, err = json.Marshal(in); err != nil {
		return nil, nil, vault.Invalid("variables", "are not JSON values")
	}
	marks, err = json.Marshal(times)
	return variables, marks, err
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
