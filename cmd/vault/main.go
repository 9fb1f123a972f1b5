// Command vault is the Customer Context Vault: the API, the worker, the migrations and the command line, by subcommand.
package main

import (
	"fmt"
	"os"

	"github.com/contextvault/contextvault/cmd/internal/cli"
)

func main() {
	root := cli.Root(&cli.App{Environ: os.Environ, In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", cli.Message(err))
		os.Exit(cli.ExitCode(err))
	}
}
