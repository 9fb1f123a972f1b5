package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
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
	// MaxConns is the maximum size of the tenant pool. The system pool gets a quarter of it, at least 2;
	// the keys of customers have 2 more connections. 0: 10.
	MaxConns int32
	// SystemURL names the same database with the login of the system pool. "": the url of Open.
	SystemURL string
	// ConnectTimeout limits one attempt to connect. 0: 5 seconds.
	ConnectTimeout time.Duration
}

// connectTimeout limits one attempt to connect, unless Options say otherwise.
const connectTimeout = 5 * time.Second

var errDatabaseURL = errors.New("DATABASE_URL is not a PostgreSQL URL, such as " +
	"postgres://user:password@host:5432/contextvault")

var errSystemURL = errors.New("SYSTEM_DATABASE_URL is not a PostgreSQL URL, such as " +
	"postgres://user:password@host:5432/contextvault")

// DB holds one pool per role. It is safe for concurrent use.
type DB struct {
	app    *pgxpool.Pool
	system *pgxpool.Pool
	keys   *pgxpool.Pool // reads and makes the keys of customers, see customer_keys.go
	pooled bool          // behind a pooler, see pooler.go
	turns  *turns.Turns  // of the connections of app

	keyObserversMu sync.Mutex
	keyObservers   []*customerKeys
}

// Open connects to the database at url. It returns an error if the schema is missing or older than this program, or
// if a login could see more than its role may: a superuser, the owner of the tables, or one that bypasses row-level
// security.
//
// The login of the url must be a member of vault_app, and that of Options.SystemURL of vault_system. Without a
// SystemURL one login is a member of both.
func Open(ctx context.Context, url string, opts Options) (*DB, error) {
	if opts.MaxConns == 0 {
		opts.MaxConns = 10
	}
	if opts.ConnectTimeout == 0 {
		opts.ConnectTimeout = connectTimeout
	}
	app := login{variable: "DATABASE_URL", role: roleApp, separate: opts.SystemURL != ""}
	system := login{variable: "DATABASE_URL", role: roleSystem}
	if app.separate {
		system.variable = "SYSTEM_DATABASE_URL"
	}
	var err error
	if app.config, err = poolConfig(url, opts.ConnectTimeout); err != nil {
		return nil, errDatabaseURL
	}
	if system.config, err = poolConfig(cmp.Or(opts.SystemURL, url), opts.ConnectTimeout); err != nil {
		return nil, errSystemURL
	}
	pooled, err := behindPooler(ctx, app.config.ConnConfig)
	if err == nil && app.separate && !pooled {
		pooled, err = behindPooler(ctx, system.config.ConnConfig)
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	appPool, err := app.open(ctx, opts.MaxConns, pooled)
	if err != nil {
		return nil, err
	}
	systemPool, err := system.open(ctx, max(2, opts.MaxConns/4), pooled)
	if err != nil {
		appPool.Close()
		return nil, err
	}
	keyPool, err := app.pool(ctx, keyConns, pooled)
	if err != nil {
		appPool.Close()
		systemPool.Close()
		return nil, err
	}
	d := &DB{app: appPool, system: systemPool, keys: keyPool, pooled: pooled, turns: turns.New(int(opts.MaxConns))}
	if err := d.checkSchema(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func poolConfig(url string, connectTimeout time.Duration) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.ConnConfig.ConnectTimeout = connectTimeout
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "contextvault"
	}
	return cfg, nil
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

// pool makes a pool, which connects when it is used.
func (l login) pool(ctx context.Context, maxConns int32, pooled bool) (*pgxpool.Pool, error) {
	cfg := l.config.Copy()
	cfg.MaxConns = maxConns
	if pooled {
		useNoSession(cfg.ConnConfig)
	} else {
		cfg.ConnConfig.RuntimeParams["role"] = l.role
		// Every statement is short. What PostgreSQL expects of a search for customers, whose limits it does not know when
		// it plans, would have it compile the search, which takes longer than the search.
		cfg.ConnConfig.RuntimeParams["jit"] = "off"
	}
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if err := l.check(ctx, conn, pooled); err != nil {
			return err
		}
		return pgvector.RegisterTypes(ctx, conn)
	}
	cfg.ConnConfig.Tracer = newTracer()
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database as %s: %w", l.role, err)
	}
	return pool, nil
}

// open makes a pool and its first connection.
func (l login) open(ctx context.Context, maxConns int32, pooled bool) (*pgxpool.Pool, error) {
	pool, err := l.pool(ctx, maxConns, pooled)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		if errors.Is(err, errRole) || errors.Is(err, errStatementMode) {
			return nil, err
		}
		return nil, fmt.Errorf("open database as %s (if the role is missing, or the login of %s is not its member: %s): %w",
			l.role, l.variable, loginsHint, err)
	}
	return pool, nil
}

// Close waits until all connections are idle and closes them.
func (d *DB) Close() {
	d.app.Close()
	d.system.Close()
	d.keys.Close()
}

// Ping returns an error if the database does not answer.
func (d *DB) Ping(ctx context.Context) error { return d.app.Ping(ctx) }
