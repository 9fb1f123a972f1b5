package gapfill

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/steps/customers"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Answers processes the answers of customers.
type Answers struct {
	Once     once.Runner
	Values   customers.Values
	Gaps     Gaps // asks the next question
	Model    once.Budgeted
	BuiltIn  llm.Model // reads an answer while Model does not
	Settings once.Settings
	Now      func() time.Time
	Log      *slog.Logger
}

// Answered is the outcome of an answer: accepted, or rejected with a code.
type Answered struct {
	once.NoEffect

	Accepted bool       `json:"accepted"`
	Code     vault.Code `json:"code,omitempty"`
}

// Rejects reports whether the answer was rejected.
func (a Answered) Rejects() bool { return !a.Accepted }

// ValidateAnswer reads an answer and stores the reading for PersistAnswer. An answer that is unclear or invalid closes
// its question with the reason, so that the fill asks again; this is an outcome, not a failure of the run. The model
// reads before anything is locked.
func (s Answers) ValidateAnswer(ctx context.Context, ev vault.Event) (Answered, error) {
	out := Answered{Accepted: true}
	reading, asked, err := s.readFirst(ctx, ev)
	if err != nil {
		return out, s.Once.Reject(ctx, ev, err)
	}
	var accepted []dbgen.Operation // writes of other fields, to push after the transaction
	err = s.Once.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		op, err := q.LockOperation(ctx, ev.TenantID, ev.OperationID)
		if err != nil {
			return db.WrapNotFound(err, "operation", ev.OperationID)
		}
		if once.IsApplied(op) {
			return nil
		}
		if op.Status == string(vault.OperationFailed) { // a second check would find the question closed by this answer
			out, err = rejectionOf(op)
			return err
		}
		in, err := once.OpenPayload[vault.AnswerQuestionInput](ctx, s.Once, op)
		if err != nil {
			return err
		}
		question, err := q.LockQuestion(ctx, ev.TenantID, in.QuestionID)
		if err != nil {
			return db.WrapNotFound(err, "question", in.QuestionID)
		}
		problem := checkOpen(question, op.AcceptedAt)
		if problem == nil && reading == nil {
			return nil // read before
		}
		if problem == nil && reading.Kind == reply.Value {
			err := s.Values.CheckWriteOnce(ctx, q, ev.TenantID, question.CustomerID, &asked.Definition, rules.Checked{
				Value: reading.Value, ValueType: asked.Definition.ValueType,
			})
			switch {
			case vault.Permanent(err):
				reading = &reply.Reading{Kind: reply.Unclear, Problem: err, Also: reading.Also}
			case err != nil:
				return err
			}
		}
		if problem == nil && reading.Kind != reply.Unclear {
			return s.prepareReading(ctx, q, op, *reading)
		}
		if problem == nil {
			problem = problemOf(question, *reading)
			once.ObserveValue(s.Values.Observer, vault.AnswerQuestion.Name, rules.Checked{}, problem)
			_, err = q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
				TenantID: ev.TenantID, ID: question.ID, Status: string(vault.QuestionRejected),
				AnswerOperationID: &ev.OperationID, Rejection: asked.Reason(*reading), AnsweredOn: in.Channel,
			})
			if err != nil {
				return err
			}
			if accepted, _, err = s.acceptOthers(ctx, q, op, question, in, reading.Also); err != nil {
				return err
			}
		}
		out.Accepted, out.Code = false, problem.Code
		_, err = once.MarkFailed(ctx, q, ev, problem) // the last step wakes the fill
		return err
	})
	if err == nil {
		s.Gaps.push(ctx, accepted)
	}
	return out, s.Once.Reject(ctx, ev, err)
}

// readFirst reads an answer. It returns nil if the answer was read before, or has its outcome, or its question takes no
// more answers.
func (s Answers) readFirst(ctx context.Context, ev vault.Event) (*reply.Reading, reply.Question, error) {
	q := s.Once.DB.Tenant(ev.TenantID)
	op, err := s.Once.Get(ctx, q, ev)
	if err != nil || once.IsApplied(op) || op.Status == string(vault.OperationFailed) || len(op.Prepared) > 0 {
		return nil, reply.Question{}, err
	}
	in, err := once.OpenPayload[vault.AnswerQuestionInput](ctx, s.Once, op)
	if err != nil {
		return nil, reply.Question{}, err
	}
	question, err := q.GetQuestion(ctx, ev.TenantID, in.QuestionID)
	if err != nil {
		return nil, reply.Question{}, db.WrapNotFound(err, "question", in.QuestionID)
	}
	if checkOpen(question, op.AcceptedAt) != nil {
		return nil, reply.Question{}, nil //nolint:nilerr // the caller checks it again, with the question locked
	}
	def, err := definitionOf(ctx, q, question)
	if err != nil {
		return nil, reply.Question{}, err
	}
	asked, reading, err := s.readAnswer(ctx, q, question, def, in.Value)
	return &reading, asked, err
}

// problemOf returns the error of an answer that was not understood.
func problemOf(question dbgen.Question, reading reply.Reading) *vault.Error {
	if reading.Problem != nil {
		return once.AsError(reading.Problem)
	}
	wanted := "a value of the field"
	if question.Kind == string(vault.QuestionConfirm) {
		wanted = "yes, no or the right value"
	}
	return vault.Invalid(question.FieldName, "the answer is unclear; it must state %s", wanted)
}

// rejectionOf returns the outcome of an answer that was rejected before.
func rejectionOf(op dbgen.Operation) (Answered, error) {
	var reason vault.Error
	if err := json.Unmarshal(op.Error, &reason); err != nil {
		return Answered{}, fmt.Errorf("decode the error of operation %s: %w", op.ID, err)
	}
	return Answered{Code: reason.Code}, nil
}

// checkOpen returns an error for a question that takes no more answers. An answer that was accepted before the deadline
// is in time, however late it is processed.
func checkOpen(question dbgen.Question, acceptedAt time.Time) *vault.Error {
	switch {
	case question.Status != string(vault.QuestionOpen):
		return vault.Conflict(
			"question_id", "question_id: question %s is %s already; list the open questions", question.ID, question.Status,
		)
	case !question.DeadlineAt.After(acceptedAt):
		return vault.Conflict(
			"question_id", "question_id: question %s was open until %s", question.ID,
			question.DeadlineAt.UTC().Format(time.RFC3339),
		)
	default:
		return nil
	}
}

// PersistAnswer writes the answer and closes the question in one transaction. A rejected answer writes nothing.
func (s Answers) PersistAnswer(ctx context.Context, ev vault.Event) (once.Applied[Answered], error) {
	op, err := s.Once.Current(ctx, ev)
	if err != nil {
		return once.Applied[Answered]{}, err
	}
	if op.Status == string(vault.OperationFailed) {
		out, err := rejectionOf(op)
		return once.Applied[Answered]{Result: out}, err
	}
	var accepted []dbgen.Operation
	var fill uuid.UUID
	_, err = once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.AnswerQuestionInput,
	) (vault.ItemResult, error) {
		question, err := q.LockQuestion(ctx, ev.TenantID, in.QuestionID)
		if err != nil {
			return vault.ItemResult{}, db.WrapNotFound(err, "question", in.QuestionID)
		}
		if problem := checkOpen(question, op.AcceptedAt); problem != nil {
			return vault.ItemResult{}, problem
		}
		fill = question.FillID
		reading, err := s.preparedReading(ctx, op)
		if err != nil {
			return vault.ItemResult{}, err
		}
		result, err := s.answer(ctx, t, q, op, origin{session: in.SessionID, channel: in.Channel}, question, reading)
		if err != nil {
			return result, err
		}
		accepted, result.AlsoRead, err = s.acceptOthers(ctx, q, op, question, in, reading.Also)
		return result, err
	})
	if err == nil {
		once.AfterCommit(ctx, func(ctx context.Context) {
			s.Gaps.push(ctx, accepted)
			if fill != uuid.Nil { // the next question waits neither for the acknowledgement nor for another run
				s.Gaps.askNext(ctx, ev.TenantID, fill)
			}
		})
		s.Once.WakeFills(ctx, ev.TenantID)
	}
	if code := vault.CodeOf(err); vault.Permanent(err) {
		return once.Applied[Answered]{Result: Answered{Code: code}}, nil // another answer came first
	}
	return once.Applied[Answered]{Result: Answered{Accepted: err == nil}}, err
}

// origin is where an answer comes from.
type origin struct {
	session  *uuid.UUID      // nil: none
	channel  string          // "": it is not said
	metadata json.RawMessage // of a value that is written; nil: none
}

// answer applies an answer and closes its question. It also closes the customer's other open questions for the same
// field, which this answer serves. After an interruption the question stays open.
func (s Answers) answer(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, from origin,
	question dbgen.Question, reading reply.Reading,
) (result vault.ItemResult, err error) {
	status := vault.QuestionAnswered
	if (reading.Kind == reply.Yes || reading.Kind == reply.No) && question.ItemID != nil {
		if question.ItemID, err = ownItem(ctx, s.Once, q, question); err != nil {
			return result, err
		}
	}
	switch {
	case reading.Kind == reply.Interrupted:
		return vault.ItemResult{Interrupted: true}, nil
	case reading.Kind == reply.Refused:
		status, result = vault.QuestionRefused, vault.ItemResult{Refused: true}
	case reading.Kind == reply.No:
		status = vault.QuestionDenied
		result, err = s.withdraw(ctx, t, q, op, question)
	case reading.Kind == reply.Yes && question.ItemID != nil:
		result, err = s.confirm(ctx, t, q, op, question)
	default:
		result, err = s.Values.Write(ctx, t, q, op, vault.WriteValueInput{
			AgentID: question.AgentID, CustomerID: question.CustomerID, Name: question.FieldName, Value: reading.Value,
			Source: vault.ValueUserProvided, SourceSessionID: from.session, SourceScenarioID: &question.ScenarioID,
			Lineage: vault.Lineage{SourceMetadata: from.metadata},
		})
	}
	if err != nil {
		return result, err
	}
	_, err = q.CloseQuestion(ctx, dbgen.CloseQuestionParams{
		TenantID: op.TenantID, ID: question.ID, Status: string(status), AnswerOperationID: &op.ID,
		AnsweredOn: from.channel,
	})
	if err != nil || status != vault.QuestionAnswered {
		return result, err
	}
	same, err := db.MergedCustomers(ctx, q, op.TenantID, question.CustomerID)
	if err != nil {
		return result, err
	}
	return result, q.CloseDuplicateQuestions(ctx, dbgen.CloseDuplicateQuestionsParams{
		TenantID: op.TenantID, Customers: same, AgentID: question.AgentID, FieldName: question.FieldName,
		ID: question.ID, AnswerOperationID: op.ID,
	})
}

// ownItem returns the item that a confirmation is about, or nil if the item belongs to another customer: it was written
// while the two customers were merged, and stayed with the other one after the merge was undone. The profile stays
// locked.
func ownItem(
	ctx context.Context, o once.Runner, q *dbgen.Queries, question dbgen.Question,
) (*uuid.UUID, error) {
	profile, err := customers.LockProfile(ctx, o, q, question.TenantID, question.CustomerID)
	if err != nil {
		return nil, err
	}
	owner, err := q.GetItemOwner(ctx, question.TenantID, *question.ItemID)
	if db.IsNotFound(err) || (err == nil && owner.ProfileID != profile.ID) {
		return nil, nil
	}
	return question.ItemID, err
}

// confirm marks a stored value as confirmed. A value that was replaced meanwhile stays as it is.
func (s Answers) confirm(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, question dbgen.Question,
) (vault.ItemResult, error) {
	result := vault.ItemResult{ItemID: *question.ItemID, Status: vault.StatusSuperseded}
	profile, err := customers.LockProfile(ctx, s.Once, q, op.TenantID, question.CustomerID)
	if err != nil {
		return result, err
	}
	pending, err := pendingItem(ctx, q, question)
	if err != nil {
		return result, err
	}
	if pending != nil {
		result.Status, err = s.Values.Decide(ctx, t, q, *pending, dbgen.DecideValueParams{
			Decision: string(vault.DecisionConfirmed), DecidedAt: &op.AcceptedAt,
		})
	} else {
		var confirmed int64
		if confirmed, err = q.ConfirmValue(ctx, op.TenantID, *question.ItemID); confirmed > 0 {
			result.Status = vault.StatusActive
		}
	}
	if err != nil {
		return result, err
	}
	result.ProfileVersion, err = t.Profile(ctx, q, op.TenantID, profile.ID)
	return result, err
}

// pendingItem returns the item of a confirmation if it is a pending value, else nil.
func pendingItem(ctx context.Context, q *dbgen.Queries, question dbgen.Question) (*dbgen.CustomerValue, error) {
	row, err := q.GetAnyValue(ctx, question.TenantID, *question.ItemID)
	if db.IsNotFound(err) || (err == nil && (row.Status != string(vault.StatusPending) || row.DeletedAt != nil)) {
		return nil, nil
	}
	return &row, err
}

// withdraw deletes a value that the customer denied. A pending one stays in the history, rejected. A value with
// dependents stays, unconfirmed, until the answer to the next question replaces it.
func (s Answers) withdraw(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, question dbgen.Question,
) (vault.ItemResult, error) {
	result := vault.ItemResult{Denied: true}
	if question.ItemID == nil {
		return result, nil
	}
	result.ItemID = *question.ItemID
	profile, err := customers.LockProfile(ctx, s.Once, q, op.TenantID, question.CustomerID)
	if err != nil {
		return result, err
	}
	pending, err := pendingItem(ctx, q, question)
	if err != nil {
		return result, err
	}
	if pending != nil {
		if _, err := s.Values.Decide(ctx, t, q, *pending, dbgen.DecideValueParams{
			Decision: string(vault.DecisionRejected), DecidedAt: &op.AcceptedAt, DecisionNote: "the customer said no",
		}); err != nil {
			return result, err
		}
		result.ProfileVersion, err = t.Profile(ctx, q, op.TenantID, profile.ID)
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
