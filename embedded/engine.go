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

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/cmd/hatchet-engine/engine"
	"github.com/hatchet-dev/hatchet/pkg/cleanup"
	v0client "github.com/hatchet-dev/hatchet/pkg/client" //nolint:staticcheck // the only home of the SDK's client options
	"github.com/hatchet-dev/hatchet/pkg/config/server"
	"github.com/hatchet-dev/hatchet/pkg/repository/sqlcv1"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
)

const (
	// A token is used again until tokenReserve before it ends, so that no engine outlives its own.
	tokenLife    = 365 * 24 * time.Hour
	tokenReserve = 30 * 24 * time.Hour

	readyTimeout = 30 * time.Second
	settle = 20*time.Millisecond
)

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

// Start runs an engine in this process until [Engine.Shutdown], and returns when it answers. The context bounds the
// start only.
//
// For a moment during Start the variable DATABASE_URL of this process names the engine's database, because Hatchet's
// loader reads it from there; it is put back before Start returns.
func Start(ctx context.Context, cfg Config) (_ *Engine, err error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	databaseURL := inUTC(cfg.DatabaseURL)

	undo := &undoStack{limit: drainLimit + time.Second}
	if cfg.FastShutdown {
		undo.limit = fastDrainLimit + time.Second
	}
	stop := func() error {
		if quietLevel(cfg.LogLevel) {
			defer mute()()
		}
		return undo.run()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stop())
		}
	}()

	if !cfg.SkipMigrations {
		if err := createDatabase(ctx, databaseURL); err != nil {
			return nil, err
		}
	}
	release, err := lockDatabase(ctx, databaseURL, cfg.SingleEngine)
	if err != nil {
		return nil, err
	}
	undo.push("lock of the database", release)
	if !cfg.SkipMigrations {
		if err := migrateUp(ctx, databaseURL); err != nil {
			return nil, err
		}
	}

	k, err := loadKeys(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("embedded: keys: %w", err)
	}
	last, err := loadState(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("embedded: state: %w", err)
	}
	api, err := listen("API", cfg.APIPort, last.APIPort)
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	undo.push("API port", func() error {
		_ = api.Close() // the API server has closed it already, if it ran
		return nil
	})
	grpcPort, err := freePort("gRPC", cfg.GRPCPort, last.GRPCPort) // the engine can only open it by itself
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}

	sc, cleanupServer, err := loadServer(cfg, databaseURL, k, grpcPort, portOf(api))
	if err != nil {
		return nil, err
	}
	undo.push("database", func() error {
		sc.Pool.Close()
		sc.DDLPool.Close()
		return nil
	})
	undo.push("server", func() error { return withoutCleanupLine(cleanupServer) })

	tenant, err := seed(ctx, sc.Layer)
	if err != nil {
		return nil, err
	}
	if cfg.SingleEngine {
		if err := removeStale(ctx, sc.Layer); err != nil {
			return nil, err
		}
	}
	now := state{GRPCPort: grpcPort, APIPort: portOf(api), Token: last.Token, TokenExpires: last.TokenExpires}
	if err := now.ensureToken(ctx, sc, tenant.ID); err != nil {
		return nil, err
	}
	if err := now.save(cfg.Dir); err != nil {
		return nil, fmt.Errorf("embedded: keep state: %w", err)
	}

	if err := runEngine(ctx, sc, cfg.FastShutdown, undo); err != nil {
		return nil, err
	}
	if cfg.SingleEngine {
		// The scheduler looks for its tenants every second, and finds the first worker two seconds after that. There
		// is no other scheduler that could have this tenant, so give it to ours now: the first task then runs at once.
		sc.SchedulingPoolV1.SetTenants([]*sqlcv1.Tenant{tenant})
	}
	e := &Engine{
		databaseURL: cfg.DatabaseURL,
		grpcAddress: sc.Runtime.GRPCBroadcastAddress,
		token:       now.Token,
		stop:        stop,
		stopped:     make(chan struct{}),
	}
	if cfg.NoAPI {
		_ = api.Close()
	} else {
		stopAPI, err := startAPI(sc, api)
		if err != nil {
			return nil, err
		}
		undo.push("API", stopAPI)
		e.apiURL = sc.Runtime.ServerURL
	}
	undo.push("listener", func() error { 
		err := sc.Disconnect()
		time.Sleep(settle)
		return err
	})
	return e, nil
}

// runEngine starts the engine and returns when it answers.
func runEngine(ctx context.Context, sc *server.ServerConfig, fast bool, undo *undoStack) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	steps := cleanup.New(sc.Logger)
	ended := make(chan struct{})
	var runErr error
	go func() {
		defer close(ended)
		runErr = engine.RunWithConfig(running, sc, &steps)
	}()
	undo.pushUnbounded("engine", func() error {
		cancel()
		select {
		case <-ended:
		case <-time.After(undo.limit):
			return errors.New("it does not end")
		}
		// Its own steps, in its own order, but each of them bounded and none left out because another failed.
		own := &undoStack{limit: undo.limit}
		for i := len(steps.Fns) - 1; i >= 0; i-- {
			// A pause for other engines to notice: there are none, or they can wait.
			if fast && steps.Fns[i].Name == "partitioner heartbeat timeout" {
				continue
			}
			own.push(steps.Fns[i].Name, steps.Fns[i].Fn)
		}
		return own.run()
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

// ensureToken issues a token unless the last one is still good for this database, these keys and this URL.
func (s *state) ensureToken(ctx context.Context, sc *server.ServerConfig, tenant uuid.UUID) error {
	if s.Token != "" && time.Until(s.TokenExpires) > tokenReserve {
		if of, _, err := sc.Auth.JWTManager.ValidateTenantToken(ctx, s.Token); err == nil && of == tenant {
			return nil
		}
	}
	expires := time.Now().UTC().Add(tokenLife)
	token, err := sc.Auth.JWTManager.GenerateTenantToken(ctx, tenant, "embedded", false, &expires)
	if err != nil {
		return fmt.Errorf("embedded: issue token: %w", err)
	}
	s.Token, s.TokenExpires = token.Token, expires
	return nil
}

// DatabaseURL is the engine's database, as configured.
func (e *Engine) DatabaseURL() string { return e.databaseURL }

// GRPCAddress is the host and port that clients and workers connect to.
func (e *Engine) GRPCAddress() string { return e.grpcAddress }

// APIURL is the URL of the API server, empty if there is none.
func (e *Engine) APIURL() string { return e.apiURL }

// Token lets a client use the engine.
func (e *Engine) Token() string { return e.token }

// Env returns the variables with which a client in another process reaches this engine, as exec.Cmd.Env wants them.
// The token is the only secret in them.
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

// Client returns a client of this engine that needs no environment. It logs errors only, unless an option says
// otherwise. Closing it does not stop the engine.
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

// Shutdown stops the engine and returns when it is stopped, or when the context ends: stopping then goes on by itself.
// It takes 5 s, and up to 15 s with workers connected; with Config.FastShutdown less than one, and up to two. Stop
// workers first: a step that ends while the engine stops may have to run again. Every call waits for the same end.
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
