// Package testkit runs the whole vault for tests: the real engine, PostgreSQL and Redis, and a worker in this process. A test
// package has one, for all its tests; each test has tenants of its own, so tests run in parallel.
package testkit

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/worker"
)

// Patience bounds every wait for the system: far longer than anything takes on a busy machine.
const Patience = 60 * time.Second

// Kit is the running system.
type Kit struct {
	*worker.Runtime
	Engine      *embedded.Engine
	Client      *hatchet.Client
	DatabaseURL string

	stopWorker func() error
}

// Main runs the tests of a package with one system for all of them, and returns the exit code for TestMain. environ adds
// configuration, as environment variables.
func Main(m *testing.M, use func(*Kit), environ ...string) int {
	return embeddedtest.Main(m, func(e *embedded.Engine) {
		kit, err := start(e, environ)
		if err != nil {
			fmt.Fprintln(os.Stderr, "testkit:", err)
			os.Exit(1)
		}
		use(kit)
	})
}

func start(e *embedded.Engine, environ []string) (*Kit, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	url, _, err := dbtest.Clone(ctx) // it goes with the server's other left clones
	if err != nil {
		return nil, err
	}
	cfg, err := Config(url, environ...)
	if err != nil {
		return nil, err
	}
	client, err := e.Client()
	if err != nil {
		return nil, err
	}
	kit := &Kit{Engine: e, Client: client, DatabaseURL: url}
	if kit.Runtime, err = worker.Connect(ctx, cfg, client, Log()); err != nil {
		return nil, err
	}
	return kit, kit.StartWorker()
}

// Config is the configuration of a test system: strict, with no crons, and a sealing key of its own.
func Config(databaseURL string, environ ...string) (config.Config, error) {
	key, err := db.NewSealingKey()
	if err != nil {
		return config.Config{}, err
	}
	cfg, err := config.Load("", append([]string{
		"DATABASE_URL=" + databaseURL, "REDIS_URL=" + os.Getenv("REDIS_URL"), "VAULT_SEALING_KEY=" + key,
		"VAULT_PROFILE_VALIDATION_MODE=strict", "VAULT_DATABASE_MAX_CONNECTIONS=20",
	}, environ...))
	if err != nil {
		return cfg, err
	}
	h := &cfg.Jobs.Hatchet // tests start sweeps themselves
	h.CronExpireFields, h.CronDetectOrphans, h.CronRelayIntents, h.CronPurgeIntents = "", "", "", ""
	return cfg, nil
}

// Log is where a test system logs: warnings, to standard error.
func Log() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// StartWorker starts a worker in this process; Main has started one.
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
		return nil
	case err := <-done:
		cancel()
		return err
	}
}

// StopWorker stops it.
func (k *Kit) StopWorker() error { return k.stopWorker() }

// Tenant makes a tenant.
func (k *Kit) Tenant(t testing.TB) uuid.UUID {
	t.Helper()
	return dbtest.Tenant(t, k.DB)
}

// ID makes an id.
func ID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
