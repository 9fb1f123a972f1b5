package gapfill

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/missing"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Conversations reads the facts of sessions for all definitions of their agents, without a gap fill. While a gap fill
// of a session has not ended, the fill reads the session, and Conversations leaves it alone.
type Conversations struct{ Gaps Gaps }

// Reasons why a field that was read is not written (ReadField.Action).
const (
	readUnchanged = "unchanged"
	readWriteOnce = "write_once"
)

// ConversationRead is the output of the step that reads a conversation.
type ConversationRead struct {
	once.NoEffect

	Outcome    vault.ReadOutcome `json:"outcome"`
	Candidates int               `json:"candidates"`
	ModelCalls int32             `json:"model_calls"`
}

// preparedReading is the data that ReadConversation keeps for PersistConversation.
type preparedReading struct {
	Outcome    vault.ReadOutcome `json:"outcome"`
	Candidates []vault.Candidate `json:"candidates,omitempty"`
	ReadTo     int               `json:"read_to"`
	ModelCalls int32             `json:"model_calls"`
	Warnings   []string          `json:"warnings,omitempty"`

	customer uuid.UUID // who was read; uuid.Nil if nobody was
}

// ReadConversation reads a session with one call of the model and keeps what it found for PersistConversation. It calls
// no model if the customer said nothing since the last reading, or if a gap fill reads the session. Of two runs for one
// session, one calls the model. A model that fails is an error, so the step is retried.
func (s Conversations) ReadConversation(ctx context.Context, ev vault.Event) (ConversationRead, error) {
	var found preparedReading
	runner := s.Gaps.Once
	err := once.Prepare(ctx, runner, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.ReadConversationInput,
	) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		if len(op.Prepared) > 0 {
			return runner.Sealer.Open(ctx, ev.TenantID, ev.OperationID, op.Prepared, &found)
		}
		// First, because the hold names the session, which may have been erased.
		if _, err := q.GetSession(ctx, ev.TenantID, in.SessionID); err != nil {
			return db.WrapNotFound(err, "session", in.SessionID)
		}
		return runner.WithHold(ctx, ev, "read-session:"+in.SessionID.String(), func(
			ctx context.Context, hold once.Hold,
		) error {
			op, err := runner.Get(ctx, q, ev)
			if err != nil {
				return err
			}
			if len(op.Prepared) > 0 { // another run has read it
				return runner.Sealer.Open(ctx, ev.TenantID, ev.OperationID, op.Prepared, &found)
			}
			if found, err = s.read(ctx, q, op, in); err != nil {
				return err
			}
			return s.keep(ctx, ev, hold, found)
		})
	})
	return ConversationRead{
		Outcome: found.Outcome, Candidates: len(found.Candidates), ModelCalls: found.ModelCalls,
	}, err
}

// read reads the session, unless there is a reason not to.
func (s Conversations) read(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.ReadConversationInput,
) (preparedReading, error) {
	out := preparedReading{Outcome: vault.ReadFillRunning}
	st, err := s.load(ctx, q, op, in.SessionID)
	if vault.CodeOf(err) == vault.CodeUnknown && st != nil {
		out.Outcome = vault.ReadCustomerDeleted
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.customer = st.in.CustomerID
	busy, err := q.SessionHasFill(ctx, op.TenantID, in.SessionID)
	if err != nil || busy {
		return out, err
	}
	out.ReadTo = int(st.fill.ReadTo)
	for _, t := range st.session.Turns {
		out.ReadTo = max(out.ReadTo, t.Index)
	}
	fields := st.readable()
	if !st.unread() || len(fields) == 0 {
		out.Outcome = vault.ReadNothingNew
		return out, nil
	}
	read := reading{from: int(st.fill.ReadTo)}
	if err := s.Gaps.readFields(ctx, q, st, fields, &read); err != nil {
		return out, err
	}
	out.Outcome, out.Candidates, out.ModelCalls, out.Warnings = vault.ReadDone, read.candidates, read.calls, read.warnings
	return out, nil
}

// keep stores a reading with the operation, unless another run has taken over.
func (s Conversations) keep(ctx context.Context, ev vault.Event, hold once.Hold, found preparedReading) error {
	owner := db.Owner{TenantID: ev.TenantID, CustomerID: found.customer}
	sealed, err := s.Gaps.Once.Sealer.Seal(ctx, owner, ev.OperationID, found)
	if err != nil {
		return err
	}
	return s.Gaps.Once.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		if err := hold.Check(ctx, q); err != nil {
			return err
		}
		return q.SetOperationPrepared(ctx, dbgen.SetOperationPreparedParams{
			TenantID: ev.TenantID, ID: ev.OperationID, Prepared: sealed,
		})
	})
}

// load loads a session with its agent's definitions and its customer's profile, as the state of a fill without
// requirements. For a deleted customer it returns the state and an error with CodeUnknown.
func (s Conversations) load(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, session uuid.UUID,
) (*gapState, error) {
	row, err := q.GetSession(ctx, op.TenantID, session)
	if err != nil {
		return nil, db.WrapNotFound(err, "session", session)
	}
	return s.stateOf(ctx, q, op, row)
}

// stateOf is load for a session, which may not be stored yet. For a deleted customer it returns the state and an error
// with CodeUnknown.
func (s Conversations) stateOf(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, row dbgen.Session,
) (*gapState, error) {
	turns, err := q.ListTurns(ctx, op.TenantID, row.ID)
	if err != nil {
		return nil, err
	}
	st := &gapState{
		op: op, in: vault.FillGapsInput{CustomerID: row.CustomerID, SessionID: &row.ID}, agent: row.AgentID,
		now: s.Gaps.Now(), defs: map[string]vault.Definition{}, items: map[string]dbgen.GapFillItem{},
		children: map[uuid.UUID]dbgen.ListChildOperationsRow{},
	}
	// unread compares with the turns that were read: a session that was read before counts as a fill that has read it.
	st.fill.ReadTo = row.ReadTo
	st.fill.ConversationReadAt = &st.now
	if st.session, err = s.Gaps.Once.Sealer.OpenSession(ctx, row, turns); err != nil {
		return nil, err
	}
	src := missing.Transaction{Queries: q, Sealer: s.Gaps.Once.Sealer}
	defs, err := src.Definitions(ctx, op.TenantID, row.AgentID)
	if err != nil {
		return nil, err
	}
	for _, d := range defs {
		st.defs[d.Name] = d
	}
	st.profile, err = src.Profile(ctx, op.TenantID, row.CustomerID)
	return st, err
}

// readable returns the definitions for which a model may read the conversation, by name.
func (st *gapState) readable() []vault.Definition {
	var out []vault.Definition
	for _, name := range slices.Sorted(maps.Keys(st.defs)) {
		if d := st.definition(name); mayRead(d) {
			out = append(out, *d)
		}
	}
	return out
}

// PersistConversation accepts a write-value operation for each fact of the reading that passes the evidence gate and
// differs from the active value. The write decides by authority whether the value is active or pending. The session is
// locked, so two readings do not write the same fact twice.
func (s Conversations) PersistConversation(
	ctx context.Context, ev vault.Event,
) (once.Stored[vault.ReadConversationResult], error) {
	var accepted []dbgen.Operation
	out, err := once.Store(ctx, s.Gaps.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.ReadConversationInput,
	) (vault.ReadConversationResult, error) {
		var found preparedReading
		result := vault.ReadConversationResult{Fields: []vault.ReadField{}}
		if err := s.Gaps.Once.Sealer.Open(ctx, ev.TenantID, ev.OperationID, op.Prepared, &found); err != nil {
			return result, err
		}
		result.Outcome, result.ModelCalls, result.Warnings = found.Outcome, int(found.ModelCalls), found.Warnings
		err := s.persist(ctx, q, op, in, found, &result, &accepted)
		return result, err
	})
	if err != nil || len(accepted) == 0 {
		return out, err
	}
	if err := s.Gaps.Enqueuer.Enqueue(ctx, accepted...); err != nil { // the relay pushes them
		s.Gaps.Log.WarnContext(ctx, "writes_not_pushed", "operation_id", ev.OperationID, "error_code", vault.CodeOf(err))
	}
	return out, nil
}

func (s Conversations) persist(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.ReadConversationInput, found preparedReading,
	result *vault.ReadConversationResult, accepted *[]dbgen.Operation,
) error {
	*accepted = nil // a transaction that is retried after a deadlock starts again
	row, err := q.LockSession(ctx, op.TenantID, in.SessionID)
	if err != nil {
		return db.WrapNotFound(err, "session", in.SessionID)
	}
	if found.Outcome == vault.ReadCustomerDeleted {
		return nil
	}
	busy, err := q.SessionHasFill(ctx, op.TenantID, in.SessionID)
	if err != nil {
		return err
	}
	if busy || found.Outcome == vault.ReadFillRunning { // a fill may have started or ended since the reading
		result.Outcome = vault.ReadFillRunning
		return s.postpone(ctx, q, op.TenantID, in.SessionID)
	}
	if int(row.ReadTo) >= found.ReadTo { // another operation has stored a reading of these turns
		result.Outcome = vault.ReadNothingNew
		return nil
	}
	st, err := s.load(ctx, q, op, in.SessionID)
	if err != nil {
		return err
	}
	for _, def := range st.readable() {
		if err := s.accept(ctx, q, st, def, found.Candidates, result); err != nil {
			return err
		}
	}
	*accepted = st.accepted
	return q.MarkSessionRead(ctx, dbgen.MarkSessionReadParams{
		TenantID: op.TenantID, ID: in.SessionID, ReadTo: int32(found.ReadTo), //nolint:gosec // at most MaxTurns
	})
}

// postpone makes a session due again, for the time after its gap fill.
func (s Conversations) postpone(ctx context.Context, q *dbgen.Queries, tenant, session uuid.UUID) error {
	if s.Gaps.Settings.QuietAfter == 0 {
		return nil
	}
	return q.ScheduleSessionRead(ctx, dbgen.ScheduleSessionReadParams{
		TenantID: tenant, ID: session, After: s.Gaps.Settings.QuietAfter,
	})
}

// accept accepts the write of what the new turns say about one field, if they say something.
func (s Conversations) accept(
	ctx context.Context, q *dbgen.Queries, st *gapState, def vault.Definition, candidates []vault.Candidate,
	result *vault.ReadConversationResult,
) error {
	var said []vault.Candidate
	for _, c := range candidates {
		if c.FieldName == def.Name && c.Turn > int(st.fill.ReadTo) {
			said = append(said, c)
		}
	}
	if len(said) == 0 {
		return nil
	}
	var item dbgen.UpsertGapItemParams
	write, ok := s.Gaps.fromConversation(st, &def, said, &item)
	field := vault.ReadField{
		FieldName: def.Name, Confirm: item.RequiresConfirmation, Confidence: item.Confidence, Action: item.Action,
		Errors: item.Errors,
	}
	active, known := st.profile.Fields[def.Name]
	known = known && !active.Expired(st.now)
	switch {
	case !ok:
	case known && bytes.Equal(write.Value, compactJSON(active.Value)):
		field.Action = readUnchanged
	case known && def.WriteOnce:
		field.Action = readWriteOnce
	default:
		write.SourceScenarioID = nil // of no scenario
		write.CollectedAt = nil
		if at := st.timeOf(said[len(said)-1].Turn); at != nil && at.Before(st.op.AcceptedAt) {
			write.CollectedAt = at
		}
		child, err := db.AcceptOperation(ctx, q, s.Gaps.Once.Sealer, st.op.TenantID, db.NewOperation{
			Workflow: vault.WriteValue.Name, Event: vault.WriteValue.Event, Subject: write.CustomerID.String(),
			Key: fmt.Sprintf("conversation:%s:%s", st.op.ID, def.Name), ParentID: &st.op.ID, Pushing: true,
			CustomerID: write.CustomerID, Payload: write,
			Actor: once.ActorOf(st.op),
		})
		if err != nil {
			return err
		}
		st.follow(child)
		field.WriteID = &child.ID
	}
	result.Fields = append(result.Fields, field)
	return nil
}
