package once

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// A run of a workflow carries a batch: operations of one tenant and workflow. Each of them keeps its own idempotence,
// result, rejection and replay. A step works on the whole batch, and rejects single operations without failing the
// others:
//
//   - PrepareEach runs a step for one operation after the other;
//   - ApplyTogether runs an effect for all operations in one transaction. If one of them fails, it rolls back and runs
//     the effect for each operation in a transaction of its own, which rejects the bad one alone.
//
// A run reports rejected operations in its last step (Rejections), so that it shows as failed in the engine, and an
// operator can replay it. The run of a batch with one operation ends at the step that rejects it.

// BatchResult is the output of a step that changes nothing a reader sees, for a batch.
type BatchResult struct {
	NoEffect

	Operations int `json:"operations"`
	Rejected   int `json:"rejected,omitempty"`
}

// AppliedBatch is the output of a step that changes what readers cache, for a batch. It stands for Applied.
type AppliedBatch struct {
	Operations int `json:"operations"`
	Rejected   int `json:"rejected,omitempty"`
}

// Turn says which operations a step of a batch runs for.
type Turn bool

const (
	// First is the first step of a workflow. It also runs for operations that failed before, which so run again when an
	// operator replays them.
	First Turn = true
	// Later is a later step. It leaves out the operations that an earlier one rejected.
	Later Turn = false
)

// DueOperations are the operations of a batch that a step runs for, by id.
type DueOperations map[uuid.UUID]dbgen.Operation

// Events returns their events, in the order of the batch.
func (d DueOperations) Events(b vault.Batch) []vault.Event {
	return slices.DeleteFunc(b.Events(), func(ev vault.Event) bool {
		_, ok := d[ev.OperationID]
		return !ok
	})
}

// Due returns the operations of a batch that a step runs for: those that are not applied. An operation that does not
// exist in the tenant is vault.CodeUnknown.
func (o Runner) Due(ctx context.Context, b vault.Batch, turn Turn) (DueOperations, error) {
	if err := b.Check(); err != nil {
		return nil, err
	}
	rows, err := o.DB.Tenant(b.TenantID).GetOperations(ctx, b.TenantID, b.IDs())
	if err != nil {
		return nil, err
	}
	due := make(DueOperations, len(rows))
	known := make(map[uuid.UUID]bool, len(rows))
	pushes := b.Pushes()
	for _, op := range rows {
		known[op.ID] = true
		if turn.runs(op, pushes[op.ID]) {
			due[op.ID] = op
		}
	}
	for _, id := range b.IDs() {
		if !known[id] {
			return nil, vault.Unknown("operation", id)
		}
	}
	return due, nil
}

// runs reports whether a step runs for an operation. One that a later push has failed is left out: this run is late.
func (t Turn) runs(op dbgen.Operation, push int32) bool {
	failed := op.Status == string(vault.OperationFailed)
	late := failed && op.CarriedBy != nil && *op.CarriedBy > push
	return !IsApplied(op) && !late && (t == First || !failed)
}

// PrepareEach runs a step for each operation of a batch. A permanent error has marked its operation failed; another one
// is returned after the last operation, so that the engine retries the step.
func PrepareEach[Out Preparation](
	ctx context.Context, o Runner, b vault.Batch, turn Turn, step func(context.Context, vault.Event) (Out, error),
) (BatchResult, error) {
	out := BatchResult{Operations: len(b.Operations)}
	if ev, ok := b.Only(); ok {
		_, err := step(ctx, ev)
		return out, err
	}
	due, err := o.Due(ctx, b, turn)
	if err != nil {
		return out, err
	}
	out.Rejected, err = PrepareAlone(ctx, o, due, due.Events(b), step)
	return out, err
}

// PrepareAlone runs a step for some of the operations that are due. Errors are those of PrepareEach.
func PrepareAlone[Out Preparation](
	ctx context.Context, o Runner, due DueOperations, events []vault.Event,
	step func(context.Context, vault.Event) (Out, error),
) (rejected int, err error) {
	var errs []error
	for _, ev := range events {
		switch done, err := step(ctx, ev); {
		case vault.Permanent(err) || rejects(done):
			rejected++
		case err != nil:
			errs = append(errs, err)
		case due[ev.OperationID].Status == string(vault.OperationFailed):
			errs = append(errs, o.reopen(ctx, ev))
		}
	}
	return rejected, errors.Join(errs...)
}

// rejects reports whether a step has rejected its operation as an outcome, without an error.
func rejects(out any) bool {
	r, ok := out.(interface{ Rejects() bool })
	return ok && r.Rejects()
}

// reopen reopens an operation that failed before, and that a step has found valid now.
func (o Runner) reopen(ctx context.Context, ev vault.Event) error {
	return o.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		_, err := o.Lock(ctx, q, ev)
		return err
	})
}

// ApplyTogether runs the effect of each operation of a batch, in one transaction if it can. Errors are those of
// PrepareEach.
func ApplyTogether[Out any](
	ctx context.Context, o Runner, b vault.Batch, turn Turn, effect func(context.Context, vault.Event) (Out, error),
) (AppliedBatch, error) {
	out := AppliedBatch{Operations: len(b.Operations)}
	if ev, ok := b.Only(); ok {
		_, err := effect(ctx, ev)
		return out, err
	}
	due, err := o.Due(ctx, b, turn)
	if err != nil {
		return out, err
	}
	events := due.Events(b)
	if len(events) > 1 {
		// Batches that lock several customers lock them in one order, and do not wait for each other in a circle. The
		// operations of one customer keep the order of their acceptance, that of their ids.
		slices.SortFunc(events, func(a, b vault.Event) int {
			x, y := due[a.OperationID], due[b.OperationID]
			if d := strings.Compare(x.Subject, y.Subject); d != 0 {
				return d
			}
			return slices.Compare(x.ID[:], y.ID[:])
		})
		together, cancel := sharedDeadline(ctx)
		err := o.applyShared(together, b.TenantID, events, func(ctx context.Context, ev vault.Event) error {
			_, err := effect(ctx, ev)
			return err
		})
		late := together.Err() != nil
		cancel()
		if err == nil || ctx.Err() != nil || (db.IsUnavailable(err) && !late) {
			return out, err
		}
	}
	rejected, err := ApplyAlone(ctx, events, effect)
	out.Rejected = rejected
	return out, err
}

// ApplyAlone runs an effect for each event, in transactions of their own. Errors are those of PrepareEach.
func ApplyAlone[Out any](
	ctx context.Context, events []vault.Event, effect func(context.Context, vault.Event) (Out, error),
) (rejected int, err error) {
	var errs []error
	for _, ev := range events {
		switch _, err := effect(ctx, ev); {
		case vault.Permanent(err):
			rejected++
		case err != nil:
			errs = append(errs, err)
		}
	}
	return rejected, errors.Join(errs...)
}

// sharedDeadline leaves two thirds of the time of a step to what follows a transaction that was not done in time.
func sharedDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/3)
}

// applyShared runs an effect for each event in one transaction.
func (o Runner) applyShared(
	ctx context.Context, tenant uuid.UUID, events []vault.Event, effect func(context.Context, vault.Event) error,
) error {
	var tx *shared
	err := o.InTx(ctx, tenant, func(q *dbgen.Queries) error {
		tx = &shared{q: q}
		ctx := context.WithValue(ctx, sharedKey{}, tx)
		for _, ev := range events {
			if err := effect(ctx, ev); err != nil || tx.failed != nil {
				return errors.Join(err, tx.failed)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, fn := range tx.after {
		fn(ctx)
	}
	if tx.wake {
		o.WakeFills(ctx, tenant)
	}
	return nil
}

// shared is the transaction that the effects of a batch share.
type shared struct {
	q      *dbgen.Queries
	failed error // of an effect, whatever its step returned: nothing may be committed
	after  []func(context.Context)
	wake   bool // the fills of the tenant, after the commit
}

type sharedKey struct{}

func sharedTx(ctx context.Context) *shared {
	tx, _ := ctx.Value(sharedKey{}).(*shared)
	return tx
}

func (s *shared) run(fn func(*dbgen.Queries) error) error {
	if err := fn(s.q); err != nil {
		s.failed = err
		return err
	}
	return nil
}

// AfterCommit runs fn once the effect of a step is committed: at once, or after the transaction of a batch.
func AfterCommit(ctx context.Context, fn func(context.Context)) {
	if tx := sharedTx(ctx); tx != nil {
		tx.after = append(tx.after, fn)
		return
	}
	fn(ctx)
}

// WakeFills pushes the gap fills of a tenant that have something new to look at, once the effect of a step is
// committed. They do not wait for the acknowledgement of the operation.
func (o Runner) WakeFills(ctx context.Context, tenant uuid.UUID) {
	if tx := sharedTx(ctx); tx != nil {
		tx.wake = true
		return
	}
	if o.Enqueuer != nil {
		_, _ = o.Enqueuer.Wake(ctx, tenant) // after an error the relay wakes them
	}
}

// Current returns the operation of an event as the effect of a step sees it.
func (o Runner) Current(ctx context.Context, ev vault.Event) (dbgen.Operation, error) {
	q := o.DB.Tenant(ev.TenantID)
	if tx := sharedTx(ctx); tx != nil {
		q = tx.q // a second connection could be in use by another batch that waits for this one
	}
	return o.Get(ctx, q, ev)
}

// listedRejections is the number of operations that the error of Rejections names.
const listedRejections = 10

// Rejections returns the error of a run that carried several operations of which some failed, or nil. The error of one
// operation is that of the step that rejected it.
func (o Runner) Rejections(ctx context.Context, b vault.Batch) error {
	if len(b.Operations) < 2 {
		return nil
	}
	rows, err := db.OperationStates(ctx, o.DB.Tenant(b.TenantID), b.TenantID, b.IDs())
	if err != nil {
		return err
	}
	var listed []string
	rejected := 0
	for _, row := range rows {
		op, err := db.OperationOf(row)
		if err != nil {
			return err
		}
		if op.Status != vault.OperationFailed || op.Error == nil {
			continue
		}
		if rejected++; rejected <= listedRejections {
			listed = append(listed, fmt.Sprintf("%s (%s: %s)", op.ID, op.Error.Code, op.Error.Message))
		}
	}
	if rejected == 0 {
		return nil
	}
	return vault.Invalid("operations", "%d of the %d operations of the batch failed: %s",
		rejected, len(b.Operations), strings.Join(listed, "; "))
}
