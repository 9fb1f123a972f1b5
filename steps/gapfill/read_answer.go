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
	"github.com/contextvault/contextvault/internal/missing"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/steps/customers"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// answerReadTime limits the model that reads an answer: the customer waits, and the step has 30 seconds. After it, the
// built-in model reads the answer.
const answerReadTime = 15 * time.Second

// readAnswer reads an answer: first by pure rules, then, if it says more than they recognise, by the model. It holds no
// lock. def is nil for a field that the agent does not define any more.
func (s Answers) readAnswer(
	ctx context.Context, q *dbgen.Queries, question dbgen.Question, def *vault.Definition, answer json.RawMessage,
) (reply.Question, reply.Reading, error) {
	if def == nil || !def.Enabled { // deleted after the question: only validation mode disabled accepts a value
		return reply.Question{}, s.readUndefined(question.FieldName, answer), nil
	}
	asked, err := s.questionOf(ctx, q, question, *def)
	if err != nil {
		return asked, reply.Reading{}, err
	}
	if asked.Others, err = s.othersOf(ctx, q, question); err != nil {
		return asked, reply.Reading{}, err
	}
	reading := asked.Read(answer, func(defs []vault.Definition, turns []vault.Turn) []vault.Candidate {
		return s.findValues(ctx, question, llm.ExtractRequest{Definitions: defs, Turns: turns, Now: s.Now()})
	})
	return asked, reading, nil
}

// readUndefined reads the answer to a question for a field that the agent does not define any more.
func (s Answers) readUndefined(name string, answer json.RawMessage) reply.Reading {
	mode := vault.ModeStrict
	if rules.EffectiveMode(nil, s.Values.Mode) == vault.ModeDisabled {
		mode = vault.ModeDisabled
	}
	checked, err := rules.CheckValue(nil, name, answer, mode)
	if err == nil && rules.IsEmpty(checked.Value) {
		err = vault.Invalid(name, "the answer is empty; it must contain a value")
	}
	if err != nil {
		return reply.Reading{Kind: reply.Unclear, Problem: err}
	}
	return reply.Reading{Kind: reply.Value, Value: checked.Value}
}

// findValues asks the model for the values that an answer states. While the model does not answer, the built-in one
// reads the answer: a model that is down costs the customer no attempt.
func (s Answers) findValues(
	ctx context.Context, question dbgen.Question, req llm.ExtractRequest,
) []vault.Candidate {
	limited, cancel := context.WithTimeout(ctx, answerReadTime)
	defer cancel()
	found, err := s.Model.ExtractValues(limited, question.TenantID, req)
	if err == nil {
		return found
	}
	s.Log.WarnContext(ctx, "answer_not_read_by_model", "question_id", question.ID, "error_code", vault.CodeOf(err))
	found, err = s.BuiltIn.ExtractValues(ctx, req)
	if err != nil {
		return nil
	}
	return found
}

// questionOf returns what the customer was asked.
func (s Answers) questionOf(
	ctx context.Context, q *dbgen.Queries, question dbgen.Question, def vault.Definition,
) (reply.Question, error) {
	// Strict: the customer is present and can be asked again.
	asked := reply.Question{Definition: def, Mode: vault.ModeStrict, Again: question.Reason != ""}
	if rules.EffectiveMode(&def, s.Values.Mode) == vault.ModeDisabled {
		asked.Mode = vault.ModeDisabled
	}
	if question.Kind != string(vault.QuestionConfirm) {
		return asked, nil
	}
	asked.Confirm, asked.Candidate = true, question.Candidate
	if asked.Candidate != nil || question.ItemID == nil {
		return asked, nil
	}
	field, err := q.GetAnyValue(ctx, question.TenantID, *question.ItemID)
	if err != nil && !db.IsNotFound(err) {
		return asked, err
	}
	known := db.ValueOf(field)
	if err := s.Once.Sealer.OpenValue(ctx, question.TenantID, &known); err != nil {
		return asked, err
	}
	asked.Candidate = known.Value
	return asked, nil
}

// othersOf returns the definitions of the other fields that the scenario still needs, or that were only read in a
// conversation: their values in an answer are written too.
func (s Answers) othersOf(
	ctx context.Context, q *dbgen.Queries, question dbgen.Question,
) ([]vault.Definition, error) {
	source := missing.Transaction{Queries: q, Sealer: s.Once.Sealer}
	found, err := missing.Load(ctx, source, q, question.TenantID, missing.Input{
		CustomerID: question.CustomerID, ScenarioID: question.ScenarioID, Now: s.Now(),
	})
	if vault.Permanent(err) { // the scenario was deleted
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []vault.Definition
	add := func(name string) {
		def, ok := found.Definitions[name]
		if ok && mayRead(&def) && name != question.FieldName &&
			!slices.ContainsFunc(out, func(d vault.Definition) bool { return d.Name == name }) {
			out = append(out, def)
		}
	}
	for _, m := range found.Missing {
		if m.Reason != vault.MissingUnverified {
			add(m.Requirement.FieldName)
		}
	}
	for _, r := range found.Requirements {
		if f, ok := found.Profile.Fields[r.FieldName]; ok && f.Source == vault.ValueLLMExtracted {
			add(r.FieldName)
		}
	}
	return out, nil
}

// answerEvidence is stored in the lineage of a value that was read in an answer.
type answerEvidence struct {
	provenance

	QuestionID uuid.UUID `json:"question_id"`
}

// acceptOthers accepts a write for each value of another field that the answer states, as writes of the gap fill that
// asked. It returns the operations, which the caller pushes after the transaction, and the names of the fields.
func (s Answers) acceptOthers(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, question dbgen.Question, in vault.AnswerQuestionInput,
	also []reply.Said,
) (accepted []dbgen.Operation, names []string, err error) {
	if len(also) == 0 {
		return nil, nil, nil
	}
	fill, err := q.GetGapFill(ctx, op.TenantID, question.FillID)
	if err != nil {
		return nil, nil, fmt.Errorf("get gap fill %s: %w", question.FillID, err)
	}
	for _, c := range also {
		write := vault.WriteValueInput{
			AgentID: question.AgentID, CustomerID: question.CustomerID, Name: c.FieldName, Value: c.Value,
			SourceSessionID: in.SessionID, SourceScenarioID: &question.ScenarioID,
		}
		if in.SessionID != nil {
			write.SourceItemID, write.SourceItemType = in.SessionID, vault.SourceSession
		}
		s.prove(&write, c, int(fill.ReadTo), question.ID)
		child, err := db.AcceptOperation(ctx, q, s.Once.Sealer, op.TenantID, db.NewOperation{
			Workflow: vault.WriteValue.Name, Event: vault.WriteValue.Event, Subject: question.CustomerID.String(),
			Key: fmt.Sprintf("answer:%s:%s", op.ID, c.FieldName), ParentID: &question.FillID, Pushing: true,
			CustomerID: write.CustomerID, Payload: write,
			Actor: once.ActorOf(op),
		})
		if err != nil {
			return nil, nil, err
		}
		err = q.UpsertGapItem(ctx, dbgen.UpsertGapItemParams{
			FillID: question.FillID, TenantID: op.TenantID, FieldName: c.FieldName,
			Source: string(vault.GapFromConversation), WriteID: &child.ID, Confidence: c.Confidence,
			RequiresConfirmation: write.RequiresConfirmation, Errors: []string{},
		})
		if err != nil {
			return nil, nil, err
		}
		accepted, names = append(accepted, child), append(names, c.FieldName)
	}
	return accepted, names, nil
}

// prove says in a write where a value comes from that an answer states beside the field that was asked for.
func (s Answers) prove(write *vault.WriteValueInput, said reply.Said, turn int, question uuid.UUID) {
	write.Source, write.Confidence = vault.ValueLLMExtracted, &said.Confidence
	write.RequiresConfirmation = said.Confidence < s.Settings.ConfirmThreshold || !said.Certain
	// texts, numbers and ids always encode
	write.SourceMetadata, _ = json.Marshal(answerEvidence{
		provenance{Quote: said.Quote, Turn: turn, ReadTo: turn, Model: s.Model.Reader()}, question,
	})
}

// definitionOf returns the enabled definition of the question's field, nil if there is none.
func definitionOf(ctx context.Context, q *dbgen.Queries, question dbgen.Question) (*vault.Definition, error) {
	return customers.FindDefinition(ctx, q, question.TenantID, question.AgentID, question.FieldName)
}

// prepareReading stores the reading of an answer for PersistAnswer. The caller holds the lock of the operation.
func (s Answers) prepareReading(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, reading reply.Reading,
) error {
	sealed, err := s.Once.Sealer.Seal(ctx, db.OwnerOf(op.TenantID, op.Payload), op.ID, reading)
	if err != nil {
		return err
	}
	return q.SetOperationPrepared(ctx, dbgen.SetOperationPreparedParams{
		TenantID: op.TenantID, ID: op.ID, Prepared: sealed,
	})
}

// preparedReading returns the reading that prepareReading stored.
func (s Answers) preparedReading(ctx context.Context, op dbgen.Operation) (reply.Reading, error) {
	var reading reply.Reading
	if len(op.Prepared) == 0 {
		return reading, fmt.Errorf("the answer of operation %s is not read yet; run ValidateAnswer first", op.ID)
	}
	err := s.Once.Sealer.Open(ctx, op.TenantID, op.ID, op.Prepared, &reading)
	return reading, err
}
