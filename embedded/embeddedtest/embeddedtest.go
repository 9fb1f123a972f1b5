// Package embeddedtest gives tests a real Hatchet engine with a database of its own.
//
// A migrated and seeded template database is made once per PostgreSQL server and engine version, by whichever test
// process comes first; every engine gets a clone of it, made in a fifth of a second and dropped at the end. So a test
// package has its own engine, ready in half a second:
//
//	var engine *embedded.Engine
//
//	func TestMain(m *testing.M) {
//		os.Exit(embeddedtest.Main(m, func(e *embedded.Engine) { engine = e }))
//	}
//
// A single test that wants an engine for itself calls [Start]; one that stops and starts engines calls [Config].
//
// The server is the one of HATCHET_DATABASE_URL, whose role must be allowed to create databases.
package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/embedded"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	// DatabaseURLEnv names the PostgreSQL server: any database of it, by a role that may create databases.
	DatabaseURLEnv = "HATCHET_DATABASE_URL"

	clonePrefix = "hatchet_test_"
	// What a killed test process left is removed by a later one, after longer than any test runs.
	cloneLife = 2 * time.Hour

	templateLock = 0x68747465 // advisory, of the maintenance database
	startTimeout = 2 * time.Minute
	stopTimeout  = 30 * time.Second
)

// Start runs an engine for this test, and stops it when the test ends.
func Start(t testing.TB) *embedded.Engine {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	e, err := embedded.Start(ctx, Config(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			t.Logf("stop engine: %v", err)
		}
	})
	return e
}

// Config returns what Start starts with: a database for this test, dropped when the test ends, and a directory for
// keys. Engines that the test itself starts with it, one after the other, are the same one to their clients. Register
// their Shutdown with t.Cleanup after calling Config, so that it comes before the drop.
func Config(t testing.TB) embedded.Config {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	databaseURL, drop, err := clone(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := drop(ctx); err != nil {
			t.Logf("drop test database: %v", err)
		}
	})
	return config(databaseURL, t.TempDir())
}

// Main runs the tests of a package with one engine for all of them, and returns the exit code for TestMain. The engine
// is given to use before the first test. Workflows of different tests need different names. m is a *testing.M, or what
// wraps one.
func Main(m interface{ Run() int }, use func(*embedded.Engine)) int {
	code, err := run(m, use)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func run(m interface{ Run() int }, use func(*embedded.Engine)) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	databaseURL, drop, err := clone(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, bounded(drop)) }()
	dir, err := os.MkdirTemp("", "hatchet-keys-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	e, err := embedded.Start(ctx, config(databaseURL, dir))
	if err != nil {
		return 0, err
	}
	defer func() {
		if err := bounded(e.Shutdown); err != nil {
			fmt.Fprintln(os.Stderr, "stop engine:", err) // the tests have passed or failed by then
		}
	}()
	use(e)
	return m.Run(), nil
}

func bounded(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return f(ctx)
}

func config(databaseURL, dir string) embedded.Config {
	return embedded.Config{
		DatabaseURL:    databaseURL,
		Dir:            dir,
		SkipMigrations: true, // the template has them
		SingleEngine:   true,
		FastShutdown:   true,
	}
}

// clone makes a database from the template and returns its URL, and what drops it.
func clone(ctx context.Context) (databaseURL string, drop func(context.Context) error, err error) {
	server := os.Getenv(DatabaseURLEnv)
	if server == "" {
		return "", nil, fmt.Errorf("embeddedtest: %s is not set: run `make test`, which starts PostgreSQL and sets it", DatabaseURLEnv)
	}
	template, err := ensureTemplate(ctx, server)
	if err != nil {
		return "", nil, fmt.Errorf("embeddedtest: template database: %w", err)
	}
	name := fmt.Sprintf("%s%d_%s", clonePrefix, time.Now().Unix(), strings.ReplaceAll(uuid.NewString(), "-", ""))
	if err := maintain(ctx, server, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)); err != nil {
		return "", nil, fmt.Errorf("embeddedtest: clone template: %w", err)
	}
	drop = func(ctx context.Context) error {
		return maintain(ctx, server, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
	}
	databaseURL, err = withDatabase(server, name)
	return databaseURL, drop, err
}

// ensureTemplate makes the template unless it is there. Several processes may call it at once: one of them works.
func ensureTemplate(ctx context.Context, server string) (name string, err error) {
	name = "hatchet_template_" + strings.NewReplacer(".", "_", "-", "_").Replace(embedded.EngineVersion)
	conn, err := connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // and so releases the lock
	if err := dropLeftClones(ctx, conn); err != nil {
		return "", err
	}
	if there, err := exists(ctx, conn, name); err != nil || there {
		return name, err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return "", err
	}
	if there, err := exists(ctx, conn, name); err != nil || there {
		return name, err
	}

	// It gets its name when it is complete. A process killed before that leaves the other one.
	building := name + "_building"
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(building)+" WITH (FORCE)"); err != nil {
		return "", err
	}
	buildingURL, err := withDatabase(server, building)
	if err != nil {
		return "", err
	}
	if err := embedded.Prepare(ctx, buildingURL); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+quote(building)+" RENAME TO "+quote(name))
	return name, err
}

func exists(ctx context.Context, conn *pgx.Conn, name string) (there bool, err error) {
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	return there, err
}

// dropLeftClones removes the databases of test processes that did not live to do it. Their names tell their age.
func dropLeftClones(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", clonePrefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		stamp, _, _ := strings.Cut(strings.TrimPrefix(name, clonePrefix), "_")
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || time.Since(time.Unix(seconds, 0)) < cloneLife {
			continue
		}
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}

// maintain runs one statement in the server's maintenance database.
func maintain(ctx context.Context, server, statement string) error {
	conn, err := connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

func connect(ctx context.Context, server string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(server)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", DatabaseURLEnv, err)
	}
	config.Database = "postgres" // the database that the URL names need not exist
	return pgx.ConnectConfig(ctx, config)
}

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return "", fmt.Errorf("%s must be a URL (postgres://...)", DatabaseURLEnv)
	}
	u.Path = "/" + name
	return u.String(), nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
