package gapfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Times at which the relay advances a waiting fill if no wake-up does.
const (
	writesDue     = 30 * time.Second // a write is in progress
	afterDeadline = time.Second      // after the deadline of the question
	answerDue     = 5 * time.Second  // after the deadline, with an accepted answer in progress
)

// foreignGrace is the time after the deadline of another fill's question in which that fill closes it.
const foreignGrace = time.Minute

// rereads is how often a step reads the state again that changed while it read. A fill that changes more often is
// retried by the engine, with its backoff.
const rereads = 5

// errChanged reports a question that was closed, or a profile that changed, after the fill read it. The fill reads
// again.
var errChanged = fmt.Errorf("%w: the state of this gap fill changed while the step read it", once.ErrYielded)

// AskCustomer opens the next question of a fill that has nothing to write. With nothing left to ask, the fill is done.
func (s Gaps) AskCustomer(ctx context.Context, ev vault.Event) (Advanced, error) {
	return s.askAgain(ctx, ev, toTheEnd)
}

// askAgain asks, and reads the state again if it changed meanwhile.
func (s Gaps) askAgain(ctx context.Context, ev vault.Event, how asking) (Advanced, error) {
	out, ended, err := s.askOrEnd(ctx, ev, how)
	for range rereads {
		if !errors.Is(err, errChanged) {
			break
		}
		out, ended, err = s.askOrEnd(ctx, ev, how)
	}
	if err == nil {
		once.ObserveFill(s.Observer, ended)
	}
	return out, err
}

// askOrEnd makes one attempt. ended is the result of the fill if this attempt ended it.
func (s Gaps) askOrEnd(
	ctx context.Context, ev vault.Event, how asking,
) (out Advanced, ended vault.FillResult, err error) {
	err = s.Once.Locked(ctx, ev, func(q *dbgen.Queries, op dbgen.Operation) error {
		if once.IsApplied(op) {
			out.Done = true
			return q.AcknowledgeOperations(ctx, ev.TenantID, []uuid.UUID{ev.OperationID})
		}
		in, err := once.OpenPayload[vault.FillGapsInput](ctx, s.Once, op)
		if err != nil {
			return err
		}
		err = q.LockAsking(ctx, dbgen.LockAskingParams{
			TenantID: ev.TenantID, CustomerID: in.CustomerID, ScenarioID: in.ScenarioID,
		})
		if err != nil {
			return err
		}
		state, err := s.load(ctx, q, op, in)
		if err != nil {
			return err
		}
		if state.fill.ConversationReadAt == nil {
			return errors.New("this fill has not read its session and conversation yet; run ResolveGaps first")
		}
		candidates, err := s.candidates(ctx, state)
		if err != nil {
			return err
		}
		if out.Writes = state.writes(); len(out.Writes) > 0 {
			if op.EnqueuedAt == nil && op.DueAt.After(s.Now()) {
				return nil // an earlier run has suspended it
			}
			return s.suspend(ctx, q, op, s.Now().Add(writesDue))
		}
		if out.Question, err = s.nextQuestion(ctx, q, state, candidates); err != nil {
			return err
		}
		if out.Question != nil {
			return s.suspend(ctx, q, op, s.dueAfter(state, *out.Question))
		}
		if how == questionsOnly {
			return nil
		}
		out.Done = true
		ended = state.result()
		return s.end(ctx, q, ev, ended)
	})
	return out, ended, err
}

// end stores the result of a fill and acknowledges its operation.
func (s Gaps) end(ctx context.Context, q *dbgen.Queries, ev vault.Event, result vault.FillResult) error {
	if err := q.EndGapFill(ctx, ev.TenantID, ev.OperationID); err != nil {
		return err
	}
	if err := q.DeleteFillWakeups(ctx, ev.TenantID, ev.OperationID); err != nil {
		return err
	}
	if err := once.MarkApplied(ctx, q, ev, result, once.Touched{}); err != nil {
		return err
	}
	return q.AcknowledgeOperations(ctx, ev.TenantID, []uuid.UUID{ev.OperationID})
}

func (s Gaps) suspend(ctx context.Context, q *dbgen.Queries, op dbgen.Operation, due time.Time) error {
	return q.SuspendOperation(ctx, dbgen.SuspendOperationParams{TenantID: op.TenantID, ID: op.ID, DueAt: due})
}

// dueAfter returns the time at which a fill looks at its question again if nothing wakes it.
func (s Gaps) dueAfter(st *gapState, q Waiting) time.Time {
	if due := q.DeadlineAt.Add(afterDeadline); due.After(s.Now()) && q.FillID == st.op.ID {
		return due
	}
	if due := q.DeadlineAt.Add(foreignGrace + afterDeadline); due.After(s.Now()) && q.FillID != st.op.ID {
		return due
	}
	return s.Now().Add(answerDue)
}

// need is one question to ask the customer.
type need struct {
	requirement vault.Requirement
	last        *dbgen.Question // the last question for the field in this fill
	candidate   json.RawMessage // the value to confirm; nil: ask for the value
	item        *uuid.UUID      // the version that holds the candidate; nil if it is not stored
	replaces    bool            // the candidate is a pending value beside the active one
}

// nextQuestion returns the open question, or opens the next one. It returns nil if no question is left.
func (s Gaps) nextQuestion(
	ctx context.Context, q *dbgen.Queries, st *gapState, candidates []vault.Candidate,
) (*Waiting, error) {
	history := map[string][]*dbgen.Question{}
	for i, question := range st.asked {
		if question.Status == string(vault.QuestionOpen) {
			wait, err := s.reviewOpen(ctx, q, st, &st.asked[i])
			if err != nil || wait {
				return waitFor(question), err
			}
		}
		history[question.FieldName] = append(history[question.FieldName], &st.asked[i])
	}
	needs, err := s.needs(ctx, q, st, candidates, history)
	if err != nil || len(needs) == 0 {
		return nil, err
	}
	return s.ask(ctx, q, st, pick(needs))
}

// reviewOpen reports whether the fill waits for an open question. It closes a question of this fill that is past its
// deadline or not required any more. Only the fill that asked a question closes it; another one that shares it waits
// for that, and after foreignGrace treats the question as expired.
func (s Gaps) reviewOpen(
	ctx context.Context, q *dbgen.Queries, st *gapState, question *dbgen.Question,
) (wait bool, err error) {
	if question.FillID != st.op.ID {
		if st.stillRequired(*question) && question.DeadlineAt.Add(foreignGrace).After(s.Now()) {
			return true, nil
		}
		question.Status = string(vault.QuestionExpired)
		return false, nil
	}
	status := vault.QuestionExpired
	if question.DeadlineAt.After(s.Now()) || st.answerPending() {
		if st.stillRequired(*question) {
			return true, nil
		}
		status = vault.QuestionCancelled // the value came from another source
	}
	question.Status = string(status)
	closed, err := s.close(ctx, q, *question, status)
	if err == nil && !closed {
		err = errChanged
	}
	return false, err
}

// needs lists the questions to ask in the order of collection, and records why other fields are not asked for.
func (s Gaps) needs(
	ctx context.Context, q *dbgen.Queries, st *gapState, candidates []vault.Candidate,
	history map[string][]*dbgen.Question,
) ([]need, error) {
	var needs []need
	for _, m := range st.missing {
		asked := history[m.Requirement.FieldName]
		if action := st.actionFor(m, asked); action != "" {
			if err := st.decide(ctx, q, m.Requirement.FieldName, action); err != nil {
				return nil, err
			}
			continue
		}
		n := need{requirement: m.Requirement, last: lastOf(asked)}
		if pending, ok := st.pending(m.Requirement.FieldName); ok && n.last == nil {
			n.item, n.candidate = &pending.ID, pending.Value
		} else if !slices.ContainsFunc(asked, denied) {
			n.candidate = st.offer(m.Requirement.FieldName, candidates)
		}
		needs = append(needs, n)
	}
	for name, r := range st.applicable {
		item, ok := st.unconfirmed(name)
		if !ok || st.isMissing(name) || !st.mayAsk(r) {
			continue
		}
		last := lastOf(history[name])
		n := need{requirement: r, last: last, item: &item.ID, candidate: item.Value}
		switch {
		case last == nil:
		case st.attemptsSpent(history[name]):
			continue
		case denied(last): // and it has dependents, so it could not be deleted
			n.item, n.candidate = nil, nil
		case last.Status != string(vault.QuestionRejected):
			continue
		}
		needs = append(needs, n)
	}
	for name, r := range st.applicable {
		pending, ok := st.pending(name)
		last := lastOf(history[name])
		waits := last == nil || last.Status == string(vault.QuestionRejected)
		if ok && waits && !st.isMissing(name) && !st.attemptsSpent(history[name]) && st.mayAsk(r) {
			needs = append(needs, need{
				requirement: r, last: last, item: &pending.ID, candidate: pending.Value, replaces: true,
			})
		}
	}
	slices.SortFunc(needs, func(a, b need) int { return rules.ByOrder(a.requirement, b.requirement) })
	return needs, nil
}

// pick returns the first need with a condition that does not depend on another answer: that answer may make it
// unnecessary.
func pick(needs []need) need {
	open := map[string]bool{}
	for _, n := range needs {
		open[n.requirement.FieldName] = true
	}
	for _, n := range needs {
		waits := slices.ContainsFunc(rules.ConditionFields(n.requirement.WhenCondition), func(name string) bool {
			return open[name] && name != n.requirement.FieldName
		})
		if !waits {
			return n
		}
	}
	return needs[0] // the conditions depend on each other
}

// actionFor returns the reason why a missing field is not asked for, "" if it is.
func (st *gapState) actionFor(m vault.Missing, asked []*dbgen.Question) string {
	last := lastOf(asked)
	switch {
	case st.definition(m.Requirement.FieldName) == nil:
		return gapUndefined
	case st.withheld[m.Requirement.FieldName]:
		return gapWithheld
	case !m.Requirement.Binding():
		return gapUnreviewed
	case m.Reason == vault.MissingUnverified:
		return gapUnverified
	case m.Requirement.FallbackAction != vault.FallbackAsk:
		return string(m.Requirement.FallbackAction)
	case st.fill.CancelledAt != nil:
		return gapCancelled
	case last == nil:
		return ""
	case last.Status == string(vault.QuestionExpired):
		return gapExpired
	case last.Status == string(vault.QuestionAnswered):
		return gapRejected // answered and still missing: the value has expired or was replaced
	case last.Status == string(vault.QuestionRefused):
		return gapRefused
	case st.attemptsSpent(asked):
		return gapAttempts
	default:
		return ""
	}
}

// attemptsSpent reports whether a field had the maximum number of invalid answers.
func (st *gapState) attemptsSpent(asked []*dbgen.Question) bool {
	rejected := 0
	for _, question := range asked {
		if question.Status == string(vault.QuestionRejected) {
			rejected++
		}
	}
	return rejected >= st.in.Attempts()
}

// stillRequired reports whether the answer to an open question is still required.
func (st *gapState) stillRequired(question dbgen.Question) bool {
	if st.fill.CancelledAt != nil || st.withheld[question.FieldName] {
		return false
	}
	for _, m := range st.missing {
		if m.Requirement.FieldName == question.FieldName {
			return m.Reason != vault.MissingUnverified && m.Requirement.Binding()
		}
	}
	r, applies := st.applicable[question.FieldName]
	if !applies || !r.Binding() {
		return false
	}
	if pending, ok := st.pending(question.FieldName); ok && question.ItemID != nil && *question.ItemID == pending.ID {
		return true
	}
	item, ok := st.unconfirmed(question.FieldName)
	return ok && (question.ItemID == nil || *question.ItemID == item.ID)
}

// mayAsk reports whether the customer may be asked for a field of this requirement, met or not.
func (st *gapState) mayAsk(r vault.Requirement) bool {
	return r.FallbackAction == vault.FallbackAsk && r.Binding() && st.fill.CancelledAt == nil && !st.withheld[r.FieldName]
}

// pending returns the newest pending value of a field about which the customer may decide: the customer said it, or its
// definition leaves the decision to the customer.
func (st *gapState) pending(name string) (vault.Value, bool) {
	def := st.definition(name)
	if def == nil {
		return vault.Value{}, false
	}
	authority := rules.AuthorityOf(def)
	for _, v := range slices.Backward(st.profile.Pending) {
		said := v.Source == vault.ValueUserProvided || v.Source == vault.ValueLLMExtracted
		if v.Name != name || !(said || def.OnConflict == vault.ConflictAsk) || v.Expired(st.now) {
			continue
		}
		active, stored := st.profile.Fields[name]
		return v, !stored || authority.CustomerMayReplace(rules.ClaimOf(active))
	}
	return vault.Value{}, false
}

// unconfirmed returns the value of a field that this fill read in the conversation and the customer has not confirmed
// yet.
func (st *gapState) unconfirmed(name string) (vault.Value, bool) {
	field, known := st.profile.Fields[name]
	item := st.items[name]
	return field, known && field.RequiresConfirmation && item.WriteID != nil && field.OperationID == *item.WriteID &&
		st.definition(name) != nil
}

// offerThreshold is the minimum confidence of an unused candidate to be offered for confirmation. From 0.5 on the
// candidate is more likely right than wrong, and "yes" is less work for the customer than typing the value.
const offerThreshold = 0.5

// offer returns the value of an unused candidate to confirm: a valid value of its field, whose words are the
// customer's, so that nobody else speaks through the vault. It never offers a secret value, which could be shown to
// someone who did not say it.
func (st *gapState) offer(name string, candidates []vault.Candidate) json.RawMessage {
	if st.items[name].Action != gapCandidate || st.definition(name).Secret() {
		return nil
	}
	for _, c := range candidates {
		if c.FieldName != name || !(c.Confidence >= offerThreshold) || !st.conversation().Offers(c, st.definition(name)) {
			continue
		}
		if !reply.Accepts(*st.definition(name), c, st.session.Turns) {
			continue // such as an interruption
		}
		if checked, err := rules.CheckValue(st.definition(name), name, c.Value, vault.ModeStrict); err == nil {
			return checked.Value
		}
	}
	return nil
}

func lastOf(asked []*dbgen.Question) *dbgen.Question {
	if len(asked) == 0 {
		return nil
	}
	return asked[len(asked)-1]
}

func denied(question *dbgen.Question) bool { return question.Status == string(vault.QuestionDenied) }

func (s Gaps) ask(ctx context.Context, q *dbgen.Queries, st *gapState, n need) (*Waiting, error) {
	name := n.requirement.FieldName
	deadline := s.Now().Add(st.in.Deadline())
	row := dbgen.OpenQuestionParams{
		ID: once.NewID(), TenantID: st.op.TenantID, FillID: st.op.ID, CustomerID: st.in.CustomerID, AgentID: st.agent,
		ScenarioID: st.in.ScenarioID, FieldName: name, Kind: string(vault.QuestionValue),
		Prompt: st.definition(name).Prompt(), Attempt: 1,
		DeadlineAt: db.UTC(deadline), Channels: once.NonNil(st.definition(name).AskChannels),
	}
	asked := reply.Question{Definition: *st.definition(name)}
	if n.candidate != nil && reply.Confirmable(asked.Definition, n.candidate) {
		asked.Confirm, asked.Candidate = true, n.candidate
		row.Kind, row.ItemID, row.Prompt = string(vault.QuestionConfirm), n.item,
			reply.ConfirmPrompt(asked.Definition, n.candidate)
		if n.replaces {
			row.Prompt = reply.ReplacePrompt(asked.Definition, n.candidate)
		}
		if !asked.Definition.Secret() {
			row.Candidate = n.candidate
		}
	}
	if n.last != nil {
		row.Attempt, row.Reason = n.last.Attempt+1, n.last.Rejection
	}
	if n.last != nil && n.last.Status == string(vault.QuestionRejected) {
		row.Prompt = asked.RetryPrompt()
	}
	question, err := q.OpenQuestion(ctx, row)
	if err == nil {
		err = q.NotifyOperation(ctx, row.CustomerID.String()) // those who wait for a question of the customer
	}
	if err != nil {
		return nil, err
	}
	// With the profile locked: a concurrent deletion of the customer either closes this question or is visible here.
	profile, err := q.LockProfile(ctx, st.op.TenantID, st.in.CustomerID)
	if err == nil && profile.DeletedAt != nil && profile.MergedIntoID == nil {
		return nil, vault.Unknown("customer", st.in.CustomerID)
	}
	if err != nil && !db.IsNotFound(err) { // not found: the customer has no value yet
		return nil, err
	}
	if err == nil && profile.MergedIntoID == nil && profile.Version != st.profile.Version {
		return nil, errChanged // a value may have come that makes the question unnecessary
	}
	return waitFor(question), nil
}

// close closes a question and reports whether it was open.
func (s Gaps) close(
	ctx context.Context, q *dbgen.Queries, question dbgen.Question, status vault.QuestionStatus,
) (bool, error) {
	return q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
		TenantID: question.TenantID, ID: question.ID, Status: string(status),
	})
}

// decide records the reason why a field is not filled. An earlier reason stays, except gapCandidate: it is replaced,
// and the candidate's confidence and errors stay.
func (st *gapState) decide(ctx context.Context, q *dbgen.Queries, name, action string) error {
	item := st.items[name]
	if item.Action != "" && item.Action != gapCandidate {
		return nil
	}
	item.FieldName, item.Action = name, action
	st.items[name] = item
	return q.UpsertGapItem(ctx, dbgen.UpsertGapItemParams{
		FillID: st.op.ID, TenantID: st.op.TenantID, FieldName: name, Source: item.Source, WriteID: item.WriteID,
		Confidence: item.Confidence, RequiresConfirmation: item.RequiresConfirmation, Action: action,
		Errors: once.NonNil(item.Errors),
	})
}

// result returns the outcome of every field that the scenario requires in this scope.
func (st *gapState) result() vault.FillResult {
	out := vault.FillResult{
		Fields: []vault.GapResult{}, ModelCalls: int(st.fill.ModelCalls), Warnings: st.fill.Warnings,
		Cancelled: st.fill.CancelledAt != nil,
	}
	missing := map[string]vault.Missing{}
	for _, m := range st.missing {
		missing[m.Requirement.FieldName] = m
		out.Blocked = out.Blocked || m.Blocking
	}
	seen := map[string]bool{}
	for _, r := range st.reqs {
		_, unmet := missing[r.FieldName]
		field, known := st.profile.Fields[r.FieldName]
		if seen[r.FieldName] || (!unmet && !known) {
			continue
		}
		seen[r.FieldName] = true
		item := st.items[r.FieldName]
		res := vault.GapResult{FieldName: r.FieldName, Filled: !unmet, Errors: st.errors(item)}
		if unmet {
			res.Action, res.Confidence = item.Action, item.Confidence
		} else {
			res.Source, res.Confidence, res.Confirm, res.ItemID = st.sourceOf(
				item, field,
			), field.Confidence, field.RequiresConfirmation, &field.ID
		}
		out.Fields = append(out.Fields, res)
	}
	return out
}

func (st *gapState) sourceOf(item dbgen.GapFillItem, field vault.Value) vault.GapSource {
	child, ok := st.children[field.OperationID]
	switch {
	case ok && child.Workflow == vault.AnswerQuestion.Name:
		return vault.GapFromCustomer
	case item.WriteID != nil && *item.WriteID == field.OperationID:
		return vault.GapSource(item.Source)
	default:
		return vault.GapFromProfile
	}
}

// errors returns what was wrong with a field's value: the recorded errors and the rejection of its write.
func (st *gapState) errors(item dbgen.GapFillItem) []string {
	out := item.Errors
	if item.WriteID == nil {
		return out
	}
	child := st.children[*item.WriteID]
	var reason vault.Error
	if child.Status == string(vault.OperationFailed) && json.Unmarshal(child.Error, &reason) == nil {
		out = append(out, reason.Message)
	}
	return out
}

func waitFor(q dbgen.Question) *Waiting {
	return &Waiting{QuestionID: q.ID, FillID: q.FillID, OpenedAt: q.OpenedAt, DeadlineAt: q.DeadlineAt}
}
