package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	pgvector "github.com/pgvector/pgvector-go/pgx"
)

// Roles under which the vault works. Migrations make them; neither bypasses row-level security.
const (
	roleApp    = "vault_app"    // sees one tenant at a time
	roleSystem = "vault_system" // sweeps, relay and purge: sees all tenants
)

// Options tune the pools. The zero value is good for one process of a small deployment.
type Options struct {
	// MaxConns is the most connections of the tenant pool; the system pool has a quarter of it, at least 2. 0: 10.
	MaxConns int32
	// ConnectTimeout bounds one attempt to connect. 0: 5 seconds.
	ConnectTimeout time.Duration
}

// DB holds one pool per role. It is safe for concurrent use.
type DB struct {
	app    *pgxpool.Pool
	system *pgxpool.Pool
}

// Open connects to the database in url and checks that its schema is there and new enough. The login role of the url must be a member of
// vault_app and vault_system, as whoever ran the migrations is.
func Open(ctx context.Context, url string, opts Options) (*DB, error) {
	if opts.MaxConns == 0 {
		opts.MaxConns = 10
	}
	if opts.ConnectTimeout == 0 {
		opts.ConnectTimeout = 5 * time.Second
	}
	app, err := openPool(ctx, url, roleApp, opts.MaxConns, opts.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	system, err := openPool(ctx, url, roleSystem, max(2, opts.MaxConns/4), opts.ConnectTimeout)
	if err != nil {
		app.Close()
		return nil, err
	}
	d := &DB{app: app, system: system}
	if err := d.checkSchema(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// checkSchema refuses a database whose schema is older than this program, whose steps would fail in it one by one. A newer one is
// welcome: the schema is upgraded before the programs are.
func (d *DB) checkSchema(ctx context.Context) error {
	var has int64
	err := d.system.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&has)
	if err != nil {
		return fmt.Errorf("read the version of the database's schema (has `vault migrate up` been run?): %w", err)
	}
	if needs := newestVersion(); has < needs {
		return fmt.Errorf("the database's schema is at version %d and this program needs %d: run `vault migrate up`", has, needs)
	}
	return nil
}

func openPool(ctx context.Context, url, role string, maxConns int32, timeout time.Duration) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL is not a PostgreSQL URL, such as postgres://user:password@host:5432/contextvault")
	}
	cfg.MaxConns = maxConns
	cfg.ConnConfig.ConnectTimeout = timeout
	cfg.ConnConfig.RuntimeParams["role"] = role
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "contextvault"
	}
	cfg.AfterConnect = pgvector.RegisterTypes
	cfg.ConnConfig.Tracer = newTracer()
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database as %s: %w", role, err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database as %s (has `vault migrate up` been run?): %w", role, err)
	}
	return pool, nil
}

// Close waits for the connections in use and closes all.
func (d *DB) Close() {
	d.app.Close()
	d.system.Close()
}

// Ping tells whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.app.Ping(ctx) }
