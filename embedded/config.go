package embedded

import (
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
)

// EngineVersion is the version of the Hatchet module that this package is written for and built with.
// A test compares it with go.mod.
const EngineVersion = "v0.104.7"

const defaultLogLevel = "error"

// Config configures an engine. DatabaseURL and Dir are required; the zero value of the other fields suits development.
type Config struct {
	// DatabaseURL names the engine's own database on PostgreSQL 14 or later, not the application's database. Start
	// creates the database if it does not exist and the role has the permission.
	DatabaseURL string

	// Dir holds the engine's encryption keys, ports and token between starts, in files of mode 0600. The first start
	// creates them. Without the same keys, old tokens are refused and encrypted rows are lost. A server.yaml or
	// database.yaml in Dir is read as Hatchet's own configuration, for settings that Config does not have.
	Dir string

	// GRPCPort and APIPort are the loopback ports. 0: the port of the last start if it is still free, else any free
	// port. A token is bound to the API's port: when the port changes, Start issues a new token.
	GRPCPort, APIPort int

	// NoAPI starts no API server. The SDK's Runs, Workflows and Crons clients, including replay, then do not work.
	NoAPI bool

	// SkipMigrations starts on a database that already has the engine's schema.
	SkipMigrations bool

	// SingleEngine declares that no other engine uses this database. Start then removes the leases of a killed engine,
	// which would delay scheduling by a minute, and the first task runs at once instead of about three seconds after
	// the start. Start fails if another engine of this package runs on the database. Leave it false if several engines
	// share a database.
	SingleEngine bool

	// FastShutdown skips the engine's pause of five seconds for other engines to take over, and gives streams one
	// second to end instead of ten. For tests and for a single engine.
	FastShutdown bool

	// RabbitMQURL moves the message queue from PostgreSQL to RabbitMQ.
	RabbitMQURL string

	// LogLevel is the engine's log level: "debug", "info", "warn", "error" or "disabled". Empty: "error". The engine
	// writes to standard error. At "error" and "disabled", the errors of an orderly shutdown are left out.
	LogLevel string
}

// stepLimit is the time limit of one shutdown step. A step that takes longer is abandoned.
func (c *Config) stepLimit() time.Duration {
	if c.FastShutdown {
		return fastDrainLimit + time.Second
	}
	return drainLimit + time.Second
}

// validate reports all invalid fields at once, and fills in defaults.
func (c *Config) validate() error {
	var errs []error
	if c.DatabaseURL == "" {
		errs = append(errs, errors.New("no database: set DatabaseURL, or pass hatchet.WithEmbeddedDatabaseURL"))
	}
	if c.Dir == "" {
		errs = append(errs, errors.New("no directory for keys: set Dir"))
	}
	if c.GRPCPort != 0 && c.GRPCPort == c.APIPort {
		errs = append(errs, fmt.Errorf("GRPCPort and APIPort are both %d: they must differ", c.GRPCPort))
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
