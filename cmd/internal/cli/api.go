package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/contextvault/contextvault/client"
)

// defaultServer is where `vault serve` listens unless it is configured otherwise.
const defaultServer = "http://localhost:8000"

// access is by what a command may be used.
type access int

const (
	byKey      access = iota // an API key
	byOperator               // an API key, or ADMIN_TOKEN where there is none
	byAnybody                // neither is needed
)

// client makes the client of a command. The key comes from the environment alone: flags show in lists of processes.
func (a *App) client(by access) (*client.Client, error) {
	o := client.Options{Server: cmp.Or(a.server, a.env("VAULT_SERVER"), defaultServer), Key: a.env("VAULT_API_KEY")}
	switch {
	case o.Key != "" || by == byAnybody:
	case by == byKey:
		return nil, errors.New("no API key: set VAULT_API_KEY; `vault keys create --name … --scopes read,write` makes a key, and `make run` writes one to .dev/run.env")
	default:
		if o.Key = a.env("ADMIN_TOKEN"); o.Key == "" {
			return nil, errors.New("no API key: set VAULT_API_KEY to one with the scope admin, which `vault keys create --name … --scopes admin` makes, or ADMIN_TOKEN")
		}
		if tenant := cmp.Or(a.tenant, a.env("VAULT_TENANT")); tenant != "" {
			var err error
			if o.Tenant, err = parseID("tenant", tenant); err != nil {
				return nil, err
			}
		}
	}
	return client.New(o)
}

// meansTenant is for what an operator may do: whose tenant is meant.
func (a *App) meansTenant(flags *pflag.FlagSet) {
	flags.StringVar(&a.tenant, "tenant", "", "with ADMIN_TOKEN: the tenant that is meant (default: VAULT_TENANT)")
}

// read makes a command run by the API that changes nothing.
func (a *App) read(by access, cmd *cobra.Command, run func(ctx context.Context, c *client.Client) (any, error)) *cobra.Command {
	cmd.Args = cobra.NoArgs
	a.speaks(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := a.client(by)
		if err != nil {
			return err
		}
		out, err := run(cmd.Context(), c)
		if err != nil {
			return err
		}
		return a.print(out)
	}
	return cmd
}

func (a *App) speaks(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.server, "server", "", "the API's address (default: VAULT_SERVER, else "+defaultServer+")")
}

// changeBy makes a command run by the API that changes something, and waits for its outcome.
func changeBy[R any](a *App, by access, cmd *cobra.Command, run func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[R], error)) *cobra.Command {
	a.waits(cmd)
	cmd.Flags().StringVar(&a.key, "idempotency-key", "", "makes a repeat of the same change harmless")
	return a.read(by, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		opts := []client.Option{client.Wait(a.wait)}
		if a.key != "" {
			opts = append(opts, client.IdempotencyKey(a.key))
		}
		op, err := run(ctx, c, opts)
		if err != nil {
			return nil, err
		}
		return untyped(op)
	})
}

// change is changeBy for what needs an API key.
func change[R any](a *App, cmd *cobra.Command, run func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[R], error)) *cobra.Command {
	return changeBy(a, byKey, cmd, run)
}

func (a *App) waits(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&a.wait, "wait", 30*time.Second, "how long to wait for the outcome; 0: print the operation's id at once")
}

// save makes a command that reads a JSON document and saves it.
func save[T, R any](a *App, cmd *cobra.Command, run func(ctx context.Context, c *client.Client, in T, opts ...client.Option) (client.Operation[R], error)) *cobra.Command {
	var file string
	cmd.Flags().StringVarP(&file, "file", "f", "-", "the JSON document; -: standard input")
	return change(a, cmd, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[R], error) {
		var in T
		if err := a.input(file, &in); err != nil {
			return client.Operation[R]{}, err
		}
		return run(ctx, c, in, opts...)
	})
}

// untyped is an operation for printing.
func untyped[R any](op client.Operation[R]) (client.Operation[json.RawMessage], error) {
	out := client.Operation[json.RawMessage]{
		ID: op.ID, Workflow: op.Workflow, Status: op.Status, Rejection: op.Rejection, Attempts: op.Attempts, AcceptedAt: op.AcceptedAt, FinishedAt: op.FinishedAt,
	}
	if op.FinishedAt == nil {
		return out, nil
	}
	var err error
	out.Result, err = json.Marshal(op.Result)
	return out, err
}

// with makes a command that has one id.
func with(cmd *cobra.Command, name, usage string, id *uuid.UUID) *cobra.Command {
	idVar(cmd, id, name, usage, true)
	return cmd
}
