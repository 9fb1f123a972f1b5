package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/worker"
)

func (a *App) operationsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "operations", Short: "how changes went"}
	with := func(use, short string, run func(flags ids) func(*cobra.Command, []string) error) *cobra.Command {
		flags := ids{}
		sub := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: run(flags)}
		flags.add(sub, "operation", "operation id", true)
		return sub
	}
	cmd.AddCommand(
		with("get", "how a change went, or goes", func(flags ids) func(*cobra.Command, []string) error {
			return a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
				id, err := flags.get("operation")
				if err != nil {
					return nil, err
				}
				return r.Query.Operation(ctx, tenant, id)
			})
		}),
		with("wait", "wait for the outcome of a change, as long as --wait says", func(flags ids) func(*cobra.Command, []string) error {
			return a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
				id, err := flags.get("operation")
				if err != nil {
					return nil, err
				}
				return a.outcome(ctx, r, tenant, id)
			})
		}),
		with("replay", "run a failed change again, after its cause was mended", func(flags ids) func(*cobra.Command, []string) error {
			return a.change(func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, _ []trigger.Option) (trigger.Receipt, error) {
				id, err := flags.get("operation")
				if err != nil {
					return trigger.Receipt{}, err
				}
				return c.Replay(ctx, tenant, id)
			})
		}),
	)
	return cmd
}
