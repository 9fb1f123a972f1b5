package steps

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// waitMargin is how long after a question's deadline the relay takes the run that waits for it for lost.
const waitMargin = 10 * time.Minute

// AskCustomer opens the next question of a fill that has nothing to write. With nothing left to ask, the fill is done.
func (s Gaps) AskCustomer(ctx context.Context, ev vault.Event) (Advanced, error) {
	var out Advanced
	err := s.once.db.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		intent, err := s.once.lock(ctx, q, ev)
		if err != nil {
			return err
		}
		if applied(intent) {
			out.Done = true
			return succeed(ctx, q, ev)
		}
		in, err := open[vault.FillGaps](s.once, intent)
		if err != nil {
			return err
		}
		state, err := s.load(ctx, q, intent, in)
		if err != nil {
			return err
		}
		if state.fill.ConversationReadAt == nil {
			return errors.New("the session and the conversation of this fill were not looked into yet")
		}
		if out.Writes = state.writes(); len(out.Writes) > 0 {
			return nil
		}
		if out.Question, err = s.nextQuestion(ctx, q, state); err != nil || out.Question != nil {
			return err
		}
		out.Done = true
		if err := markApplied(ctx, q, ev, state.result()); err != nil {
			return err
		}
		return succeed(ctx, q, ev)
	})
	return out, s.once.reject(ctx, ev, err)
}

// nextQuestion gives the question that is open, or opens the next, or gives nil.
func (s Gaps) nextQuestion(ctx context.Context, q *dbgen.Queries, st *gapState) (*Waiting, error) {
	asked, err := q.ListFillQuestions(ctx, st.intent.TenantID, st.intent.ID)
	if err != nil {
		return nil, err
	}
	last := map[string]*dbgen.Question{}
	for i, question := range asked {
		if question.Status == string(vault.QuestionOpen) {
			if question.DeadlineAt.After(s.now()) {
				return waitFor(question), nil
			}
			asked[i].Status = string(vault.QuestionExpired)
			if err := s.expire(ctx, q, question); err != nil {
				return nil, err
			}
		}
		last[question.FieldName] = &asked[i]
	}
	for _, m := range st.missing {
		action := st.actionOn(m, last[m.Requirement.FieldName])
		if action == "" {
			return s.ask(ctx, q, st, m, last[m.Requirement.FieldName])
		}
		if err := st.decide(ctx, q, m.Requirement.FieldName, action); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// actionOn says why a missing field is not asked for, "" if it is.
func (st *gapState) actionOn(m vault.Missing, last *dbgen.Question) string {
	switch {
	case st.definition(m.Requirement.FieldName) == nil:
		return gapUndefined
	case m.Reason == vault.MissingUnverified:
		return gapUnverified
	case m.Requirement.FallbackAction != vault.FallbackAsk:
		return string(m.Requirement.FallbackAction)
	case last == nil:
		return ""
	case last.Status == string(vault.QuestionExpired):
		return gapExpired
	case last.Status == string(vault.QuestionCancelled):
		return string(vault.QuestionCancelled)
	case last.Status == string(vault.QuestionAnswered):
		return gapRejected // answered, and still missing: what was written has expired or was replaced
	case int(last.Attempt) >= st.in.Attempts():
		return gapAttempts
	default:
		return ""
	}
}

func (s Gaps) ask(ctx context.Context, q *dbgen.Queries, st *gapState, m vault.Missing, last *dbgen.Question) (*Waiting, error) {
	name := m.Requirement.FieldName
	deadline := s.now().Add(st.in.Deadline())
	row := dbgen.OpenQuestionParams{
		ID: newID(), TenantID: st.intent.TenantID, FillID: st.intent.ID, CustomerID: st.in.CustomerID, AgentID: st.agent,
		ScenarioID: st.in.ScenarioID, FieldName: name, Prompt: st.definition(name).Prompt(), Attempt: 1, DeadlineAt: db.UTC(deadline),
	}
	if last != nil {
		row.Attempt, row.Reason = last.Attempt+1, last.Rejection
	}
	question, err := q.OpenQuestion(ctx, row)
	if err != nil {
		return nil, err
	}
	err = q.PostponeIntent(ctx, dbgen.PostponeIntentParams{
		TenantID: st.intent.TenantID, ID: st.intent.ID, DueAt: deadline.Add(waitMargin),
	})
	return waitFor(question), err
}

func (s Gaps) expire(ctx context.Context, q *dbgen.Queries, question dbgen.Question) error {
	_, err := q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
		TenantID: question.TenantID, ID: question.ID, Status: string(vault.QuestionExpired),
	})
	return err
}

// decide notes why a field was left unfilled. What was noted of a value that was not trusted stays.
func (st *gapState) decide(ctx context.Context, q *dbgen.Queries, name, action string) error {
	item := st.items[name]
	if item.Action != "" && item.Action != gapCandidate {
		return nil
	}
	item.FieldName, item.Action = name, action
	st.items[name] = item
	return q.UpsertGapItem(ctx, dbgen.UpsertGapItemParams{
		FillID: st.intent.ID, TenantID: st.intent.TenantID, FieldName: name, Source: item.Source, WriteID: item.WriteID,
		Confidence: item.Confidence, RequiresConfirmation: item.RequiresConfirmation, Action: action, Errors: list(item.Errors),
	})
}

// result lists every field that the scenario asks for in this scope.
func (st *gapState) result() vault.FillResult {
	out := vault.FillResult{Fields: []vault.GapResult{}, ModelCalls: int(st.fill.ModelCalls), Warnings: st.fill.Warnings}
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
			res.Source, res.Confidence, res.Confirm, res.ItemID = st.sourceOf(item, field), field.Confidence, field.RequiresConfirmation, &field.ID
		}
		out.Fields = append(out.Fields, res)
	}
	return out
}

func (st *gapState) sourceOf(item dbgen.GapFillItem, field vault.Field) vault.GapSource {
	child, ok := st.children[field.IntentID]
	switch {
	case ok && child.Workflow == vault.WorkflowAnswerQuestion:
		return vault.GapFromCustomer
	case item.WriteID != nil && *item.WriteID == field.IntentID:
		return vault.GapSource(item.Source)
	default:
		return vault.GapFromProfile
	}
}

// errors gives what was wrong with a field's value: what was noted, and what its write was rejected for.
func (st *gapState) errors(item dbgen.GapFillItem) []string {
	out := item.Errors
	if item.WriteID == nil {
		return out
	}
	child := st.children[*item.WriteID]
	var reason vault.Error
	if child.Status == string(vault.IntentFailed) && json.Unmarshal(child.Error, &reason) == nil {
		out = append(out, reason.Message)
	}
	return out
}

func waitFor(q dbgen.Question) *Waiting {
	return &Waiting{QuestionID: q.ID, OpenedAt: q.OpenedAt, DeadlineAt: q.DeadlineAt}
}
