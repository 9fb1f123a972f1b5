package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) tenantsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenants", Short: "Manage tenants"}
	var id *uuid.UUID
	var name string
	create := &cobra.Command{Use: "create", Short: "Create a tenant", Args: cobra.NoArgs}
	create.RunE = a.system(func(ctx context.Context, r *app.Runtime) (any, error) {
		if name == "" {
			return nil, vault.Invalid("name", "is required: the name of the tenant for people")
		}
		tenant := uuid.Must(uuid.NewV7())
		if id != nil {
			tenant = *id
		}
		added, err := r.DB.System().CreateTenant(ctx, tenant, name)
		if err == nil && added == 0 {
			err = fmt.Errorf("tenant %s exists already", tenant)
		}
		return map[string]any{"id": tenant, "name": name}, err
	})
	optionalID(create, &id, "id", "`id` of the tenant, a UUID (default: a new one)")
	textVar(create, &name, "name", "name of the tenant, for people", true)
	list := &cobra.Command{Use: "list", Short: "List the tenants", Args: cobra.NoArgs}
	list.RunE = a.system(func(ctx context.Context, r *app.Runtime) (any, error) {
		rows, err := r.DB.System().ListTenants(ctx)
		tenants := make(listedTenants, len(rows))
		for i, row := range rows {
			tenants[i] = listedTenant(row)
		}
		return tenants, err
	})
	cmd.AddCommand(create, list)
	return cmd
}

type listedTenant struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

type listedTenants []listedTenant

func (t listedTenants) table(w io.Writer) {
	head(w, "ID", "NAME", "CREATED")
	for _, tenant := range t {
		line(w, tenant.ID, tenant.Name, when(&tenant.CreatedAt))
	}
}
