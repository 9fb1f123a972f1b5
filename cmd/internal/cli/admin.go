package cli

import (
	"context"
	"fmt"
	"maps"
	"os/signal"
	"slices"
	"syscall"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/worker"
)

func (a *App) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "do the work: run the workflows until stopped", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			cfg, err := a.config()
			if err != nil {
				return err
			}
			engine, err := worker.Engine(cfg)
			if err != nil {
				return err
			}
			r, err := worker.Connect(ctx, cfg, engine, Logger(cfg))
			if err != nil {
				return err
			}
			defer r.Close()
			stopTracing, err := startTracing(ctx, cfg, "vault-worker", r.Log)
			if err != nil {
				return err
			}
			defer stopTracing()
			return worker.Run(ctx, r, engine, worker.Options{})
		},
	}
}

func (a *App) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "bring the database's schema up or down"}
	run := func(fn func(ctx context.Context, url string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config()
			if err != nil {
				return err
			}
			if err := cfg.Require("database.url"); err != nil {
				return err
			}
			return fn(cmd.Context(), cfg.Database.URL.Reveal())
		}
	}
	cmd.AddCommand(
		&cobra.Command{Use: "up", Short: "apply every migration that is missing", Args: cobra.NoArgs, RunE: run(db.Migrate)},
		&cobra.Command{Use: "down", Short: "take the newest migration back, with its data", Args: cobra.NoArgs, RunE: run(db.MigrateDown)},
		&cobra.Command{Use: "status", Short: "list the migrations", Args: cobra.NoArgs, RunE: run(func(ctx context.Context, url string) error {
			all, err := db.MigrationStatus(ctx, url)
			if err != nil {
				return err
			}
			if a.json {
				return a.print(all)
			}
			for _, m := range all {
				state := "pending"
				if m.Applied {
					state = "applied"
				}
				if _, err := fmt.Fprintf(a.Out, "%s  %s\n", state, m.Name); err != nil {
					return err
				}
			}
			return nil
		})},
	)
	return cmd
}

func (a *App) sealingKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sealing-key", Short: "make a key for VAULT_SEALING_KEY", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			key, err := db.NewSealingKey()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Out, key)
			return err
		},
	}
}

func (a *App) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "show the configuration"}
	cmd.AddCommand(
		&cobra.Command{Use: "show", Short: "what is in force, without secrets", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			cfg, err := a.config()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(a.Out, cfg)
			return err
		}},
		&cobra.Command{Use: "reference", Short: "every setting, its variable and its default", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.Out, config.Reference())
			return err
		}},
	)
	return cmd
}

func (a *App) tenantsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenants", Short: "make and list tenants"}
	var id, name string
	create := &cobra.Command{Use: "create", Short: "make a tenant", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		tenant := uuid.Must(uuid.NewV7())
		if id != "" {
			var err error
			if tenant, err = parseID("id", id); err != nil {
				return err
			}
		}
		return a.system(cmd.Context(), func(ctx context.Context, r *worker.Runtime) (any, error) {
			added, err := r.DB.System().CreateTenant(ctx, tenant, name)
			if err == nil && added == 0 {
				err = fmt.Errorf("tenant %s exists already", tenant)
			}
			return map[string]any{"id": tenant, "name": name}, err
		})
	}}
	create.Flags().StringVar(&id, "id", "", "its id, a UUID (default: a new one)")
	create.Flags().StringVar(&name, "name", "", "its name, for people")
	_ = create.MarkFlagRequired("name")
	cmd.AddCommand(create, &cobra.Command{Use: "list", Short: "list the tenants", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return a.system(cmd.Context(), func(ctx context.Context, r *worker.Runtime) (any, error) { return r.DB.System().ListTenants(ctx) })
	}})
	return cmd
}

// system runs a command that is of no tenant.
func (a *App) system(ctx context.Context, run func(ctx context.Context, r *worker.Runtime) (any, error)) error {
	r, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	out, err := run(ctx, r)
	if err != nil {
		return err
	}
	return a.print(out)
}

func (a *App) expireCommand() *cobra.Command {
	return &cobra.Command{Use: "expire", Short: "mark what is past its expiry now, instead of at the next cron", Args: cobra.NoArgs,
		RunE: a.change(func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, opts []trigger.Option) (trigger.Receipt, error) {
			return c.ExpireFields(ctx, tenant, opts...)
		})}
}

func (a *App) orphansCommand() *cobra.Command {
	return &cobra.Command{Use: "orphans", Short: "mark what lost its source now, instead of at the next cron", Args: cobra.NoArgs,
		RunE: a.change(func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, opts []trigger.Option) (trigger.Receipt, error) {
			return c.DetectOrphans(ctx, tenant, opts...)
		})}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
