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
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Gaps fills what a scenario needs of a customer. A fill is a state machine whose state is in the database: each step reads
// all of it, moves it on as far as it can, and says what the fill waits for. So any step may run any number of times, in two
// runs at once, or after days.
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

// Advanced says what a gap fill waits for: the writes first, then the question, then nothing.
type Advanced struct {
	Writes   []vault.Event `json:"writes,omitempty"` // write-value operations to run
	Question *Waiting      `json:"question,omitempty"`
	Done     bool          `json:"done"`
}

// Waiting is an open question.
type Waiting struct {
	QuestionID uuid.UUID `json:"question_id"`
	OpenedAt   time.Time `json:"opened_at"`
	DeadlineAt time.Time `json:"deadline_at"`
}

// FindMissing finds what the scenario still needs, and that all that the fill names exists.
func (s Gaps) FindMissing(ctx context.Context, ev vault.Event) (MissingFound, error) {
	out := MissingFound{Fields: []string{}}
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, op dbgen.Operation, in vault.FillGapsInput) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		state, err := s.load(ctx, q, op, in)
		if err != nil {
			return err
		}
		for _, m := range state.missing {
			out.Fields = append(out.Fields, m.Requirement.FieldName)
		}
		return nil
	})
	return out, err
}

// gapState is all that is known of one fill.
type gapState struct {
	op       dbgen.Operation
	in       vault.FillGapsInput
	agent    uuid.UUID
	reqs     []vault.Requirement // in scope
	defs     map[string]vault.Definition
	profile  vault.Profile // zero where nothing was written for the customer yet
	session  vault.Session // zero without a session
	fill     dbgen.GapFill // zero before the first resolve
	items    map[string]dbgen.GapFillItem
	asked    []dbgen.Question // in order
	children map[uuid.UUID]dbgen.ListChildOperationsRow
	missing  []vault.Missing
	applying map[string]vault.Requirement // those that count now, met or not
	warnings []string
}

func (s Gaps) load(ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.FillGapsInput) (*gapState, error) {
	tenant := op.TenantID
	st := &gapState{op: op, in: in, items: map[string]dbgen.GapFillItem{}, children: map[uuid.UUID]dbgen.ListChildOperationsRow{}}
	row, err := q.GetScenario(ctx, tenant, in.ScenarioID)
	if err != nil {
		return nil, db.WrapNotFound(err, "scenario", in.ScenarioID)
	}
	st.agent = row.AgentID
	scenario, err := db.ScenarioOf(row)
	if err != nil {
		return nil, err
	}
	if in.StepID != "" && !scenario.HasStep(in.StepID) {
		return nil, vault.Invalid("step_id", "scenario %s has no step %q; its steps are %s", in.ScenarioID, in.StepID, scenario.StepIDs())
	}
	if err := s.loadConfig(ctx, q, tenant, st); err != nil {
		return nil, err
	}
	// The writes and the questions first: the value of one that is done or answered is then seen in the profile, and is not asked for.
	if err := s.loadProgress(ctx, q, tenant, st); err != nil {
		return nil, err
	}
	if err := s.loadCustomer(ctx, q, tenant, st); err != nil {
		return nil, err
	}
	known := rules.Known{Fields: st.profile.Fields, Session: st.session.Variables, Scenario: scenario, Now: s.Now()}
	scope := rules.Scope{StepID: in.StepID, Level: in.Level}
	st.missing, st.warnings = rules.FindMissing(st.reqs, st.defs, known, scope)
	st.applying, _ = rules.Applicable(st.reqs, known, scope)
	return st, nil
}

func (s Gaps) loadConfig(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, st *gapState) error {
	rows, err := q.ListDefinitions(ctx, tenant, st.agent)
	if err != nil {
		return err
	}
	if st.defs, err = db.DefinitionsOf(rows); err != nil {
		return err
	}
	reqs, err := q.ListRequirements(ctx, tenant, st.in.ScenarioID)
	for _, r := range reqs {
		st.reqs = append(st.reqs, db.RequirementOf(r))
	}
	return err
}

func (s Gaps) loadCustomer(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, st *gapState) error {
	row, err := q.GetProfile(ctx, tenant, st.in.CustomerID)
	switch {
	case db.IsNotFound(err):
		deleted, err := q.CustomerDeleted(ctx, tenant, st.in.CustomerID)
		if err == nil && deleted {
			err = vault.Unknown("customer", st.in.CustomerID)
		}
		if err != nil {
			return err
		}
		st.profile.Fields = map[string]vault.Value{}
	case err != nil:
		return err
	default:
		if st.profile, err = db.ProfileOf(row); err != nil {
			return err
		}
		if err := s.Once.Sealer.OpenCustomer(&st.profile); err != nil {
			return err
		}
	}
	if st.in.SessionID == nil {
		return nil
	}
	session, err := q.GetSession(ctx, tenant, *st.in.SessionID)
	if err != nil {
		return db.WrapNotFound(err, "session", *st.in.SessionID)
	}
	if err := db.CheckSessionOf(ctx, q, tenant, st.in.CustomerID, session.ID, session.CustomerID); err != nil {
		return err
	}
	turns, err := q.ListTurns(ctx, tenant, session.ID)
	if err != nil {
		return err
	}
	st.session, err = db.SessionOf(session, turns)
	return err
}

func (s Gaps) loadProgress(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, st *gapState) error {
	fill, err := q.GetGapFill(ctx, tenant, st.op.ID)
	if db.IsNotFound(err) {
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
	if st.asked, err = q.ListFillQuestions(ctx, tenant, st.op.ID); err != nil {
		return err
	}
	children, err := q.ListChildOperations(ctx, tenant, st.op.ID)
	for _, c := range children {
		st.children[c.ID] = c
	}
	return err
}

// definition gives the enabled definition of a field, nil where there is none.
func (st *gapState) definition(name string) *vault.Definition {
	if d, ok := st.defs[name]; ok && d.Enabled {
		return &d
	}
	return nil
}

// answerOwed reports whether an answer was accepted whose outcome is not known yet: one that came in time is not too late because
// the engine was down at the deadline.
func (st *gapState) answerOwed() bool {
	for _, c := range st.children {
		if c.Workflow == vault.AnswerQuestion.Name && !vault.OperationStatus(c.Status).Finished() {
			return true
		}
	}
	return false
}

// writes gives the writes of the fill whose outcome is not known yet.
func (st *gapState) writes() []vault.Event {
	var out []vault.Event
	for _, c := range st.children {
		if c.Workflow == vault.WriteValue.Name && !vault.OperationStatus(c.Status).Finished() {
			out = append(out, vault.Event{OperationID: c.ID, TenantID: st.op.TenantID, Subject: st.in.CustomerID.String()})
		}
	}
	slices.SortFunc(out, func(a, b vault.Event) int { return bytes.Compare(a.OperationID[:], b.OperationID[:]) })
	return out
}
