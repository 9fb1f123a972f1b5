package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/hatchet-dev/hatchet/cmd/hatchet-engine/engine"
	"github.com/hatchet-dev/hatchet/pkg/cleanup"
	v0client "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // the only home of the SDK's client options
	"github.com/hatchet-dev/hatchet/pkg/config/server"
	"github.com/hatchet-dev/hatchet/pkg/repository/sqlcv1"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
)

// readyTimeout limits the wait for an engine that neither answers nor fails. It normally takes a tenth of a second.
const readyTimeout = 30 * time.Second

// Engine is a running Hatchet engine.
type Engine struct {
	databaseURL string
	grpcAddress string
	apiURL      string
	token       string

	stopOnce sync.Once
	stop     func() error
	stopped  chan struct{}
	stopErr  error // set before stopped is closed
}

// Start runs an engine in this process until [Engine.Shutdown]. It returns when the engine answers. The context limits
// the start only.
//
// During Start, the variable DATABASE_URL of this process names the engine's database for a moment, because Hatchet's
// loader reads it. Start restores it before it returns.
func Start(ctx context.Context, cfg Config) (_ *Engine, err error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	databaseURL := inUTC(cfg.DatabaseURL)

	var undo undoStack
	stop := func() error {
		if quietLevel(cfg.LogLevel) {
			defer mute()()
		}
		if err := undo.run(); err != nil {
			return fmt.Errorf("embedded: %w", err)
		}
		return nil
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stop())
		}
	}()

	if err := openDatabase(ctx, cfg, databaseURL, &undo); err != nil {
		return nil, err
	}
	id, err := loadIdentity(ctx, cfg, &undo)
	if err != nil {
		return nil, err
	}
	sc, cleanupServer, err := loadServer(cfg, databaseURL, id)
	if err != nil {
		return nil, err
	}
	limit := cfg.stepLimit()
	disconnect := sync.OnceValue(sc.Disconnect)
	undo.push("database", within(limit, func() error {
		err := disconnect()
		closePools(sc.Layer)
		return err
	}))
	undo.push("server", within(limit, func() error { return withoutCleanupLine(cleanupServer) }))

	tenant, err := seed(ctx, sc.Layer)
	if err != nil {
		return nil, err
	}
	if cfg.SingleEngine {
		if err := removeStale(ctx, sc.Layer); err != nil {
			return nil, err
		}
	}
	if err := id.ensureToken(ctx, sc, tenant.ID); err != nil {
		return nil, err
	}
	if err := id.save(cfg.Dir); err != nil {
		return nil, fmt.Errorf("embedded: save state: %w", err)
	}

	if err := runEngine(ctx, cfg, sc, disconnect, &undo); err != nil {
		return nil, err
	}
	if cfg.SingleEngine {
		// The scheduler polls for its tenants every second, and finds the first worker two seconds later. No other
		// scheduler exists, so assign the tenant to this one now: the first task then runs at once.
		if err := assignTenant(ctx, sc.Layer, tenant.ID); err != nil {
			return nil, err
		}
		sc.SchedulingPoolV1.SetTenants([]*sqlcv1.Tenant{tenant})
	}
	e := &Engine{
		databaseURL: cfg.DatabaseURL,
		grpcAddress: sc.Runtime.GRPCBroadcastAddress,
		token:       id.Token,
		stop:        stop,
		stopped:     make(chan struct{}),
	}
	if cfg.NoAPI {
		_ = id.api.Close()
	} else {
		stopAPI, err := startAPI(sc, id.api)
		if err != nil {
			return nil, err
		}
		undo.push("API", stopAPI)
		e.apiURL = sc.Runtime.ServerURL
	}
	return e, nil
}

// openDatabase creates the database, locks it for this engine, and migrates it.
func openDatabase(ctx context.Context, cfg Config, databaseURL string, undo *undoStack) error {
	if !cfg.SkipMigrations {
		if err := createDatabase(ctx, databaseURL); err != nil {
			return err
		}
	}
	release, err := lockDatabase(ctx, databaseURL, cfg.SingleEngine)
	if err != nil {
		return err
	}
	undo.push("database lock", release)
	if cfg.SkipMigrations {
		return nil
	}
	return migrateUp(ctx, databaseURL)
}

// runEngine starts the engine and returns when it answers. Its shutdown calls disconnect first: see drainNotifications.
func runEngine(
	ctx context.Context,
	cfg Config,
	sc *server.ServerConfig,
	disconnect func() error,
	undo *undoStack,
) error {
	limit := cfg.stepLimit()
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	parts := cleanup.New(sc.Logger)
	ended := make(chan struct{})
	var runErr error
	go func() {
		defer close(ended)
		runErr = engine.RunWithConfig(running, sc, &parts)
	}()
	undo.push("engine", func() error {
		errs := []error{disconnect(), drainNotifications(sc.Pool)}
		cancel()
		select {
		case <-ended:
			errs = append(errs, stopParts(parts.Fns, limit, cfg.FastShutdown))
		case <-time.After(limit):
			errs = append(errs, errAbandoned)
		}
		return errors.Join(errs...)
	})

	ready, giveUp := context.WithTimeout(ctx, readyTimeout)
	defer giveUp()
	for {
		conn, err := (&net.Dialer{}).DialContext(ready, "tcp", sc.Runtime.GRPCBroadcastAddress)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ended:
			return fmt.Errorf("embedded: engine: %w", runErr)
		case <-ready.Done():
			return fmt.Errorf("embedded: engine does not answer: %w", ready.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// DatabaseURL returns the configured URL of the engine's database.
func (e *Engine) DatabaseURL() string { return e.databaseURL }

// GRPCAddress returns the host and port for clients and workers.
func (e *Engine) GRPCAddress() string { return e.grpcAddress }

// APIURL returns the URL of the API server. It is empty with Config.NoAPI.
func (e *Engine) APIURL() string { return e.apiURL }

// Token returns the token that a client needs.
func (e *Engine) Token() string { return e.token }

// Env returns the environment variables that a client in another process needs, in the form of exec.Cmd.Env. The token
// is the only secret in them.
func (e *Engine) Env() []string {
	var list []string
	for name, value := range e.env() {
		list = append(list, name+"="+value)
	}
	sort.Strings(list)
	return list
}

func (e *Engine) env() map[string]string {
	env := map[string]string{
		"HATCHET_CLIENT_TOKEN":        e.token,
		"HATCHET_CLIENT_HOST_PORT":    e.grpcAddress,
		"HATCHET_CLIENT_TLS_STRATEGY": "none",
	}
	if e.apiURL != "" {
		env["HATCHET_CLIENT_SERVER_URL"] = e.apiURL
	}
	return env
}

// Client returns a client of this engine that needs no environment. It logs errors only, unless an option changes that.
// Closing it does not stop the engine.
func (e *Engine) Client(opts ...v0client.ClientOpt) (*hatchet.Client, error) { //nolint:staticcheck // as above
	host, port, err := net.SplitHostPort(e.grpcAddress)
	if err != nil {
		return nil, fmt.Errorf("embedded: client: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("embedded: client: %w", err)
	}
	defaults := []v0client.ClientOpt{ //nolint:staticcheck // as above
		v0client.WithToken(e.token),            //nolint:staticcheck // as above
		v0client.WithHostPort(host, number),    //nolint:staticcheck // as above
		v0client.WithLogLevel(defaultLogLevel), //nolint:staticcheck // as above
		v0client.WithTLSConfig(nil),
	}
	return hatchet.NewClient(append(defaults, opts...)...)
}

// Shutdown stops the engine. It returns when the engine has stopped, or when the context ends; the shutdown then
// continues in the background. It takes 5 s, up to 15 s with connected workers. With Config.FastShutdown it takes less
// than 1 s, up to 2 s with connected workers. Stop workers first: a step that ends during the shutdown may run again.
// Repeated calls wait for the same shutdown.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.stopOnce.Do(func() {
		go func() {
			defer close(e.stopped)
			e.stopErr = e.stop()
		}()
	})
	select {
	case <-e.stopped:
		return e.stopErr
	case <-ctx.Done():
		return fmt.Errorf("embedded: engine is still stopping: %w", ctx.Err())
	}
}
