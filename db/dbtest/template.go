package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A Template is a database that is made once per PostgreSQL server, by whichever test process comes first, and cloned from
// then on, in a tenth of a second.
type Template struct {
	Name  string // of the database; it should change with what Build makes
	Build func(ctx context.Context, url string) error
}

const (
	// What a killed test process left is removed by a later one, after longer than any test runs.
	cloneLife    = 2 * time.Hour
	templateLock = 0x76617474 // advisory, of the maintenance database
)

// Clone makes a database from the template on the server of the URL, whose role must be allowed to create databases. It gives
// the clone's URL, and what drops it.
func (t Template) Clone(ctx context.Context, server string) (clone string, drop func(context.Context) error, err error) {
	if err := t.ensure(ctx, server); err != nil {
		return "", nil, fmt.Errorf("template database %s: %w", t.Name, err)
	}
	name := fmt.Sprintf("%s_test_%d_%s", prefixOf(t.Name), time.Now().Unix(), strings.ReplaceAll(uuid.NewString(), "-", ""))
	if err := maintain(ctx, server, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(t.Name)); err != nil {
		return "", nil, fmt.Errorf("clone database %s: %w", t.Name, err)
	}
	drop = func(ctx context.Context) error {
		return maintain(ctx, server, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
	}
	clone, err = withDatabase(server, name)
	return clone, drop, err
}

// ensure makes the template unless it is there. Several processes may call it at once: one of them works.
func (t Template) ensure(ctx context.Context, server string) error {
	conn, err := connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // and so releases the lock
	if there, err := exists(ctx, conn, t.Name); err != nil || there {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return err
	}
	if there, err := exists(ctx, conn, t.Name); err != nil || there {
		return err
	}
	if err := dropLeft(ctx, conn, prefixOf(t.Name)); err != nil {
		return err
	}
	// It gets its name when it is complete. A process killed before that leaves the other one.
	building := t.Name + "_building"
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + quote(building) + " WITH (FORCE)", "CREATE DATABASE " + quote(building)} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	buildingURL, err := withDatabase(server, building)
	if err != nil {
		return err
	}
	if err := t.Build(ctx, buildingURL); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+quote(building)+" RENAME TO "+quote(t.Name))
	return err
}

// dropLeft removes the clones that killed test processes left.
func dropLeft(ctx context.Context, conn *pgx.Conn, prefix string) error {
	rows, err := conn.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix+"_test_")
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		made, _, _ := strings.Cut(strings.TrimPrefix(name, prefix+"_test_"), "_")
		at, err := strconv.ParseInt(made, 10, 64)
		if err != nil || time.Since(time.Unix(at, 0)) < cloneLife {
			continue
		}
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}

func exists(ctx context.Context, conn *pgx.Conn, name string) (there bool, err error) {
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	return there, err
}

func maintain(ctx context.Context, server, sql string) error {
	conn, err := connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// connect goes to the server's maintenance database: the one that the URL names need not exist.
func connect(ctx context.Context, server string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(server)
	if err != nil {
		return nil, errors.New("the server's address is not a PostgreSQL URL")
	}
	config.Database = "postgres"
	return pgx.ConnectConfig(ctx, config)
}

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("the server's address is not a PostgreSQL URL")
	}
	u.Path = "/" + name
	return u.String(), nil
}

// prefixOf is what the clones of a template begin with: the first word of its name.
func prefixOf(template string) string {
	prefix, _, _ := strings.Cut(template, "_")
	return prefix
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
