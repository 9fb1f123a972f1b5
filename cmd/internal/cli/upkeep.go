package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) adminCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "admin", Short: "Run maintenance now instead of at its scheduled time",
		Long: "Run maintenance now instead of at its scheduled time. expire-stale and detect-orphans cover all tenants\n" +
			"and need ADMIN_TOKEN. drop-cache needs a key with the scope admin in VAULT_API_KEY, or ADMIN_TOKEN if\n" +
			"VAULT_API_KEY is not set.",
	}
	var customer uuid.UUID
	drop := withID(&cobra.Command{
		Use: "drop-cache", Short: "Remove the cache entry of a customer",
		Long: "Remove the cache entry of a customer. This is never necessary: the vault invalidates entries itself.",
	}, "customer", "customer `id`", &customer)
	a.addTenantFlag(drop.Flags())
	cmd.AddCommand(
		sweep(a, byAdmin, &cobra.Command{Use: "expire-stale", Short: "Mark what has expired, in all tenants"},
			(*client.Client).ExpireValues),
		sweep(a, byAdmin, &cobra.Command{Use: "detect-orphans", Short: "Mark items without their source, in all tenants"},
			(*client.Client).DetectOrphans),
		a.read(byOperator, drop, func(ctx context.Context, c *client.Client) (any, error) {
			return map[string]any{"customer_id": customer, "dropped": true}, c.DropCachedProfile(ctx, customer)
		}),
	)
	return cmd
}

// sweep makes a command that submits an operation without input.
func sweep[R any](
	a *App, by access, cmd *cobra.Command,
	call func(c *client.Client, ctx context.Context, opts ...client.Option) (client.Operation[R], error),
) *cobra.Command {
	return change(a, by, cmd, func(
		ctx context.Context, c *client.Client, opts []client.Option,
	) (client.Operation[R], error) {
		return call(c, ctx, opts...)
	})
}

func (a *App) sweepsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sweeps", Short: "Sweep the tenant of the key now instead of at the scheduled time",
		Long: "Sweep the tenant of the key now instead of at the scheduled time. Needs the scope admin. `vault admin`\n" +
			"sweeps all tenants.",
	}
	cmd.AddCommand(
		sweep(a, byKey, &cobra.Command{Use: "expire-values", Short: "Mark what has expired in the tenant"},
			(*client.Client).ExpireOwnValues),
		sweep(a, byKey, &cobra.Command{Use: "detect-orphans", Short: "Mark items of the tenant without their source"},
			(*client.Client).DetectOwnOrphans),
	)
	return cmd
}

func (a *App) healthCommand() *cobra.Command {
	return a.read(byAnybody, &cobra.Command{
		Use: "health", Short: "Check the API and its dependencies",
		Long: "Check the API and its dependencies. The command fails if the API does not take requests. It succeeds if\n" +
			"the API is degraded: an optional dependency, such as the cache, is unavailable.",
	},
		func(ctx context.Context, c *client.Client) (any, error) {
			if _, err := c.GetHealth(ctx); err != nil {
				return nil, err
			}
			health, err := c.GetReadiness(ctx)
			if err == nil && !health.Ready() {
				err = withOutput{fmt.Errorf("the vault takes no requests: it is %s", health.Status)}
			}
			return health, err
		})
}

func (a *App) operationsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "operations", Short: "List, show and replay operations, and cancel gap fills"}
	var id uuid.UUID
	var filter vault.OperationFilter
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List operations, newest first",
		Example: "  vault operations list --status failed\n" +
			"  vault operations list --status unfinished --workflow fill-gaps --customer 0198…",
	}
	enumVar(list, &filter.Status, "status", "", "list only operations with this status; unfinished is accepted or applied",
		vault.OperationSelections)
	textVar(list, &filter.Workflow, "workflow", "list only operations of this workflow, such as write-value", false)
	optionalID(list, &filter.CustomerID, "customer", "`id` of a customer: list only operations about it")
	limitVar(list, &limit, "operations")
	var cancelled vault.CancelFillInput
	one := func(use, short string, id *uuid.UUID) *cobra.Command {
		return withID(&cobra.Command{Use: use, Short: short}, "operation", "operation `id`", id)
	}
	get := one("get", "Show the status of an operation", &id)
	wait := one("wait", "Wait for the outcome of an operation, for at most the time in --wait", &id)
	a.addWaitFlag(wait)
	runs := one("runs", "Show the runs of an operation in the workflow engine, with steps and attempts", &id)
	for _, sub := range []*cobra.Command{list, get, wait, runs} {
		a.addTenantFlag(sub.Flags())
	}
	replay := one("replay", "Replay a failed or overdue operation", &id)
	replay.Long = "Replay an operation. A failed one runs again: replay it once the cause is fixed. One that is\n" +
		"unfinished after a minute is sent to the workflow engine again. The output says which. Needs the\n" +
		"scope admin."
	cmd.AddCommand(
		a.read(byOperator, list, func(ctx context.Context, c *client.Client) (any, error) {
			return upTo(c.ListOperations(ctx, filter), limit)
		}),
		a.read(byOperator, get,
			func(ctx context.Context, c *client.Client) (any, error) { return c.GetOperation(ctx, id) }),
		a.read(byOperator, wait,
			func(ctx context.Context, c *client.Client) (any, error) {
				op, err := a.outcome(ctx, c, id)
				if err == nil {
					a.noteUnfinished(op.ID, op.Status)
				}
				return op, err
			}),
		a.read(byOperator, runs,
			func(ctx context.Context, c *client.Client) (any, error) { return c.GetRuns(ctx, id) }),
		change(a, byKey, replay, func(
			ctx context.Context, c *client.Client, opts []client.Option,
		) (client.Operation[json.RawMessage], error) {
			return c.ReplayOperation(ctx, id, opts...)
		}),
		submit(a, one("cancel", "Cancel a gap fill", &cancelled.FillID), &cancelled, (*client.Client).CancelFill),
	)
	return cmd
}

// outcome waits for an operation, up to --wait. An operation that is not finished by then is not an error.
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
