package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/signal"
	"syscall"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/internal/keystore"
	"github.com/contextvault/contextvault/internal/webconsole"
	"github.com/contextvault/contextvault/mcp"
)

// operatorTenant owns the sweeps that an operator starts with ADMIN_TOKEN: a sweep covers all tenants, but every
// operation needs one. The server creates it at its start. It has no customers.
var operatorTenant = uuid.MustParse("00000000-0000-7000-8000-000000000001")

func (a *App) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the HTTP API and the console until stopped", Args: cobra.NoArgs,
		Long: "Serve the HTTP API until stopped. /docs describes the API, /console is for people, and /mcp\n" +
			"is an MCP server for agents. It accepts changes while the workflow engine is down, and pushes\n" +
			"them once it is up.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			r, err := a.connect(ctx)
			if err != nil {
				return err
			}
			defer r.Close() // waits for running pushes
			if err := r.DB.Verify(ctx); err != nil {
				return err
			}
			stopTracing, err := startTracing(ctx, r.Config, "vault-api", r.Log)
			if err != nil {
				return err
			}
			defer stopTracing()
			listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.Config.API.ListenAddress)
			if err != nil {
				return fmt.Errorf("api.listen_address: %w", err)
			}
			return Serve(ctx, r, listener)
		},
	}
}

// Serve serves the API on a listener until ctx ends.
func Serve(ctx context.Context, r *app.Runtime, listener net.Listener) error {
	cfg := r.Config.API
	if cfg.AdminToken != "" {
		if _, err := r.DB.System().CreateTenant(ctx, operatorTenant, "operator"); err != nil {
			_ = listener.Close()
			return fmt.Errorf("create the tenant of the operator: %w", err)
		}
	}
	var admin net.Listener
	if cfg.AdminAddress != "" {
		var err error
		if admin, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.AdminAddress); err != nil {
			_ = listener.Close()
			return fmt.Errorf("api.admin_address: %w", err)
		}
		r.Log.InfoContext(ctx, "admin_started", "address", admin.Addr().String())
	}
	server := api.New(api.Options{
		AdminListener: admin,
		Query:         r.Query, Trigger: r.Trigger, Keys: keystore.Store{DB: r.DB},
		AdminToken: cfg.AdminToken.Reveal(), OperatorTenant: operatorTenant,
		DropProfile: func(ctx context.Context, tenant, customer uuid.UUID) error {
			return r.Cache.Drop(ctx, cache.ProfileKey(tenant, customer))
		},
		Dependencies: r.Dependencies(), Describe: describe, Unavailable: db.IsUnavailable,
		Registry: r.Metrics.Registry, Log: r.Log,
		MaxBodyBytes: int64(cfg.MaxBodyBytes), RateLimit: cfg.RateLimitPerSecond,
		RequestTimeout: cfg.RequestTimeout(), ShutdownGrace: cfg.ShutdownGrace(),
	})
	if err := webconsole.Mount(server, r, describe); err != nil {
		_ = listener.Close()
		return err
	}
	server.Mount(mcp.Path, mcp.NewHandler(mcp.HandlerOptions{API: server, Stopping: server.Stopping(), Log: r.Log}))
	r.Log.InfoContext(ctx, "api_started", "address", listener.Addr().String())
	relay, endRelay := context.WithCancel(context.WithoutCancel(ctx)) // runs until the requests in flight finish
	var g errgroup.Group
	g.Go(func() error {
		defer endRelay()
		return server.Serve(ctx, listener)
	})
	if hasEngine(r) {
		g.Go(func() error { return r.Trigger.Run(relay) })
	}
	return g.Wait()
}

func hasEngine(r *app.Runtime) bool { return r.Config.Jobs.Hatchet.Token != "" }

// describe returns the text of an internal error for the log. It contains no customer values.
func describe(err error) string {
	if text := db.SafeText(err); text != "" {
		return text
	}
	if e, ok := errors.AsType[net.Error](err); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", err)
}
