// Command vault-dev is the command vault, and the whole system in one process beside it: `vault-dev run` keeps the workflow
// engine and a worker up, `vault-dev demo` runs the quickstart. For development: the engine makes it large.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := cli.Root(&cli.App{Environ: os.Environ, In: os.Stdin, Out: os.Stdout})
	root.Use = "vault-dev"
	root.AddCommand(
		&cobra.Command{Use: "run", Short: "the whole system in this process, until Ctrl-C", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context())
		}},
		&cobra.Command{Use: "demo", Short: "the quickstart on real input; ends with `demo: ok`", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context())
		}},
		&cobra.Command{Use: "bench", Short: "measure the system against what its parts cost alone; writes " + benchFile, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return bench(cmd.Context())
		}},
		evalCommand(), growingCommand(),
	)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "vault-dev:", cli.Message(err))
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// run keeps the system up and tells another terminal how to use it.
func run(ctx context.Context) error {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Format = "text"
	engine, err := startEngine(cfg)
	if err != nil {
		return err
	}
	s, err := start(ctx, cfg, engine, cli.Logger(cfg))
	if err != nil {
		return err
	}
	path := filepath.Join(devDir, "run.env")
	tenant := uuid.NewSHA1(uuid.NameSpaceOID, []byte("contextvault development tenant"))
	if _, err := s.DB.System().CreateTenant(ctx, tenant, "development"); err != nil {
		return err
	}
	if err := writeEnv(path, cfg, tenant); err != nil {
		return err
	}
	fmt.Printf("The vault is up: workflow engine and worker in this process. In another terminal:\n\n"+
		"  . %s\n  bin/vault-dev fields --help\n\nCtrl-C stops it.\n", path)
	<-ctx.Done()
	return s.stop()
}

// writeEnv keeps what another terminal needs to use the running system, for this user alone.
func writeEnv(path string, cfg config.Config, tenant uuid.UUID) error {
	vars := [][2]string{
		{"DATABASE_URL", cfg.Database.URL.Reveal()},
		{"REDIS_URL", cfg.Redis.URL.Reveal()},
		{"VAULT_SEALING_KEY", cfg.SealingKey.Reveal()},
		{"VAULT_TENANT", tenant.String()},
		{"VAULT_LOG_FORMAT", "text"},
	}
	for _, name := range []string{"HATCHET_CLIENT_TOKEN", "HATCHET_CLIENT_HOST_PORT", "HATCHET_CLIENT_TLS_STRATEGY"} {
		vars = append(vars, [2]string{name, os.Getenv(name)}) // set by the engine in this process
	}
	var b strings.Builder
	for _, v := range vars {
		if v[1] != "" {
			fmt.Fprintf(&b, "export %s='%s'\n", v[0], strings.ReplaceAll(v[1], "'", `'\''`))
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
