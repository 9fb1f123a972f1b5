package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // goose works over database/sql
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// errPooledMigration reports an attempt to migrate through a pooler, where the lock of the migrations is not kept.
var errPooledMigration = errors.New("migrate: the address leads to a pooler such as PgBouncer, and migrations need " +
	"a session: run them with the address of PostgreSQL itself")

//go:embed schema/*.sql
var schema embed.FS

// Migration is one migration of the schema, as `vault migrate status` prints it.
type Migration struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	Applied bool   `json:"applied"`
}

// Migrate applies all pending migrations to the database at url. Concurrent calls are serialized by an advisory lock.
func Migrate(ctx context.Context, url string) error {
	_, err := MigrateUp(ctx, url)
	return err
}

// MigrateUp is Migrate and returns the migrations that it applied, in order. They may be none.
func MigrateUp(ctx context.Context, url string) ([]Migration, error) {
	out := []Migration{}
	err := withProvider(ctx, url, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		for _, r := range results {
			out = append(out, Migration{Version: r.Source.Version, Name: r.Source.Path, Applied: true})
		}
		return err
	})
	return out, err
}

// MigrateDown reverts a migration and deletes its data. It must be the newest applied one; otherwise nothing changes.
func MigrateDown(ctx context.Context, url string, version int64) error {
	return withProvider(ctx, url, func(p *goose.Provider) error {
		newest, err := p.GetDBVersion(ctx)
		if err != nil {
			return err
		}
		if newest != version {
			return fmt.Errorf("version %d is not the newest applied migration, which is %d", version, newest)
		}
		_, err = p.Down(ctx)
		return err
	})
}

// MigrateDownAll reverts all migrations. All data is lost.
func MigrateDownAll(ctx context.Context, url string) error {
	return withProvider(ctx, url, func(p *goose.Provider) error {
		_, err := p.DownTo(ctx, 0)
		return err
	})
}

// MigrationStatus lists all migrations in order.
func MigrationStatus(ctx context.Context, url string) ([]Migration, error) {
	var out []Migration
	err := withProvider(ctx, url, func(p *goose.Provider) error {
		all, err := p.Status(ctx)
		for _, s := range all {
			out = append(out, Migration{Version: s.Source.Version, Name: s.Source.Path, Applied: s.State == goose.StateApplied})
		}
		return err
	})
	return out, err
}

func withProvider(ctx context.Context, url string, fn func(*goose.Provider) error) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errDatabaseURL
	}
	if pooled, err := behindPooler(ctx, cfg); err != nil {
		return fmt.Errorf("migrate: %w", err)
	} else if pooled {
		return errPooledMigration
	}
	conn, err := sql.Open("pgx", url)
	if err != nil {
		return errDatabaseURL
	}
	defer func() { _ = conn.Close() }()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, conn, files, goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true)) // an engine in this process registers its migrations there
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := fn(provider); err != nil {
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == insufficientPrivilege {
			return fmt.Errorf("migrate: %w: the login of MIGRATE_DATABASE_URL must be the owner of the tables", err)
		}
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// newestVersion returns the version of the newest migration of this program: the number at the start of its file name.
func newestVersion() int64 {
	names, _ := fs.Glob(schema, "schema/*.sql") // embedded: it cannot fail
	newest := int64(0)
	for _, name := range names {
		if version, err := goose.NumericComponent(name); err == nil {
			newest = max(newest, version)
		}
	}
	return newest
}

// SchemaFiles returns the texts of the migrations in order. Test templates are keyed by them.
func SchemaFiles() []string {
	names, _ := fs.Glob(schema, "schema/*.sql") // embedded: it cannot fail
	files := make([]string, len(names))
	for i, name := range names {
		text, _ := schema.ReadFile(name)
		files[i] = string(text)
	}
	return files
}
