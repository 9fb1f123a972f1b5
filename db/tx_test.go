package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
)

func TestInTx_AllOrNothing(t *testing.T) {
	t.Parallel()
	errOwn := errors.New("changed my mind")
	for _, c := range []struct {
		name string
		end  func(ctx context.Context, cancel func(), q *dbgen.Queries, e env) error
		ok   func(err error) bool
		rows int
	}{
		{"it returns", func(context.Context, func(), *dbgen.Queries, env) error { return nil }, isNil, 1},
		{"it fails", func(context.Context, func(), *dbgen.Queries, env) error { return errOwn }, func(err error) bool { return errors.Is(err, errOwn) }, 0},
		{"a statement fails and is passed over", func(ctx context.Context, _ func(), q *dbgen.Queries, e env) error {
			_, _ = q.UpsertRule(ctx, dbgen.UpsertRuleParams{TenantID: e.tenant, ID: newID(), ScenarioID: newID(), Content: []byte(`{}`), AcceptedAt: now()})
			return nil
		}, func(err error) bool { return err != nil }, 0},
		{"its context ends", func(_ context.Context, cancel func(), _ *dbgen.Queries, _ env) error {
			cancel()
			return nil
		}, func(err error) bool { return errors.Is(err, context.Canceled) }, 0},
		{"its context ends and it fails", func(ctx context.Context, cancel func(), q *dbgen.Queries, e env) error {
			cancel()
			_, err := q.GetOperation(ctx, e.tenant, e.op.ID)
			return err
		}, func(err error) bool { return errors.Is(err, context.Canceled) }, 0},
		{"it panics", func(context.Context, func(), *dbgen.Queries, env) error { panic("oh") }, func(err error) bool { return err != nil && err.Error() == "panic: oh" }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := func() (err error) {
				defer func() {
					if p := recover(); p != nil {
						err = errors.New("panic: " + p.(string))
					}
				}()
				return e.db.InTx(ctx, e.tenant, func(q *dbgen.Queries) error {
					if _, err := q.UpsertScenario(ctx, params(e)); err != nil {
						return err
					}
					return c.end(ctx, cancel, q, e)
				})
			}()
			if !c.ok(err) {
				t.Errorf("got %v", err)
			}
			checkClean(t, e.db, "the transaction")
			if n := len(dbtest.Dump(t, e.url)["scenarios"]); n != c.rows {
				t.Errorf("%d rows are there, want %d", n, c.rows)
			}
		})
	}
}

func TestInSystemTx_SeesAllTenants(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	accept(t, e.db, dbtest.Tenant(t, e.db))
	errOwn := errors.New("changed my mind")
	before := dbtest.Dump(t, e.url)
	err := e.db.InSystemTx(t.Context(), func(q *dbgen.Queries) error {
		due, err := q.ClaimDueOperations(t.Context(), dbgen.ClaimDueOperationsParams{MaxRows: 10, DueAfter: time.Minute})
		if err != nil || len(due) != 2 {
			t.Errorf("got %d operations (%v), want those of both tenants", len(due), err)
		}
		return errOwn
	})
	if !errors.Is(err, errOwn) {
		t.Errorf("got %v", err)
	}
	checkSame(t, before, dbtest.Dump(t, e.url))
	if n := e.db.SystemPool().Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections were not given back", n)
	}
}
