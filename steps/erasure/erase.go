package erasure

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/personal"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/steps/upkeep"
	"github.com/contextvault/contextvault/vault"
)

// Erasure erases customers. Each step is idempotent, and the row of the erasure says how far it has come, so a run that
// was killed goes on where it stopped:
//
//  1. Begin hides the customer from readers, adds the tombstones and stores the ids to erase;
//  2. EndWork ends the unfinished operations of the customer;
//  3. Erase removes all rows in one transaction;
//  4. Scan empties the cache, and searches all tables and Redis for what was erased;
//  5. Finish signs the receipt and removes the ids.
type Erasure struct {
	Once   once.Runner
	Cache  *cache.Cache
	Caches upkeep.Caches
	Now    func() time.Time
}

// Stage is the output of a step of an erasure: the state of the erasure after it.
type Stage struct {
	once.NoEffect

	State vault.ErasureState `json:"state"`
}

// Begin hides the customer from readers. From its commit on, nothing can be stored for the customer: the tombstones
// reject it.
func (s Erasure) Begin(ctx context.Context, ev vault.Event) (Stage, error) {
	if _, err := s.Once.Get(ctx, s.Once.DB.Tenant(ev.TenantID), ev); err != nil {
		return Stage{}, err
	}
	// In a transaction of its own: the one below may wait for a customer, and other erasures would wait for the keys.
	if _, err := db.EnsureErasureKey(ctx, s.Once.DB.Tenant(ev.TenantID), s.Once.Sealer, ev.TenantID); err != nil {
		return Stage{}, err
	}
	return s.stage(ctx, ev, "", func(
		tx pgx.Tx, q *dbgen.Queries, in vault.EraseCustomerInput, _ *dbgen.Erasure, _ *personal.Scope,
	) error {
		if err := personal.Check(ctx, tx); err != nil {
			return err
		}
		scope, err := personal.Locate(ctx, tx, s.Once.Sealer, ev.TenantID, in.CustomerID, ev.OperationID, true)
		if err != nil {
			return err
		}
		// A second erasure waited for the locks of the profiles, and finds the tombstone of the first.
		if err := db.CheckErased(ctx, q, s.Once.Sealer, ev.TenantID, in.CustomerID); err != nil {
			return err
		}
		if scope.Empty() {
			return vault.Unknown("customer", in.CustomerID)
		}
		encoded, err := json.Marshal(scope)
		if err != nil {
			return fmt.Errorf("encode the scope of erasure %s: %w", ev.OperationID, err)
		}
		err = q.InsertErasure(ctx, dbgen.InsertErasureParams{
			ID: ev.OperationID, TenantID: ev.TenantID, Derived: string(in.DerivedOrDefault()), Scope: encoded,
		})
		if err != nil {
			return err
		}
		err = db.AddTombstones(ctx, q, s.Once.Sealer, ev.TenantID, ev.OperationID, scope.Tombstones())
		if err != nil {
			return err
		}
		return s.hide(ctx, q, scope)
	})
}

// hide ends what readers and conversations see of the customer.
func (s Erasure) hide(ctx context.Context, q *dbgen.Queries, scope personal.Scope) error {
	if err := q.HideProfiles(ctx, scope.Tenant, once.NonNil(scope.Profiles)); err != nil {
		return err
	}
	if err := q.CancelCustomerQuestions(ctx, scope.Tenant, scope.Customers); err != nil {
		return err
	}
	if err := q.EndCustomerFills(ctx, scope.Tenant, scope.Customers); err != nil {
		return err
	}
	var touched once.Touched
	if err := touched.Profiles(ctx, q, once.NonNil(scope.Shown)); err != nil {
		return err
	}
	return touched.Chains(ctx, q, once.NonNil(scope.Items))
}

// EndWork ends the unfinished operations of the customer: their runs find nothing to do. It waits for those that run
// now.
func (s Erasure) EndWork(ctx context.Context, ev vault.Event) (Stage, error) {
	var ended []dbgen.ListUnfinishedOperationsRow
	out, err := s.stage(ctx, ev, vault.ErasureBegun, func(
		tx pgx.Tx, q *dbgen.Queries, _ vault.EraseCustomerInput, _ *dbgen.Erasure, scope *personal.Scope,
	) (err error) {
		if err := scope.Refresh(ctx, tx, s.Once.Sealer); err != nil {
			return err
		}
		ended, err = q.ListUnfinishedOperations(ctx, ev.TenantID, once.NonNil(scope.Operations))
		return err
	})
	if err != nil {
		return out, err
	}
	cause := db.Erased{ErasureID: ev.OperationID}.Error("customer_id")
	for _, op := range ended { // each in a transaction of its own: a running step holds the lock of its operation
		err := s.Once.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
			_, err := once.MarkFailed(ctx, q, vault.Event{
				OperationID: op.ID, TenantID: ev.TenantID, Push: op.Attempts,
			}, cause)
			return err
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// Erase removes the rows of the customer in one transaction, so a worker that is killed leaves either all or none. The
// values are known only to this transaction: it searches what stays for them, and counts what it finds.
func (s Erasure) Erase(ctx context.Context, ev vault.Event) (Stage, error) {
	return s.stage(ctx, ev, vault.ErasureBegun, func(
		tx pgx.Tx, q *dbgen.Queries, _ vault.EraseCustomerInput, row *dbgen.Erasure, scope *personal.Scope,
	) error {
		if err := personal.Check(ctx, tx); err != nil {
			return err
		}
		if err := scope.Refresh(ctx, tx, s.Once.Sealer); err != nil {
			return err
		}
		canaries, err := personal.Canaries(ctx, tx, s.Once.Sealer, *scope)
		if err != nil {
			return err
		}
		derived, err := personal.EraseDerived(ctx, tx, *scope, vault.DerivedAction(row.Derived))
		if err != nil {
			return err
		}
		var touched once.Touched
		if len(derived.Profiles) > 0 {
			if err := touched.Profiles(ctx, q, derived.Profiles); err != nil {
				return err
			}
			if err := touched.Chains(ctx, q, derived.Items); err != nil {
				return err
			}
		}
		counts, err := personal.Erase(ctx, tx, *scope)
		if err != nil {
			return err
		}
		mentions, err := personal.Mentions(ctx, tx, ev.TenantID, ev.OperationID, canaries)
		if err != nil {
			return err
		}
		if err := s.eraseShared(ctx, tx, *scope, counts); err != nil {
			return err
		}
		return advance(ctx, q, row, vault.ErasureErased, scope, counts, mentions)
	})
}

// eraseShared removes the customer from the operations that hold others as well, and counts those.
func (s Erasure) eraseShared(ctx context.Context, tx pgx.Tx, scope personal.Scope, counts map[string]int64) error {
	n, err := personal.EraseShared(ctx, tx, s.Once.Sealer, scope)
	if n > 0 {
		counts["operations"] += n
	}
	return err
}

// scanRounds bounds how often a scan erases what was stored during the erasure.
const scanRounds = 3

// Scan empties the cache, and searches all tables of the tenant and all its keys in Redis for what was erased. It
// erases what an operation stored while the erasure began, and searches again. It fails while Redis does not answer.
func (s Erasure) Scan(ctx context.Context, ev vault.Event) (Stage, error) {
	if _, err := s.Caches.FlushPending(ctx); err != nil {
		return Stage{}, err
	}
	return s.stage(ctx, ev, vault.ErasureErased, func(
		tx pgx.Tx, q *dbgen.Queries, _ vault.EraseCustomerInput, row *dbgen.Erasure, scope *personal.Scope,
	) error {
		if err := personal.Check(ctx, tx); err != nil {
			return err
		}
		counts, mentions, err := countsOf(row)
		if err != nil {
			return err
		}
		for round := range scanRounds {
			found, tables, err := personal.Scan(ctx, tx, *scope)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				report := scanned{Tables: tables}
				if report.Keys, err = s.scanCache(ctx, *scope); err != nil {
					return err
				}
				return advanceScanned(ctx, q, row, scope, counts, mentions, report)
			}
			if round == scanRounds-1 {
				return incomplete(found)
			}
			if err := scope.Refresh(ctx, tx, s.Once.Sealer); err != nil {
				return err
			}
			more, err := personal.Erase(ctx, tx, *scope)
			if err != nil {
				return err
			}
			if err := s.eraseShared(ctx, tx, *scope, more); err != nil {
				return err
			}
			for table, n := range more {
				counts[table] += n
			}
		}
		return nil
	})
}

// scanned is what a scan searched. It is stored with the scope until the receipt is signed.
type scanned struct {
	Tables []string `json:"tables"`
	Keys   int64    `json:"keys"`
}

// scanCache removes the keys of the customer from Redis, and searches the keys of the tenant for its ids.
func (s Erasure) scanCache(ctx context.Context, scope personal.Scope) (int64, error) {
	for _, customer := range scope.Customers {
		if err := s.Cache.Drop(ctx, cache.ProfileKey(scope.Tenant, customer)); err != nil {
			return 0, err
		}
	}
	for _, item := range scope.Items {
		if err := s.Cache.Drop(ctx, cache.ChainKey(scope.Tenant, item)); err != nil {
			return 0, err
		}
	}
	ids := scope.IDs()
	needles := make([]string, len(ids))
	for i, id := range ids {
		needles[i] = id.String()
	}
	keys, found, err := s.Cache.Search(ctx, scope.Tenant, needles)
	if err != nil {
		return keys, err
	}
	if found > 0 {
		return keys, fmt.Errorf("the erasure is incomplete: %d keys in Redis name the customer", found)
	}
	return keys, nil
}

func incomplete(found []personal.Found) error {
	places := make([]string, len(found))
	for i, f := range found {
		places[i] = fmt.Sprintf("%s (%d rows)", f.Table, f.Rows)
	}
	return fmt.Errorf("the erasure is incomplete: the scan found the customer in %s", strings.Join(places, ", "))
}

// Finish signs the receipt, removes the ids of the customer, and erases the payload of its own operation.
func (s Erasure) Finish(ctx context.Context, ev vault.Event) (once.Applied[vault.EraseResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.EraseCustomerInput,
	) (vault.EraseResult, error) {
		out := vault.EraseResult{ErasureID: ev.OperationID}
		row, err := q.GetErasure(ctx, ev.TenantID, ev.OperationID)
		if err != nil {
			return out, err
		}
		if row.State != string(vault.ErasureScanned) {
			return out, errNotScanned
		}
		var report scanned
		if err := json.Unmarshal(row.Scope, &report); err != nil {
			return out, fmt.Errorf("read the scan of erasure %s: %w", ev.OperationID, err)
		}
		rows, mentions, err := countsOf(&row)
		if err != nil {
			return out, err
		}
		if out.Rows = rows; len(mentions) > 0 {
			out.Mentions = mentions
		}
		salt := make([]byte, 16)
		if _, err := rand.Read(salt); err != nil {
			return out, fmt.Errorf("make the salt of the receipt: %w", err)
		}
		finished := db.UTC(s.Now())
		receipt := vault.ErasureReceipt{
			ErasureID: ev.OperationID, TenantID: ev.TenantID, Salt: hex.EncodeToString(salt), Rows: rows,
			Mentions: mentions, Scanned: report.Tables, CacheKeys: report.Keys,
			Derived: vault.DerivedAction(row.Derived), BegunAt: row.BegunAt.UTC(), FinishedAt: finished,
		}
		receipt.Customer = vault.Commitment(receipt.Salt, in.CustomerID)
		key, err := db.EnsureErasureKey(ctx, q, s.Once.Sealer, ev.TenantID)
		if err != nil {
			return out, err
		}
		signed, err := db.SignReceipt(ctx, s.Once.Sealer, key, receipt)
		if err != nil {
			return out, err
		}
		err = q.FinishErasure(ctx, dbgen.FinishErasureParams{
			TenantID: ev.TenantID, ID: ev.OperationID, Receipt: &signed, FinishedAt: &finished,
		})
		if err != nil {
			return out, err
		}
		if err := db.InsertAuditEntries(ctx, q, []vault.AuditEntry{{
			ID: uuid.Must(uuid.NewV7()), TenantID: ev.TenantID, At: time.Now().UTC(), Action: vault.AuditErased,
			Actor: vault.Actor(op.Actor), Operation: op.Workflow, OperationID: &op.ID, Subject: in.CustomerID.String(),
		}}); err != nil {
			return out, err
		}
		payload, err := s.Once.Sealer.OpenBytes(ctx, ev.TenantID, ev.OperationID, op.Payload)
		if err != nil {
			return out, err
		}
		t.Pending = true // earlier steps added pending invalidations
		return out, q.EraseOperation(ctx, dbgen.EraseOperationParams{
			TenantID: ev.TenantID, ID: ev.OperationID, KeepKey: true, Payload: db.PayloadMark(ev.OperationID, payload),
		})
	})
}

var errNotScanned = errors.New("the erasure was not scanned: its earlier steps have to run first")

// stage runs a step of an erasure in one transaction with its row. from is the state in which the step works: in a
// later one it was done before.
func (s Erasure) stage(
	ctx context.Context, ev vault.Event, from vault.ErasureState,
	step func(tx pgx.Tx, q *dbgen.Queries, in vault.EraseCustomerInput, row *dbgen.Erasure, scope *personal.Scope) error,
) (Stage, error) {
	var out Stage
	err := once.Staged(ctx, s.Once, ev, func(tx pgx.Tx, _ dbgen.Operation, in vault.EraseCustomerInput) error {
		q := dbgen.New(tx)
		row, err := q.GetErasure(ctx, ev.TenantID, ev.OperationID)
		missing := db.IsNotFound(err)
		switch {
		case err != nil && !missing:
			return err
		case missing && from != "":
			return errNotBegun
		case !missing && row.State != string(from):
			out.State = vault.ErasureState(row.State) // done before
			return nil
		}
		scope := personal.Scope{}
		if !missing {
			if err := json.Unmarshal(row.Scope, &scope); err != nil {
				return fmt.Errorf("read the scope of erasure %s: %w", ev.OperationID, err)
			}
		}
		scope.Tenant, scope.Self = ev.TenantID, ev.OperationID
		if err := step(tx, q, in, &row, &scope); err != nil {
			return err
		}
		out.State = vault.ErasureState(row.State)
		if missing {
			out.State = vault.ErasureBegun
		}
		return nil
	})
	return out, err
}

var errNotBegun = errors.New("the erasure has not begun: its first step has to run")

func countsOf(row *dbgen.Erasure) (counts, mentions map[string]int64, err error) {
	counts, mentions = map[string]int64{}, map[string]int64{}
	if err := errors.Join(json.Unmarshal(row.Counts, &counts), json.Unmarshal(row.Mentions, &mentions)); err != nil {
		return nil, nil, fmt.Errorf("read the counts of erasure %s: %w", row.ID, err)
	}
	return counts, mentions, nil
}

// advance records the next state of an erasure.
func advance(
	ctx context.Context, q *dbgen.Queries, row *dbgen.Erasure, state vault.ErasureState, scope any,
	counts, mentions map[string]int64,
) error {
	in := dbgen.AdvanceErasureParams{TenantID: row.TenantID, ID: row.ID, State: string(state)}
	for into, value := range map[*json.RawMessage]any{&in.Scope: scope, &in.Counts: counts, &in.Mentions: mentions} {
		encoded, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode the state of erasure %s: %w", row.ID, err)
		}
		*into = encoded
	}
	row.State = string(state)
	return q.AdvanceErasure(ctx, in)
}

func advanceScanned(
	ctx context.Context, q *dbgen.Queries, row *dbgen.Erasure, scope *personal.Scope, counts, mentions map[string]int64,
	report scanned,
) error {
	report.Tables = slices.Clone(report.Tables)
	return advance(ctx, q, row, vault.ErasureScanned, struct {
		*personal.Scope
		scanned
	}{scope, report}, counts, mentions)
}
