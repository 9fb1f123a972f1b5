package cli

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/worker"
)

func (a *App) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "Run the workflows until stopped", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			cfg, err := a.config()
			if err != nil {
				return err
			}
			engine, err := app.NewEngine(cfg)
			if err != nil {
				return err
			}
			r, err := app.Connect(ctx, cfg, engine, Logger(cfg))
			if err != nil {
				return err
			}
			defer r.Close()
			if err := r.DB.Verify(ctx); err != nil {
				return err
			}
			stopTracing, err := startTracing(ctx, cfg, "vault-worker", r.Log)
			if err != nil {
				return err
			}
			defer stopTracing()
			return worker.Run(ctx, r, engine, worker.Options{})
		},
	}
}
