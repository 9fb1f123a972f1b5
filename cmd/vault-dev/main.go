// Command vault-dev is the command vault with development commands: `vault-dev run` runs the workflow engine, a worker
// and the API in one process, `vault-dev demo` runs the quickstart. It is not for production, because the engine makes
// it large.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/cmd/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := cli.Root(&cli.App{Environ: os.Environ, In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	root.Use = "vault-dev"
	root.AddCommand(
		&cobra.Command{
			Use:   "run",
			Short: "the whole system in this process, until Ctrl-C",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return run(cmd.Context())
			},
		},
		&cobra.Command{
			Use:   "demo",
			Short: "the quickstart on real input; ends with `demo: ok`",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return demo(cmd.Context())
			},
		},
		benchCommand(),
		benchTrustCommand(),
		&cobra.Command{
			Use:   "storm",
			Short: "measure changes while gap fills wait for a language model that hangs",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return storm(cmd.Context())
			},
		},
		evalCommand(),
		growingCommand(),
		searchingCommand(),
		engineSizeCommand(),
		tenantsCommand(),
		smallestWorkerCommand(),
	)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "vault-dev:", cli.Message(err))
		stop()
		os.Exit(cli.ExitCode(err))
	}
}
