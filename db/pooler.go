package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Behind a pooler such as PgBouncer, each transaction may run on another connection of the server, so nothing may be
// kept in a session:
//
//   - the role is set in the round trip of each query or transaction, as the tenant is, and not once for a connection;
//   - queries use no prepared statements of the server;
//   - no connection listens, so that waiting callers poll.
//
// The same holds for PgBouncer's session mode, which cannot be told from its transaction mode.

// listenPoll is the interval at which waiting callers poll behind a pooler.
const listenPoll = 250 * time.Millisecond

// errStatementMode reports a pooler that has no transactions.
var errStatementMode = errors.New("the pooler between the vault and PostgreSQL allows no transactions: set its pool_mode " +
	"to transaction or session")

// behindPooler reports whether a pooler is between the vault and PostgreSQL: it answers with a process id of its own.
func behindPooler(ctx context.Context, cfg *pgx.ConnConfig) (bool, error) {
	conn, err := pgx.ConnectConfig(ctx, cfg.Copy())
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var pid uint32
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid)
	return pid != conn.PgConn().PID(), err
}

// execModeParameter is the parameter of the database URL with pgx's mode of queries.
const execModeParameter = "default_query_exec_mode"

// useNoSession makes connections work behind any pooler. A mode in the database URL stays: a pooler that supports
// prepared statements (PgBouncer 1.21 with max_prepared_statements) works with cache_statement.
func useNoSession(cfg *pgx.ConnConfig) {
	if !strings.Contains(cfg.ConnString(), execModeParameter) {
		cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
}

// inRole runs fn with a query function that has the role as the queries of the pools do.
func inRole(
	ctx context.Context, conn *pgx.Conn, role string, pooled bool,
	fn func(row func(sql string, args ...any) pgx.Row) error,
) error {
	if !pooled {
		return fn(func(sql string, args ...any) pgx.Row { return conn.QueryRow(ctx, sql, args...) })
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: "BEGIN; " + setLocalRole(role)})
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == protocolViolation {
		return errStatementMode
	}
	if err != nil {
		return fmt.Errorf("set the role %s (run `vault migrate up` if it is missing): %w", role, err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	return fn(func(sql string, args ...any) pgx.Row { return tx.QueryRow(ctx, sql, args...) })
}

// setLocalRole returns the statement that sets one of the vault's roles for a transaction.
func setLocalRole(role string) string { return "SET LOCAL ROLE " + role }
