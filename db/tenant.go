package db

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/turns"
)

// setTenant sets the variable that row-level security reads. Behind a pooler, the role is set as well. All of it is
// local to the transaction. A batch outside of a transaction is one transaction, so the connection is clean afterwards.
const (
	setTenant       = "SELECT set_config('vault.tenant', $1, true)"
	setTenantPooled = "SELECT set_config('role', '" + roleApp + "', true), set_config('vault.tenant', $1, true)"
	setSystemPooled = "SELECT set_config('role', '" + roleSystem + "', true)"
)

// Tenant returns queries that see only the rows of one tenant. Each query is one round trip. The queries and
// transactions of one tenant use at most three quarters of the connections of this process, so that a tenant with many
// slow ones holds up no other.
func (d *DB) Tenant(tenant uuid.UUID) *dbgen.Queries { return dbgen.New(d.tenantConn(tenant)) }

func (d *DB) tenantConn(tenant uuid.UUID) dbgen.DBTX {
	set := setTenant
	if d.pooled {
		set = setTenantPooled
	}
	return localConn{pool: d.app, set: set, args: []any{tenant.String()}, turns: d.turns, tenant: tenant.String()}
}

// System returns queries that see the rows of all tenants. Sweeps, the relay and the purge use it.
func (d *DB) System() *dbgen.Queries { return dbgen.New(d.systemConn()) }

func (d *DB) systemConn() dbgen.DBTX {
	if d.pooled {
		return localConn{pool: d.system, set: setSystemPooled}
	}
	return d.system
}

// localConn sends a query that sets something for the transaction, and the query itself, in one batch.
type localConn struct {
	pool *pgxpool.Pool
	set  string
	args []any // of set

	turns  *turns.Turns // of the connections; nil: no tenant shares them
	tenant string
}

// acquire waits for the tenant's turn to use a connection. release is called once the connection is free.
func (c localConn) acquire(ctx context.Context) (release func(), err error) {
	if c.turns == nil {
		return func() {}, nil
	}
	if err := c.turns.Acquire(ctx, c.tenant); err != nil {
		return nil, fmt.Errorf("wait for a connection: %w", err)
	}
	return func() { c.turns.Release(c.tenant) }, nil
}

// turnResults are the results of a batch that frees the tenant's turn when they are closed.
type turnResults struct {
	pgx.BatchResults
	release func()
	closed  bool
}

func (r *turnResults) Close() error {
	err := r.BatchResults.Close()
	if !r.closed {
		r.closed = true
		r.release()
	}
	return err
}

func (c localConn) send(ctx context.Context, sql string, args []any) (pgx.BatchResults, error) {
	batch := &pgx.Batch{}
	batch.Queue(c.set, c.args...)
	batch.Queue(sql, args...)
	release, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	results := &turnResults{BatchResults: c.pool.SendBatch(ctx, batch), release: release}
	if _, err := results.Exec(); err != nil {
		_ = results.Close()
		return nil, err
	}
	return results, nil
}

// Exec implements dbgen.DBTX.
func (c localConn) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	results, err := c.send(ctx, sql, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return tag, err
}

// Query implements dbgen.DBTX.
func (c localConn) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := c.send(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query() //nolint:rowserrcheck // the caller checks it
	if err != nil {
		_ = results.Close()
		return nil, err
	}
	return &batchRows{Rows: rows, results: results}, nil
}

// QueryRow implements dbgen.DBTX.
func (c localConn) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	results, err := c.send(ctx, sql, args)
	if err != nil {
		return failedRow{err}
	}
	return batchRow{results: results}
}

// batchRows returns the connection to the pool when the rows are closed.
type batchRows struct {
	pgx.Rows
	results  pgx.BatchResults
	closeErr error
}

func (r *batchRows) Close() {
	r.Rows.Close()
	if err := r.results.Close(); err != nil && r.closeErr == nil {
		r.closeErr = err
	}
}

func (r *batchRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *batchRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.closeErr
}

type batchRow struct{ results pgx.BatchResults }

func (r batchRow) Scan(dest ...any) error {
	err := r.results.QueryRow().Scan(dest...)
	if closeErr := r.results.Close(); err == nil {
		err = closeErr
	}
	return err
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
