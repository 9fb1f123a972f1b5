package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// reopenedDue is when the relay looks after a rejected operation that an operator replayed.
const reopenedDue = 5 * time.Minute

// deadlockRetries is how often an effect is tried again at once that PostgreSQL ended for a deadlock: merges lock several profiles,
// and a writer that finds its profile merged goes on to another. After that the engine tries again, later.
const deadlockRetries = 5

// intentOnce gives steps their idempotence: one intent, one effect.
type intentOnce struct {
	db     *db.DB
	sealer *db.Sealer
}

// apply runs effect in one transaction with the proof of it: the intent is locked, a stored result is returned as it is, and
// otherwise the result of effect is stored with status applied. An effect that can never succeed marks the intent failed.
func apply[In, Out any](ctx context.Context, o intentOnce, ev vault.Event, effect func(q *dbgen.Queries, intent dbgen.Intent, in In) (Out, error)) (Out, error) {
	var out Out
	attempt := func(q *dbgen.Queries) error {
		intent, err := o.lock(ctx, q, ev)
		if err != nil {
			return err
		}
		if applied(intent) {
			return json.Unmarshal(intent.Result, &out)
		}
		in, err := open[In](o, intent)
		if err != nil {
			return err
		}
		if out, err = effect(q, intent, in); err != nil {
			return err
		}
		return markApplied(ctx, q, ev, out)
	}
	err := o.db.InTx(ctx, ev.TenantID, attempt)
	for range deadlockRetries {
		if !db.Deadlock(err) {
			break
		}
		err = o.db.InTx(ctx, ev.TenantID, attempt)
	}
	if err != nil {
		return out, o.reject(ctx, ev, err)
	}
	return out, nil
}

// check runs a look at an operation that changes nothing. What it finds wrong for good marks the intent failed. It does not
// run for what was applied.
func check[In any](ctx context.Context, o intentOnce, ev vault.Event, look func(q *dbgen.Queries, intent dbgen.Intent, in In) error) error {
	q := o.db.Tenant(ev.TenantID)
	intent, err := o.get(ctx, q, ev)
	if err != nil {
		return err
	}
	if applied(intent) {
		return nil
	}
	in, err := open[In](o, intent)
	if err != nil {
		return err
	}
	return o.reject(ctx, ev, look(q, intent, in))
}

// lock takes the intent for this transaction. One that was rejected and is run again, by an operator's replay, is owed again.
func (o intentOnce) lock(ctx context.Context, q *dbgen.Queries, ev vault.Event) (dbgen.Intent, error) {
	intent, err := q.LockIntent(ctx, ev.TenantID, ev.IntentID)
	if err != nil {
		return intent, db.Found(err, "operation", ev.IntentID)
	}
	if intent.Status != string(vault.IntentFailed) {
		return intent, nil
	}
	_, err = q.ReopenIntent(ctx, dbgen.ReopenIntentParams{TenantID: ev.TenantID, ID: ev.IntentID, DueAfter: reopenedDue})
	return intent, err
}

func (o intentOnce) get(ctx context.Context, q *dbgen.Queries, ev vault.Event) (dbgen.Intent, error) {
	intent, err := q.GetIntent(ctx, ev.TenantID, ev.IntentID)
	return intent, db.Found(err, "operation", ev.IntentID)
}

func open[In any](o intentOnce, intent dbgen.Intent) (In, error) {
	var in In
	err := o.sealer.Open(intent.TenantID, intent.ID, intent.Payload, &in)
	return in, err
}

func applied(intent dbgen.Intent) bool {
	return intent.Status == string(vault.IntentApplied) || intent.Status == string(vault.IntentSucceeded)
}

func markApplied(ctx context.Context, q *dbgen.Queries, ev vault.Event, out any) error {
	result, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode the result of operation %s: %w", ev.IntentID, err)
	}
	return q.MarkIntentApplied(ctx, dbgen.MarkIntentAppliedParams{TenantID: ev.TenantID, ID: ev.IntentID, Result: result})
}

// reject marks the intent failed where err is for good, wakes whoever waits for it, and returns err.
func (o intentOnce) reject(ctx context.Context, ev vault.Event, err error) error {
	if err == nil || !vault.Permanent(err) {
		return err
	}
	return errors.Join(err, o.db.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error { return markFailed(ctx, q, ev, err) }))
}

// asError gives the vault's error in err's chain. Only permanent errors come here, and they are all vault errors.
func asError(err error) *vault.Error {
	if reason, ok := errors.AsType[*vault.Error](err); ok {
		return reason
	}
	return &vault.Error{Code: vault.CodeInvalid, Message: "the operation failed"}
}

func markFailed(ctx context.Context, q *dbgen.Queries, ev vault.Event, cause error) error {
	encoded, err := json.Marshal(asError(cause))
	if err != nil {
		return fmt.Errorf("encode the error of operation %s: %w", ev.IntentID, err)
	}
	changed, err := q.MarkIntentFailed(ctx, dbgen.MarkIntentFailedParams{TenantID: ev.TenantID, ID: ev.IntentID, Error: encoded})
	if err != nil || changed == 0 {
		return err
	}
	return q.NotifyIntent(ctx, ev.IntentID.String())
}

// succeed acknowledges an applied intent and wakes whoever waits for it. A second run wakes nobody.
func succeed(ctx context.Context, q *dbgen.Queries, ev vault.Event) error {
	changed, err := q.MarkIntentSucceeded(ctx, ev.TenantID, ev.IntentID)
	if err != nil || changed == 0 {
		return err
	}
	return q.NotifyIntent(ctx, ev.IntentID.String())
}
