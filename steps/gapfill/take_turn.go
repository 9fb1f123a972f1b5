package gapfill

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/missing"
	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/steps/customers"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Turns takes the turns of conversations: a turn is saved, answers the open question, is read for facts, and moves a
// gap fill on, in one operation. ReadTurn reads and changes nothing; PersistTurn does everything in one transaction.
type Turns struct {
	Sessions      Sessions
	Conversations Conversations
	Answers       Answers
}

// turnTaken is the state of PersistTurn.
type turnTaken struct {
	op      dbgen.Operation
	in      vault.TakeTurnInput
	found   preparedTurn
	touched *once.Touched
	st      *gapState // of the session with the turn
	turn    int       // its index
	fill    *dbgen.GapFill
	result  vault.TurnResult
}

// PersistTurn saves a turn, with what ReadTurn found in it. What may not be stored is in the result, and fails nothing.
func (s Turns) PersistTurn(ctx context.Context, ev vault.Event) (once.Applied[vault.TurnResult], error) {
	var moved *movedFill
	runner := s.Answers.Once
	out, err := once.Apply(ctx, runner, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.TakeTurnInput,
	) (vault.TurnResult, error) {
		moved = nil // a transaction that is retried after a deadlock starts again
		taken := turnTaken{op: op, in: in, touched: t}
		if err := runner.Sealer.Open(ctx, ev.TenantID, ev.OperationID, op.Prepared, &taken.found); err != nil {
			return taken.result, err
		}
		err := s.persist(ctx, q, &taken)
		if err == nil {
			moved, err = s.moveFill(ctx, q, &taken)
		}
		return taken.result, err
	})
	if err == nil {
		if moved != nil {
			once.AfterCommit(ctx, func(ctx context.Context) { s.Answers.Gaps.advance(ctx, *moved) })
		}
		runner.WakeFills(ctx, ev.TenantID)
	}
	return out, err
}

// persist saves the turn, the answer and the facts.
func (s Turns) persist(ctx context.Context, q *dbgen.Queries, taken *turnTaken) error {
	op, in, found := taken.op, taken.in, &taken.found
	taken.result = vault.TurnResult{
		SessionID: found.SessionID, AgentID: found.AgentID, Learned: []vault.TurnFact{}, Refused: []vault.TurnRefusal{},
		ModelCalls: found.ModelCalls, Warnings: found.Warnings, Channel: in.Channel,
	}
	if in.ScenarioID != uuid.Nil {
		taken.result.ScenarioID = &in.ScenarioID
	}
	customer, err := s.openCustomer(ctx, q, taken)
	if err != nil {
		return err
	}
	taken.result.CustomerID = customer
	row, err := s.Sessions.save(ctx, q, op, vault.SaveSessionInput{
		SessionID: found.SessionID, AgentID: found.AgentID, CustomerID: customer,
		Turns: []vault.Turn{{Speaker: speakerOf(in), Text: in.Text, At: in.At}},
	})
	if err != nil {
		return err
	}
	if taken.st, err = s.Conversations.stateOf(ctx, q, op, row); err != nil {
		return err
	}
	taken.st.in.CustomerID, taken.st.in.ScenarioID = customer, in.ScenarioID
	taken.st.zone = s.Answers.Gaps.zone(taken.st)
	taken.turn = lastTurn(taken.st)
	taken.result.TurnIndex = taken.turn
	if in.ScenarioID != uuid.Nil {
		if taken.fill, err = s.runningFill(ctx, q, taken); err != nil {
			return err
		}
	}
	if err := s.applyAnswer(ctx, q, taken); err != nil {
		return err
	}
	return s.applyFacts(ctx, q, taken)
}

// openCustomer returns the customer of the turn, and creates the one of an unknown identity.
func (s Turns) openCustomer(ctx context.Context, q *dbgen.Queries, taken *turnTaken) (uuid.UUID, error) {
	if taken.in.CustomerID != uuid.Nil {
		return taken.in.CustomerID, nil
	}
	owner, known, err := channelOwner(ctx, q, taken.op.TenantID, taken.in)
	if err != nil || known {
		return owner, err
	}
	profile, created, err := customers.Open(ctx, s.Sessions.Once, q, taken.op, vault.OpenCustomerInput{
		Channel: taken.in.Channel, ExternalID: taken.in.ExternalID,
	})
	if err != nil || !created {
		return profile.CustomerID, err
	}
	taken.result.Created = true
	_, err = taken.touched.Profile(ctx, q, taken.op.TenantID, profile.ID)
	return profile.CustomerID, err
}

// runningFill returns the fill of the scenario that has not ended, nil if there is none. Two turns at once do not both
// start one.
func (s Turns) runningFill(ctx context.Context, q *dbgen.Queries, taken *turnTaken) (*dbgen.GapFill, error) {
	tenant, customer, scenario := taken.op.TenantID, taken.result.CustomerID, taken.in.ScenarioID
	err := q.LockAsking(ctx, dbgen.LockAskingParams{TenantID: tenant, CustomerID: customer, ScenarioID: scenario})
	if err != nil {
		return nil, err
	}
	same, err := db.MergedCustomers(ctx, q, tenant, customer)
	if err != nil {
		return nil, err
	}
	fill, err := q.FindRunningFill(ctx, dbgen.FindRunningFillParams{
		TenantID: tenant, Customers: append(same, customer), ScenarioID: scenario,
	})
	if db.IsNotFound(err) {
		return nil, nil
	}
	return &fill, err
}

// applyAnswer applies what the turn says to the open question. A question that was closed meanwhile gets no answer.
func (s Turns) applyAnswer(ctx context.Context, q *dbgen.Queries, taken *turnTaken) error {
	found := taken.found
	if found.Reading == nil {
		return nil
	}
	question, err := q.LockQuestion(ctx, taken.op.TenantID, found.QuestionID)
	if err != nil {
		return db.WrapNotFound(err, "question", found.QuestionID)
	}
	if checkOpen(question, taken.op.AcceptedAt) != nil {
		return nil //nolint:nilerr // the turn is saved, and is no answer
	}
	answer := vault.TurnAnswer{
		QuestionID: question.ID, FieldName: question.FieldName, Outcome: outcomeOf(*found.Reading, found.Problem),
	}
	switch answer.Outcome {
	case vault.TurnNotAnswered:
	case vault.TurnInvalid:
		err = s.rejectAnswer(ctx, q, taken, question, found.Problem)
	default:
		err = s.acceptAnswer(ctx, q, taken, question, &answer)
	}
	taken.result.Answer = &answer
	return err
}

func outcomeOf(reading reply.Reading, problem *vault.Error) vault.TurnOutcome {
	switch {
	case reading.Kind == reply.Value:
		return vault.TurnAnswered
	case reading.Kind == reply.Yes:
		return vault.TurnConfirmed
	case reading.Kind == reply.No:
		return vault.TurnDenied
	case reading.Kind == reply.Refused:
		return vault.TurnRefused
	case reading.Kind == reply.Unclear && problem != nil:
		return vault.TurnInvalid
	default:
		return vault.TurnNotAnswered
	}
}

// acceptAnswer applies an answer. One that may not be stored is refused, and the question is asked again.
func (s Turns) acceptAnswer(
	ctx context.Context, q *dbgen.Queries, taken *turnTaken, question dbgen.Question, answer *vault.TurnAnswer,
) error {
	reading := *taken.found.Reading
	quoted, _ := json.Marshal(map[string]any{ // texts and numbers always encode
		"quote": reading.Quote, "turn": taken.turn, "question_id": question.ID,
	})
	done, err := s.Answers.answer(ctx, taken.touched, q, taken.op, origin{
		session: &taken.found.SessionID, channel: taken.in.Channel, metadata: quoted,
	}, question, reading)
	if vault.Permanent(err) {
		answer.Outcome = vault.TurnInvalid
		return s.rejectAnswer(ctx, q, taken, question, once.AsError(err))
	}
	if err == nil && (reading.Kind == reply.Value || reading.Kind == reply.Yes) && done.ItemID != uuid.Nil {
		taken.result.Learned = append(taken.result.Learned, vault.TurnFact{
			FieldName: question.FieldName, ItemID: &done.ItemID, Status: done.Status,
		})
	}
	return err
}

// rejectAnswer closes a question whose answer is not taken. The fill asks again.
func (s Turns) rejectAnswer(
	ctx context.Context, q *dbgen.Queries, taken *turnTaken, question dbgen.Question, problem *vault.Error,
) error {
	taken.refuse(question.FieldName, problem)
	_, err := q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
		TenantID: taken.op.TenantID, ID: question.ID, Status: string(vault.QuestionRejected),
		AnswerOperationID: &taken.op.ID, Rejection: taken.found.Reason, AnsweredOn: taken.in.Channel,
	})
	return err
}

func (taken *turnTaken) refuse(field string, problem *vault.Error) {
	taken.result.Refused = append(taken.result.Refused, vault.TurnRefusal{
		FieldName: field, Code: problem.Code, Detail: problem.Message,
	})
}

// applyFacts writes the facts that the turn states, beside the answer.
func (s Turns) applyFacts(ctx context.Context, q *dbgen.Queries, taken *turnTaken) error {
	for _, said := range taken.found.also() {
		write := taken.st.write(said.FieldName, said.Value)
		s.Answers.prove(&write, said, taken.turn, taken.found.QuestionID)
		if err := s.write(ctx, q, taken, write); err != nil {
			return err
		}
	}
	for i, c := range taken.found.Candidates {
		if c.Turn == taken.found.Turn { // another turn may have been saved since ReadTurn
			taken.found.Candidates[i].Turn = taken.turn
		}
	}
	for _, def := range taken.st.readable() {
		var stated []vault.Candidate
		for _, c := range taken.found.Candidates {
			if c.FieldName == def.Name && c.Turn > int(taken.st.fill.ReadTo) {
				stated = append(stated, c)
			}
		}
		if len(stated) == 0 {
			continue
		}
		var item dbgen.UpsertGapItemParams
		write, ok := s.Answers.Gaps.fromConversation(taken.st, &def, stated, &item)
		if !ok {
			for _, reason := range item.Errors {
				// The reason names the field already.
				taken.refuse(def.Name, &vault.Error{Code: vault.CodeInvalid, Field: def.Name, Message: reason})
			}
			continue
		}
		if err := s.write(ctx, q, taken, write); err != nil {
			return err
		}
	}
	if !taken.found.Covered {
		return nil
	}
	return q.MarkSessionRead(ctx, dbgen.MarkSessionReadParams{
		TenantID: taken.op.TenantID, ID: taken.found.SessionID, ReadTo: int32(taken.turn), //nolint:gosec // at most MaxTurns
	})
}

// write writes a fact, unless the field has the value already. A fact that may not be stored is refused.
func (s Turns) write(ctx context.Context, q *dbgen.Queries, taken *turnTaken, in vault.WriteValueInput) error {
	if *in.SourceScenarioID == uuid.Nil {
		in.SourceScenarioID = nil
	}
	if in.CollectedAt != nil && in.CollectedAt.After(taken.op.AcceptedAt) {
		in.CollectedAt = nil
	}
	active, known := taken.st.profile.Fields[in.Name]
	if known && !active.Expired(taken.st.now) && bytes.Equal(in.Value, compactJSON(active.Value)) {
		taken.result.Learned = append(taken.result.Learned, vault.TurnFact{FieldName: in.Name})
		return nil
	}
	done, err := s.Answers.Values.Write(ctx, taken.touched, q, taken.op, in)
	if vault.Permanent(err) {
		taken.refuse(in.Name, once.AsError(err))
		return nil
	}
	if err != nil {
		return err
	}
	taken.result.Learned = append(taken.result.Learned, vault.TurnFact{
		FieldName: in.Name, ItemID: &done.ItemID, Status: done.Status, Confirm: in.RequiresConfirmation,
	})
	if taken.fill == nil {
		return nil
	}
	return q.UpsertGapItem(ctx, dbgen.UpsertGapItemParams{ // so that the fill asks for the confirmation
		FillID: taken.fill.OperationID, TenantID: taken.op.TenantID, FieldName: in.Name,
		Source: string(vault.GapFromConversation), WriteID: &taken.op.ID, Confidence: *in.Confidence,
		RequiresConfirmation: in.RequiresConfirmation, Errors: []string{},
	})
}

// movedFill is a gap fill that a turn moves on after its transaction.
type movedFill struct {
	tenant, id uuid.UUID
	op         dbgen.Operation // of a new fill
	ready      bool            // a new fill has read its conversation
}

// moveFill starts a gap fill of the scenario if none runs and there is something to ask, and marks the turn as read by
// the fill.
func (s Turns) moveFill(ctx context.Context, q *dbgen.Queries, taken *turnTaken) (*movedFill, error) {
	if taken.in.ScenarioID == uuid.Nil {
		if taken.result.Answer == nil {
			return nil, q.WakeFillsOfSession(ctx, taken.op.TenantID, taken.found.SessionID)
		}
		question, err := q.GetQuestion(ctx, taken.op.TenantID, taken.found.QuestionID)
		if err != nil {
			return nil, err
		}
		fill, err := q.GetGapFill(ctx, taken.op.TenantID, question.FillID)
		if err != nil {
			return nil, db.WrapNotFound(err, "gap fill", question.FillID)
		}
		taken.fill = &fill
	}
	gaps := s.Answers.Gaps
	if taken.fill == nil {
		return s.startFill(ctx, q, taken)
	}
	fill := *taken.fill
	taken.result.FillID = &fill.OperationID
	read := fill.ConversationReadAt != nil && taken.found.Covered &&
		(fill.SessionID == nil || *fill.SessionID == taken.found.SessionID)
	if !read {
		return &movedFill{tenant: taken.op.TenantID, id: fill.OperationID},
			q.WakeFillsOfSession(ctx, taken.op.TenantID, taken.found.SessionID)
	}
	op, err := q.GetOperation(ctx, taken.op.TenantID, fill.OperationID)
	if err != nil {
		return nil, err
	}
	err = gaps.storeReading(ctx, q, op, &reading{
		from: int(fill.ReadTo), to: taken.turn, fields: taken.found.Fields,
	})
	return &movedFill{tenant: taken.op.TenantID, id: fill.OperationID}, err
}

// startFill starts a gap fill if the scenario misses a field that may be asked for, and about which no fill of this
// session has decided: a customer who refused a field is not asked for it again with every turn.
func (s Turns) startFill(ctx context.Context, q *dbgen.Queries, taken *turnTaken) (*movedFill, error) {
	tenant, session := taken.op.TenantID, taken.found.SessionID
	gaps := s.Answers.Gaps
	state, err := missing.Load(ctx, missing.Transaction{Queries: q, Sealer: gaps.Once.Sealer}, q, tenant, missing.Input{
		CustomerID: taken.result.CustomerID, ScenarioID: taken.in.ScenarioID, SessionID: &session, Now: gaps.Now(),
	})
	if err != nil {
		return nil, err
	}
	names, err := q.ListDecidedFields(ctx, dbgen.ListDecidedFieldsParams{
		TenantID: tenant, SessionID: session, ScenarioID: taken.in.ScenarioID,
	})
	if err != nil {
		return nil, err
	}
	decided := make(map[string]bool, len(names))
	for _, name := range names {
		decided[name] = true
	}
	asks := false
	for _, m := range state.Missing {
		asks = asks || !decided[m.Requirement.FieldName] && m.Definition != nil && m.Requirement.Binding() &&
			m.Reason != vault.MissingUnverified
	}
	for _, fact := range taken.result.Learned {
		_, applies := state.Applicable[fact.FieldName]
		asks = asks || fact.Confirm && applies
	}
	if !asks {
		return nil, nil
	}
	in := vault.FillGapsInput{
		CustomerID: taken.result.CustomerID, ScenarioID: taken.in.ScenarioID, SessionID: &session,
	}
	fill, err := db.AcceptOperation(ctx, q, gaps.Once.Sealer, tenant, db.NewOperation{
		Workflow: vault.FillGaps.Name, Event: vault.FillGaps.Event, Subject: vault.FillGaps.Subject(in),
		Key: "turn:" + taken.op.ID.String(), Payload: in, CustomerID: in.CustomerID, Pushing: true,
		Actor: once.ActorOf(taken.op),
	})
	if err != nil {
		return nil, err
	}
	taken.result.FillID = &fill.ID
	moved := &movedFill{tenant: tenant, id: fill.ID, op: fill, ready: taken.found.Covered}
	if !moved.ready {
		return moved, nil // its own run reads the conversation
	}
	if err := ensureFill(ctx, q, fill, in); err != nil {
		return nil, err
	}
	err = gaps.storeReading(ctx, q, fill, &reading{
		candidates: []vault.Candidate{}, from: -1, to: taken.turn, fields: taken.found.Fields,
	})
	if err != nil {
		return nil, err
	}
	for _, fact := range taken.result.Learned {
		if !fact.Confirm {
			continue
		}
		err := q.UpsertGapItem(ctx, dbgen.UpsertGapItemParams{
			FillID: fill.ID, TenantID: tenant, FieldName: fact.FieldName, Source: string(vault.GapFromConversation),
			WriteID: &taken.op.ID, RequiresConfirmation: true, Errors: []string{},
		})
		if err != nil {
			return nil, err
		}
	}
	return moved, nil
}

// advance asks the next question of a fill in the run of the turn, so that the caller gets it with the answer. A new
// fill that has nothing to ask, or must read its conversation first, is pushed and has a run of its own.
func (s Gaps) advance(ctx context.Context, fill movedFill) {
	if fill.op.ID == uuid.Nil {
		s.askNext(ctx, fill.tenant, fill.id)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, nextPatience)
	defer cancel()
	if !fill.ready {
		s.push(ctx, []dbgen.Operation{fill.op})
		return
	}
	ev := vault.Event{TenantID: fill.op.TenantID, OperationID: fill.id, Push: fill.op.Attempts}
	out, accepted, err := s.acceptFound(ctx, ev, nil, nil)
	if err == nil && len(out.Writes) == 0 {
		out, err = s.askAgain(ctx, ev, questionsOnly)
	}
	s.push(ctx, accepted)
	if err != nil {
		s.Log.WarnContext(ctx, "question_not_asked_at_once", "operation_id", fill.id, "error_code", vault.CodeOf(err))
	}
	if err != nil || out.Question == nil {
		s.push(ctx, []dbgen.Operation{fill.op})
	}
}

func lastTurn(st *gapState) int {
	last := -1
	for _, t := range st.session.Turns {
		last = max(last, t.Index)
	}
	return last
}
