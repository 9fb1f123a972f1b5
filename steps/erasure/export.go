package erasure

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/personal"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Exports records the exports of customers.
type Exports struct {
	Once once.Runner
	Now  func() time.Time
	// For is how long an export can be fetched.
	For time.Duration
}

// RecordExport records that an export of a customer was asked for, and counts what it will have. The export itself is
// made from one snapshot when it is fetched (query.ExportCustomer): so nothing of the customer lies anywhere else.
func (s Exports) RecordExport(ctx context.Context, ev vault.Event) (Stage, error) {
	err := once.Staged(ctx, s.Once, ev, func(tx pgx.Tx, op dbgen.Operation, in vault.ExportCustomerInput) error {
		if err := personal.Check(ctx, tx); err != nil {
			return err
		}
		scope, err := personal.Locate(ctx, tx, s.Once.Sealer, ev.TenantID, in.CustomerID, ev.OperationID, false)
		if err != nil {
			return err
		}
		q := dbgen.New(tx)
		// After the reads: an erasure commits its tombstones before it removes rows.
		if err := db.CheckErased(ctx, q, s.Once.Sealer, ev.TenantID, in.CustomerID); err != nil {
			return err
		}
		if scope.Empty() {
			return vault.Unknown("customer", in.CustomerID)
		}
		counts, err := personal.Count(ctx, tx, scope)
		if err != nil {
			return err
		}
		encoded, err := json.Marshal(counts)
		if err != nil {
			return fmt.Errorf("encode the counts of export %s: %w", ev.OperationID, err)
		}
		return q.InsertCustomerExport(ctx, dbgen.InsertCustomerExportParams{
			ID: ev.OperationID, TenantID: ev.TenantID, CustomerID: in.CustomerID, Counts: encoded,
			ExpiresAt: db.UTC(s.Now().Add(s.For)),
		})
	})
	return Stage{}, err
}

// AnnounceExport makes an export available.
func (s Exports) AnnounceExport(
	ctx context.Context, ev vault.Event,
) (once.Stored[vault.ExportCustomerResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, _ dbgen.Operation, in vault.ExportCustomerInput,
	) (vault.ExportCustomerResult, error) {
		out := vault.ExportCustomerResult{ExportID: ev.OperationID, CustomerID: in.CustomerID}
		row, err := q.GetCustomerExport(ctx, ev.TenantID, ev.OperationID)
		if err != nil {
			return out, db.WrapNotFound(err, "export", ev.OperationID)
		}
		out.ExpiresAt = row.ExpiresAt.UTC()
		if err := json.Unmarshal(row.Counts, &out.Rows); err != nil {
			return out, fmt.Errorf("read the counts of export %s: %w", ev.OperationID, err)
		}
		return out, nil
	})
}
