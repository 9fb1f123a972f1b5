package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) itemsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "items", Short: "versions of fields, and assets: their lineage, deletion and return"}
	var item uuid.UUID
	one := func(use, short string) *cobra.Command {
		return with(&cobra.Command{Use: use, Short: short}, "item", "field version or asset id", &item)
	}
	chain := one("chain", "where an item came from, the origin first")
	var depth int
	chain.Flags().IntVar(&depth, "depth", vault.DefaultChainDepth, "how many links to read, at most 100")
	remove := one("delete", "delete an item")
	var force bool
	remove.Flags().BoolVar(&force, "force", false, "although others were derived from it, which become orphaned; needs the scope admin")
	cmd.AddCommand(
		a.read(byKey, chain, func(ctx context.Context, c *client.Client) (any, error) { return c.GetChain(ctx, item, depth) }),
		a.read(byKey, one("derived", "what was derived from an item"), func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListDerived(ctx, item))
		}),
		change(a, remove, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.DeleteResult], error) {
			return c.DeleteItem(ctx, vault.DeleteItemInput{ItemID: item, Force: force}, opts...)
		}),
		change(a, one("restore", "bring back a deleted item, or an orphaned one whose source is there again; needs the scope admin"),
			func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.ItemResult], error) {
				return c.RestoreItem(ctx, vault.RestoreItemInput{ItemID: item}, opts...)
			}),
	)
	return cmd
}
