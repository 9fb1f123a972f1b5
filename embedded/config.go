package embedded

import (
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
)

// EngineVersion is the version of the Hatchet module this package was written for and is built with.
// A test holds it against go.mod.
const EngineVersion = "v0.104.7"

const defaultLogLevel = "error"

// Config says which engine to run. DatabaseURL and Dir are required; the zero value of everything else is right for
// development.
type Config struct {
	// DatabaseURL names the engine's own database on PostgreSQL 14 or later. The database is created if it is not
	// there and the role may create it. It is not the application's database.
	DatabaseURL string

	// Dir is where the engine's encryption keys, ports and token are kept between starts (files of mode 0600, made
	// at the first start). Without the same keys old tokens are refused and encrypted rows are lost. A server.yaml
	// or database.yaml placed there is read as Hatchet's own configuration, for settings that Config does not have.
	Dir string

	// GRPCPort and APIPort are the loopback ports. 0 means the port of the last start if it is still free, else a
	// free one. A token is bound to the API's port: when that changes, Start issues a new token.
	GRPCPort, APIPort int

	// NoAPI leaves the API server out. The SDK's Runs, Workflows and Crons clients (replay, too) then do not work.
	NoAPI bool

	// SkipMigrations trusts that the database has the engine's schema already.
	SkipMigrations bool

	// SingleEngine promises that no other engine uses this database, and makes Start remove what an engine that was
	// killed left behind, for which scheduling would otherwise wait a minute. The first task then runs at once, instead
	// of some three seconds after the start. Start fails if another engine of this package is running on the database.
	// Leave it false where several engines share one.
	SingleEngine bool

	// FastShutdown leaves out the engine's five second pause for other engines to take over, and gives streams one
	// second to end instead of ten. For tests, and wherever one engine is all there is.
	FastShutdown bool

	// RabbitMQURL moves the message queue from PostgreSQL to RabbitMQ.
	RabbitMQURL string

	// LogLevel is the engine's: "debug", "info", "warn", "error" or "disabled". Empty means "error". The engine
	// writes to standard error. Unless the level asks for more, the errors of an orderly stop are left out.
	LogLevel string
}

// stepLimit is how long one step of stopping may take before it is left behind.
func (c *Config) stepLimit() time.Duration {
	if c.FastShutdown {
		return fastDrainLimit + time.Second
	}
	return drainLimit + time.Second
}

// validate reports everything that is wrong, and fills in defaults.
func (c *Config) validate() error {
	var errs []error
	if c.DatabaseURL == "" {
		errs = append(errs, errors.New("no database: set DatabaseURL, or give hatchet.WithEmbeddedDatabaseURL"))
	}
	if c.Dir == "" {
		errs = append(errs, errors.New("no directory for keys: set Dir"))
	}
	if c.GRPCPort != 0 && c.GRPCPort == c.APIPort {
		errs = append(errs, fmt.Errorf("gRPC and API cannot both have port %d", c.GRPCPort))
	}
	if c.LogLevel == "" {
		c.LogLevel = defaultLogLevel
	}
	// The engine panics on a level it does not know.
	if _, err := zerolog.ParseLevel(c.LogLevel); err != nil {
		errs = append(errs, fmt.Errorf("log level: %w", err))
	}
	if len(errs) > 0 {
		return fmt.Errorf("embedded: %w", errors.Join(errs...))
	}
	return nil
}
