// Package cli is the command line of the vault. Commands that use a vault call the HTTP API through package client.
// Commands that operate an installation (serve, worker, migrate, keys and others) access its database directly.
//
//   - cli.go: the root command; api.go: the base of commands that call the API; flags.go: types of flags;
//   - output.go: tables and JSON; errors.go: messages and exit codes; progress.go: the progress bar;
//   - customers: customers.go, values.go, items.go; schema: schema.go; gap fill: gapfill.go; upkeep: upkeep.go;
//   - erasure.go: the erasure and the export of a customer;
//   - import.go, with rows.go, csv.go, records.go, jsonl.go and batches.go; export.go;
//   - the installation: serve.go, worker.go, migrate.go, settings.go, tenants.go, keys.go and sealing_key.go, based on
//     database.go.
package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/vault"
)

// App holds the streams, the environment and the common flags of the commands.
type App struct {
	// Environ returns the environment in the form of os.Environ.
	Environ func() []string
	In      io.Reader
	Out     io.Writer
	Err     io.Writer // progress, warnings and errors

	json       bool
	configPath string

	server, tenant string
	wait           time.Duration
	key            string

	withheld map[vault.Withheld]bool // what the answers of this command left out
}

const (
	groupUse     = "use"
	groupOperate = "operate"
)

// Root creates the command `vault` with all subcommands.
func Root(a *App) *cobra.Command {
	root := &cobra.Command{
		Use:   "vault",
		Short: "Customer Context Vault: verified customer facts across sessions",
		Long: "Customer Context Vault: verified customer facts across sessions.\n\n" +
			"Commands that use a vault call its API. VAULT_SERVER is the address of the API, by default\n" +
			defaultServer + ". VAULT_API_KEY is the API key; `vault keys create` creates one. VAULT_PURPOSE is\n" +
			"the purpose of reads, such as support. The API accepts\n" +
			"a change at once and the worker applies it. A command waits for the outcome, unless --wait is 0.\n\n" +
			"Commands that operate an installation access its database. `vault config reference` lists their settings.",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.AddGroup(
		&cobra.Group{ID: groupUse, Title: "Use a vault, through its API:"},
		&cobra.Group{ID: groupOperate, Title: "Operate an installation:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add(groupUse,
		a.agentsCommand(), a.definitionsCommand(), a.requirementsCommand(), a.scenariosCommand(), a.rulesCommand(),
		a.applyCommand(), a.exportConfigCommand(),
		a.customersCommand(), a.valuesCommand(), a.assetsCommand(), a.channelsCommand(), a.consentsCommand(),
		a.importCommand(), a.exportCommand(), a.erasureCommand(),
		a.sessionsCommand(), a.turnsCommand(), a.missingCommand(), a.fillCommand(), a.questionsCommand(),
		a.answerCommand(), a.itemsCommand(), a.reviewsCommand(), a.operationsCommand(), a.auditCommand(), a.eventsCommand(),
		a.webhooksCommand(), a.mergeRulesCommand(), a.mergesCommand(), a.apiKeysCommand(), a.usageCommand(), a.adminCommand(),
		a.sweepsCommand(), a.healthCommand(), a.idCommand(), a.mcpCommand(),
	)
	operate := []*cobra.Command{
		a.serveCommand(), a.workerCommand(), a.migrateCommand(), a.tenantsCommand(), a.keysCommand(), a.configCommand(),
		a.sealingKeyCommand(),
	}
	for _, cmd := range operate {
		cmd.PersistentFlags().StringVar(&a.configPath, "config", "", "configuration file (default: VAULT_CONFIG)")
	}
	add(groupOperate, operate...)
	rejectUnknown(root)
	return root
}

// rejectUnknown makes an unknown subcommand an error. Cobra shows the help and exits with 0, so that a script with a
// typo in `keys revoke` would report success.
func rejectUnknown(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		rejectUnknown(sub)
	}
	if cmd.HasParent() && cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.DisableFlagsInUseLine = true
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return fmt.Errorf("unknown command %q for %q; `%s --help` lists the commands",
				args[0], cmd.CommandPath(), cmd.CommandPath())
		}
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

// env returns a variable of the environment, "" if it is not set.
func (a *App) env(name string) string {
	value := ""
	for _, pair := range a.Environ() {
		if v, found := strings.CutPrefix(pair, name+"="); found {
			value = v
		}
	}
	return value
}
