package cli

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) operationsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "operations", Short: "how changes went"}
	var id uuid.UUID
	one := func(use, short string) *cobra.Command {
		return with(&cobra.Command{Use: use, Short: short}, "operation", "operation id", &id)
	}
	get, wait := one("get", "how a change went, or goes"), one("wait", "wait for the outcome of a change, as long as --wait says")
	a.waits(wait)
	for _, sub := range []*cobra.Command{get, wait} {
		a.meansTenant(sub.Flags())
	}
	cmd.AddCommand(
		a.read(byOperator, get, func(ctx context.Context, c *client.Client) (any, error) {
			return c.GetOperation(ctx, id)
		}),
		a.read(byOperator, wait, func(ctx context.Context, c *client.Client) (any, error) { return a.outcome(ctx, c, id) }),
		change(a, one("replay", "run a rejected change again, after its cause was mended; needs the scope admin"),
			func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[json.RawMessage], error) {
				return c.ReplayOperation(ctx, id, opts...)
			}),
		change(a, one("cancel", "end a gap fill: it asks no more"),
			func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.CancelResult], error) {
				return c.CancelFill(ctx, vault.CancelFillInput{FillID: id}, opts...)
			}),
	)
	return cmd
}

// outcome waits for an operation. One that is still on its way after --wait is no error: it is accepted, and owed.
func (a *App) outcome(ctx context.Context, c *client.Client, id uuid.UUID) (client.Operation[json.RawMessage], error) {
	op, err := c.GetOperation(ctx, id)
	if err != nil {
		return op, err
	}
	waiting, cancel := context.WithTimeout(ctx, a.wait)
	defer cancel()
	op, err = op.Wait(waiting)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return op, nil
	}
	return op, err
}
