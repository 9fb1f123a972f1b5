// Package embeddedtest gives tests a real Hatchet engine with a database of its own.
//
// The first test process creates a migrated and seeded template database, once per PostgreSQL server and engine
// version. Every engine gets a clone of it, which takes a fifth of a second and is dropped at the end. So a test
// package has its own engine within half a second:
//
//	var engine *embedded.Engine
//
//	func TestMain(m *testing.M) {
//		os.Exit(embeddedtest.Main(m, func(e *embedded.Engine) { engine = e }))
//	}
//
// A single test that needs its own engine calls [Start]. A test that stops and starts engines calls [Config].
//
// HATCHET_DATABASE_URL names the PostgreSQL server. Its role must be allowed to create databases.
package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded"
)

const (
	// DatabaseURLEnv is the variable that names any database of the PostgreSQL server, with a role that may create
	// databases.
	DatabaseURLEnv = "HATCHET_DATABASE_URL"

	startTimeout = 2 * time.Minute
	stopTimeout  = 30 * time.Second
)

// Start runs an engine for this test and stops it when the test ends.
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

// Config returns the configuration that Start uses: a database for this test, dropped when the test ends, and a
// directory for keys. Clients of one engine can use the next engine with the same configuration. Register each Shutdown
// with t.Cleanup after the call of Config, so that it runs before the drop.
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

// Main runs the tests of a package with one shared engine, and returns the exit code for TestMain. It passes the engine
// to use before the first test. Workflows of different tests need different names. m is a *testing.M or a wrapper of
// one.
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
			fmt.Fprintln(os.Stderr, "stop engine:", err) // the result of the tests stands
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

// clone creates a database from the template. It returns its URL and a function that drops it.
func clone(ctx context.Context) (databaseURL string, drop func(context.Context) error, err error) {
	server := os.Getenv(DatabaseURLEnv)
	if server == "" {
		return "", nil, fmt.Errorf(
			"embeddedtest: %s is not set: run `make test`, which starts PostgreSQL and sets it",
			DatabaseURLEnv,
		)
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, fmt.Errorf("embeddedtest: %s is not a PostgreSQL URL", DatabaseURLEnv)
	}
	template := dbtest.Template{ // only its owner may clone it
		Name: "hatchet_template_" + strings.NewReplacer(".", "_", "-", "_").
			Replace(embedded.EngineVersion+"_"+u.User.Username()),
		Build: embedded.Prepare,
	}
	databaseURL, drop, err = template.Clone(ctx, server)
	if err != nil {
		return "", nil, fmt.Errorf("embeddedtest: %w", err)
	}
	return databaseURL, drop, nil
}
