package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/db"
)

func (a *App) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Migrate the schema of the database"}
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
		&cobra.Command{Use: "up", Short: "Apply all pending migrations", Args: cobra.NoArgs, RunE: run(db.Migrate)},
		&cobra.Command{
			Use: "down", Short: "Revert the newest migration and delete its data", Args: cobra.NoArgs,
			RunE: run(db.MigrateDown),
		},
		&cobra.Command{Use: "status", Short: "List the migrations", Args: cobra.NoArgs, RunE: run(
			func(ctx context.Context, url string) error {
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
