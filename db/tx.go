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

// rollbackTimeout bounds a rollback, which ignores that the caller's context has ended.
const rollbackTimeout = 5 * time.Second

// InTx runs fn in one transaction that sees the rows of one tenant. It commits when fn returns nil and rolls back otherwise.
// fn must not call anything but PostgreSQL.
func (d *DB) InTx(ctx context.Context, tenant uuid.UUID, fn func(q *dbgen.Queries) error) error {
	// A tenant is a UUID, so its text is safe in SQL; BEGIN and the setting share a round trip.
	begin := "BEGIN; SELECT set_config('vault.tenant', '" + tenant.String() + "', true)"
	return inTx(ctx, d.app, pgx.TxOptions{BeginQuery: begin}, fn)
}

// InSystemTx runs fn in one transaction that sees the rows of all tenants.
func (d *DB) InSystemTx(ctx context.Context, fn func(q *dbgen.Queries) error) error {
	return inTx(ctx, d.system, pgx.TxOptions{}, fn)
}

func inTx(ctx context.Context, pool *pgxpool.Pool, opts pgx.TxOptions, fn func(q *dbgen.Queries) error) error {
	tx, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(ctx) // after a commit it does nothing
	}()
	if err := fn(dbgen.New(tx)); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
