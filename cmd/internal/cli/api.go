package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// defaultServer is the default address of `vault serve`.
const defaultServer = "http://localhost:8000"

// access is the credential that a command needs.
type access int

const (
	byKey      access = iota // an API key
	byOperator               // an API key, or ADMIN_TOKEN if no key is set
	byAnybody                // none
	byAdmin                  // ADMIN_TOKEN, for all tenants
)

// client creates the client of a command. The key comes only from the environment: lists of processes show flags.
func (a *App) client(by access) (*client.Client, error) {
	o := client.Options{Server: cmp.Or(a.server, a.env("VAULT_SERVER"), defaultServer), Key: a.env("VAULT_API_KEY")}
	o.Purpose = a.env("VAULT_PURPOSE")
	a.withheld = map[vault.Withheld]bool{}
	var noting sync.Mutex
	o.OnWithheld = func(all []vault.Withheld) {
		noting.Lock()
		defer noting.Unlock()
		for _, w := range all {
			a.withheld[w] = true
		}
	}
	switch {
	case by == byAdmin:
		if o.Key = a.env("ADMIN_TOKEN"); o.Key == "" {
			return nil, errors.New("this covers all tenants, so it needs ADMIN_TOKEN, the token that the API was " +
				"started with; `make run` writes one to .dev/run.env")
		}
	case o.Key != "" || by == byAnybody:
	case by == byKey:
		return nil, errors.New("no API key: set VAULT_API_KEY; " +
			"`vault keys create --name … --scopes read,write` creates a key, and `make run` writes one to .dev/run.env")
	default:
		if o.Key = a.env("ADMIN_TOKEN"); o.Key == "" {
			return nil, errors.New("no API key: set ADMIN_TOKEN, or VAULT_API_KEY to a key with the scope admin; " +
				"`vault keys create --name … --scopes admin` creates one")
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

// addTenantFlag adds --tenant for commands that an operator runs with ADMIN_TOKEN.
func (a *App) addTenantFlag(flags *pflag.FlagSet) {
	flags.StringVar(&a.tenant, "tenant", "", "tenant `id`, with ADMIN_TOKEN (default: VAULT_TENANT)")
}

func (a *App) addServerFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.server, "server", "", "address of the API (default: VAULT_SERVER, else "+defaultServer+")")
}

func (a *App) addWaitFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&a.wait, "wait", 30*time.Second,
		"time to wait for the outcome; 0: print the operation id at once")
}

func (a *App) addKeyFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.key, "idempotency-key", "", "`key` that makes it safe to repeat the command")
}

// options returns the options of a submission that waits up to wait.
func (a *App) options(wait time.Duration) []client.Option {
	opts := []client.Option{client.Wait(wait)}
	if a.key != "" {
		opts = append(opts, client.IdempotencyKey(a.key))
	}
	return opts
}

// read makes a command that calls the API and prints the result of run.
func (a *App) read(
	by access, cmd *cobra.Command, run func(ctx context.Context, c *client.Client) (any, error),
) *cobra.Command {
	cmd.Args = cobra.NoArgs
	a.addServerFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := a.client(by)
		if err != nil {
			return err
		}
		out, err := run(cmd.Context(), c)
		a.noteWithheld()
		if _, shown := errors.AsType[withOutput](err); err != nil && !shown {
			return err
		}
		return errors.Join(a.print(out), err)
	}
	return cmd
}

// change makes a command that submits an operation through the API and waits for its outcome.
func change[R any](
	a *App, by access, cmd *cobra.Command,
	run func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[R], error),
) *cobra.Command {
	a.addWaitFlag(cmd)
	a.addKeyFlag(cmd)
	return a.read(by, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		op, err := run(ctx, c, a.options(a.wait))
		if err != nil {
			return nil, err
		}
		a.noteUnfinished(op.ID, op.Status)
		return untyped(op)
	})
}

// noteWithheld says on standard error what the answers left out: a table or a file has no place for it.
func (a *App) noteWithheld() {
	if len(a.withheld) == 0 {
		return
	}
	texts := make([]string, 0, len(a.withheld))
	for w := range a.withheld {
		texts = append(texts, fmt.Sprintf("%s (%s)", w.Name, w.Reason))
	}
	slices.Sort(texts)
	_, _ = fmt.Fprintf(a.Err, "withheld: %s; VAULT_PURPOSE states the purpose of a read\n", strings.Join(texts, ", "))
}

// noteUnfinished says on standard error that an operation is not finished after the time to wait, and how to go on.
// The standard output stays the result. Nothing is said with --wait 0, which asks for no outcome.
func (a *App) noteUnfinished(id uuid.UUID, status vault.OperationStatus) {
	if a.wait > 0 && !status.Finished() {
		_, _ = fmt.Fprintf(a.Err, "not finished after %s: the change is accepted and will be applied; "+
			"to go on waiting: vault operations wait --operation %s\n", a.wait, id)
	}
}

// method is a method of the client that submits an operation. Its types come from the specification of the operation.
type method[In, R any] func(
	c *client.Client, ctx context.Context, in In, opts ...client.Option,
) (client.Operation[R], error)

// submit makes a command that submits in, which flags have filled. A prepare function sets the members that need more
// than a flag.
func submit[In, R any](
	a *App, cmd *cobra.Command, in *In, call method[In, R], prepare ...func(in *In) error,
) *cobra.Command {
	return change(a, byKey, cmd, func(
		ctx context.Context, c *client.Client, opts []client.Option,
	) (client.Operation[R], error) {
		for _, f := range prepare {
			if err := f(in); err != nil {
				return client.Operation[R]{}, err
			}
		}
		return call(c, ctx, *in, opts...)
	})
}

// save makes a command that reads an input from a JSON document and submits it.
func save[In, R any](a *App, cmd *cobra.Command, call method[In, R], prepare ...func(in *In) error) *cobra.Command {
	var in In
	var file string
	cmd.Flags().StringVarP(&file, "file", "f", "-", "JSON document; -: standard input")
	read := func(in *In) error { return a.input(file, in) }
	if based, conditional := any(&in).(interface{ SetIfVersion(version uuid.UUID) }); conditional {
		var version *uuid.UUID
		ifVersionOrNone(cmd, &version)
		prepare = append(prepare, func(*In) error {
			if version != nil {
				based.SetIfVersion(*version) // in is what submit sends
			}
			return nil
		})
	}
	return submit(a, cmd, &in, call, append([]func(*In) error{read}, prepare...)...)
}

// untyped converts the result of an operation to JSON, for printing.
func untyped[R any](op client.Operation[R]) (client.Operation[json.RawMessage], error) {
	out := client.Operation[json.RawMessage]{
		ID:         op.ID,
		Workflow:   op.Workflow,
		Actor:      op.Actor,
		ParentID:   op.ParentID,
		Status:     op.Status,
		Rejection:  op.Rejection,
		Attempts:   op.Attempts,
		BatchID:    op.BatchID,
		AcceptedAt: op.AcceptedAt,
		FinishedAt: op.FinishedAt,
		WaitingFor: op.WaitingFor,
		Replayed:   op.Replayed,
	}
	if op.FinishedAt == nil {
		return out, nil
	}
	var err error
	out.Result, err = json.Marshal(op.Result)
	return out, err
}

// withID adds a required id flag to a command.
func withID(cmd *cobra.Command, name, usage string, id *uuid.UUID) *cobra.Command {
	idVar(cmd, id, name, usage, true)
	return cmd
}
