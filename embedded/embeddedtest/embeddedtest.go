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
	"os"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded"
)

const (
	// DatabaseURLEnv names the PostgreSQL server: any database of it, by a role that may create databases.
	DatabaseURLEnv = "HATCHET_DATABASE_URL"

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
	template := dbtest.Template{
		Name:  "hatchet_template_" + strings.NewReplacer(".", "_", "-", "_").Replace(embedded.EngineVersion),
		Build: embedded.Prepare,
	}
	databaseURL, drop, err = template.Clone(ctx, server)
	if err != nil {
		return "", nil, fmt.Errorf("embeddedtest: %w", err)
	}
	return databaseURL, drop, nil
}
