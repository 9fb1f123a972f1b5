package cli

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/worker"
)

func (a *App) tenantsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenants", Short: "make and list tenants"}
	var id *uuid.UUID
	var name string
	create := &cobra.Command{Use: "create", Short: "make a tenant", Args: cobra.NoArgs, RunE: a.system(func(ctx context.Context, r *worker.Runtime) (any, error) {
		tenant := uuid.Must(uuid.NewV7())
		if id != nil {
			tenant = *id
		}
		added, err := r.DB.System().CreateTenant(ctx, tenant, name)
		if err == nil && added == 0 {
			err = fmt.Errorf("tenant %s exists already", tenant)
		}
		return map[string]any{"id": tenant, "name": name}, err
	})}
	optionalID(create, &id, "id", "its id, a UUID (default: a new one)")
	textVar(create, &name, "name", "its name, for people", true)
	cmd.AddCommand(create, &cobra.Command{Use: "list", Short: "list the tenants", Args: cobra.NoArgs, RunE: a.system(func(ctx context.Context, r *worker.Runtime) (any, error) {
		return r.DB.System().ListTenants(ctx)
	})})
	return cmd
}
