// Package cli is the vault's command line: one subcommand for each thing a person does by hand. Reads go through package
// query, changes through package trigger, as everywhere.
//
//   - cli.go: the root command, and what every command shares;
//   - output.go: tables for people, JSON for programs;
//   - one file for each kind of thing: config.go (fields, requirements, scenarios, rules), customers.go, gaps.go,
//     operations.go, admin.go, serve.go, keys.go.
package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/worker"
)

// App is what the commands share.
type App struct {
	// Environ is the environment, as os.Environ gives it.
	Environ func() []string
	In      io.Reader
	Out     io.Writer

	configPath string
	tenant     string
	json       bool
	wait       time.Duration
	key        string
}

// Root makes the command `vault` with all its subcommands.
func Root(a *App) *cobra.Command {
	root := &cobra.Command{
		Use:   "vault",
		Short: "Customer Context Vault: verified customer facts across sessions",
		Long: "Customer Context Vault: verified customer facts across sessions.\n\n" +
			"Changes are accepted at once and applied by the worker; a command waits for the outcome unless --wait is 0.\n" +
			"The tenant is --tenant or VAULT_TENANT. Everything that is configured is listed by `vault config reference`.",
		SilenceUsage: true, SilenceErrors: true,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.configPath, "config", "", "configuration file (default: VAULT_CONFIG)")
	flags.StringVar(&a.tenant, "tenant", "", "tenant id (default: VAULT_TENANT)")
	flags.BoolVar(&a.json, "json", false, "print JSON")
	flags.DurationVar(&a.wait, "wait", 30*time.Second, "how long to wait for the outcome of a change; 0: print the operation's id at once")
	flags.StringVar(&a.key, "idempotency-key", "", "makes a repeat of the same change harmless")
	root.AddCommand(
		a.serveCommand(), a.workerCommand(), a.migrateCommand(), a.sealingKeyCommand(), a.configCommand(), a.tenantsCommand(), a.keysCommand(),
		a.fieldsCommand(), a.requirementsCommand(), a.scenariosCommand(), a.rulesCommand(),
		a.sessionsCommand(), a.assetsCommand(), a.valuesCommand(), a.profileCommand(), a.chainCommand(), a.derivedCommand(),
		a.missingCommand(), a.fillCommand(), a.questionsCommand(), a.answerCommand(),
		a.operationsCommand(), a.expireCommand(), a.orphansCommand(),
	)
	return root
}

func (a *App) config() (config.Config, error) { return config.Load(a.configPath, a.Environ()) }

// Logger makes the logger that the configuration asks for.
func Logger(cfg config.Config) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.Log.SlogLevel()}
	var handler slog.Handler = slog.NewJSONHandler(os.Stderr, opts)
	if cfg.Log.Format == "text" {
		handler = slog.NewTextHandler(os.Stderr, opts)
	}
	return slog.New(telemetry.LogHandler(handler))
}

// startTracing sends the traces of a service to where the configuration says.
func startTracing(ctx context.Context, cfg config.Config, service string, log *slog.Logger) (stop func(), err error) {
	return telemetry.StartTracing(ctx, telemetry.Tracing{
		Endpoint: cfg.Tracing.Endpoint.Reveal(), Protocol: cfg.Tracing.Protocol, SampleRatio: cfg.Tracing.SampleRatio,
	}, service, log)
}

// connect builds what a command needs. Where the engine is configured, changes are pushed to it at once; else the relay of a
// worker finds them.
func (a *App) connect(ctx context.Context) (*worker.Runtime, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	var engine *hatchet.Client
	if cfg.Jobs.Hatchet.Token != "" {
		if engine, err = worker.Engine(cfg); err != nil {
			return nil, err
		}
	}
	return worker.Connect(ctx, cfg, engine, Logger(cfg))
}

// read runs a command that changes nothing.
func (a *App) read(run func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		tenant, err := a.tenantID()
		if err != nil {
			return err
		}
		r, err := a.connect(cmd.Context())
		if err != nil {
			return err
		}
		defer r.Close()
		out, err := run(cmd.Context(), r, tenant)
		if err != nil {
			return err
		}
		return a.print(out)
	}
}

// change runs a command that has the vault accept a change, and waits for its outcome.
func (a *App) change(accept func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, opts []trigger.Option) (trigger.Receipt, error)) func(*cobra.Command, []string) error {
	return a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
		var opts []trigger.Option
		if a.key != "" {
			opts = append(opts, trigger.IdempotencyKey(a.key))
		}
		receipt, err := accept(ctx, r.Trigger, tenant, opts)
		if err != nil {
			return nil, err
		}
		if a.wait == 0 {
			return r.Query.Operation(ctx, tenant, receipt.ID)
		}
		return a.outcome(ctx, r, tenant, receipt.ID)
	})
}

// outcome waits for an operation. One that is still on its way after --wait is no error: it is accepted, and owed.
func (a *App) outcome(ctx context.Context, r *worker.Runtime, tenant, id uuid.UUID) (vault.Operation, error) {
	waitCtx, cancel := context.WithTimeout(ctx, a.wait)
	defer cancel()
	op, err := r.Trigger.Wait(waitCtx, tenant, id)
	if err != nil && waitCtx.Err() != nil && ctx.Err() == nil {
		return r.Query.Operation(ctx, tenant, id)
	}
	return op, err
}

func (a *App) tenantID() (uuid.UUID, error) {
	for _, pair := range a.Environ() {
		if value, found := strings.CutPrefix(pair, "VAULT_TENANT="); found && a.tenant == "" {
			a.tenant = value
		}
	}
	if a.tenant == "" {
		return uuid.Nil, fmt.Errorf("no tenant: give --tenant or set VAULT_TENANT (`vault tenants list` shows them)")
	}
	return parseID("tenant", a.tenant)
}

func parseID(name, text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, vault.Invalid(name, "%q is not a UUID, such as 0198c5f2-8a4b-7cde-9f01-23456789abcd", text)
	}
	return id, nil
}

// ids is a set of flags that are UUIDs.
type ids map[string]*string

func (f ids) add(cmd *cobra.Command, name, usage string, required bool) {
	f[name] = cmd.Flags().String(name, "", usage)
	if required {
		_ = cmd.MarkFlagRequired(name)
	}
}

func (f ids) get(name string) (uuid.UUID, error) { return parseID(name, *f[name]) }

// optional gives nil where the flag was not given.
func (f ids) optional(name string) (*uuid.UUID, error) {
	if *f[name] == "" {
		return nil, nil
	}
	id, err := f.get(name)
	return &id, err
}

// input reads a JSON document for a command: a file, or - for standard input. Unknown keys are refused.
func (a *App) input(path string, into any) error {
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(io.LimitReader(a.In, 16<<20))
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return fmt.Errorf("read --file: %w", err)
	}
	return vault.DecodeStrict(data, into)
}
