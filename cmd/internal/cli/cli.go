// Package cli is the vault's command line. What concerns customers and what is collected of them goes through the HTTP API, by
// package client; what operates an installation (serve, worker, migrate, keys …) works on its database directly.
//
//   - cli.go: the root command; api.go: what commands of the API share; flags.go: what flags share;
//   - output.go: tables for people, JSON for programs; errors.go: messages and exit codes; progress.go: how far it has come;
//   - one file for each noun: fields.go, requirements.go, scenarios.go, rules.go, sessions.go, customers.go, values.go, assets.go,
//     channels.go, gaps.go, questions.go, reviews.go, items.go, operations.go, admin.go;
//   - import.go, with rows.go, csv.go, records.go, jsonl.go and batches.go; export.go;
//   - the installation: serve.go, worker.go, migrate.go, settings.go, tenants.go, keys.go, and database.go, which they share.
package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// App is what the commands share.
type App struct {
	// Environ is the environment, as os.Environ gives it.
	Environ func() []string
	In      io.Reader
	Out     io.Writer
	Err     io.Writer // what is said beside the output

	json       bool
	configPath string

	server, tenant string
	wait           time.Duration
	key            string
}

// Groups of commands.
const (
	groupUse     = "use"
	groupOperate = "operate"
)

// Root makes the command `vault` with all its subcommands.
func Root(a *App) *cobra.Command {
	root := &cobra.Command{
		Use:   "vault",
		Short: "Customer Context Vault: verified customer facts across sessions",
		Long: "Customer Context Vault: verified customer facts across sessions.\n\n" +
			"Commands that use a vault speak to its API: VAULT_SERVER says where (http://localhost:8000 unless set), and VAULT_API_KEY is\n" +
			"the key, which `vault keys create` makes. A change is accepted at once and applied by the worker; a command waits for the\n" +
			"outcome unless --wait is 0. Commands that operate an installation work on its database: `vault config reference` lists what\n" +
			"they are configured by.",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.AddGroup(&cobra.Group{ID: groupUse, Title: "Use a vault, through its API:"}, &cobra.Group{ID: groupOperate, Title: "Operate an installation:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add(groupUse,
		a.definitionsCommand(), a.requirementsCommand(), a.scenariosCommand(), a.rulesCommand(),
		a.customersCommand(), a.valuesCommand(), a.assetsCommand(), a.channelsCommand(), a.consentsCommand(),
		a.importCommand(), a.exportCommand(),
		a.sessionsCommand(), a.turnsCommand(), a.missingCommand(), a.fillCommand(), a.questionsCommand(), a.answerCommand(),
		a.itemsCommand(), a.reviewsCommand(), a.operationsCommand(), a.adminCommand(), a.healthCommand(), a.idCommand(),
	)
	operate := []*cobra.Command{
		a.serveCommand(), a.workerCommand(), a.migrateCommand(), a.tenantsCommand(), a.keysCommand(), a.configCommand(), a.sealingKeyCommand(),
	}
	for _, cmd := range operate {
		cmd.PersistentFlags().StringVar(&a.configPath, "config", "", "configuration file (default: VAULT_CONFIG)")
	}
	add(groupOperate, operate...)
	refuseUnknown(root)
	return root
}

// refuseUnknown makes a mistyped command below another one an error. By itself cobra shows help there and exits with 0, and a
// script that mistypes `keys revoke` believes that it is done.
func refuseUnknown(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		refuseUnknown(sub)
	}
	if cmd.HasParent() && cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.DisableFlagsInUseLine = true
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return fmt.Errorf("unknown command %q for %q; `%s --help` lists what there is", args[0], cmd.CommandPath(), cmd.CommandPath())
		}
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

// env gives a variable of the environment, "" where it is not set.
func (a *App) env(name string) string {
	value := ""
	for _, pair := range a.Environ() {
		if v, found := strings.CutPrefix(pair, name+"="); found {
			value = v
		}
	}
	return value
}
