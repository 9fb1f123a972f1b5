package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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
	var yes bool
	down := &cobra.Command{
		Use: "down", Short: "Revert the newest migration and delete its data", Args: cobra.NoArgs,
		Long: "Revert the newest migration and delete its data. The command asks before; programs use --yes.",
		RunE: run(func(ctx context.Context, url string) error { return a.migrateDown(ctx, url, yes) }),
	}
	down.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.AddCommand(
		&cobra.Command{Use: "up", Short: "Apply all pending migrations", Args: cobra.NoArgs, RunE: run(a.migrateUp)},
		down,
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

func (a *App) migrateUp(ctx context.Context, url string) error {
	applied, err := db.MigrateUp(ctx, url)
	if err != nil {
		return err
	}
	return a.printMigrations("applied", applied, "nothing to apply: the schema is up to date")
}

// migrateDown reverts the newest migration, once the user has agreed.
func (a *App) migrateDown(ctx context.Context, url string, yes bool) error {
	all, err := db.MigrationStatus(ctx, url)
	if err != nil {
		return err
	}
	newest := slices.IndexFunc(all, func(m db.Migration) bool { return !m.Applied }) - 1
	if newest == -2 { // none is pending
		newest = len(all) - 1
	}
	if newest < 0 {
		return a.printMigrations("reverted", []db.Migration{}, "nothing to revert: no migration is applied")
	}
	reverted := all[newest]
	if !yes {
		_, _ = fmt.Fprintf(a.Err, "This reverts %s and deletes its data for good. Type yes to go on: ", reverted.Name)
		answer, err := bufio.NewReader(a.In).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the answer: %w", err)
		}
		if strings.TrimSpace(answer) != "yes" {
			return errors.New("nothing was reverted: the answer was not yes; a program sets --yes")
		}
	}
	if err := db.MigrateDown(ctx, url, reverted.Version); err != nil {
		return err
	}
	reverted.Applied = false
	return a.printMigrations("reverted", []db.Migration{reverted}, "")
}

// printMigrations says what a command did with migrations, and none if it did nothing.
func (a *App) printMigrations(did string, all []db.Migration, none string) error {
	if a.json {
		return a.print(all)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(a.Out, none)
		return err
	}
	for _, m := range all {
		if _, err := fmt.Fprintf(a.Out, "%s  %s\n", did, m.Name); err != nil {
			return err
		}
	}
	return nil
}
