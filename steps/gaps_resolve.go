package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// childDue is when the relay looks after a write that a gap fill accepted and then did not run.
const childDue = 2 * time.Minute

// What was done about a field that is not filled (GapResult.Action).
const (
	gapUndefined  = "undefined"  // the agent has no enabled definition of it
	gapCandidate  = "candidate"  // a value was read, and not trusted
	gapUnverified = "unverified" // there is a value; the definition wants it verified
	gapExpired    = "expired"    // nobody answered before the deadline
	gapAttempts   = "attempts"   // every answer was invalid, up to the limit
	gapRejected   = "rejected"   // the vault did not accept the value that was found
)

// ResolveGaps looks for each missing field in the session, then in the conversation, and accepts a write-field operation for
// each value that it may use. The conversation is read once per fill, for every field that the scenario could come to need.
// A model that fails leaves the fields to be asked for (rule 8).
func (s Gaps) ResolveGaps(ctx context.Context, ev vault.Event) (Advanced, error) {
	var out Advanced
	err := check(ctx, s.once, ev, func(q *dbgen.Queries, intent dbgen.Intent, in vault.FillGaps) error {
		state, err := s.load(ctx, q, intent, in)
		if err != nil {
			return err
		}
		var read *reading
		if state.fill.ConversationReadAt == nil {
			read = s.readConversation(ctx, state)
		}
		out, err = s.resolve(ctx, ev, in, read)
		return err
	})
	return out, err
}

// reading is what a model read in a conversation.
type reading struct {
	candidates []vault.Candidate
	calls      int32
	warnings   []string
}

func (s Gaps) readConversation(ctx context.Context, st *gapState) *reading {
	read := &reading{warnings: st.warnings}
	var fields []vault.Definition
	seen := map[string]bool{}
	for _, r := range st.reqs {
		def := st.definition(r.FieldName)
		if def == nil || seen[r.FieldName] {
			continue
		}
		seen[r.FieldName] = true
		if f, ok := st.profile.Fields[r.FieldName]; ok && !f.Expired(s.now()) && !st.isMissing(r.FieldName) {
			continue
		}
		if _, ok := st.sessionValue(r.FieldName, def); !ok {
			fields = append(fields, *def)
		}
	}
	if len(fields) == 0 || len(st.session.Turns) == 0 {
		return read
	}
	read.calls = 1
	candidates, err := s.model.ExtractValues(ctx, llm.ExtractRequest{Fields: fields, Turns: st.session.Turns, Now: s.now()})
	if err != nil {
		s.log.WarnContext(ctx, "conversation_not_read", "operation_id", st.intent.ID, "error_code", vault.CodeOf(err))
		read.warnings = append(read.warnings, "the conversation could not be read: "+err.Error())
		return read
	}
	read.candidates = candidates
	return read
}

// resolve stores what was read and accepts writes, in one transaction.
func (s Gaps) resolve(ctx context.Context, ev vault.Event, in vault.FillGaps, read *reading) (Advanced, error) {
	var out Advanced
	return out, s.once.db.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		intent, err := s.once.lock(ctx, q, ev)
		if err != nil || applied(intent) {
			return err
		}
		err = q.EnsureGapFill(ctx, dbgen.EnsureGapFillParams{
			IntentID: ev.IntentID, TenantID: ev.TenantID, CustomerID: in.CustomerID, ScenarioID: in.ScenarioID,
		})
		if err != nil {
			return err
		}
		if read != nil {
			sealed, err := s.once.sealer.Seal(ev.TenantID, ev.IntentID, read.candidates)
			if err != nil {
				return err
			}
			err = q.MarkConversationRead(ctx, dbgen.MarkConversationReadParams{
				TenantID: ev.TenantID, IntentID: ev.IntentID, Candidates: sealed, ModelCalls: read.calls, Warnings: list(read.warnings),
			})
			if err != nil {
				return err
			}
		}
		state, err := s.load(ctx, q, intent, in)
		if err != nil {
			return err
		}
		var candidates []vault.Candidate
		if err := s.once.sealer.Open(ev.TenantID, ev.IntentID, state.fill.Candidates, &candidates); err != nil {
			return err
		}
		if err := s.acceptWrites(ctx, q, state, candidates); err != nil {
			return err
		}
		out.Writes = state.writes()
		return nil
	})
}

// acceptWrites finds a value for each missing field that has no outcome in this fill yet.
func (s Gaps) acceptWrites(ctx context.Context, q *dbgen.Queries, st *gapState, candidates []vault.Candidate) error {
	for _, m := range st.missing {
		name := m.Requirement.FieldName
		if _, decided := st.items[name]; decided || m.Reason == vault.MissingUnverified {
			continue
		}
		def := st.definition(name)
		if def == nil {
			continue
		}
		item := dbgen.UpsertGapItemParams{FillID: st.intent.ID, TenantID: st.intent.TenantID, FieldName: name, Errors: []string{}}
		write, found := s.fromSession(st, def, &item)
		if !found {
			write, found = s.fromConversation(st, def, candidates, &item)
		}
		if found {
			if err := s.acceptWrite(ctx, q, st, write, &item); err != nil {
				return err
			}
		}
		if !found && item.Action == "" {
			continue
		}
		if err := q.UpsertGapItem(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

func (s Gaps) acceptWrite(ctx context.Context, q *dbgen.Queries, st *gapState, write vault.WriteField, item *dbgen.UpsertGapItemParams) error {
	child, err := db.AcceptIntent(ctx, q, s.once.sealer, st.intent.TenantID, db.NewIntent{
		Workflow: vault.WorkflowWriteField, Event: vault.EventFieldWrite, Subject: st.in.CustomerID.String(),
		Key: fmt.Sprintf("fill:%s:%s", st.intent.ID, write.Name), ParentID: &st.intent.ID, Payload: write, DueAfter: childDue,
	})
	if err != nil {
		return err
	}
	item.WriteID = &child.ID
	st.children[child.ID] = dbgen.ListChildIntentsRow{ID: child.ID, Workflow: child.Workflow, Status: child.Status}
	return nil
}

func (s Gaps) fromSession(st *gapState, def *vault.Definition, item *dbgen.UpsertGapItemParams) (vault.WriteField, bool) {
	value, ok := st.sessionValue(def.Name, def)
	if !ok {
		return vault.WriteField{}, false
	}
	item.Source, item.Confidence = string(vault.GapFromSession), 1
	write := st.write(def.Name, value)
	write.Source = vault.FieldSystemInferred
	return write, true
}

func (s Gaps) fromConversation(st *gapState, def *vault.Definition, candidates []vault.Candidate, item *dbgen.UpsertGapItemParams) (vault.WriteField, bool) {
	for _, c := range candidates {
		if c.FieldName != def.Name {
			continue
		}
		checked, problem := vault.GroundCandidate(c, def, st.session.Turns)
		if problem == nil && c.Confidence < s.settings.UseThreshold {
			problem = vault.Invalid(def.Name, "confidence %.2f is below %.2f", c.Confidence, s.settings.UseThreshold)
		}
		item.Source, item.Confidence = string(vault.GapFromConversation), c.Confidence
		if problem != nil {
			item.Source, item.Action, item.Errors = "", gapCandidate, []string{problem.Message}
			return vault.WriteField{}, false
		}
		item.RequiresConfirmation = c.Confidence < s.settings.ConfirmThreshold
		write := st.write(def.Name, checked.Value)
		write.Source = vault.FieldLLMExtracted
		write.Confidence, write.RequiresConfirmation = &c.Confidence, item.RequiresConfirmation
		write.SourceMetadata, _ = json.Marshal(map[string]any{"quote": c.Quote, "turn": c.Turn, "model": s.model.Name()}) // strings and ints always encode
		return write, true
	}
	return vault.WriteField{}, false
}

// write is a write of this fill, with the session as its origin.
func (st *gapState) write(name string, value json.RawMessage) vault.WriteField {
	w := vault.WriteField{
		AgentID: st.agent, CustomerID: st.in.CustomerID, Name: name, Value: value, SourceScenarioID: &st.in.ScenarioID,
		SourceStepID: st.in.StepID, SourceSessionID: st.in.SessionID,
	}
	if st.in.SessionID != nil {
		w.SourceItemID, w.SourceItemType = st.in.SessionID, vault.SourceSession
	}
	return w
}

// sessionValue gives the session variable of a field's name, where it passes validation.
func (st *gapState) sessionValue(name string, def *vault.Definition) (json.RawMessage, bool) {
	raw, ok := st.session.Variables[name]
	if !ok {
		return nil, false
	}
	checked, err := vault.CheckValue(def, name, raw, vault.ModeStrict)
	return checked.Value, err == nil
}

func (st *gapState) isMissing(name string) bool {
	for _, m := range st.missing {
		if m.Requirement.FieldName == name {
			return true
		}
	}
	return false
}
