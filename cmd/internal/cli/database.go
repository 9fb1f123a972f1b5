package cli

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/google/uuid"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/telemetry"
)

func (a *App) config() (config.Config, error) { return config.Load(a.configPath, a.Environ()) }

// Logger creates the configured logger. It writes to standard error.
func Logger(cfg config.Config) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.Log.SlogLevel()}
	var handler slog.Handler = slog.NewJSONHandler(os.Stderr, opts)
	if cfg.Log.Format == "text" {
		handler = slog.NewTextHandler(os.Stderr, opts)
	}
	return slog.New(telemetry.LogHandler(handler))
}

// startTracing exports the traces of a service to the configured endpoint.
func startTracing(ctx context.Context, cfg config.Config, service string, log *slog.Logger) (stop func(), err error) {
	return telemetry.StartTracing(ctx, telemetry.Tracing{
		Endpoint: cfg.Tracing.Endpoint.Reveal(), Protocol: cfg.Tracing.Protocol,
		SampleRatio: cfg.Tracing.SampleRatio,
	}, service, log)
}

// connect opens the dependencies of a command that uses the database. With a configured engine, operations are pushed
// at once; otherwise the relay of a worker pushes them.
func (a *App) connect(ctx context.Context) (*app.Runtime, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	var engine *hatchet.Client
	if cfg.Jobs.Hatchet.Token != "" {
		if engine, err = app.NewEngine(cfg); err != nil {
			return nil, err
		}
	}
	return app.Connect(ctx, cfg, engine, Logger(cfg))
}

// system runs a command on the database that belongs to no tenant.
func (a *App) system(
	run func(ctx context.Context, r *app.Runtime) (any, error),
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		r, err := a.connect(cmd.Context())
		if err != nil {
			return err
		}
		defer r.Close()
		out, err := run(cmd.Context(), r)
		if err != nil {
			return err
		}
		return a.print(out)
	}
}

// ofTenant runs a command on the database for the tenant of --tenant or VAULT_TENANT.
func (a *App) ofTenant(
	run func(ctx context.Context, r *app.Runtime, tenant uuid.UUID) (any, error),
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		text := cmp.Or(a.tenant, a.env("VAULT_TENANT"))
		if text == "" {
			return errors.New("no tenant: set --tenant or VAULT_TENANT (`vault tenants list` lists the tenants)")
		}
		tenant, err := parseID("tenant", text)
		if err != nil {
			return err
		}
		return a.system(func(ctx context.Context, r *app.Runtime) (any, error) { return run(ctx, r, tenant) })(cmd, args)
	}
}
