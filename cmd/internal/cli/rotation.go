package cli

import (
	"context"
	"io"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/steps/upkeep"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) rotationCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rotation",
		Short: "Show how much of a rotation of the sealing key is left",
		Args:  cobra.NoArgs,
		Long: "Show how much still needs another key of VAULT_SEALING_KEY than the primary one, in all tenants. With\n" +
			"0 left, vault sealing-key prune can remove the others. The keys of customers that an older key of their\n" +
			"tenant wraps do not need them. The workflow rotate-keys does the work every hour.",
		RunE: a.system(func(ctx context.Context, r *app.Runtime) (any, error) {
			left, err := r.Steps.Keys.Sealer.Rotation(ctx, r.DB.System())
			return rotation(left), err
		}),
	}
}

func (a *App) rotateKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Short: "Finish a rotation of the sealing key now", Args: cobra.NoArgs,
		Long: "Encrypt the keys of all tenants with the primary key of VAULT_SEALING_KEY, seal again what another key\n" +
			"sealed itself, and rotate the keys of tenants that are old (sweeps.tenant_key_days): what the workflow\n" +
			"rotate-keys does every hour. An interrupted run is continued by the next one.",
		RunE: a.system(func(ctx context.Context, r *app.Runtime) (any, error) {
			done, err := r.Steps.Keys.RotateKeys(ctx, vault.Event{})
			return rotation(done.Left), err
		}),
	}
}

func (a *App) rotateTenantKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rotate-tenant", Short: "Rotate the key of a tenant now", Args: cobra.NoArgs,
		Long: "Give a tenant a new key, and wrap the keys of all its customers with it. Their data is not sealed\n" +
			"again. An interrupted run is continued by the workflow rotate-keys.",
		RunE: a.ofTenant(func(ctx context.Context, r *app.Runtime, tenant uuid.UUID) (any, error) {
			done, err := r.Steps.Keys.RotateTenantKey(ctx, tenant)
			return rotatedTenant(done), err
		}),
	}
}

// rotatedTenant is a rotation of a tenant's key, as the command shows it.
type rotatedTenant upkeep.Rotated

func (r rotatedTenant) table(w io.Writer) {
	if r.Rotations == 0 {
		line(w, "(the tenant has no key yet: nothing of it is sealed)")
		return
	}
	line(w, "customers' keys wrapped", r.CustomerKeys)
	line(w, "customers' keys left", r.Left.CustomerKeys)
}

// rotation is what is left of a rotation, as the commands show it.
type rotation db.Rotation

func (r rotation) table(w io.Writer) {
	line(w, "primary key", r.KeyID)
	line(w, "tenants' keys left", r.TenantKeys)
	line(w, "operations left", r.Operations)
	line(w, "webhooks left", r.Webhooks)
	line(w, "keys of receipts left", r.ErasureKeys)
	line(w, "customers' keys left", r.CustomerKeys)
	if db.Rotation(r).Done() {
		line(w, "(the other keys can be removed from the sealing key)")
	}
}
