package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	pgvector "github.com/pgvector/pgvector-go/pgx"

	"github.com/contextvault/contextvault/internal/turns"
)

// Database roles of the vault. The migrations create them. Neither bypasses row-level security.
const (
	roleApp    = "vault_app"    // sees one tenant at a time
	roleSystem = "vault_system" // sweeps, relay and purge: sees all tenants
)

// Options configure the pools. The zero value fits one process of a small deployment.
type Options struct {
	// MaxConns is the maximum size of the tenant pool. The system pool gets a quarter of it, at least 2. 0: 10.
	MaxConns int32
	// ConnectTimeout limits one attempt to connect. 0: 5 seconds.
	ConnectTimeout time.Duration
}

// connectTimeout limits one attempt to connect, unless Options say otherwise.
const connectTimeout = 5 * time.Second

var errDatabaseURL = errors.New("DATABASE_URL is not a PostgreSQL URL, such as " +
	"postgres://user:password@host:5432/contextvault")

// DB holds one pool per role. It is safe for concurrent use.
type DB struct {
	app    *pgxpool.Pool
	system *pgxpool.Pool
	pooled bool         // behind a pooler, see pooler.go
	turns  *turns.Turns // of the connections of app
}

// Open connects to the database at url. It returns an error if the schema is missing or older than this program. The
// login role of the url must be a member of vault_app and vault_system; the role that ran the migrations is.
func Open(ctx context.Context, url string, opts Options) (*DB, error) {
	if opts.MaxConns == 0 {
		opts.MaxConns = 10
	}
	if opts.ConnectTimeout == 0 {
		opts.ConnectTimeout = connectTimeout
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errDatabaseURL
	}
	cfg.ConnConfig.ConnectTimeout = opts.ConnectTimeout
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "contextvault"
	}
	pooled, err := behindPooler(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	app, err := openPool(ctx, cfg, roleApp, opts.MaxConns, pooled)
	if err != nil {
		return nil, err
	}
	system, err := openPool(ctx, cfg, roleSystem, max(2, opts.MaxConns/4), pooled)
	if err != nil {
		app.Close()
		return nil, err
	}
	d := &DB{app: app, system: system, pooled: pooled, turns: turns.New(int(opts.MaxConns))}
	if err := d.checkSchema(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// checkSchema returns an error if the schema is older than this program: its steps would fail. A newer schema is valid,
// because the schema is upgraded before the programs.
func (d *DB) checkSchema(ctx context.Context) error {
	has, err := d.schemaVersion(ctx)
	if err != nil {
		return err
	}
	if needs := newestVersion(); has < needs {
		return fmt.Errorf(
			"the database schema is at version %d and this program needs %d: run `vault migrate up`",
			has,
			needs,
		)
	}
	return nil
}

// schemaVersion returns the version of the newest applied migration.
func (d *DB) schemaVersion(ctx context.Context) (version int64, err error) {
	const query = "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied"
	err = d.systemConn().QueryRow(ctx, query).Scan(&version)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == insufficientPrivilege {
		return 0, fmt.Errorf("read the version of the database schema as %s: %w: the database lost its grants. %s",
			roleSystem, err, repairHint)
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of the database schema (run `vault migrate up` if it is missing): %w", err)
	}
	return version, nil
}

func openPool(
	ctx context.Context, base *pgxpool.Config, role string, maxConns int32, pooled bool,
) (*pgxpool.Pool, error) {
	cfg := base.Copy()
	cfg.MaxConns = maxConns
	if pooled {
		useNoSession(cfg.ConnConfig)
	} else {
		cfg.ConnConfig.RuntimeParams["role"] = role
	}
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if err := checkRole(ctx, conn, role, pooled); err != nil {
			return err
		}
		return pgvector.RegisterTypes(ctx, conn)
	}
	cfg.ConnConfig.Tracer = newTracer()
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database as %s: %w", role, err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		if errors.Is(err, errRole) || errors.Is(err, errStatementMode) {
			return nil, err
		}
		return nil, fmt.Errorf("open database as %s (run `vault migrate up` if the role is missing): %w", role, err)
	}
	return pool, nil
}

// errRole reports a connection with another role than the vault asked for.
var errRole = errors.New("the connection has the wrong role")

// checkRole verifies that the queries of a new connection have the role that row-level security relies on. A proxy that
// drops the startup parameter role gives a connection of the login role, which may see the rows of all tenants.
func checkRole(ctx context.Context, conn *pgx.Conn, role string, pooled bool) error {
	var current string
	var bypasses bool
	err := inRole(ctx, conn, role, pooled, func(row func(sql string, args ...any) pgx.Row) error {
		return row("SELECT r.rolname, r.rolsuper OR r.rolbypassrls FROM pg_roles r WHERE r.rolname = current_user",
			pgx.QueryExecModeExec).Scan(&current, &bypasses)
	})
	if err != nil {
		return fmt.Errorf("read the role of the connection: %w", err)
	}
	switch {
	case current != role:
		return fmt.Errorf("%w: it is %s, and the vault asked for %s. A proxy between the vault and PostgreSQL dropped the "+
			"startup parameter role, so tenants would not be separated: connect to PostgreSQL itself, or to PgBouncer",
			errRole, current, role)
	case bypasses:
		return fmt.Errorf("%w: %s is a superuser or bypasses row-level security, so tenants would not be separated: run "+
			"ALTER ROLE %s NOSUPERUSER NOBYPASSRLS", errRole, role, role)
	default:
		return nil
	}
}

// Close waits until all connections are idle and closes them.
func (d *DB) Close() {
	d.app.Close()
	d.system.Close()
}

// Ping returns an error if the database does not answer.
func (d *DB) Ping(ctx context.Context) error { return d.app.Ping(ctx) }
