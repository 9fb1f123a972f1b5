package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	hatchetclient "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // the only home of the SDK's client options
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/rs/zerolog"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/worker"
)

// stopTimeout bounds how long the engine may take to stop.
const stopTimeout = 20 * time.Second

// system is the whole vault in one process: engine (unless HATCHET_CLIENT_TOKEN names another), worker, and what callers use.
type system struct {
	*worker.Runtime
	engine *hatchet.Client

	stopWorker context.CancelFunc
	workerDone chan error
}

// devDir holds what development keeps between starts: keys, passwords, data.
const devDir = ".dev"

// loadConfig reads the configuration and makes a sealing key where there is none.
func loadConfig(environ []string) (config.Config, error) {
	cfg, err := config.Load("", environ)
	if err != nil {
		return cfg, err
	}
	if cfg.SealingKey == "" {
		key, err := devSealingKey(filepath.Join(devDir, "sealing.key"))
		if err != nil {
			return cfg, err
		}
		cfg.SealingKey = config.Secret(key)
	}
	return cfg, cfg.Require("database.url")
}

// devSealingKey reads the key of this checkout, or makes it.
func devSealingKey(path string) (string, error) {
	key, err := os.ReadFile(path) //nolint:gosec // a path of ours
	if err == nil {
		return string(key), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the sealing key: %w", err)
	}
	made, err := db.NewSealingKey()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the folder holds files of mode 0600
		return "", fmt.Errorf("keep the sealing key: %w", err)
	}
	if err := os.WriteFile(path, []byte(made), 0o600); err != nil {
		return "", fmt.Errorf("keep the sealing key: %w", err)
	}
	return made, nil
}

// startEngine connects to the engine that is configured, or starts one in this process, behind the SDK's own hook.
func startEngine(cfg config.Config) (*hatchet.Client, error) {
	if cfg.Jobs.Hatchet.Token != "" {
		return worker.Engine(cfg)
	}
	url := os.Getenv("HATCHET_DATABASE_URL")
	if url == "" {
		return nil, errors.New("HATCHET_DATABASE_URL is not set: it names the PostgreSQL database of the workflow engine; `make run` and `make demo` set it, and HATCHET_CLIENT_TOKEN names an engine that runs elsewhere")
	}
	embedded.Register(embedded.Config{
		DatabaseURL: url, Dir: filepath.Join(devDir, "hatchet"), SingleEngine: true, FastShutdown: true,
	})
	quiet := zerolog.New(os.Stderr).Level(zerolog.ErrorLevel)
	return hatchet.NewClient(hatchet.WithEmbedded(), hatchetclient.WithLogger(&quiet)) //nolint:staticcheck // the SDK takes no other options
}

// start brings the system up.
func start(ctx context.Context, cfg config.Config, engine *hatchet.Client, log *slog.Logger) (_ *system, err error) {
	if err := db.Migrate(ctx, cfg.Database.URL.Reveal()); err != nil {
		return nil, err
	}
	s := &system{engine: engine, workerDone: make(chan error, 1)}
	if s.Runtime, err = worker.Connect(ctx, cfg, engine, log); err != nil {
		return nil, err
	}
	workerCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.stopWorker = cancel
	ready := make(chan struct{})
	go func() {
		s.workerDone <- worker.Run(workerCtx, s.Runtime, engine, worker.Options{Ready: func() { close(ready) }, NoHealth: true})
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

// stop ends the worker, then the connections, then the engine.
func (s *system) stop() error {
	s.stopWorker()
	err := <-s.workerDone
	s.Runtime.Close()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return errors.Join(err, s.engine.Close(ctx))
}
