package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Answers takes what customers answer.
type Answers struct {
	once     intentOnce
	fields   Fields
	enqueuer Enqueuer
	now      func() time.Time
}

// Settled says what came of an answer.
type Settled struct {
	Accepted bool       `json:"accepted"`
	Code     vault.Code `json:"code,omitempty"`
}

// ValidateAnswer looks at an answer. An invalid one closes its question with what was wrong, so that the fill asks again;
// that is an outcome, not a failure of the run.
func (s Answers) ValidateAnswer(ctx context.Context, ev vault.Event) (Settled, error) {
	out := Settled{Accepted: true}
	err := s.once.db.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		intent, err := q.LockIntent(ctx, ev.TenantID, ev.IntentID)
		if err != nil {
			return db.Found(err, "operation", ev.IntentID)
		}
		if applied(intent) {
			return nil
		}
		if intent.Status == string(vault.IntentFailed) { // a second look would find the question that this answer closed
			out, err = rejected(intent)
			return err
		}
		in, err := open[vault.AnswerQuestion](s.once, intent)
		if err != nil {
			return err
		}
		problem, err := s.look(ctx, q, ev, in)
		if err != nil || problem == nil {
			return err
		}
		out = Settled{Code: problem.Code}
		return markFailed(ctx, q, ev, problem)
	})
	return out, s.once.reject(ctx, ev, err)
}

// look gives what is wrong with an answer, and closes the question where it is the answer's value.
func (s Answers) look(ctx context.Context, q *dbgen.Queries, ev vault.Event, in vault.AnswerQuestion) (*vault.Error, error) {
	question, err := q.LockQuestion(ctx, ev.TenantID, in.QuestionID)
	if err != nil {
		return nil, db.Found(err, "question", in.QuestionID)
	}
	if problem := s.closed(question); problem != nil {
		return problem, nil
	}
	def, err := definition(ctx, q, ev.TenantID, question.AgentID, question.FieldName)
	if err != nil {
		return nil, err
	}
	mode := vault.ModeStrict // the customer is there to be asked again
	if vault.EffectiveMode(def, s.fields.mode) == vault.ModeDisabled {
		mode = vault.ModeDisabled
	}
	_, err = vault.CheckValue(def, question.FieldName, in.Value, mode)
	if err == nil {
		return nil, nil
	}
	problem := asError(err)
	_, err = q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
		TenantID: ev.TenantID, ID: question.ID, Status: string(vault.QuestionRejected), AnswerIntentID: &ev.IntentID,
		Rejection: problem.Message,
	})
	return problem, err
}

// rejected says what a rejected answer was rejected for.
func rejected(intent dbgen.Intent) (Settled, error) {
	var reason vault.Error
	if err := json.Unmarshal(intent.Error, &reason); err != nil {
		return Settled{}, fmt.Errorf("decode the error of operation %s: %w", intent.ID, err)
	}
	return Settled{Code: reason.Code}, nil
}

func (s Answers) closed(question dbgen.Question) *vault.Error {
	switch {
	case question.Status != string(vault.QuestionOpen):
		return vault.Conflict("question_id", "question_id: question %s is %s already; list the open questions", question.ID, question.Status)
	case !question.DeadlineAt.After(s.now()):
		return vault.Conflict("question_id", "question_id: question %s was open until %s", question.ID, question.DeadlineAt.UTC().Format(time.RFC3339))
	default:
		return nil
	}
}

// PersistAnswer writes the answer and closes the question, in one transaction. An answer that was rejected writes nothing.
func (s Answers) PersistAnswer(ctx context.Context, ev vault.Event) (Settled, error) {
	intent, err := s.once.get(ctx, s.once.db.Tenant(ev.TenantID), ev)
	if err != nil {
		return Settled{}, err
	}
	if intent.Status == string(vault.IntentFailed) {
		return rejected(intent)
	}
	_, err = apply(ctx, s.once, ev, func(q *dbgen.Queries, intent dbgen.Intent, in vault.AnswerQuestion) (vault.ItemResult, error) {
		question, err := q.LockQuestion(ctx, ev.TenantID, in.QuestionID)
		if err != nil {
			return vault.ItemResult{}, db.Found(err, "question", in.QuestionID)
		}
		if problem := s.closed(question); problem != nil {
			return vault.ItemResult{}, problem
		}
		write := vault.WriteField{
			AgentID: question.AgentID, CustomerID: question.CustomerID, Name: question.FieldName, Value: in.Value,
			Source: vault.FieldUserProvided, SourceSessionID: in.SessionID, SourceScenarioID: &question.ScenarioID,
		}
		result, err := s.fields.write(ctx, q, intent, write)
		if err != nil {
			return result, err
		}
		_, err = q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
			TenantID: ev.TenantID, ID: question.ID, Status: string(vault.QuestionAnswered), AnswerIntentID: &ev.IntentID,
		})
		return result, err
	})
	if code := vault.CodeOf(err); vault.Permanent(err) {
		return Settled{Code: code}, nil // another answer won
	}
	return Settled{Accepted: err == nil}, err
}

// AnnounceAnswer wakes the gap fill that waits for the question, whatever came of the answer.
func (s Answers) AnnounceAnswer(ctx context.Context, ev vault.Event) (Settled, error) {
	intent, err := s.once.get(ctx, s.once.db.Tenant(ev.TenantID), ev)
	if err != nil {
		return Settled{}, err
	}
	in, err := open[vault.AnswerQuestion](s.once, intent)
	if err != nil {
		return Settled{}, err
	}
	err = s.enqueuer.Wake(ctx, vault.EventQuestionSettled, in.QuestionID.String(), vault.Event{
		IntentID: ev.IntentID, TenantID: ev.TenantID, Subject: in.QuestionID.String(),
	})
	return Settled{Accepted: applied(intent)}, err
}
