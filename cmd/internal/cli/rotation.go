package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) rotationCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rotation",
		Short: "Show how much of a rotation of the sealing key is left",
		Args:  cobra.NoArgs,
		Long: "Show how much still needs another key of VAULT_SEALING_KEY than the primary one, in all tenants. With " +
			"0 left,\n" +
			"vault sealing-key prune can remove the others. The workflow rotate-keys does the work every hour.",
		RunE: a.system(func(ctx context.Context, r *app.Runtime) (any, error) {
			left, err := r.Steps.Keys.Sealer.Rotation(ctx, r.DB.System())
			return rotation(left), err
		}),
	}
}

func (a *App) rotateKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Short: "Finish a rotation of the sealing key now", Args: cobra.NoArgs,
		Long: "Wrap the keys of all customers with the primary key of VAULT_SEALING_KEY, and seal again what another key\n" +
			"sealed itself: what the workflow rotate-keys does every hour. An interrupted run is continued by the next one.",
		RunE: a.system(func(ctx context.Context, r *app.Runtime) (any, error) {
			done, err := r.Steps.Keys.RotateKeys(ctx, vault.Event{})
			return rotation(done.Left), err
		}),
	}
}

// rotation is what is left of a rotation, as the commands show it.
type rotation db.Rotation

func (r rotation) table(w io.Writer) {
	line(w, "primary key", r.KeyID)
	line(w, "customers' keys left", r.CustomerKeys)
	line(w, "operations left", r.Operations)
	line(w, "keys of receipts left", r.ErasureKeys)
	if db.Rotation(r).Done() {
		line(w, "(nothing is left: the other keys can be removed)")
	}
}
