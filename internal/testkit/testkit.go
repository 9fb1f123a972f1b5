// Package testkit runs the whole system for tests: the real engine, PostgreSQL and Redis, and a worker in this process.
// A test package has one Kit for all its tests. Each test creates its own tenants, so tests run in parallel.
//
//   - testkit.go: the system;
//   - wait.go: waits for the system, limited by Patience;
//   - api.go: the system over HTTP;
//   - postgres.go: a PostgreSQL server that a test may kill;
//   - runs.go: the actions of an operator in the engine's dashboard.
package testkit

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/worker"
)

// Kit is the running system.
type Kit struct {
	*app.Runtime
	Engine      *embedded.Engine
	Client      *hatchet.Client
	DatabaseURL string // with the login of the administrator; the system has its own

	stopWorker func() error
}

// Main runs the tests of a package with one system for all of them, eight at once, and returns the exit code for
// TestMain. environ adds configuration, as environment variables.
func Main(m *testing.M, use func(*Kit), environ ...string) int {
	Parallel(8)
	suite := &suite{m: m, use: use, environ: environ}
	return embeddedtest.Main(suite, func(e *embedded.Engine) { suite.engine = e })
}

// Parallel sets the number of concurrent tests. Tests of a whole system wait more than they compute. Call it in
// TestMain.
func Parallel(n int) {
	if err := flag.Set("test.parallel", strconv.Itoa(n)); err != nil {
		panic(err) // the testing package has this flag
	}
}

// suite runs the tests of a package with their system.
type suite struct {
	m       *testing.M
	use     func(*Kit)
	environ []string
	engine  *embedded.Engine
}

// Run runs the tests for embeddedtest.Main. The system stops before its engine.
func (s *suite) Run() int {
	code, err := s.run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testkit:", err)
		return 1
	}
	return code
}

func (s *suite) run() (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	url, drop, err := dbtest.Clone(ctx)
	if err != nil {
		return 0, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		err = errors.Join(err, drop(ctx))
	}()
	kit, err := connect(ctx, s.engine, url, s.environ)
	if err != nil {
		return 0, err
	}
	defer kit.Close()
	if err := kit.StartWorker(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, kit.StopWorker()) }()
	s.use(kit)
	return s.m.Run(), nil
}

// On connects a test to its own system on its own engine, without a worker.
func On(t testing.TB, e *embedded.Engine, environ ...string) *Kit {
	t.Helper()
	return OnDatabase(t, e, dbtest.URL(t), environ...)
}

// OnDatabase is On with a migrated database of the test.
func OnDatabase(t testing.TB, e *embedded.Engine, databaseURL string, environ ...string) *Kit {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	kit, err := connect(ctx, e, databaseURL, environ)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kit.Close)
	return kit
}

func connect(ctx context.Context, e *embedded.Engine, databaseURL string, environ []string) (*Kit, error) {
	cfg, err := Config(databaseURL, environ...)
	if err != nil {
		return nil, err
	}
	kit := &Kit{Engine: e, DatabaseURL: databaseURL}
	if kit.Client, err = e.Client(); err != nil {
		return nil, err
	}
	kit.Runtime, err = app.Connect(ctx, cfg, kit.Client, Log())
	return kit, err
}

// Config returns the configuration of a test system: strict validation, no crons, a new sealing key.
func Config(databaseURL string, environ ...string) (config.Config, error) {
	key, err := db.NewSealingKey()
	if err != nil {
		return config.Config{}, err
	}
	cfg, err := config.Load("", append(settings(databaseURL, key), environ...))
	if err != nil {
		return cfg, err
	}
	h := &cfg.Jobs.Hatchet // tests start sweeps themselves
	h.CronRotateKeys, h.CronSealValues = "", ""
	h.CronExpireValues, h.CronDetectOrphans, h.CronRelayOperations, h.CronPurgeOperations = "", "", "", ""
	h.CronReadQuietSessions, h.CronSealAudit, h.CronPurgeCustomers, h.CronRemoveExpired = "", "", "", ""
	h.CronDeliverWebhooks, h.CronProposeMerges = "", ""
	return cfg, nil
}

func settings(databaseURL, sealingKey string) []string {
	return append(dbtest.Environ(databaseURL),
		"REDIS_URL="+os.Getenv("REDIS_URL"), "VAULT_SEALING_KEY="+sealingKey,
		"VAULT_PROFILE_VALIDATION_MODE=strict", "VAULT_REDIS_TIMEOUT_MILLISECONDS=3000", "VAULT_DATABASE_MAX_CONNECTIONS=20",
	)
}

// Environ returns the environment of another process of this system: database, cache, sealing key and engine.
func (k *Kit) Environ() []string {
	return append(settings(k.DatabaseURL, k.Config.SealingKey.Reveal()), k.Engine.Env()...)
}

// Log returns the logger of a test system: warnings, to standard error.
func Log() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// StartWorker starts a worker in this process. Main has started one.
func (k *Kit) StartWorker() error {
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- worker.Run(ctx, k.Runtime, k.Client, worker.Options{NoHealth: true, Ready: func() { close(ready) }})
	}()
	select {
	case <-ready:
		k.stopWorker = func() error {
			cancel()
			return <-done
		}
		return k.registered()
	case err := <-done:
		cancel()
		return err
	}
}

// registered waits until the engine knows the two workers of a process.
func (k *Kit) registered() error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		workers, err := k.Client.Workers().List(ctx)
		if err != nil {
			return err
		}
		if workers.Rows != nil && len(*workers.Rows) > 1 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the worker did not register with the engine")
		case <-tick.C:
		}
	}
}

// StopWorker stops the worker.
func (k *Kit) StopWorker() error { return k.stopWorker() }

// Tenant creates a tenant.
func (k *Kit) Tenant(t testing.TB) uuid.UUID {
	t.Helper()
	return dbtest.Tenant(t, k.DB)
}

// ID returns a new id.
func ID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
