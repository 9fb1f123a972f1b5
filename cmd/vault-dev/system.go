package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	hatchetclient "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // has the client options
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/rs/zerolog"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/worker"
)

// stopTimeout limits the shutdown of the engine.
const stopTimeout = 20 * time.Second

// system is the whole vault in one process: the engine (unless HATCHET_CLIENT_TOKEN names another), a worker and the
// runtime.
type system struct {
	*app.Runtime
	engine *hatchet.Client

	stopWorker context.CancelFunc
	workerDone chan error
}

// devDir holds the state of development between starts: keys, passwords, data.
const devDir = ".dev"

// engineDatabaseEnv is the variable with the address of the database of the engine in this process.
const engineDatabaseEnv = "HATCHET_DATABASE_URL"

// loadConfig reads the configuration. It generates a sealing key if none is configured, and lets the purge clean the
// database of an engine in this process, which nobody shares.
func loadConfig(environ []string) (config.Config, error) {
	cfg, err := config.Load("", environ)
	if err != nil {
		return cfg, err
	}
	if h := &cfg.Jobs.Hatchet; h.Token == "" && h.CleanDatabaseURL == "" {
		h.CleanDatabaseURL = config.URL(os.Getenv(engineDatabaseEnv))
	}
	if cfg.SealingKey == "" {
		key, err := kept(filepath.Join(devDir, "sealing.key"), db.NewSealingKey)
		if err != nil {
			return cfg, err
		}
		cfg.SealingKey = config.Secret(key)
	}
	return cfg, cfg.Require("database.url")
}

// kept reads a secret of this checkout, or makes and saves it.
func kept(path string, fresh func() (string, error)) (string, error) {
	secret, err := os.ReadFile(path) //nolint:gosec // a path of this program
	if err == nil {
		return string(secret), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	made, err := fresh()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the folder holds files of mode 0600
		return "", fmt.Errorf("save %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(made), 0o600); err != nil {
		return "", fmt.Errorf("save %s: %w", path, err)
	}
	return made, nil
}

// startEngine connects to the configured engine, or starts one in this process through the SDK's own hook.
func startEngine(cfg config.Config) (*hatchet.Client, error) {
	if cfg.Jobs.Hatchet.Token != "" {
		if err := reachable(cfg.Jobs.Hatchet.HostPort()); err != nil {
			return nil, err
		}
		return app.NewEngine(cfg)
	}
	url := os.Getenv(engineDatabaseEnv)
	if url == "" {
		return nil, errors.New(
			"HATCHET_DATABASE_URL is not set: it must name the PostgreSQL database of the workflow engine. " +
				"`make run` and `make demo` set it; or set HATCHET_CLIENT_TOKEN to use an engine that runs elsewhere",
		)
	}
	return startOwnEngine(url, filepath.Join(devDir, "hatchet"))
}

// startOwnEngine starts an engine in this process. dir is the folder of its keys.
func startOwnEngine(url, dir string) (*hatchet.Client, error) {
	embedded.Register(embedded.Config{DatabaseURL: url, Dir: dir, SingleEngine: true, FastShutdown: true})
	quiet := zerolog.New(os.Stderr).Level(zerolog.ErrorLevel)
	return hatchet.NewClient(
		hatchet.WithEmbedded(),
		hatchetclient.WithLogger(&quiet), //nolint:staticcheck // the SDK takes no other options
	)
}

// reachTimeout limits the first connection to a configured engine.
const reachTimeout = 5 * time.Second

// reachable checks that something listens at the address of a configured engine. The client of the engine would try for
// a long time, and its errors name neither the address nor the setting.
func reachable(address string) error {
	conn, err := (&net.Dialer{Timeout: reachTimeout}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("HATCHET_CLIENT_TOKEN is set, and the workflow engine at %s is not reachable: %w; start that "+
			"engine, or unset HATCHET_CLIENT_TOKEN to use an engine in this process", address, err)
	}
	return conn.Close()
}

// start migrates the database and starts the worker.
func start(ctx context.Context, cfg config.Config, engine *hatchet.Client, log *slog.Logger) (_ *system, err error) {
	if err := db.Migrate(ctx, cfg.Database.OwnerURL().Reveal()); err != nil {
		return nil, err
	}
	s := &system{engine: engine, workerDone: make(chan error, 1)}
	if s.Runtime, err = app.Connect(ctx, cfg, engine, log); err != nil {
		return nil, err
	}
	if err := s.DB.Verify(ctx); err != nil {
		s.Runtime.Close()
		return nil, err
	}
	workerCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.stopWorker = cancel
	ready := make(chan struct{})
	go func() {
		opts := worker.Options{Ready: func() { close(ready) }, NoHealth: true}
		s.workerDone <- worker.Run(workerCtx, s.Runtime, engine, opts)
	}()
	select {
	case <-ready:
		return s, nil
	case err := <-s.workerDone:
		cancel()
		s.Runtime.Close()
		return nil, err
	}
}

// stop stops the worker, then closes the connections, then stops the engine.
func (s *system) stop() error {
	s.stopWorker()
	err := <-s.workerDone
	s.Runtime.Close()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return errors.Join(err, s.engine.Close(ctx))
}
