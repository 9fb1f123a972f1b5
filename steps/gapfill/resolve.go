package gapfill

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Reasons why a field is not filled (GapResult.Action).
const (
	gapUndefined  = "undefined"  // the agent has no enabled definition of the field
	gapWithheld   = "withheld"   // the customer has not consented to any purpose of the field
	gapUnreviewed = "unreviewed" // extracted and not reviewed by a person: the customer is not asked
	gapCandidate  = "candidate"  // a value was read and not used
	gapUnverified = "unverified" // the value is not verified, and the definition requires it
	gapExpired    = "expired"    // not answered before the deadline
	gapAttempts   = "attempts"   // as many answers as allowed were unclear or invalid
	gapRefused    = "refused"    // the customer does not give the value
	gapCancelled  = "cancelled"  // the fill was cancelled before the field was asked for
	gapRejected   = "rejected"   // the vault rejected the value
)

// ResolveGaps searches the session, then the conversation, for each missing field, and accepts a write-value operation
// for each value that it may use. A model reads the conversation when the fill starts, and again when the customer has
// said more, for every field that the scenario could need. If the model fails, the fields are asked for (rule 8).
func (s Gaps) ResolveGaps(ctx context.Context, ev vault.Event) (Advanced, error) {
	var out Advanced
	var accepted []dbgen.Operation
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, op dbgen.Operation, in vault.FillGapsInput) error {
		hasRead, err := q.HasReadConversation(ctx, op.TenantID, op.ID)
		if err != nil {
			return err
		}
		if hasRead { // acceptFound loads the state
			out, accepted, err = s.acceptFound(ctx, ev, nil, nil)
			return err
		}
		return s.Once.WithHold(ctx, ev, "read:"+op.ID.String(), func(ctx context.Context, hold once.Hold) error {
			state, err := s.load(ctx, q, op, in) // another run may have read it meanwhile
			if err != nil {
				return err
			}
			var read *reading
			if state.unread() {
				read = s.readConversation(ctx, q, state)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			out, accepted, err = s.acceptFound(ctx, ev, read, &hold)
			return err
		})
	})
	if err != nil {
		return Advanced{}, err
	}
	s.push(ctx, accepted)
	return out, nil
}

// unread reports whether the fill has not read its conversation, or the customer said more since.
func (st *gapState) unread() bool {
	return st.fill.ConversationReadAt == nil || slices.ContainsFunc(st.session.Turns, func(t vault.Turn) bool {
		return t.Index > int(st.fill.ReadTo) && t.Speaker == vault.SpeakerCustomer
	})
}

// reading is the result of reading a conversation.
type reading struct {
	candidates []vault.Candidate // nil: the conversation was not read
	fields     []string          // the fields that it covered
	calls      int32
	warnings   []string
	from, to   int // indexes of the last turn that was read before, and of the last turn of this reading; -1: none
}

// hasNew reports whether a second or later reading found a candidate of a field in a new turn.
func (r *reading) hasNew(field string) bool {
	return r != nil && r.from >= 0 && slices.ContainsFunc(r.candidates, func(c vault.Candidate) bool {
		return c.FieldName == field && c.Turn > r.from
	})
}

func (s Gaps) readConversation(ctx context.Context, q *dbgen.Queries, st *gapState) *reading {
	read := &reading{warnings: st.warnings, from: int(st.fill.ReadTo), to: -1}
	for _, t := range st.session.Turns {
		read.to = max(read.to, t.Index)
	}
	if st.fill.CancelledAt != nil {
		return read
	}
	covered, err := st.covered(ctx, q)
	if err != nil { // reading again costs a model call, and nothing else
		s.Log.WarnContext(ctx, "earlier_readings_not_loaded", "operation_id", st.op.ID, "error_code", vault.CodeOf(err))
	}
	var fields []vault.Definition
	seen := map[string]bool{}
	for _, r := range st.reqs {
		def := st.definition(r.FieldName)
		if !mayRead(def) || seen[r.FieldName] || st.withheld[r.FieldName] {
			continue
		}
		seen[r.FieldName] = true
		if f, ok := st.profile.Fields[r.FieldName]; ok && !f.Expired(s.Now()) && !st.lacks(r.FieldName) &&
			!st.mayHaveChanged(f, def, covered) {
			continue
		}
		if _, ok := st.sessionValue(r.FieldName, def); !ok {
			fields = append(fields, *def)
		}
	}
	if len(fields) == 0 ||
		!slices.ContainsFunc(st.session.Turns, func(t vault.Turn) bool { return t.Speaker == vault.SpeakerCustomer }) {
		return read
	}
	_ = s.readFields(ctx, q, st, fields, read) // a warning says so, and the fields are asked for (rule 8)
	return read
}

// readFields reads the conversation for fields, with one call of the model. It adds the candidates, nil if the model
// failed, and the warnings to read.
func (s Gaps) readFields(
	ctx context.Context, q *dbgen.Queries, st *gapState, fields []vault.Definition, read *reading,
) (failed error) {
	turns, warning := s.budgetTurns(ctx, q, st, fields)
	if warning != "" {
		read.warnings = append(read.warnings, warning)
	}
	read.calls = 1
	counted := llm.WithUsage(ctx, func(u llm.Usage) {
		read.calls = int32(u.Calls) //nolint:gosec // two at most
		if warning := u.Drops.Warning(); warning != "" && u.Outcome != llm.OutcomeMalformed {
			read.warnings = append(read.warnings, warning)
		}
	})
	candidates, err := s.Model.ExtractValues(counted, st.op.TenantID, llm.ExtractRequest{
		Definitions: fields, Others: st.others(fields), Turns: turns, Now: s.Now(), Zone: s.zone(st),
	})
	if err != nil {
		if vault.CodeOf(err) == vault.CodeBudget {
			read.calls = 0
		}
		s.Log.WarnContext(ctx, "conversation_not_read", "operation_id", st.op.ID, "error_code", vault.CodeOf(err))
		read.warnings = append(read.warnings, "the conversation could not be read: "+err.Error())
		return err
	}
	read.candidates = once.NonNil(candidates)
	for _, f := range fields {
		read.fields = append(read.fields, f.Name)
	}
	return nil
}

// others returns the agent's enabled definitions that are not among fields, by name.
func (st *gapState) others(fields []vault.Definition) []vault.Definition {
	var out []vault.Definition
	for _, name := range slices.Sorted(maps.Keys(st.defs)) {
		if d := st.definition(name); d != nil && !slices.ContainsFunc(fields, func(f vault.Definition) bool {
			return f.Name == name
		}) {
			out = append(out, *d)
		}
	}
	return out
}

// timeZoneField is the session variable and the field of a customer that hold a time zone, such as "Europe/Berlin".
const timeZoneField = "time_zone"

// zone returns the customer's time zone: the session variable, else the customer's value, else the setting. A name that
// is not in the tz database counts as none.
func (s Gaps) zone(st *gapState) *time.Location {
	names := []json.RawMessage{st.session.Variables[timeZoneField]}
	if f, ok := st.profile.Fields[timeZoneField]; ok && !f.Expired(s.Now()) {
		names = append(names, f.Value)
	}
	for _, raw := range names {
		var name string
		if json.Unmarshal(raw, &name) != nil || name == "" || name == "Local" {
			continue
		}
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	return s.Settings.TimeZone
}

// provenance is stored in the lineage of a value that was read in a conversation.
type provenance struct {
	Quote  string `json:"quote"`
	Turn   int    `json:"turn"`    // index of the turn that holds the quote
	ReadTo int    `json:"read_to"` // index of the last turn at that time
	Model  string `json:"model"`   // id of the model that read it
	// Elements are the quotes of the elements of a list.
	Elements []spoken `json:"elements,omitempty"`
}

// acceptFound stores the reading and accepts a write for each value found. The fill's operation is locked, so two runs
// do not accept the same write twice. read and hold are nil if the conversation was read before.
func (s Gaps) acceptFound(
	ctx context.Context, ev vault.Event, read *reading, hold *once.Hold,
) (out Advanced, accepted []dbgen.Operation, err error) {
	err = s.Once.Locked(ctx, ev, func(q *dbgen.Queries, op dbgen.Operation) error {
		if once.IsApplied(op) {
			return nil
		}
		in, err := once.OpenPayload[vault.FillGapsInput](ctx, s.Once, op)
		if err != nil {
			return err
		}
		if err := ensureFill(ctx, q, op, in); err != nil {
			return err
		}
		if read != nil {
			if err := hold.Check(ctx, q); err != nil {
				return err
			}
			if err := s.storeReading(ctx, q, op, read); err != nil {
				return err
			}
		}
		state, err := s.load(ctx, q, op, in)
		if err != nil {
			return err
		}
		candidates, err := s.candidates(ctx, state)
		if err != nil {
			return err
		}
		if err := s.acceptWrites(ctx, q, state, candidates, read); err != nil {
			return err
		}
		if err := s.acceptRetractions(ctx, q, state, read); err != nil {
			return err
		}
		out.Writes, accepted = state.writes(), state.accepted
		return nil
	})
	return out, accepted, err
}

// storeReading stores a reading for later runs of the fill.
func (s Gaps) storeReading(ctx context.Context, q *dbgen.Queries, op dbgen.Operation, read *reading) error {
	params := dbgen.MarkConversationReadParams{
		TenantID: op.TenantID, OperationID: op.ID, ModelCalls: read.calls, Warnings: once.NonNil(read.warnings),
		ReadTo:     int32(read.to), //nolint:gosec // far fewer turns
		ReadFields: once.NonNil(read.fields),
	}
	if read.candidates != nil || read.from < 0 {
		sealed, err := s.Once.Sealer.Seal(ctx, db.OwnerOf(op.TenantID, op.Payload), op.ID, read.candidates)
		if err != nil {
			return err
		}
		params.Candidates = sealed
	}
	return q.MarkConversationRead(ctx, params)
}

// acceptWrites accepts a write for each missing field without an outcome in this fill, and for each stored field that
// the customer changed since. read is the new reading, nil without one.
func (s Gaps) acceptWrites(
	ctx context.Context, q *dbgen.Queries, st *gapState, candidates []vault.Candidate, read *reading,
) error {
	var names []string
	for _, m := range st.missing {
		if m.Reason != vault.MissingUnverified {
			names = append(names, m.Requirement.FieldName)
		}
	}
	for _, c := range candidates {
		if st.changed(c) {
			names = append(names, c.FieldName)
		}
	}
	for _, name := range names {
		def := st.definition(name)
		if _, decided := st.items[name]; def == nil || st.withheld[name] || (decided && !read.hasNew(name)) {
			continue
		}
		item := dbgen.UpsertGapItemParams{FillID: st.op.ID, TenantID: st.op.TenantID, FieldName: name, Errors: []string{}}
		write, found := s.fromSession(st, def, &item)
		if !found {
			write, found = s.fromConversation(st, def, st.usable(name, candidates), &item)
		}
		if !found && !st.lacks(name) {
			continue // the stored value stays
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
		known := st.items[name]
		known.FieldName, known.WriteID = name, item.WriteID
		st.items[name] = known
	}
	return nil
}

// candidates returns what the model read for this fill.
func (s Gaps) candidates(ctx context.Context, st *gapState) ([]vault.Candidate, error) {
	var out []vault.Candidate
	return out, s.Once.Sealer.Open(ctx, st.op.TenantID, st.op.ID, st.fill.Candidates, &out)
}

func (s Gaps) acceptWrite(
	ctx context.Context, q *dbgen.Queries, st *gapState, write vault.WriteValueInput, item *dbgen.UpsertGapItemParams,
) error {
	child, err := db.AcceptOperation(ctx, q, s.Once.Sealer, st.op.TenantID, db.NewOperation{
		Workflow: vault.WriteValue.Name, Event: vault.WriteValue.Event, Subject: st.in.CustomerID.String(),
		Key:      fmt.Sprintf("fill:%s:%s:%d", st.op.ID, write.Name, st.fill.ReadTo),
		ParentID: &st.op.ID, Actor: once.ActorOf(st.op), CustomerID: write.CustomerID, Payload: write, Pushing: true,
	})
	if err != nil {
		return err
	}
	item.WriteID = &child.ID
	st.follow(child)
	return nil
}

func (s Gaps) fromSession(
	st *gapState, def *vault.Definition, item *dbgen.UpsertGapItemParams,
) (vault.WriteValueInput, bool) {
	value, ok := st.sessionValue(def.Name, def)
	if !ok {
		return vault.WriteValueInput{}, false
	}
	item.Source, item.Confidence = string(vault.GapFromSession), 1
	write := st.write(def.Name, value)
	write.Source = vault.ValueSystemInferred
	return write, true
}

func (s Gaps) fromConversation(
	st *gapState, def *vault.Definition, candidates []vault.Candidate, item *dbgen.UpsertGapItemParams,
) (vault.WriteValueInput, bool) {
	if !mayRead(def) { // it may have changed since the reading
		return vault.WriteValueInput{}, false
	}
	if def.Multiple {
		return s.listFromConversation(st, def, candidates, item)
	}
	for _, c := range candidates {
		if c.FieldName != def.Name {
			continue
		}
		found, problem := st.conversation().Check(c, def)
		if problem == nil && !reply.Accepts(*def, c, st.session.Turns) {
			problem = vault.Invalid(def.Name, "the reply to the agent's question does not state the value of the candidate")
		}
		if problem == nil && c.Confidence < s.Settings.UseThreshold {
			problem = vault.Invalid(def.Name, "confidence %.2f is below %.2f", c.Confidence, s.Settings.UseThreshold)
		}
		item.Source, item.Confidence = string(vault.GapFromConversation), c.Confidence
		if problem != nil {
			item.Source, item.Action, item.Errors = "", gapCandidate, []string{problem.Message}
			return vault.WriteValueInput{}, false
		}
		item.RequiresConfirmation = c.Confidence < s.Settings.ConfirmThreshold || !found.Certain
		write := st.write(def.Name, found.Value)
		write.Source = vault.ValueLLMExtracted
		write.Confidence, write.RequiresConfirmation = &c.Confidence, item.RequiresConfirmation
		write.CollectedAt = st.saidAt(def.Name, found.Turn)
		readTo := st.session.Turns[len(st.session.Turns)-1].Index
		// strings and ints always encode
		write.SourceMetadata, _ = json.Marshal(
			provenance{Quote: c.Quote, Turn: found.Turn, ReadTo: readTo, Model: s.Model.Reader()},
		)
		return write, true
	}
	return vault.WriteValueInput{}, false
}

// write returns a write of this fill, with the session as its source.
func (st *gapState) write(name string, value json.RawMessage) vault.WriteValueInput {
	w := vault.WriteValueInput{
		AgentID: st.agent, CustomerID: st.in.CustomerID, Name: name, Value: value, SourceScenarioID: &st.in.ScenarioID,
		SourceStepID: st.in.StepID, SourceSessionID: st.in.SessionID,
	}
	if st.in.SessionID != nil {
		w.SourceItemID, w.SourceItemType = st.in.SessionID, vault.SourceSession
	}
	return w
}

// sessionValue returns the session variable with a field's name, if it passes validation.
func (st *gapState) sessionValue(name string, def *vault.Definition) (json.RawMessage, bool) {
	raw, ok := st.session.Variables[name]
	if !ok {
		return nil, false
	}
	checked, err := rules.CheckValue(def, name, raw, vault.ModeStrict)
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

// lacks reports whether a field is missing for another reason than that its value is not verified.
func (st *gapState) lacks(name string) bool {
	return slices.ContainsFunc(st.missing, func(m vault.Missing) bool {
		return m.Requirement.FieldName == name && m.Reason != vault.MissingUnverified
	})
}
