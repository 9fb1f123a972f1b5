package embedded

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/cmd/hatchet-migrate/migrate"
	"github.com/hatchet-dev/hatchet/pkg/config/database"
	"github.com/hatchet-dev/hatchet/pkg/config/loader"
	"github.com/hatchet-dev/hatchet/pkg/repository"
	"github.com/hatchet-dev/hatchet/pkg/repository/sqlcv1"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

const (
	// Advisory locks with two keys, which the engine does not use.
	lockSpace   = 0x68617463 // "hatc"
	lockEngine  = 1          // held while an engine runs: shared, or exclusive with Config.SingleEngine
	lockMigrate = 2

	// The default login that Hatchet's own seed creates. Its password is public.
	defaultEmail    = "admin@example.com"
	defaultPassword = "Admin123!!"
)

// lockTimeout is longer than an orderly shutdown of the last engine, which may still be in progress.
var lockTimeout = 15 * time.Second

// Prepare creates the database if it does not exist, and updates schema and seed to [EngineVersion]. Start does the
// same first. Call Prepare to make a template to clone, or to spend its time (2 s on an empty database) earlier.
func Prepare(ctx context.Context, databaseURL string) error {
	databaseURL = inUTC(databaseURL)
	if err := createDatabase(ctx, databaseURL); err != nil {
		return err
	}
	if err := migrateUp(ctx, databaseURL); err != nil {
		return err
	}
	layer, err := openLayer(databaseURL)
	if err != nil {
		return err
	}
	defer closePools(layer)
	_, err = seed(ctx, layer)
	return errors.Join(err, layer.Disconnect())
}

// openLayer opens Hatchet's database layer without an engine.
func openLayer(databaseURL string) (*database.Layer, error) {
	var layer *database.Layer
	err := withLoaderEnv(databaseURL, defaultLogLevel, func() (err error) {
		layer, err = loader.NewConfigLoader(os.DevNull).InitDataLayer() // no files
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("embedded: open database: %w", err)
	}
	return layer, nil
}

// closePools closes the connection pools that Disconnect leaves open.
func closePools(layer *database.Layer) {
	layer.Pool.Close()
	layer.DDLPool.Close()
}

// inUTC sets the time zone of every connection to UTC, which the engine requires.
func inUTC(databaseURL string) string {
	if u, err := url.Parse(databaseURL); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		q := u.Query()
		q.Set("timezone", "UTC")
		u.RawQuery = q.Encode()
		return u.String()
	}
	return databaseURL + " timezone=UTC"
}

// createDatabase creates the database that the URL names, unless it exists.
func createDatabase(ctx context.Context, databaseURL string) error {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return fmt.Errorf("embedded: database URL: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		return conn.Close(ctx)
	}
	if !hasCode(err, pgerrcode.InvalidCatalogName) {
		return fmt.Errorf("embedded: connect: %w", err)
	}

	name := config.Database
	config.Database = "postgres" // every server has it
	if conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return fmt.Errorf("embedded: database %q does not exist, and creating it failed: %w", name, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	// Another process may have created it first; PostgreSQL reports that with one of two codes.
	if err != nil && !hasCode(err, pgerrcode.DuplicateDatabase, pgerrcode.UniqueViolation) {
		return fmt.Errorf("embedded: create database %q (its role needs CREATEDB, or create it by hand): %w", name, err)
	}
	return nil
}

// migrateUp runs the engine's migrations, in one process at a time, because they take no lock of their own.
func migrateUp(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("embedded: connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // releases the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1, $2)", lockSpace, lockMigrate); err != nil {
		return fmt.Errorf("embedded: lock for migrations: %w", err)
	}
	if err := startVersionTable(ctx, conn); err != nil {
		return fmt.Errorf("embedded: %w", err)
	}

	// The migrations log through goose and set its base file system; both are process-wide.
	processWide.Lock()
	defer processWide.Unlock()
	goose.SetLogger(goose.NopLogger())
	defer goose.SetLogger(log.Default())
	defer goose.SetBaseFS(nil)
	if err := migrate.RunMigrations(ctx, migrate.WithDatabaseURL(databaseURL)); err != nil {
		return fmt.Errorf("embedded: migrate: %w", err)
	}
	return nil
}

// startVersionTable creates goose's version table in an empty database. RunMigrations would do the same, but would also
// print to standard output.
func startVersionTable(ctx context.Context, conn *pgx.Conn) error {
	const table = "goose_db_version"
	var empty bool
	err := conn.QueryRow(ctx, `
		SELECT NOT EXISTS (
			SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
		)`).Scan(&empty)
	if err != nil || !empty {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, migrate.CreateTable(table)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, migrate.InsertVersion(table), 0, true)
		return err
	})
}

// seed finds or creates the tenant. Hatchet's own seed would also create a login with a public password. seed creates
// no login, and if the database has that login, replaces its password with a random one.
func seed(ctx context.Context, layer *database.Layer) (*sqlcv1.Tenant, error) {
	tenant, err := layer.V1.Tenant().GetTenantBySlug(ctx, layer.Seed.DefaultTenantSlug)
	if isNotFound(err) {
		var id uuid.UUID
		if id, err = uuid.Parse(layer.Seed.DefaultTenantID); err != nil {
			return nil, fmt.Errorf("embedded: tenant id: %w", err)
		}
		tenant, err = layer.V1.Tenant().CreateTenant(ctx, &repository.CreateTenantOpts{
			ID: &id, Name: layer.Seed.DefaultTenantName, Slug: layer.Seed.DefaultTenantSlug,
		})
		if hasCode(err, pgerrcode.UniqueViolation) { // another engine created it first
			tenant, err = layer.V1.Tenant().GetTenantBySlug(ctx, layer.Seed.DefaultTenantSlug)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("embedded: seed tenant: %w", err)
	}
	if err := disableDefaultLogin(ctx, layer.V1.User()); err != nil {
		return nil, fmt.Errorf("embedded: change the password of the default login: %w", err)
	}
	return tenant, nil
}

// disableDefaultLogin replaces the public password of Hatchet's default login, if the login exists and still has it.
func disableDefaultLogin(ctx context.Context, users repository.UserRepository) error {
	user, err := users.GetUserByEmail(ctx, defaultEmail)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	password, err := users.GetUserPassword(ctx, user.ID)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if known, _ := repository.VerifyPassword(password.Hash, defaultPassword); !known {
		return nil
	}
	hash, err := repository.HashPassword(randomHex(32))
	if err != nil {
		return err
	}
	_, err = users.UpdateUser(ctx, user.ID, &repository.UpdateUserOpts{Password: hash})
	return err
}

// lockDatabase takes the engine's lock on the database and holds it until release is called or the process ends.
func lockDatabase(ctx context.Context, databaseURL string, exclusive bool) (release func() error, err error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("embedded: connect: %w", err)
	}
	release = func() error { return conn.Close(context.WithoutCancel(ctx)) }

	query := "SELECT pg_try_advisory_lock_shared($1, $2)"
	if exclusive {
		query = "SELECT pg_try_advisory_lock($1, $2)"
	}
	deadline := time.Now().Add(lockTimeout)
	for {
		var got bool
		if err := conn.QueryRow(ctx, query, lockSpace, lockEngine).Scan(&got); err != nil {
			_ = release()
			return nil, fmt.Errorf("embedded: lock database: %w", err)
		}
		if got {
			return release, nil
		}
		if time.Now().After(deadline) {
			_ = release()
			return nil, fmt.Errorf("embedded: another engine is running on database %q", conn.Config().Database)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			_ = release()
			return nil, err
		}
	}
}

// removeStale removes the leases, partitions and active workers of a killed engine. Without it, no engine schedules
// until the leases and partitions expire, and then tasks go to workers of the old engine, which may be dead too.
func removeStale(ctx context.Context, layer *database.Layer) error {
	for _, statement := range []string{
		`DELETE FROM "Lease"`,
		`DELETE FROM "ControllerPartition"`, // sets the tenant's reference to null, like the next two
		`DELETE FROM "SchedulerPartition"`,
		`DELETE FROM "TenantWorkerPartition"`,
		`UPDATE "Worker" SET "isActive" = false WHERE "isActive"`, // until it connects again
		// The queues of workflows that run one at a time. Even an orderly shutdown does not release them, and queued runs
		// wait for the rest of their 30 seconds (v0.104.7).
		`UPDATE outbox.topics SET exclusive_consumer_id = NULL, exclusive_consumer_expires_at = NULL
			WHERE exclusive_consumer_id IS NOT NULL`,
		`DELETE FROM outbox.maintenance_leases`,
		`DELETE FROM outbox.consumer_sessions`,
	} {
		if _, err := layer.Pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("embedded: remove stale rows (%s): %w", statement, err)
		}
	}
	return nil
}

// assignTenant assigns the tenant to the only scheduler in the database. Otherwise the scheduler's next poll, which
// reads the database, drops the tenant until the engine's next rebalancing; a lease acquired at that moment then has no
// owner for 30 seconds (v0.104.7, from its source).
func assignTenant(ctx context.Context, layer *database.Layer, tenant uuid.UUID) error {
	for {
		done, err := layer.Pool.Exec(ctx, `
			UPDATE "Tenant" t SET "schedulerPartitionId" = p."id" FROM "SchedulerPartition" p WHERE t."id" = $1`, tenant)
		if err != nil {
			return fmt.Errorf("embedded: assign the tenant to the scheduler: %w", err)
		}
		// The pause also lets a poll that began before the update finish.
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		if done.RowsAffected() > 0 { // the scheduler has registered its partition
			return nil
		}
	}
}

func hasCode(err error, codes ...string) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	for _, code := range codes {
		if pgErr.Code == code {
			return true
		}
	}
	return false
}

// isNotFound reports whether a query of the engine's own code on its own database found no row.
func isNotFound(err error) bool {
	return errors.Is(err, pgx.ErrNoRows) //nolint:forbidigo // package db is for the vault's database only
}

// pause waits for d, or until the context ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
