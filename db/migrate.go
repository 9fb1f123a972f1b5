package db

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	_ "github.com/jackc/pgx/v5/stdlib" // goose works over database/sql
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed schema/*.sql
var schema embed.FS

// Migration is one step of the schema, as `vault migrate status` shows it.
type Migration struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	Applied bool   `json:"applied"`
}

// Migrate brings the database in url to the newest version of the schema. Several processes may call it at once: an advisory
// lock makes them take turns.
func Migrate(ctx context.Context, url string) error {
	return withProvider(ctx, url, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// MigrateDown takes the newest migration back.
func MigrateDown(ctx context.Context, url string) error {
	return withProvider(ctx, url, func(p *goose.Provider) error {
		_, err := p.Down(ctx)
		return err
	})
}

// MigrateDownAll takes every migration back, and with them all data.
func MigrateDownAll(ctx context.Context, url string) error {
	return withProvider(ctx, url, func(p *goose.Provider) error {
		_, err := p.DownTo(ctx, 0)
		return err
	})
}

// MigrationStatus lists the migrations in order.
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
	conn, err := sql.Open("pgx", url)
	if err != nil {
		return fmt.Errorf("DATABASE_URL is not a PostgreSQL URL, such as postgres://user:password@host:5432/contextvault")
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
		goose.WithDisableGlobalRegistry(true)) // the engine, where it is in this process, registers its own migrations there
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := fn(provider); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// newestVersion is that of the newest migration of this program: the number that its file begins with.
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

// SchemaFiles gives the text of the migrations in order, for what must change when they do.
func SchemaFiles() []string {
	names, _ := fs.Glob(schema, "schema/*.sql") // embedded: it cannot fail
	files := make([]string, len(names))
	for i, name := range names {
		text, _ := schema.ReadFile(name)
		files[i] = string(text)
	}
	return files
}
