package gapfill

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/missing"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Gaps fills the fields that a scenario needs of a customer. A fill is a state machine with its state in the database.
// Each run of fill-gaps reads all of it, advances it as far as possible, and ends. If the fill then waits for a write
// or a question, the next change that concerns it starts another run: every such change adds a wake-up in its
// transaction (fill_wakeups). So no run waits, any step may run any number of times, in two runs at once, or after
// days, and the engine may lose any run.
type Gaps struct {
	Once     once.Runner
	Model    once.Budgeted
	Settings once.Settings
	Enqueuer once.Enqueuer
	Now      func() time.Time
	Log      *slog.Logger
	Observer once.Observer
}

// MissingFound names the fields that a scenario still needs.
type MissingFound struct {
	once.NoEffect

	Fields []string `json:"fields"`
}

// Advanced is what a gap fill waits for: first the writes, then the question, then nothing.
type Advanced struct {
	Writes   []uuid.UUID `json:"writes,omitempty"` // write-value and delete-item operations in progress
	Question *Waiting    `json:"question,omitempty"`
	Done     bool        `json:"done"`
}

// Waiting is an open question.
type Waiting struct {
	QuestionID uuid.UUID `json:"question_id"`
	FillID     uuid.UUID `json:"fill_id"` // the fill that asked: another one if they share the question
	OpenedAt   time.Time `json:"opened_at"`
	DeadlineAt time.Time `json:"deadline_at"`
}

// FindMissing finds the fields that the scenario still needs. It fails if an id in the input does not exist. It deletes
// the wake-ups of the fill first: a change that comes later adds another one.
func (s Gaps) FindMissing(ctx context.Context, ev vault.Event) (MissingFound, error) {
	out := MissingFound{Fields: []string{}}
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, op dbgen.Operation, in vault.FillGapsInput) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		if err := q.DeleteFillWakeups(ctx, ev.TenantID, ev.OperationID); err != nil {
			return err
		}
		state, err := s.load(ctx, q, op, in)
		if err != nil {
			return err
		}
		if err := ensureFill(ctx, q, op, in); err != nil {
			return err
		}
		if err := s.rejectErased(ctx, q, op, in); err != nil {
			return err
		}
		for _, m := range state.missing {
			out.Fields = append(out.Fields, m.Requirement.FieldName)
		}
		return nil
	})
	return out, err
}

// gapState is the complete state of one fill.
type gapState struct {
	op         dbgen.Operation
	in         vault.FillGapsInput
	agent      uuid.UUID
	reqs       []vault.Requirement // in scope
	defs       map[string]vault.Definition
	profile    vault.Profile // zero for a customer without a value
	session    vault.Session // zero without a session
	fill       dbgen.GapFill // without an id before the first run
	items      map[string]dbgen.GapFillItem
	asked      []dbgen.Question // in the order in which they were opened, those of other fills included
	children   map[uuid.UUID]dbgen.ListChildOperationsRow
	accepted   []dbgen.Operation // writes that this step accepted
	missing    []vault.Missing
	applicable map[string]vault.Requirement // by field: the requirements that apply now, met or not
	warnings   []string
	now        time.Time
	withheld   map[string]bool        // fields that the customer has not consented to
	zone       *time.Location         // the customer's
	taken      *evidence.Conversation // the session's turns taken apart; nil before the first use
	unsaved    int                    // the number of turns at the end of the session that are not stored yet
}

// conversation returns the session's turns for the evidence gate.
func (st *gapState) conversation() *evidence.Conversation {
	if st.taken == nil {
		st.taken = evidence.Read(inZone(st.session.Turns, st.zone))
	}
	return st.taken
}

func (s Gaps) load(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.FillGapsInput,
) (*gapState, error) {
	st := &gapState{
		op: op, in: in, now: s.Now(),
		items: map[string]dbgen.GapFillItem{}, children: map[uuid.UUID]dbgen.ListChildOperationsRow{},
	}
	// Progress is read before the profile: a value that was written or answered is then visible in the profile, and is not
	// asked for again.
	if err := s.loadProgress(ctx, q, op.TenantID, st); err != nil {
		return nil, err
	}
	found, err := missing.Load(ctx, missing.Transaction{Queries: q, Sealer: s.Once.Sealer}, q, op.TenantID, missing.Input{
		CustomerID: in.CustomerID, ScenarioID: in.ScenarioID, SessionID: in.SessionID, Turns: true,
		Scope: rules.Scope{StepID: in.StepID, Level: in.Level}, Now: s.Now(),
	})
	st.agent, st.reqs, st.defs = found.Scenario.AgentID, found.Requirements, found.Definitions
	st.profile, st.session = found.Profile, found.Session
	st.missing, st.applicable, st.warnings = found.Missing, found.Applicable, found.Warnings
	st.zone = s.zone(st)
	if err != nil {
		return st, err
	}
	return st, st.loadWithheld(ctx, q)
}

// loadWithheld finds the fields that the customer has not consented to, or has withdrawn a consent to: they are neither
// read nor asked for.
func (st *gapState) loadWithheld(ctx context.Context, q *dbgen.Queries) error {
	at := db.UTC(st.now)
	in := dbgen.ListRefusedFieldsParams{TenantID: st.op.TenantID, Now: &at}
	for _, r := range st.reqs {
		in.Profiles, in.Names = append(in.Profiles, st.profile.ID), append(in.Names, r.FieldName)
	}
	rows, err := q.ListRefusedFields(ctx, in)
	st.withheld = make(map[string]bool, len(rows))
	for _, r := range rows {
		st.withheld[r.Name] = true
	}
	return err
}

// inZone returns the turns with their times in a zone, in which relative days count. nil: UTC.
func inZone(turns []vault.Turn, zone *time.Location) []vault.Turn {
	if zone == nil {
		zone = time.UTC
	}
	out := slices.Clone(turns)
	for i, t := range out {
		if t.At != nil {
			at := t.At.In(zone)
			out[i].At = &at
		}
	}
	return out
}

func (s Gaps) loadProgress(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, st *gapState) error {
	fill, err := q.GetGapFill(ctx, tenant, st.op.ID)
	if db.IsNotFound(err) {
		st.fill.ReadTo = -1
		return nil
	}
	if err != nil {
		return err
	}
	st.fill = fill
	items, err := q.ListGapItems(ctx, tenant, st.op.ID)
	if err != nil {
		return err
	}
	for _, item := range items {
		st.items[item.FieldName] = item
	}
	st.asked, err = q.ListFillQuestions(ctx, dbgen.ListFillQuestionsParams{
		TenantID: tenant, FillID: st.op.ID, CustomerID: fill.CustomerID, ScenarioID: fill.ScenarioID, Since: fill.StartedAt,
	})
	if err != nil {
		return err
	}
	children, err := q.ListChildOperations(ctx, tenant, st.op.ID)
	for _, c := range children {
		st.children[c.ID] = c
	}
	return err
}

// definition returns the enabled definition of a field, nil if there is none.
func (st *gapState) definition(name string) *vault.Definition {
	if d, ok := st.defs[name]; ok && d.Enabled {
		return &d
	}
	return nil
}

// mayRead reports whether the values of a definition may be read from what the customer says of other things than a
// question about the field.
func mayRead(d *vault.Definition) bool { return d != nil && d.Enabled && !d.ForbidExtraction }

// answerPending reports whether an accepted answer is not processed yet. An answer that came in time counts, even if
// the engine was down at the deadline.
func (st *gapState) answerPending() bool {
	for _, c := range st.children {
		if c.Workflow == vault.AnswerQuestion.Name && !vault.OperationStatus(c.Status).Finished() {
			return true
		}
	}
	return false
}

// writes returns the writes and deletions of the fill that have no outcome yet.
func (st *gapState) writes() []uuid.UUID {
	var out []uuid.UUID
	for _, c := range st.children {
		changes := c.Workflow == vault.WriteValue.Name || c.Workflow == vault.DeleteItem.Name
		if changes && c.Status == string(vault.OperationAccepted) {
			out = append(out, c.ID)
		}
	}
	slices.SortFunc(out, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// ensureFill creates the row of a gap fill, from which on changes wake it.
func ensureFill(ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.FillGapsInput) error {
	return q.EnsureGapFill(ctx, dbgen.EnsureGapFillParams{
		OperationID: op.ID, TenantID: op.TenantID, CustomerID: in.CustomerID, ScenarioID: in.ScenarioID,
		SessionID: in.SessionID,
	})
}

// rejectErased rejects the gap fill of a customer who was erased, and removes what ensureFill added. The check comes
// after the insert (db.FindErased), which is a transaction of its own here.
func (s Gaps) rejectErased(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.FillGapsInput,
) error {
	err := db.CheckErased(ctx, q, s.Once.Sealer, op.TenantID, in.CustomerID)
	if vault.CodeOf(err) != vault.CodeErased {
		return err
	}
	if deleteErr := q.DeleteGapFill(ctx, op.TenantID, op.ID); deleteErr != nil {
		return deleteErr
	}
	return err
}
