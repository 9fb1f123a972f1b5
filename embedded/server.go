package embedded

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/hatchet-dev/hatchet/pkg/config/loader"
	"github.com/hatchet-dev/hatchet/pkg/config/server"
)

// processWide guards global state that is changed for a moment: the environment for Hatchet's loader, goose's globals,
// the standard logger.
var processWide sync.Mutex

// engineMaxConns is the maximum number of connections in the engine's main pool. Hatchet's default is 50, half of the
// 100 that PostgreSQL allows by default. One machine that runs everything, or several test packages, needs more for
// others.
const engineMaxConns = 20

// withLoaderEnv runs load with the environment that Hatchet's loader reads, and restores it: DATABASE_URL otherwise
// names the application's database in this process. The environment never contains a key.
func withLoaderEnv(databaseURL, logLevel string, load func() error) error {
	env := map[string]string{
		"DATABASE_URL":           databaseURL,
		"DATABASE_LOGGER_LEVEL":  logLevel,
		"DATABASE_PGBOUNCER_URL": "",
		"READ_REPLICA_ENABLED":   "false",
	}
	if os.Getenv(retentionEnv) == "" { // the loader reads it from the environment only
		env[retentionEnv] = defaultRetention
	}
	if os.Getenv("DATABASE_MAX_CONNS") == "" {
		env["DATABASE_MAX_CONNS"] = strconv.Itoa(engineMaxConns)
	}

	processWide.Lock()
	defer processWide.Unlock()
	defer setEnv(env)()
	return load()
}

// retentionEnv is the engine's setting for how long it keeps runs; a longer time in the environment wins. Nothing in
// the engine waits for days: gap fills wait in the vault's database. Three days leave a weekend to look at a failed
// run.
const (
	retentionEnv     = "SERVER_LIMITS_DEFAULT_TENANT_RETENTION_PERIOD"
	defaultRetention = "72h"
)

// setEnv sets variables and returns a function that restores them.
func setEnv(env map[string]string) (restore func()) {
	type before struct {
		value string
		set   bool
	}
	saved := make(map[string]before, len(env))
	for name, value := range env {
		old, set := os.LookupEnv(name)
		saved[name] = before{old, set}
		_ = os.Setenv(name, value)
	}
	return func() {
		for name, b := range saved {
			if b.set {
				_ = os.Setenv(name, b.value)
			} else {
				_ = os.Unsetenv(name)
			}
		}
	}
}

// loadServer builds the server configuration that engine and API share. The override has priority over files and
// environment, so all settings of this package go through it.
func loadServer(
	cfg Config,
	databaseURL string,
	id *identity,
) (sc *server.ServerConfig, cleanup func() error, err error) {
	override := func(f *server.ServerConfigFile) {
		r := &f.Runtime
		r.GRPCBindAddress = loopback
		r.GRPCPort = id.GRPCPort
		r.GRPCBroadcastAddress = address(id.GRPCPort)
		r.GRPCInsecure = true
		r.Port = id.APIPort
		r.ServerURL = "http://" + address(id.APIPort)
		r.Healthcheck = false
		r.AllowSignup = false
		r.AllowCreateTenant = false
		r.AllowInvites = false
		r.GRPCShutdownTimeout = drainLimit
		if cfg.FastShutdown {
			r.GRPCShutdownTimeout = fastDrainLimit
		}

		f.Encryption = server.EncryptionConfigFile{
			MasterKeyset: id.Master,
			JWT:          server.EncryptionConfigFileJWT{PrivateJWTKeyset: id.PrivateJWT, PublicJWTKeyset: id.PublicJWT},
		}
		f.Auth.Cookie.Secrets = id.Cookie
		f.Auth.Cookie.Domain = loopback
		f.Auth.Cookie.Insecure = true

		f.MessageQueue.Enabled = true
		f.MessageQueue.Kind = "postgres"
		if cfg.RabbitMQURL != "" {
			f.MessageQueue.Kind = "rabbitmq"
			f.MessageQueue.RabbitMQ.URL = cfg.RabbitMQURL
		}

		f.Services = []string{"all"}
		f.ServicesString = ""
		f.SecurityCheck.Enabled = false // it would call Hatchet's servers
		f.Analytics.Posthog.Enabled = false
		f.Logger.Level = cfg.LogLevel
		f.AdditionalLoggers.Queue.Level = cfg.LogLevel
		f.AdditionalLoggers.PgxStats.Level = cfg.LogLevel
	}
	err = withLoaderEnv(databaseURL, cfg.LogLevel, func() (err error) {
		cleanup, sc, err = loader.NewConfigLoader(cfg.Dir).CreateServerFromConfig(EngineVersion, override)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("embedded: configure engine: %w", err)
	}
	return sc, cleanup, nil
}

// address is the loopback address of a port.
func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }
