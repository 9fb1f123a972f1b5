package gapfill

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/customers"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Answers takes what customers answer.
type Answers struct {
	Once     once.Runner
	Values   customers.Values
	Enqueuer once.Enqueuer
}

// Answered is the outcome of an answer: accepted, or rejected with a code.
type Answered struct {
	once.NoEffect

	Accepted bool       `json:"accepted"`
	Code     vault.Code `json:"code,omitempty"`
}

// ValidateAnswer looks at an answer. An invalid one closes its question with what was wrong, so that the fill asks again;
// that is an outcome, not a failure of the run.
func (s Answers) ValidateAnswer(ctx context.Context, ev vault.Event) (Answered, error) {
	out := Answered{Accepted: true}
	err := s.Once.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		op, err := q.LockOperation(ctx, ev.TenantID, ev.OperationID)
		if err != nil {
			return db.WrapNotFound(err, "operation", ev.OperationID)
		}
		if once.IsApplied(op) {
			return nil
		}
		if op.Status == string(vault.OperationFailed) { // a second look would find the question that this answer closed
			out, err = rejectionOf(op)
			return err
		}
		in, err := once.OpenPayload[vault.AnswerQuestionInput](s.Once, op)
		if err != nil {
			return err
		}
		problem, err := s.checkAnswer(ctx, q, ev, op.AcceptedAt, in)
		if err != nil || problem == nil {
			return err
		}
		out = Answered{Code: problem.Code}
		return once.MarkFailed(ctx, q, ev, problem)
	})
	return out, s.Once.Reject(ctx, ev, err)
}

// look gives what is wrong with an answer, and closes the question where it is the answer's value.
func (s Answers) checkAnswer(ctx context.Context, q *dbgen.Queries, ev vault.Event, acceptedAt time.Time, in vault.AnswerQuestionInput) (*vault.Error, error) {
	question, err := q.LockQuestion(ctx, ev.TenantID, in.QuestionID)
	if err != nil {
		return nil, db.WrapNotFound(err, "question", in.QuestionID)
	}
	if problem := checkOpen(question, acceptedAt); problem != nil {
		return problem, nil
	}
	def, err := customers.FindDefinition(ctx, q, ev.TenantID, question.AgentID, question.FieldName)
	if err != nil {
		return nil, err
	}
	reply, value, err := s.readReply(ctx, q, question, def, in.Value)
	if err != nil || reply != rules.ReplyOther {
		return nil, err
	}
	mode := vault.ModeStrict // the customer is there to be asked again
	if rules.EffectiveMode(def, s.Values.Mode) == vault.ModeDisabled {
		mode = vault.ModeDisabled
	}
	checked, err := rules.CheckValue(def, question.FieldName, value, mode)
	once.ObserveValue(s.Values.Observer, vault.AnswerQuestion.Name, checked, err)
	if err == nil {
		return nil, nil
	}
	problem := once.AsError(err)
	_, err = q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
		TenantID: ev.TenantID, ID: question.ID, Status: string(vault.QuestionRejected), AnswerOperationID: &ev.OperationID,
		Rejection: problem.Message,
	})
	return problem, err
}

// read gives what an answer comes to: a value, or the yes or no to a confirmation.
func (s Answers) readReply(ctx context.Context, q *dbgen.Queries, question dbgen.Question, def *vault.Definition, answer json.RawMessage) (rules.Reply, json.RawMessage, error) {
	if question.Kind != string(vault.QuestionConfirm) || def == nil {
		return rules.ReplyOther, answer, nil
	}
	candidate := question.Candidate
	if candidate == nil && question.ItemID != nil {
		field, err := q.GetAnyValue(ctx, question.TenantID, *question.ItemID)
		if err != nil && !db.IsNotFound(err) {
			return "", nil, err
		}
		known := db.FieldOf(field)
		if err := s.Once.Sealer.OpenField(question.TenantID, &known); err != nil {
			return "", nil, err
		}
		candidate = known.Value
	}
	reply, value := rules.ReadReply(*def, candidate, answer)
	return reply, value, nil
}

// rejected says what a rejected answer was rejected for.
func rejectionOf(op dbgen.Operation) (Answered, error) {
	var reason vault.Error
	if err := json.Unmarshal(op.Error, &reason); err != nil {
		return Answered{}, fmt.Errorf("decode the error of operation %s: %w", op.ID, err)
	}
	return Answered{Code: reason.Code}, nil
}

// closed says why a question takes no answer any more. What was accepted before the deadline is in time, however late it is looked at.
func checkOpen(question dbgen.Question, acceptedAt time.Time) *vault.Error {
	switch {
	case question.Status != string(vault.QuestionOpen):
		return vault.Conflict("question_id", "question_id: question %s is %s already; list the open questions", question.ID, question.Status)
	case !question.DeadlineAt.After(acceptedAt):
		return vault.Conflict("question_id", "question_id: question %s was open until %s", question.ID, question.DeadlineAt.UTC().Format(time.RFC3339))
	default:
		return nil
	}
}

// PersistAnswer writes the answer and closes the question, in one transaction. An answer that was rejected writes nothing.
func (s Answers) PersistAnswer(ctx context.Context, ev vault.Event) (once.Applied[Answered], error) {
	op, err := s.Once.Get(ctx, s.Once.DB.Tenant(ev.TenantID), ev)
	if err != nil {
		return once.Applied[Answered]{}, err
	}
	if op.Status == string(vault.OperationFailed) {
		out, err := rejectionOf(op)
		return once.Applied[Answered]{Result: out}, err
	}
	_, err = once.Apply(ctx, s.Once, ev, func(t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.AnswerQuestionInput) (vault.ItemResult, error) {
		question, err := q.LockQuestion(ctx, ev.TenantID, in.QuestionID)
		if err != nil {
			return vault.ItemResult{}, db.WrapNotFound(err, "question", in.QuestionID)
		}
		if problem := checkOpen(question, op.AcceptedAt); problem != nil {
			return vault.ItemResult{}, problem
		}
		return s.answer(ctx, t, q, op, in, question)
	})
	if code := vault.CodeOf(err); vault.Permanent(err) {
		return once.Applied[Answered]{Result: Answered{Code: code}}, nil // another answer won
	}
	return once.Applied[Answered]{Result: Answered{Accepted: err == nil}}, err
}

// answer does what an answer says, and closes its question. What the answer tells another open question of the customer is not
// asked again there.
func (s Answers) answer(ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.AnswerQuestionInput, question dbgen.Question) (vault.ItemResult, error) {
	def, err := customers.FindDefinition(ctx, q, op.TenantID, question.AgentID, question.FieldName)
	if err != nil {
		return vault.ItemResult{}, err
	}
	var result vault.ItemResult
	status := vault.QuestionAnswered
	reply, value, err := s.readReply(ctx, q, question, def, in.Value)
	if err != nil {
		return result, err
	}
	if reply != rules.ReplyOther && question.ItemID != nil {
		if question.ItemID, err = ownItem(ctx, q, question); err != nil {
			return result, err
		}
	}
	switch {
	case reply == rules.ReplyNo:
		status = vault.QuestionDenied
		result, err = s.withdraw(ctx, t, q, op, question)
	case reply == rules.ReplyYes && question.ItemID != nil:
		result, err = s.confirm(ctx, t, q, op, question)
	default:
		result, err = s.Values.Write(ctx, t, q, op, vault.WriteValueInput{
			AgentID: question.AgentID, CustomerID: question.CustomerID, Name: question.FieldName, Value: value,
			Source: vault.ValueUserProvided, SourceSessionID: in.SessionID, SourceScenarioID: &question.ScenarioID,
		})
	}
	if err != nil {
		return result, err
	}
	_, err = q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
		TenantID: op.TenantID, ID: question.ID, Status: string(status), AnswerOperationID: &op.ID,
	})
	if err != nil || status == vault.QuestionDenied {
		return result, err
	}
	same, err := db.SameCustomers(ctx, q, op.TenantID, question.CustomerID)
	if err != nil {
		return result, err
	}
	return result, q.CloseSameQuestions(ctx, dbgen.CloseSameQuestionsParams{
		TenantID: op.TenantID, Customers: same, AgentID: question.AgentID, FieldName: question.FieldName,
		ID: question.ID, AnswerOperationID: op.ID,
	})
}

// ownItem gives the item that a confirmation is about, nil where it is not the customer's: it was written while the customer was
// merged with another, whose it stayed when that was undone. The profile stays locked.
func ownItem(ctx context.Context, q *dbgen.Queries, question dbgen.Question) (*uuid.UUID, error) {
	profile, err := customers.LockProfile(ctx, q, question.TenantID, question.CustomerID)
	if err != nil {
		return nil, err
	}
	owner, err := q.GetItemOwner(ctx, question.TenantID, *question.ItemID)
	if db.IsNotFound(err) || (err == nil && owner.ProfileID != profile.ID) {
		return nil, nil
	}
	return question.ItemID, err
}

// confirm takes the doubt off a stored value. One that was replaced meanwhile needs none.
func (s Answers) confirm(ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, question dbgen.Question) (vault.ItemResult, error) {
	result := vault.ItemResult{ItemID: *question.ItemID, Status: vault.StatusSuperseded}
	profile, err := customers.LockProfile(ctx, q, op.TenantID, question.CustomerID)
	if err != nil {
		return result, err
	}
	confirmed, err := q.ConfirmValue(ctx, op.TenantID, *question.ItemID)
	if err != nil {
		return result, err
	}
	if confirmed > 0 {
		result.Status = vault.StatusActive
	}
	result.ProfileVersion, err = t.Profile(ctx, q, op.TenantID, profile.ID)
	return result, err
}

// withdraw takes a value back that the customer says is wrong, unless others were derived from it: then it stays, unconfirmed,
// until the answer to the next question replaces it.
func (s Answers) withdraw(ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, question dbgen.Question) (vault.ItemResult, error) {
	result := vault.ItemResult{Denied: true}
	if question.ItemID == nil {
		return result, nil
	}
	result.ItemID = *question.ItemID
	profile, err := customers.LockProfile(ctx, q, op.TenantID, question.CustomerID)
	if err != nil {
		return result, err
	}
	if err := q.LockItem(ctx, op.TenantID, *question.ItemID); err != nil {
		return result, err
	}
	dependents, err := q.ListDependents(ctx, op.TenantID, *question.ItemID)
	if err != nil || len(dependents) > 0 {
		return result, err
	}
	if _, err := q.DeleteValue(ctx, op.TenantID, *question.ItemID); err != nil {
		return result, err
	}
	if err := t.Chains(ctx, q, []uuid.UUID{*question.ItemID}); err != nil {
		return result, err
	}
	result.ProfileVersion, err = t.Profile(ctx, q, op.TenantID, profile.ID)
	return result, err
}

// AnnounceAnswer wakes the gap fills that wait for the questions that the answer closed. One that is still open, since the answer
// was refused for another reason than its value, wakes nobody: there is nothing new, and a wait looks back at what was announced.
func (s Answers) AnnounceAnswer(ctx context.Context, ev vault.Event) (Answered, error) {
	op, err := s.Once.Get(ctx, s.Once.DB.Tenant(ev.TenantID), ev)
	if err != nil {
		return Answered{}, err
	}
	in, err := once.OpenPayload[vault.AnswerQuestionInput](s.Once, op)
	if err != nil {
		return Answered{}, err
	}
	closed, err := s.Once.DB.Tenant(ev.TenantID).ListSettledQuestions(ctx, ev.TenantID, ev.OperationID)
	if err != nil {
		return Answered{}, err
	}
	question, err := s.Once.DB.Tenant(ev.TenantID).GetQuestion(ctx, ev.TenantID, in.QuestionID)
	if err != nil {
		return Answered{}, db.WrapNotFound(err, "question", in.QuestionID)
	}
	if question.Status != string(vault.QuestionOpen) && !slices.Contains(closed, question.ID) {
		closed = append(closed, question.ID) // another answer closed it: it does no harm to say so again
	}
	for _, id := range closed {
		err = s.Enqueuer.PushScoped(ctx, vault.EventQuestionSettled, id.String(), vault.Event{
			OperationID: ev.OperationID, TenantID: ev.TenantID, Subject: id.String(),
		})
		if err != nil {
			return Answered{}, err
		}
	}
	return Answered{Accepted: once.IsApplied(op)}, nil
}
