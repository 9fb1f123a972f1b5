package once

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// reopenedDue is the delay after which the relay pushes a rejected operation that an operator replayed.
const reopenedDue = time.Minute

// deadlockRetries is how often an effect is retried at once after a deadlock in PostgreSQL: merges lock several
// profiles, and a writer that finds its profile merged goes on to lock another. After that the engine retries, with its
// backoff.
const deadlockRetries = 5

// Runner gives steps their idempotence: one operation, one effect.
type Runner struct {
	DB     *db.DB
	Sealer *db.Sealer
	// Enqueuer wakes the gap fill that a rejected operation belongs to. nil: the relay wakes it.
	Enqueuer Enqueuer
}

// Applied is the output of a step that changed what readers cache. Package workflows ends every workflow that has such
// a step with Caches.InvalidateAndAcknowledge.
type Applied[Out any] struct {
	Result Out `json:"result"`
}

// Stored is the output of a step whose changes no cache holds.
type Stored[Out any] struct {
	Result Out `json:"result"`
}

// Preparation is the output of a step that changes nothing a reader sees. The step may store data for a later step of
// the run. A type implements Preparation by embedding NoEffect.
type Preparation interface{ noEffect() }

// NoEffect marks the output of a step as a Preparation.
type NoEffect struct{}

func (NoEffect) noEffect() {}

// Validated is what a step that validates found: warnings do not stop the operation.
type Validated struct {
	NoEffect

	Warnings []string `json:"warnings,omitempty"`
}

// NewID returns a new id for a row. Ids are made in the transaction that stores them with the proof of the effect, so a
// step that runs again returns the first id.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Apply runs effect once for an operation, in one transaction with the proof of it: the operation is locked, and its
// result stored with the status applied. If a result is stored already, Apply returns that one. An effect that can
// never succeed marks the operation failed.
func Apply[In, Out any](
	ctx context.Context, o Runner, ev vault.Event,
	effect func(t *Touched, q *dbgen.Queries, op dbgen.Operation, in In) (Out, error),
) (Applied[Out], error) {
	var out Applied[Out]
	err := o.Locked(ctx, ev, func(q *dbgen.Queries, op dbgen.Operation) error {
		if IsApplied(op) {
			return json.Unmarshal(op.Result, &out.Result)
		}
		in, err := OpenPayload[In](ctx, o, op)
		if err != nil {
			return err
		}
		var touched Touched
		if out.Result, err = effect(&touched, q, op, in); err != nil {
			return err
		}
		return MarkApplied(ctx, q, ev, out.Result, touched)
	})
	return out, err
}

// Store is Apply for an effect that changes nothing a reader caches.
func Store[In, Out any](
	ctx context.Context, o Runner, ev vault.Event,
	effect func(q *dbgen.Queries, op dbgen.Operation, in In) (Out, error),
) (Stored[Out], error) {
	done, err := Apply(ctx, o, ev, func(_ *Touched, q *dbgen.Queries, op dbgen.Operation, in In) (Out, error) {
		return effect(q, op, in)
	})
	return Stored[Out](done), err
}

// Locked runs fn in a transaction that holds the lock of the operation. A permanent error marks the operation failed.
func (o Runner) Locked(
	ctx context.Context, ev vault.Event, fn func(q *dbgen.Queries, op dbgen.Operation) error,
) error {
	attempt := func(q *dbgen.Queries) error {
		op, err := o.Lock(ctx, q, ev)
		if err != nil {
			return err
		}
		return fn(q, op)
	}
	if tx := sharedTx(ctx); tx != nil {
		return tx.run(attempt)
	}
	return o.Reject(ctx, ev, o.InTx(ctx, ev.TenantID, attempt))
}

// Staged runs one part of an effect that takes several transactions: its own transaction holds the lock of the
// operation. It does not run for an operation that was applied. The part must be idempotent, add pending invalidations
// for what it touches, and be followed by an Apply. A permanent error marks the operation failed.
func Staged[In any](
	ctx context.Context, o Runner, ev vault.Event, part func(tx pgx.Tx, op dbgen.Operation, in In) error,
) error {
	err := retryDeadlocks(func() error {
		return o.DB.InTenantTx(ctx, ev.TenantID, pgx.TxOptions{}, func(tx pgx.Tx) error {
			op, err := o.Lock(ctx, dbgen.New(tx), ev)
			if err != nil || IsApplied(op) {
				return err
			}
			in, err := OpenPayload[In](ctx, o, op)
			if err != nil {
				return err
			}
			return part(tx, op, in)
		})
	})
	return o.Reject(ctx, ev, err)
}

// InTx is db.DB.InTx, and runs fn again at once after a deadlock, some times.
func (o Runner) InTx(ctx context.Context, tenant uuid.UUID, fn func(q *dbgen.Queries) error) error {
	return retryDeadlocks(func() error { return o.DB.InTx(ctx, tenant, fn) })
}

func retryDeadlocks(transaction func() error) error {
	err := transaction()
	for range deadlockRetries {
		if !db.IsDeadlock(err) {
			break
		}
		err = transaction()
	}
	return err
}

// Prepare runs a step before the effect: it reads, and may store what later steps of the run need, but changes nothing
// that a reader sees. It does not run for an operation that was applied. A permanent error marks the operation failed.
func Prepare[In any](
	ctx context.Context, o Runner, ev vault.Event,
	step func(q *dbgen.Queries, op dbgen.Operation, in In) error,
) error {
	q := o.DB.Tenant(ev.TenantID)
	op, err := o.Get(ctx, q, ev)
	if err != nil {
		return err
	}
	if IsApplied(op) {
		return nil
	}
	in, err := OpenPayload[In](ctx, o, op)
	if err != nil {
		return o.Reject(ctx, ev, err)
	}
	return o.Reject(ctx, ev, step(q, op, in))
}

// Lock locks the operation for this transaction. It reopens a rejected operation, which runs again when an operator
// replays it.
func (o Runner) Lock(ctx context.Context, q *dbgen.Queries, ev vault.Event) (dbgen.Operation, error) {
	op, err := q.LockOperation(ctx, ev.TenantID, ev.OperationID)
	if err != nil {
		return op, db.WrapNotFound(err, "operation", ev.OperationID)
	}
	if op.Status != string(vault.OperationFailed) {
		return op, nil
	}
	return q.ReopenOperation(ctx, dbgen.ReopenOperationParams{
		TenantID: ev.TenantID, ID: ev.OperationID, DueAfter: reopenedDue, Actor: string(ActorOf(op)),
	})
}

// ActorOf is the actor of what the run of an operation does by itself.
func ActorOf(op dbgen.Operation) vault.Actor { return vault.WorkflowActor(op.Workflow, op.ID) }

// Get returns the operation of an event.
func (o Runner) Get(ctx context.Context, q *dbgen.Queries, ev vault.Event) (dbgen.Operation, error) {
	op, err := q.GetOperation(ctx, ev.TenantID, ev.OperationID)
	return op, db.WrapNotFound(err, "operation", ev.OperationID)
}

// OpenPayload decrypts and decodes the payload of an operation. The payload of one that an erasure emptied is
// vault.CodeErased: a replay of it brings nothing back.
func OpenPayload[In any](ctx context.Context, o Runner, op dbgen.Operation) (In, error) {
	var in In
	if op.ErasedAt != nil {
		return in, &vault.Error{Code: vault.CodeErased, Field: "operation_id", Message: fmt.Sprintf(
			"operation_id: what operation %s held of a customer was erased; it cannot run again", op.ID)}
	}
	err := o.Sealer.Open(ctx, op.TenantID, op.ID, op.Payload, &in)
	if owner := db.OwnerOf(op.TenantID, op.Payload); vault.CodeOf(err) == vault.CodeUnknown {
		// The key of the customer is gone.
		erased := db.CheckErased(ctx, o.DB.Tenant(op.TenantID), o.Sealer, op.TenantID, owner.CustomerID)
		if vault.CodeOf(erased) == vault.CodeErased {
			err = erased
		}
	}
	return in, err
}

// PrepareKeys loads the keys of the customers whose data operations hold, in one query.
func (o Runner) PrepareKeys(ctx context.Context, tenant uuid.UUID, ops []dbgen.Operation) error {
	customers := make([]uuid.UUID, len(ops))
	for i, op := range ops {
		customers[i] = db.OwnerOf(tenant, op.Payload).CustomerID
	}
	return o.Sealer.Prepare(ctx, tenant, customers, false)
}

// IsApplied reports whether the effect of an operation is stored.
func IsApplied(op dbgen.Operation) bool {
	return op.Status == string(vault.OperationApplied) || op.Status == string(vault.OperationSucceeded)
}

// MarkApplied stores the result of an effect as its proof, with what it touched. It runs in the effect's transaction.
func MarkApplied(ctx context.Context, q *dbgen.Queries, ev vault.Event, out any, t Touched) error {
	result, err := vault.Encode(out)
	if err != nil {
		return fmt.Errorf("encode the result of operation %s: %w", ev.OperationID, err)
	}
	return q.MarkOperationApplied(ctx, dbgen.MarkOperationAppliedParams{
		TenantID: ev.TenantID, ID: ev.OperationID, Result: result, TouchedProfiles: NonNil(t.single),
		TouchedPending: t.Pending, Push: &ev.Push, BatchID: ev.Batch(),
	})
}

// NonNil replaces a nil slice by an empty one, because PostgreSQL stores a nil slice as NULL.
func NonNil[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

// recorded is an error that Reject has recorded, so that a step in a step records it once.
type recorded struct{ error }

func (r recorded) Unwrap() error { return r.error }

// Reject marks the operation failed if err is permanent, notifies the callers that wait for the operation, and wakes
// the gap fill that it belongs to. Another error is recorded, so that the relay leaves the operation to the engine's
// retries for longer each time. It returns err, or vault.CodeErased instead of a permanent one (lateCause).
func (o Runner) Reject(ctx context.Context, ev vault.Event, err error) error {
	if _, done := errors.AsType[recorded](err); done || err == nil || errors.Is(err, ErrYielded) {
		return err
	}
	if errors.Is(err, context.Canceled) || db.IsUnavailable(err) {
		return err // the worker stops, or the database did: the operation itself is sound and is repeated soon
	}
	if !vault.Permanent(err) {
		// best effort: the database may be the cause
		_ = o.DB.Tenant(ev.TenantID).RecordStepFailure(context.WithoutCancel(ctx), ev.TenantID, ev.OperationID)
		return recorded{err}
	}
	var woken bool
	cause := err
	txErr := o.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) (failed error) {
		if err, failed = o.lateCause(ctx, q, ev, cause); failed != nil {
			return failed
		}
		if vault.CodeOf(err) == vault.CodeErased {
			if failed = o.dropLateKey(ctx, q, ev); failed != nil {
				return failed
			}
		}
		woken, failed = MarkFailed(ctx, q, ev, err)
		return failed
	})
	if txErr != nil {
		return errors.Join(err, txErr)
	}
	if woken {
		o.WakeFills(ctx, ev.TenantID)
	}
	return recorded{err}
}

// AsError returns the *vault.Error in err's chain. It is called for permanent errors, which all have one.
func AsError(err error) *vault.Error {
	if reason, ok := errors.AsType[*vault.Error](err); ok {
		return reason
	}
	return &vault.Error{Code: vault.CodeInvalid, Message: "the operation failed"}
}

// dropLateKey deletes the key that the acceptance of a late operation made for its customer, if the rows of that
// customer were erased.
func (o Runner) dropLateKey(ctx context.Context, q *dbgen.Queries, ev vault.Event) error {
	op, err := q.GetOperation(ctx, ev.TenantID, ev.OperationID)
	if err != nil {
		return err
	}
	owner := db.OwnerOf(op.TenantID, op.Payload)
	if owner.CustomerID == uuid.Nil {
		return nil
	}
	subject := db.CustomerSubject(owner.CustomerID)
	found, err := db.FindErased(ctx, q, o.Sealer, ev.TenantID, subject)
	if err != nil {
		return err
	}
	erased, ok := found[subject]
	if !ok {
		return nil
	}
	// An erasure that has removed nothing yet opens what it removes, and then deletes the key itself.
	row, err := q.GetErasure(ctx, ev.TenantID, erased.ErasureID)
	switch {
	case err == nil && row.State == string(vault.ErasureBegun):
		return nil
	case err != nil && !db.IsNotFound(err):
		return err
	}
	_, err = q.DeleteCustomerKeys(ctx, ev.TenantID, []uuid.UUID{owner.CustomerID})
	return err
}

// MarkFailed marks the operation failed with its cause, and notifies the callers that wait for it. wakes reports
// whether a gap fill is to be woken after the commit (Enqueuer.Wake).
func MarkFailed(ctx context.Context, q *dbgen.Queries, ev vault.Event, cause error) (wakes bool, err error) {
	encoded, err := json.Marshal(AsError(cause))
	if err != nil {
		return false, fmt.Errorf("encode the error of operation %s: %w", ev.OperationID, err)
	}
	changed, err := q.MarkOperationFailed(ctx, dbgen.MarkOperationFailedParams{
		TenantID: ev.TenantID, ID: ev.OperationID, Error: encoded, Push: &ev.Push, BatchID: ev.Batch(),
	})
	if err != nil || changed == 0 {
		return false, err
	}
	if vault.CodeOf(cause) == vault.CodeErased {
		// It leaves nothing of the customer behind.
		err := q.EraseOperation(ctx, dbgen.EraseOperationParams{TenantID: ev.TenantID, ID: ev.OperationID, Payload: []byte{}})
		if err != nil {
			return false, err
		}
	}
	woken, err := q.WakeParentFill(ctx, ev.TenantID, ev.OperationID)
	if err != nil {
		return false, err
	}
	return woken > 0, q.NotifyOperation(ctx, ev.OperationID.String())
}
