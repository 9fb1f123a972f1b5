package db

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Lease is the time that the engine has for a run after a push. A run takes about 0.1 s when the engine is idle. After
// the lease the relay decides by the progress of the engine (ClaimDueOperations).
const Lease = 30 * time.Second

// NewOperation is the input of AcceptOperation.
type NewOperation struct {
	Workflow string
	Event    string
	Subject  string // the thing that the operation is about
	// Key is the idempotency key: the same key returns the same operation. "": a unique key.
	Key      string
	ParentID *uuid.UUID
	Payload  any
	// Pushing reports that the caller pushes the operation after the commit: the relay leaves it alone for Lease. false:
	// the relay pushes it at once.
	Pushing bool
}

// AcceptOperation inserts an operation with its sealed payload. If the key exists with the same payload, it returns the
// existing operation; with another payload it returns vault.CodeConflict. An unknown tenant is vault.CodeUnknown.
func AcceptOperation(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID, in NewOperation,
) (dbgen.Operation, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return dbgen.Operation{}, fmt.Errorf("make an id: %w", err)
	}
	if in.Key == "" {
		in.Key = id.String()
	}
	sealed, err := sealer.Seal(tenant, id, in.Payload)
	if err != nil {
		return dbgen.Operation{}, err
	}
	var due time.Duration
	if in.Pushing {
		due = Lease
	}
	row, err := q.InsertOperation(ctx, dbgen.InsertOperationParams{
		ID: id, TenantID: tenant, Workflow: in.Workflow, Event: in.Event, Subject: in.Subject, IdempotencyKey: in.Key,
		ParentID: in.ParentID, Payload: sealed, Pushing: in.Pushing, DueAfter: due,
	})
	switch {
	case err == nil:
		return row, nil
	case IsForeignKeyViolation(err, "operations_tenant_id_fkey"):
		return row, &vault.Error{
			Code:  vault.CodeUnknown,
			Field: "tenant",
			Message: fmt.Sprintf(
				"unknown tenant: %s does not exist; an operator creates it with `vault tenants create`",
				tenant,
			),
		}
	case !IsNotFound(err):
		return row, fmt.Errorf("accept %s: %w", in.Workflow, err)
	}
	row, err = q.GetOperationByKey(ctx, dbgen.GetOperationByKeyParams{
		TenantID: tenant, Workflow: in.Workflow, IdempotencyKey: in.Key,
	})
	if err != nil {
		return row, fmt.Errorf("accept %s: %w", in.Workflow, err)
	}
	return row, checkPayload(sealer, row, in)
}

// checkPayload returns a conflict if an existing operation has another payload than the new one.
func checkPayload(sealer *Sealer, row dbgen.Operation, in NewOperation) error {
	was, err := sealer.OpenBytes(row.TenantID, row.ID, row.Payload)
	if err != nil {
		return err
	}
	is, err := json.Marshal(in.Payload)
	if err != nil {
		return fmt.Errorf("encode the payload of %s: %w", in.Workflow, err)
	}
	if !bytes.Equal(was, is) {
		return vault.Conflict(
			"idempotency_key",
			"idempotency_key: operation %s was accepted with this key and another content; use a new key for a new change",
			row.ID,
		)
	}
	return nil
}

// EventOf returns the event of an operation for the workflow engine.
func EventOf(row dbgen.Operation) vault.Event {
	return vault.Event{OperationID: row.ID, TenantID: row.TenantID, Subject: row.Subject, Push: row.Attempts}
}

// WithAwaited converts an operation, and adds the open question that a gap fill waits for.
func WithAwaited(ctx context.Context, q *dbgen.Queries, row dbgen.Operation) (vault.Operation, error) {
	op, err := OperationOf(row)
	if err != nil || op.Workflow != vault.FillGaps.Name || op.Status.Finished() {
		return op, err
	}
	question, err := q.GetAwaitedQuestion(ctx, row.TenantID, row.ID)
	if IsNotFound(err) {
		return op, nil
	}
	op.WaitingFor = &vault.WaitingFor{
		QuestionID: question.ID, FillID: question.FillID, FieldName: question.FieldName,
		Prompt: question.Prompt, DeadlineAt: question.DeadlineAt,
	}
	return op, err
}
