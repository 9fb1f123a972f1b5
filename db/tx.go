package db

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/contextvault/contextvault/db/dbgen"
)

// rollbackTimeout limits a rollback. A rollback ignores the end of the caller's context.
const rollbackTimeout = 5 * time.Second

// InTx runs fn in one transaction that sees only the rows of one tenant. It commits if fn returns nil, and rolls back
// otherwise. fn must not call any other service: the transaction holds locks and a connection.
func (d *DB) InTx(ctx context.Context, tenant uuid.UUID, fn func(q *dbgen.Queries) error) error {
	return d.InTenantTx(ctx, tenant, pgx.TxOptions{}, func(tx pgx.Tx) error { return fn(dbgen.New(tx)) })
}

// InTenantTx is InTx for queries that are made from a list of tables (package personal). opts may be those of a
// snapshot: repeatable read, read only.
func (d *DB) InTenantTx(ctx context.Context, tenant uuid.UUID, opts pgx.TxOptions, fn func(tx pgx.Tx) error) error {
	// The text of a UUID is safe in SQL. BEGIN and the settings share a round trip.
	begin := "BEGIN"
	if opts.IsoLevel != "" {
		begin += " ISOLATION LEVEL " + string(opts.IsoLevel)
	}
	if opts.AccessMode != "" {
		begin += " " + string(opts.AccessMode)
	}
	begin += "; SELECT set_config('vault.tenant', '" + tenant.String() + "', true)"
	if d.pooled {
		begin += "; " + setLocalRole(roleApp)
	}
	if err := d.turns.Acquire(ctx, tenant.String()); err != nil {
		return fmt.Errorf("wait for a connection: %w", err)
	}
	defer d.turns.Release(tenant.String())
	return inTx(ctx, d.app, pgx.TxOptions{BeginQuery: begin}, fn)
}

// InSystemTx runs fn in one transaction that sees the rows of all tenants.
func (d *DB) InSystemTx(ctx context.Context, fn func(q *dbgen.Queries) error) error {
	var opts pgx.TxOptions
	if d.pooled {
		opts.BeginQuery = "BEGIN; " + setLocalRole(roleSystem)
	}
	return inTx(ctx, d.system, opts, func(tx pgx.Tx) error { return fn(dbgen.New(tx)) })
}

func inTx(ctx context.Context, pool *pgxpool.Pool, opts pgx.TxOptions, fn func(tx pgx.Tx) error) error {
	tx, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(ctx) // no effect after a commit
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
