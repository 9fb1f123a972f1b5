package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) adminCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "admin", Short: "by hand, what else runs by the clock",
		Long: "By hand, what else runs by the clock. With a key of the scope admin in VAULT_API_KEY, or with ADMIN_TOKEN where that is not set.",
	}
	a.meansTenant(cmd.PersistentFlags())
	var customer uuid.UUID
	drop := with(&cobra.Command{Use: "drop-cache", Short: "make the cache forget a customer; it is never needed"}, "customer", "customer id", &customer)
	cmd.AddCommand(
		changeBy(a, byOperator, &cobra.Command{Use: "expire-stale", Short: "mark what is past its expiry now, in all tenants"},
			func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.SweepResult], error) {
				return c.ExpireValues(ctx, opts...)
			}),
		changeBy(a, byOperator, &cobra.Command{Use: "detect-orphans", Short: "mark what lost its source now, in all tenants"},
			func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.SweepResult], error) {
				return c.DetectOrphans(ctx, opts...)
			}),
		a.read(byOperator, drop, func(ctx context.Context, c *client.Client) (any, error) {
			return map[string]any{"customer_id": customer, "dropped": true}, c.DropCachedProfile(ctx, customer)
		}),
	)
	return cmd
}

func (a *App) healthCommand() *cobra.Command {
	return a.read(byAnybody, &cobra.Command{Use: "health", Short: "whether the API answers, and which of its dependencies do"},
		func(ctx context.Context, c *client.Client) (any, error) {
			if _, err := c.GetHealth(ctx); err != nil {
				return nil, err
			}
			return c.GetReadiness(ctx)
		})
}
