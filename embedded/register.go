package embedded

import (
	"cmp"
	"context"
	"os"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
)

const clientLogLevelEnv = "HATCHET_CLIENT_LOG_LEVEL"

// Register makes hatchet.NewClient(hatchet.WithEmbedded(...)) run an engine in this process, with the given
// configuration. The options of WithEmbedded override it. The client's Close stops the engine.
//
// While the engine runs, the environment of this process and its children has the variables that a client needs (see
// [Engine.Env]); NewClient itself finds the engine through them. Register also sets the client's log level, unless it
// is set, because the SDK's default is "debug". Stopping the engine restores the environment.
func Register(cfg Config) {
	hatchet.RegisterEmbeddedBackend(
		func(ctx context.Context, hook hatchet.EmbeddedConfig) (func(context.Context) error, error) {
			cfg := cfg.with(hook)
			engine, err := Start(ctx, cfg)
			if err != nil {
				return nil, err
			}
			env := engine.env()
			if os.Getenv(clientLogLevelEnv) == "" {
				env[clientLogLevelEnv] = cmp.Or(cfg.LogLevel, defaultLogLevel)
			}
			restore := setEnv(env)
			return func(ctx context.Context) error {
				restore()
				return engine.Shutdown(ctx)
			}, nil
		},
	)
}

// with returns the configuration with the options of the hook applied.
func (c Config) with(hook hatchet.EmbeddedConfig) Config {
	if hook.DatabaseURL != "" {
		c.DatabaseURL = hook.DatabaseURL
	}
	set(&c.GRPCPort, hook.GRPCPort)
	set(&c.APIPort, hook.APIPort)
	set(&c.RabbitMQURL, hook.RabbitMQURL)
	set(&c.LogLevel, hook.LogLevel)
	if hook.StartAPI != nil {
		c.NoAPI = !*hook.StartAPI
	}
	if hook.RunMigrations != nil {
		c.SkipMigrations = !*hook.RunMigrations
	}
	return c
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}
