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
	// Advisory locks of the two-number kind, which the engine does not use.
	lockSpace   = 0x68617463 // "hatc"
	lockEngine  = 1          // held while an engine runs: shared, or alone with Config.SingleEngine
	lockMigrate = 2

	// The login that Hatchet's own seed makes, known to everyone.
	knownEmail    = "admin@example.com"
	knownPassword = "Admin123!!"
)

// lockPatience is longer than an orderly shutdown of the last engine, which may still be under way.
var lockPatience = 15 * time.Second

// Prepare creates the database if need be, and brings schema and seed up to [EngineVersion]: what Start does first.
// On its own it makes a template to clone, or moves the time it takes (2 s on an empty database) to another moment.
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

// openLayer opens the engine's own access to the database, without an engine.
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

// closePools closes what Disconnect leaves open.
func closePools(layer *database.Layer) {
	layer.Pool.Close()
	layer.DDLPool.Close()
}

// inUTC makes every connection run in UTC, which the engine insists on, whatever the server's own zone.
func inUTC(databaseURL string) string {
	if u, err := url.Parse(databaseURL); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		q := u.Query()
		q.Set("timezone", "UTC")
		u.RawQuery = q.Encode()
		return u.String()
	}
	return databaseURL + " timezone=UTC"
}

// createDatabase makes the database that the URL names, unless it is there.
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
	config.Database = "postgres" // there on every server, for this purpose
	if conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return fmt.Errorf("embedded: database %q does not exist, and creating it failed: %w", name, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	// Another process may have been first; PostgreSQL reports that in one of two ways.
	if err != nil && !hasCode(err, pgerrcode.DuplicateDatabase, pgerrcode.UniqueViolation) {
		return fmt.Errorf("embedded: create database %q (or let someone create it who may): %w", name, err)
	}
	return nil
}

// migrateUp runs the engine's migrations, one process at a time: they take no lock of their own.
func migrateUp(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("embedded: connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // and so releases the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1, $2)", lockSpace, lockMigrate); err != nil {
		return fmt.Errorf("embedded: lock for migrations: %w", err)
	}
	if err := startVersionTable(ctx, conn); err != nil {
		return fmt.Errorf("embedded: %w", err)
	}

	// The migrations log through goose, and leave its file system pointing at their own.
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

// startVersionTable makes goose's table in an empty database. RunMigrations would do the same, but not without
// printing to standard output which older tools it looked for.
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

// seed makes sure of the tenant. Hatchet's own seed would also make a login that everyone knows (and print); here
// there is none, and if a database comes with it, its password becomes one that nobody knows.
func seed(ctx context.Context, layer *database.Layer) (*sqlcv1.Tenant, error) {
	tenant, err := layer.V1.Tenant().GetTenantBySlug(ctx, layer.Seed.DefaultTenantSlug)
	if noRows(err) {
		var id uuid.UUID
		if id, err = uuid.Parse(layer.Seed.DefaultTenantID); err != nil {
			return nil, fmt.Errorf("embedded: tenant id: %w", err)
		}
		tenant, err = layer.V1.Tenant().CreateTenant(ctx, &repository.CreateTenantOpts{
			ID: &id, Name: layer.Seed.DefaultTenantName, Slug: layer.Seed.DefaultTenantSlug,
		})
		if hasCode(err, pgerrcode.UniqueViolation) { // another engine was first
			tenant, err = layer.V1.Tenant().GetTenantBySlug(ctx, layer.Seed.DefaultTenantSlug)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("embedded: seed tenant: %w", err)
	}
	if err := closeKnownLogin(ctx, layer.V1.User()); err != nil {
		return nil, fmt.Errorf("embedded: change the password of the known login: %w", err)
	}
	return tenant, nil
}

func closeKnownLogin(ctx context.Context, users repository.UserRepository) error {
	user, err := users.GetUserByEmail(ctx, knownEmail)
	if noRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	password, err := users.GetUserPassword(ctx, user.ID)
	if noRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if known, _ := repository.VerifyPassword(password.Hash, knownPassword); !known {
		return nil
	}
	hash, err := repository.HashPassword(randomHex(32))
	if err != nil {
		return err
	}
	_, err = users.UpdateUser(ctx, user.ID, &repository.UpdateUserOpts{Password: hash})
	return err
}

// lockDatabase holds the engine's lock on the database until release is called or the process ends.
func lockDatabase(ctx context.Context, databaseURL string, alone bool) (release func() error, err error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return nil, fmt.Errorf("embedded: connect: %w", err)
	}
	release = func() error { return conn.Close(context.WithoutCancel(ctx)) }

	query := "SELECT pg_try_advisory_lock_shared($1, $2)"
	if alone {
		query = "SELECT pg_try_advisory_lock($1, $2)"
	}
	deadline := time.Now().Add(lockPatience)
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

// removeStale removes what a killed engine left behind: without it, nobody schedules until leases and partitions have run
// out, and then workers get tasks that were connected to the old engine and may be as dead.
func removeStale(ctx context.Context, layer *database.Layer) error {
	for _, statement := range []string{
		`DELETE FROM "Lease"`,
		`DELETE FROM "ControllerPartition"`, // sets the tenant's reference to null, as do the next two
		`DELETE FROM "SchedulerPartition"`,
		`DELETE FROM "TenantWorkerPartition"`,
		`UPDATE "Worker" SET "isActive" = false WHERE "isActive"`, // until it connects again
		// The queues of workflows that run one at a time. An engine that ends in order does not give these back either, and what
		// is queued waits for the rest of their 30 seconds (v0.104.7).
		`UPDATE outbox.topics SET exclusive_consumer_id = NULL, exclusive_consumer_expires_at = NULL WHERE exclusive_consumer_id IS NOT NULL`,
		`DELETE FROM outbox.maintenance_leases`,
		`DELETE FROM outbox.consumer_sessions`,
	} {
		if _, err := layer.Pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("embedded: remove stale rows (%s): %w", statement, err)
		}
	}
	return nil
}

// assignTenant gives the tenant to the one scheduler that there is, in the database too. Otherwise the scheduler's next look, which goes
// by the database, takes the tenant from it again until the engine's next rebalancing; and a lease that is acquired at that moment is
// nobody's for its 30 seconds (v0.104.7, read in its source).
func assignTenant(ctx context.Context, layer *database.Layer, tenant uuid.UUID) error {
	for {
		done, err := layer.Pool.Exec(ctx, `UPDATE "Tenant" t SET "schedulerPartitionId" = p."id" FROM "SchedulerPartition" p WHERE t."id" = $1`, tenant)
		if err != nil {
			return fmt.Errorf("embedded: give the tenant to the scheduler: %w", err)
		}
		// The pause is also for a look that began before: it has ended then.
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

// noRows: what is asked here is the engine's own database, by the engine's own code.
func noRows(err error) bool {
	return errors.Is(err, pgx.ErrNoRows) //nolint:forbidigo // db, which the rule sends us to, knows our database only
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
