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
	"github.com/contextvault/contextvault/db/catalogue"
)

func (a *App) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "migrate", Short: "Migrate, verify and repair the schema of the database",
		Long: "Migrate, verify and repair the schema of the database, with the login of MIGRATE_DATABASE_URL, the owner of\n" +
			"the tables, or that of DATABASE_URL if it is not set.",
	}
	run := func(fn func(ctx context.Context, url string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config()
			if err != nil {
				return err
			}
			url := cfg.Database.OwnerURL()
			if url == "" {
				return cfg.Require("database.url")
			}
			return fn(cmd.Context(), url.Reveal())
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
		&cobra.Command{
			Use: "up", Short: "Apply all pending migrations, and verify the database", Args: cobra.NoArgs,
			RunE: run(a.migrateUp),
		},
		down,
		&cobra.Command{
			Use: "verify", Short: "Compare what protects the rows with what the migrations make", Args: cobra.NoArgs,
			Long: "Compare roles, row-level security, policies, grants, triggers and indexes with what the migrations make.\n" +
				"Every difference is printed with the statement that repairs it, and the command fails if there is one.",
			RunE: run(a.migrateVerify),
		},
		&cobra.Command{
			Use: "repair", Short: "Repair what verify finds, all or nothing", Args: cobra.NoArgs,
			Long: "Repair what verify finds, all or nothing. It changes no row. Missing roles need a login that may create\n" +
				"roles; docs/backup.md says how an administrator creates them.",
			RunE: run(a.migrateRepair),
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

func (a *App) migrateUp(ctx context.Context, url string) error {
	applied, err := db.MigrateUp(ctx, url)
	if err != nil {
		return err
	}
	if err := a.printMigrations("applied", applied, "nothing to apply: the schema is up to date"); err != nil {
		return err
	}
	// All migrations of a restored database are applied, also when its policies were lost.
	found, err := db.VerifySchema(ctx, url)
	if err == nil && len(found) > 0 {
		err = &db.UnverifiedError{Differences: found}
	}
	return err
}

// migrateVerify lists the differences of the database, and fails if there are any.
func (a *App) migrateVerify(ctx context.Context, url string) error {
	found, err := db.VerifySchema(ctx, url)
	if err != nil {
		return err
	}
	if err := a.printDifferences(found, "", "the database protects its rows as the migrations make it"); err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("the database differs in %d points from what the migrations make; `vault migrate repair` repairs "+
			"them, with the login of the owner of the tables", len(found))
	}
	return nil
}

func (a *App) migrateRepair(ctx context.Context, url string) error {
	repaired, err := db.RepairSchema(ctx, url)
	if err != nil {
		return err
	}
	return a.printDifferences(repaired, "repaired  ", "nothing to repair")
}

// printDifferences prints each difference on a line after a prefix, and none if there is no difference.
func (a *App) printDifferences(all []catalogue.Difference, prefix, none string) error {
	if a.json {
		return a.print(append([]catalogue.Difference{}, all...))
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(a.Out, none)
		return err
	}
	for _, d := range all {
		text := d.String()
		if prefix != "" {
			text = fmt.Sprintf("%s%s %s", prefix, d.Kind, d.Name)
		}
		if _, err := fmt.Fprintln(a.Out, text); err != nil {
			return err
		}
	}
	return nil
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
