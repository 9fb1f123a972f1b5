package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) assetsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "assets", Short: "references to documents"}
	cmd.AddCommand(save(a, &cobra.Command{
		Use: "add", Short: "add the reference to a document",
		Example: `  echo '{"customer_id": "0198…", "name": "id_card", "asset_type": "image", "storage_provider": "s3", "storage_path": "s3://…", "checksum": "9f86…"}' | vault assets add`,
	}, func(ctx context.Context, c *client.Client, in vault.AddAssetInput, opts ...client.Option) (client.Operation[vault.ItemResult], error) {
		return c.AddAsset(ctx, in, opts...)
	}))
	return cmd
}
