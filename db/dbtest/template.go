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

// A Template is a database that the first test process creates on a PostgreSQL server. A clone of it takes a tenth of a
// second.
type Template struct {
	Name  string // of the database; it must change with the result of Build
	Build func(ctx context.Context, url string) error
}

const (
	// A later test process removes the clones of a killed one after this time, which is longer than any test.
	cloneLife    = 2 * time.Hour
	templateLock = 0x76617474 // advisory, of the maintenance database
)

var errServerURL = errors.New("the server's address is not a PostgreSQL URL")

// Clone creates a database from the template on the server of the URL and returns its URL. drop drops it. The role of
// the URL must be allowed to create databases.
func (t Template) Clone(
	ctx context.Context,
	server string,
) (clone string, drop func(context.Context) error, err error) {
	if err := t.ensure(ctx, server); err != nil {
		return "", nil, fmt.Errorf("template database %s: %w", t.Name, err)
	}
	name := fmt.Sprintf(
		"%s_test_%d_%s",
		prefixOf(t.Name),
		time.Now().Unix(),
		strings.ReplaceAll(uuid.NewString(), "-", ""),
	)
	if err := maintain(ctx, server, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(t.Name)); err != nil {
		return "", nil, fmt.Errorf("clone database %s: %w", t.Name, err)
	}
	drop = func(ctx context.Context) error {
		return maintain(ctx, server, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
	}
	clone, err = withDatabase(server, name)
	return clone, drop, err
}

// ensure creates the template unless it exists. Of several concurrent processes one creates it.
func (t Template) ensure(ctx context.Context, server string) error {
	conn, err := connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // this releases the lock
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
	// The database gets its final name when it is complete. A killed process leaves only the temporary one.
	building := t.Name + "_building"
	for _, sql := range []string{
		"DROP DATABASE IF EXISTS " + quote(building) + " WITH (FORCE)",
		"CREATE DATABASE " + quote(building),
	} {
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

// dropLeft drops the clones of killed test processes.
func dropLeft(ctx context.Context, conn *pgx.Conn, prefix string) error {
	rows, err := conn.Query(ctx, `
		SELECT datname FROM pg_database
		WHERE starts_with(datname, $1) AND pg_has_role(datdba, 'MEMBER') -- only its owner may drop it`, prefix+"_test_")
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

// connect connects to the maintenance database of the server, because the database in the URL may not exist.
func connect(ctx context.Context, server string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(server)
	if err != nil {
		return nil, errServerURL
	}
	config.Database = "postgres"
	return pgx.ConnectConfig(ctx, config)
}

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", errServerURL
	}
	u.Path = "/" + name
	return u.String(), nil
}

// prefixOf returns the prefix of the names of clones: the first word of the name of the template.
func prefixOf(template string) string {
	prefix, _, _ := strings.Cut(template, "_")
	return prefix
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
