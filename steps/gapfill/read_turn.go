package gapfill

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/missing"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// TurnRead is the output of the step that reads a turn.
type TurnRead struct {
	once.NoEffect

	ModelCalls int `json:"model_calls"`
}

// preparedTurn is the data that ReadTurn keeps for PersistTurn.
type preparedTurn struct {
	SessionID uuid.UUID `json:"session_id"`
	AgentID   uuid.UUID `json:"agent_id"`
	Turn      int       `json:"turn"` // the index of the turn, unless another one is saved before it

	QuestionID uuid.UUID      `json:"question_id,omitzero"`
	Reading    *reply.Reading `json:"reading,omitempty"` // nil: no question was open
	Problem    *vault.Error   `json:"problem,omitempty"` // of an unclear reading
	Reason     string         `json:"reason,omitempty"`  // of it, for the customer

	Candidates []vault.Candidate `json:"candidates,omitempty"`
	Fields     []string          `json:"fields,omitempty"` // that the reading covered
	// Covered reports that after this turn everything that the customer said in the session is read.
	Covered    bool     `json:"covered,omitempty"`
	ModelCalls int      `json:"model_calls,omitempty"`
	Warnings   []string `json:"warnings,omitempty"`
}

// also returns the other values that an answer states.
func (p preparedTurn) also() []reply.Said {
	if p.Reading == nil {
		return nil
	}
	return p.Reading.Also
}

func speakerOf(in vault.TakeTurnInput) vault.Speaker {
	if in.Speaker == "" {
		return vault.SpeakerCustomer
	}
	return in.Speaker
}

// channelOwner returns the customer of the turn's channel identity, if there is one.
func channelOwner(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.TakeTurnInput,
) (customer uuid.UUID, known bool, err error) {
	owner, err := q.GetChannelOwner(ctx, dbgen.GetChannelOwnerParams{
		TenantID: tenant, Channel: in.Channel, ExternalID: in.ExternalID,
	})
	if db.IsNotFound(err) || err == nil && owner.ProfileDeleted {
		return uuid.Nil, false, nil
	}
	return owner.CustomerID, err == nil, err
}

// ReadTurn reads a turn, with at most one call of a model, and keeps what it found for PersistTurn. With an open
// question it is read as the answer to it, and for the other fields of the agent; without one, as the last turn of the
// conversation. It locks nothing. A model that fails delays nothing: the conversation is read later (rule 9).
func (s Turns) ReadTurn(ctx context.Context, ev vault.Event) (TurnRead, error) {
	var found preparedTurn
	runner := s.Answers.Once
	err := once.Prepare(ctx, runner, ev, func(q *dbgen.Queries, op dbgen.Operation, in vault.TakeTurnInput) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		if len(op.Prepared) > 0 {
			return runner.Sealer.Open(ctx, ev.TenantID, ev.OperationID, op.Prepared, &found)
		}
		var err error
		if found, err = s.read(ctx, q, op, in); err != nil {
			return err
		}
		sealed, err := runner.Sealer.Seal(ctx, db.OwnerOf(op.TenantID, op.Payload), ev.OperationID, found)
		if err != nil {
			return err
		}
		return q.SetOperationPrepared(ctx, dbgen.SetOperationPreparedParams{
			TenantID: ev.TenantID, ID: ev.OperationID, Prepared: sealed,
		})
	})
	return TurnRead{ModelCalls: found.ModelCalls}, err
}

func (s Turns) read(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.TakeTurnInput,
) (preparedTurn, error) {
	row, known, err := s.findSession(ctx, q, op.TenantID, in)
	found := preparedTurn{SessionID: row.ID, AgentID: row.AgentID}
	if err != nil {
		return found, err
	}
	st, err := s.Conversations.stateOf(ctx, q, op, row)
	if err != nil {
		return found, err
	}
	st.zone = s.Answers.Gaps.zone(st)
	unread := st.session.ID != uuid.Nil && len(st.session.Turns) > 0 && st.unread()
	at := op.AcceptedAt
	if in.At != nil {
		at = *in.At
	}
	found.Turn = lastTurn(st) + 1
	st.session.Turns = append(st.session.Turns, vault.Turn{
		Index: found.Turn, Speaker: speakerOf(in), Text: in.Text, At: &at,
	})
	st.unsaved = 1
	if speakerOf(in) != vault.SpeakerCustomer {
		return found, nil
	}
	if known {
		answered, err := s.readAsAnswer(ctx, q, st, in, &found)
		if err != nil || answered {
			found.Covered = err == nil && !unread
			return found, err
		}
	}
	err = s.readFacts(ctx, q, st, &found)
	return found, err
}

// findSession returns the session of a turn, or the one that it will create. It rejects a session of another customer
// or agent. known reports that the customer exists.
func (s Turns) findSession(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.TakeTurnInput,
) (row dbgen.Session, known bool, err error) {
	row = dbgen.Session{
		TenantID: tenant, ID: in.SessionID, AgentID: in.AgentID, CustomerID: in.CustomerID, ReadTo: -1,
		Variables: json.RawMessage("{}"),
	}
	if in.ScenarioID != uuid.Nil {
		scenario, err := q.GetScenario(ctx, tenant, in.ScenarioID)
		if err != nil {
			return row, false, db.WrapNotFound(err, "scenario", in.ScenarioID)
		}
		if in.AgentID != uuid.Nil && in.AgentID != scenario.AgentID {
			return row, false, vault.Invalid("scenario_id", "scenario %s belongs to another agent", in.ScenarioID)
		}
		row.AgentID = scenario.AgentID
	}
	if row.ID == uuid.Nil {
		row.ID = vault.SessionOfKey(row.AgentID, in.SessionKey)
	}
	known = true
	if in.CustomerID == uuid.Nil {
		if row.CustomerID, known, err = channelOwner(ctx, q, tenant, in); err != nil {
			return row, false, err
		}
	}
	stored, err := q.GetSession(ctx, tenant, row.ID)
	if db.IsNotFound(err) {
		if row.AgentID == uuid.Nil {
			return row, known, vault.Invalid("agent_id", "is missing; a new session needs agent_id or scenario_id")
		}
		return row, known, nil
	}
	if err != nil {
		return row, known, err
	}
	if row.AgentID == uuid.Nil {
		row.AgentID = stored.AgentID
	}
	err = missing.CheckOwner(ctx, q, tenant, row.CustomerID, row.ID, stored.CustomerID)
	if vault.Permanent(err) || row.AgentID != stored.AgentID {
		err = vault.Conflict(
			"session_id", "session_id: session %s belongs to another customer or agent; use a new id or key", row.ID,
		)
	}
	stored.CustomerID = row.CustomerID
	return stored, known, err
}

// readAsAnswer reads the turn as the answer to the open question of the customer. It reports whether there is one.
func (s Turns) readAsAnswer(
	ctx context.Context, q *dbgen.Queries, st *gapState, in vault.TakeTurnInput, found *preparedTurn,
) (bool, error) {
	open, err := q.PageOpenQuestions(ctx, dbgen.PageOpenQuestionsParams{
		TenantID: st.op.TenantID, CustomerID: &st.in.CustomerID, MaxRows: maxOpenQuestions,
	})
	if err != nil {
		return false, err
	}
	for _, question := range open {
		other := question.AgentID != st.agent || in.ScenarioID != uuid.Nil && question.ScenarioID != in.ScenarioID
		late := question.OpenedAt.After(st.op.AcceptedAt) || checkOpen(question, st.op.AcceptedAt) != nil
		if other || late || !db.QuestionOf(question).MayAsk(in.Channel, st.op.AcceptedAt) {
			continue
		}
		def := st.definition(question.FieldName)
		if def == nil {
			continue
		}
		asked, err := s.Answers.questionOf(ctx, q, question, *def)
		if err != nil {
			return false, err
		}
		fields, err := s.collectable(ctx, q, st)
		if err != nil {
			return false, err
		}
		for _, f := range fields {
			if f.Name != def.Name {
				asked.Others = append(asked.Others, f)
			}
		}
		answer, _ := json.Marshal(in.Text) // a text always encodes
		reading := asked.Read(answer, func(defs []vault.Definition, turns []vault.Turn) []vault.Candidate {
			found.ModelCalls = 1
			return s.Answers.findValues(ctx, question, llm.ExtractRequest{Definitions: defs, Turns: turns, Now: s.Answers.Now()})
		})
		found.QuestionID, found.Reading = question.ID, &reading
		if reading.Kind == reply.Unclear && reading.Problem != nil {
			found.Problem, found.Reason = once.AsError(reading.Problem), asked.Reason(reading)
		}
		return true, nil
	}
	return false, nil
}

// maxOpenQuestions is the number of open questions of a customer among which a turn looks for the one that it answers.
const maxOpenQuestions = 50

// collectable returns the definitions for which the customer's words may be read: one that needs a consent only with
// it.
func (s Turns) collectable(ctx context.Context, q *dbgen.Queries, st *gapState) ([]vault.Definition, error) {
	all := st.readable()
	st.reqs = nil
	for _, d := range all {
		st.reqs = append(st.reqs, vault.Requirement{FieldName: d.Name})
	}
	if err := st.loadWithheld(ctx, q); err != nil {
		return nil, err
	}
	var out []vault.Definition
	for _, d := range all {
		if !st.withheld[d.Name] {
			out = append(out, d)
		}
	}
	return out, nil
}

// readFacts reads the conversation, of which the turn is the last one, for all fields.
func (s Turns) readFacts(ctx context.Context, q *dbgen.Queries, st *gapState, found *preparedTurn) error {
	fields, err := s.collectable(ctx, q, st)
	if err != nil {
		return err
	}
	if len(fields) == 0 {
		found.Covered = true
		return nil
	}
	read := reading{from: int(st.fill.ReadTo), to: found.Turn}
	failed := s.Answers.Gaps.readFields(ctx, q, st, fields, &read)
	found.Covered, found.Candidates, found.Fields = failed == nil, read.candidates, read.fields
	found.ModelCalls, found.Warnings = int(read.calls), read.warnings
	return nil
}
