package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) assetsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "assets", Short: "Manage references to documents"}
	cmd.AddCommand(save(a, &cobra.Command{
		Use: "add", Short: "Add a reference to a document",
		Example: `  echo '{"customer_id": "0198…", "name": "id_card", "asset_type": "image", "storage_provider": "s3", ` +
			`"storage_path": "s3://…", "checksum": "9f86…"}' | vault assets add`,
	}, (*client.Client).AddAsset))
	return cmd
}

func (a *App) itemsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "items", Short: "Show where values and assets came from; delete and restore them"}
	var item uuid.UUID
	var deleted vault.DeleteItemInput
	var restored vault.RestoreItemInput
	one := func(use, short string, id *uuid.UUID) *cobra.Command {
		return withID(&cobra.Command{Use: use, Short: short}, "item", "`id` of a value or an asset", id)
	}
	chain := one("chain", "List the sources of an item, from the origin to the item", &item)
	var depth int
	chain.Flags().IntVar(&depth, "depth", vault.DefaultChainDepth, "maximum number of links, from 1 to 100")
	var at vault.Moment
	momentVars(chain, &at)
	remove := one("delete", "Delete an item", &deleted.ItemID)
	remove.Flags().BoolVar(&deleted.Force, "force", false,
		"delete it even if other items were derived from it; they become orphaned; needs the scope admin")
	remove.Flags().BoolVar(&deleted.RestorePrevious, "restore-previous", false,
		"make the previous version of a deleted active value active again")
	restore := one("restore", "Restore a deleted item, or an orphaned item with a restored source", &restored.ItemID)
	restore.Long = restore.Short + ". Needs the scope admin."
	cmd.AddCommand(
		a.read(byKey, chain,
			func(ctx context.Context, c *client.Client) (any, error) { return c.GetChainAt(ctx, item, depth, at) }),
		a.read(byKey, one("derived", "List the items that were derived from an item", &item),
			func(ctx context.Context, c *client.Client) (any, error) {
				return client.Collect(c.ListDerived(ctx, item))
			}),
		submit(a, remove, &deleted, (*client.Client).DeleteItem),
		submit(a, restore, &restored, (*client.Client).RestoreItem),
	)
	return cmd
}
