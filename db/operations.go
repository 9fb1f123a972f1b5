package db

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
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
	// Actor is who causes the operation. "": vault.ActorProcess.
	Actor vault.Actor
	// Fields are the names of the fields that the operation changes, for the audit.
	Fields []string
	// Forced reports that the operation overrides a protection, such as the deletion of an item with derived items.
	Forced bool
	// Decision is the decision that the operation makes about a review. "": none.
	Decision vault.Decision
	// CustomerID is the customer whose data the payload holds, so that it is sealed with the customer's key. uuid.Nil: it
	// holds none.
	CustomerID uuid.UUID
	Payload    any // a json.RawMessage was encoded by json.Marshal
	// Pushing reports that the caller pushes the operation after the commit: the relay leaves it alone for Lease. false:
	// the relay pushes it at once.
	Pushing bool
}

// Acceptance is the outcome of one acceptance: an operation, or an error.
type Acceptance struct {
	Operation dbgen.Operation
	// New reports that the operation was accepted now, and not before with the same idempotency key.
	New bool
	Err error
}

// AcceptOperation inserts an operation with its sealed payload. If the key exists with the same payload, it returns the
// existing operation; with another payload it returns vault.CodeConflict. An unknown tenant is vault.CodeUnknown.
func AcceptOperation(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID, in NewOperation,
) (dbgen.Operation, error) {
	done := acceptAll(ctx, q, sealer, tenant, []NewOperation{in})[0]
	return done.Operation, done.Err
}

// AcceptOperations is AcceptOperation for many operations, which all have the same value of Pushing. They share one
// statement and one commit: q is not in a transaction. An operation that cannot be stored fails alone.
func AcceptOperations(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID, in []NewOperation,
) []Acceptance {
	out := acceptAll(ctx, q, sealer, tenant, in)
	if len(in) == 1 {
		return out
	}
	for i, a := range out { // one that PostgreSQL refuses has failed all
		if a.Err != nil && vault.CodeOf(a.Err) == "" && !IsUnavailable(a.Err) && ctx.Err() == nil {
			out[i] = acceptAll(ctx, q, sealer, tenant, in[i:i+1])[0]
		}
	}
	return out
}

func acceptAll(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID, in []NewOperation,
) []Acceptance {
	out := make([]Acceptance, len(in))
	rows := dbgen.InsertOperationsParams{TenantID: tenant, Pushing: in[0].Pushing}
	if rows.Pushing {
		rows.DueAfter = Lease
	}
	if len(in) > 1 { // one query for the keys of all
		customers := make([]uuid.UUID, len(in))
		for i, n := range in {
			customers[i] = n.CustomerID
		}
		_ = sealer.Prepare(ctx, tenant, customers, true) // an error comes again, for the operations that it concerns
	}
	index := make(map[uuid.UUID]int, len(in)) // of the operations to insert
	for i, n := range in {
		if n.Fields == nil {
			n.Fields = vault.FieldsOf(n.Payload)
		}
		op, err := newOperation(ctx, sealer, tenant, n)
		if out[i] = (Acceptance{Operation: op, Err: err}); err != nil {
			continue
		}
		index[op.ID] = i
		rows.Ids, rows.Workflows = append(rows.Ids, op.ID), append(rows.Workflows, op.Workflow)
		rows.Events, rows.Subjects = append(rows.Events, op.Event), append(rows.Subjects, op.Subject)
		rows.IdempotencyKeys = append(rows.IdempotencyKeys, op.IdempotencyKey)
		rows.Actors, rows.Forced = append(rows.Actors, op.Actor), append(rows.Forced, n.Forced)
		rows.Decisions = append(rows.Decisions, string(n.Decision))
		rows.Fields = append(rows.Fields, strings.Join(n.Fields, ","))
		rows.Payloads = append(rows.Payloads, op.Payload)
		parent := uuid.Nil
		if op.ParentID != nil {
			parent = *op.ParentID
		}
		rows.ParentIds = append(rows.ParentIds, parent)
	}
	if len(index) == 0 {
		return out
	}
	accepted, err := q.InsertOperations(ctx, rows)
	for _, a := range accepted {
		out[index[a.ID]].Operation.AcceptedAt, out[index[a.ID]].New = a.AcceptedAt, true
		delete(index, a.ID)
	}
	for _, i := range index {
		if err != nil {
			out[i].Err = acceptError(err, tenant, in[i])
			continue
		}
		out[i].Operation, out[i].Err = repeated(ctx, q, sealer, tenant, in[i], out[i].Operation.IdempotencyKey)
	}
	return out
}

// newOperation returns the row of an operation, with its sealed payload and the state after the insert.
func newOperation(
	ctx context.Context, sealer *Sealer, tenant uuid.UUID, in NewOperation,
) (dbgen.Operation, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return dbgen.Operation{}, fmt.Errorf("make an id: %w", err)
	}
	op := dbgen.Operation{
		ID: id, TenantID: tenant, Workflow: in.Workflow, Event: in.Event, Subject: in.Subject,
		IdempotencyKey: cmp.Or(in.Key, id.String()), ParentID: in.ParentID, Status: string(vault.OperationAccepted),
		Actor: string(cmp.Or(in.Actor, vault.ActorProcess)),
	}
	if in.Pushing {
		op.Attempts = 1
	}
	encoded, err := encodePayload(in)
	if err != nil {
		return op, err
	}
	op.Payload, err = sealer.SealBytes(ctx, Owner{tenant, in.CustomerID}, id, encoded)
	return op, err
}

// encodePayload returns the JSON of a payload.
func encodePayload(in NewOperation) ([]byte, error) {
	if encoded, ok := in.Payload.(json.RawMessage); ok {
		return encoded, nil
	}
	encoded, err := json.Marshal(in.Payload)
	if err != nil {
		return nil, fmt.Errorf("encode the payload of %s: %w", in.Workflow, err)
	}
	return encoded, nil
}

func acceptError(err error, tenant uuid.UUID, in NewOperation) error {
	if !IsForeignKeyViolation(err, "operations_tenant_id_fkey") {
		return fmt.Errorf("accept %s: %w", in.Workflow, err)
	}
	return unknownTenant(tenant)
}

func unknownTenant(tenant uuid.UUID) error {
	return &vault.Error{
		Code: vault.CodeUnknown, Field: "tenant", Message: fmt.Sprintf(
			"unknown tenant: %s does not exist; an operator creates it with `vault tenants create`", tenant),
	}
}

// repeated returns the operation that was accepted with the same idempotency key before.
func repeated(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID, in NewOperation, key string,
) (dbgen.Operation, error) {
	row, err := q.GetOperationByKey(ctx, dbgen.GetOperationByKeyParams{
		TenantID: tenant, Workflow: in.Workflow, IdempotencyKey: key,
	})
	if err != nil {
		return row, fmt.Errorf("accept %s: %w", in.Workflow, err)
	}
	return row, checkPayload(ctx, sealer, row, in)
}

// checkPayload returns a conflict if an existing operation has another payload than the new one.
func checkPayload(ctx context.Context, sealer *Sealer, row dbgen.Operation, in NewOperation) error {
	is, err := encodePayload(in)
	if err != nil {
		return err
	}
	if row.ErasedAt != nil {
		return checkErased(row, is)
	}
	was, err := sealer.OpenBytes(ctx, row.TenantID, row.ID, row.Payload)
	if err != nil {
		return err
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

// checkErased is checkPayload for an operation whose payload was erased.
func checkErased(row dbgen.Operation, payload []byte) error {
	if len(row.Payload) == sha256.Size && bytes.Equal(row.Payload, PayloadMark(row.ID, payload)) {
		return nil
	}
	return vault.Conflict("idempotency_key",
		"idempotency_key: operation %s was accepted with this key; what it held of a customer was erased since", row.ID)
}

// OperationStates returns operations of a tenant, without their payloads and what only steps need.
func OperationStates(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, ids []uuid.UUID,
) ([]dbgen.Operation, error) {
	rows, err := q.GetOperationStates(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	out := make([]dbgen.Operation, len(rows))
	for i, row := range rows {
		out[i] = dbgen.Operation{
			ID: row.ID, TenantID: row.TenantID, Workflow: row.Workflow, Actor: row.Actor, ParentID: row.ParentID,
			Status: row.Status, Result: row.Result,
			Error: row.Error, Attempts: row.Attempts, BatchID: row.BatchID, AcceptedAt: row.AcceptedAt,
			FinishedAt: row.FinishedAt,
		}
	}
	return out, nil
}

// EventOf returns the event of an operation for a step.
func EventOf(row dbgen.Operation) vault.Event {
	return vault.Event{OperationID: row.ID, TenantID: row.TenantID, Push: row.Attempts}
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

// PayloadMark stands for the erased payload of an operation: a repeat with the same content is recognised by it, and
// nothing can be read from it, because the content has a random id.
func PayloadMark(op uuid.UUID, payload []byte) []byte {
	sum := sha256.Sum256(append(op[:], payload...))
	return sum[:]
}
