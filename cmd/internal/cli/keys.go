package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Manage the API keys of a tenant, and rotate the keys that seal"}
	cmd.PersistentFlags().StringVar(&a.tenant, "tenant", "", "tenant `id` (default: VAULT_TENANT)")
	cmd.AddCommand(a.createKeyCommand(), &cobra.Command{
		Use: "list", Short: "List the API keys of a tenant", Args: cobra.NoArgs,
		RunE: a.ofTenant(func(ctx context.Context, r *app.Runtime, tenant uuid.UUID) (any, error) {
			rows, err := r.DB.System().ListAPIKeys(ctx, tenant)
			keys := make(listedKeys, len(rows))
			for i, row := range rows {
				keys[i] = listedKey(row)
			}
			return keys, err
		}),
	}, a.revokeKeyCommand(), a.rotationCommand(), a.rotateKeysCommand(), a.rotateTenantKeyCommand())
	return cmd
}

func (a *App) createKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create", Short: "Create an API key and show it once", Args: cobra.NoArgs,
		Example: "  vault keys create --name 'agent runtime' --scopes read,write --expires-in 2160h",
	}
	flags := addKeyFlags(cmd)
	cmd.RunE = a.ofTenant(func(ctx context.Context, r *app.Runtime, tenant uuid.UUID) (any, error) {
		if flags.name == "" {
			return nil, vault.Invalid("name", "is required: the purpose of the key")
		}
		in, secret, err := flags.newKey()
		if err != nil {
			return nil, err
		}
		if err := agents.CheckKnown(ctx, r.DB.Tenant(tenant), tenant, in.Agents); err != nil {
			return nil, err
		}
		if err := db.CheckKeyPurpose(ctx, r.DB.Tenant(tenant), tenant, in.Purpose); err != nil {
			return nil, err
		}
		row, err := db.NewAPIKey(uuid.Must(uuid.NewV7()), tenant, in)
		if err != nil {
			return nil, err
		}
		row.Actor, row.Operation = string(vault.ActorAdmin), "keys create"
		if err := r.DB.System().CreateAPIKey(ctx, row); err != nil {
			if db.IsForeignKeyViolation(err, "api_keys_tenant_id_fkey") {
				err = fmt.Errorf("tenant %s does not exist; `vault tenants create` creates it", tenant)
			}
			return nil, err
		}
		return createdKey{
			ID: row.ID, Name: in.Name, Scopes: row.Scopes, Sources: row.Sources, Agents: in.Agents, Purpose: in.Purpose,
			PII: !in.Masked, ExpiresAt: in.ExpiresAt, Key: secret,
		}, nil
	})
	return cmd
}

func (a *App) revokeKeyCommand() *cobra.Command {
	var key uuid.UUID
	cmd := &cobra.Command{
		Use: "revoke", Short: "Revoke an API key within seconds", Args: cobra.NoArgs,
		RunE: a.ofTenant(func(ctx context.Context, r *app.Runtime, tenant uuid.UUID) (any, error) {
			revoked, err := r.DB.System().RevokeAPIKey(ctx, dbgen.RevokeAPIKeyParams{
				TenantID: tenant, ID: key, Actor: string(vault.ActorAdmin), Operation: "keys revoke",
			})
			if err == nil && revoked == 0 {
				err = vault.Unknown("API key", key)
			}
			return map[string]any{"id": key, "revoked": true}, err
		}),
	}
	idVar(cmd, &key, "key", "`id` of the key, as vault keys list shows it", true)
	return cmd
}

type createdKey struct {
	ID        uuid.UUID   `json:"id"`
	Name      string      `json:"name"`
	Scopes    []string    `json:"scopes"`
	Sources   []string    `json:"sources,omitempty"`
	Agents    []uuid.UUID `json:"agents,omitempty"`
	Purpose   string      `json:"purpose,omitempty"`
	PII       bool        `json:"pii"`
	ExpiresAt *time.Time  `json:"expires_at,omitempty"`
	Key       string      `json:"key"`
}

func (k createdKey) table(w io.Writer) {
	line(w, "id", k.ID)
	line(w, "name", k.Name)
	line(w, "scopes", strings.Join(k.Scopes, ","))
	if len(k.Sources) > 0 {
		line(w, "sources", strings.Join(k.Sources, ","))
	}
	if len(k.Agents) > 0 {
		line(w, "agents", joinIDs(k.Agents))
	}
	if k.Purpose != "" {
		line(w, "purpose", k.Purpose)
	}
	line(w, "pii", k.PII)
	line(w, "expires", when(k.ExpiresAt))
	line(w, "key", k.Key)
	line(w, "(store the key now: it is not shown again)")
}

func joinIDs(ids []uuid.UUID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return strings.Join(out, ",")
}

type listedKey struct {
	ID         uuid.UUID   `json:"id"`
	Name       string      `json:"name"`
	Scopes     []string    `json:"scopes"`
	Sources    []string    `json:"sources,omitempty"`
	Agents     []uuid.UUID `json:"agents,omitempty"`
	Purpose    string      `json:"purpose,omitempty"`
	Pii        bool        `json:"pii"`
	CreatedAt  time.Time   `json:"created_at"`
	ExpiresAt  *time.Time  `json:"expires_at,omitempty"`
	RevokedAt  *time.Time  `json:"revoked_at,omitempty"`
	LastUsedAt *time.Time  `json:"last_used_at,omitempty"`
}

type listedKeys []listedKey

func (k listedKeys) table(w io.Writer) {
	head(w, "ID", "NAME", "SCOPES", "SOURCES", "AGENTS", "PURPOSE", "PII", "CREATED", "EXPIRES", "REVOKED", "LAST USED")
	for _, key := range k {
		line(
			w,
			key.ID,
			key.Name,
			strings.Join(key.Scopes, ","),
			strings.Join(key.Sources, ","),
			joinIDs(key.Agents),
			key.Purpose,
			key.Pii,
			when(&key.CreatedAt),
			when(key.ExpiresAt),
			when(key.RevokedAt),
			when(key.LastUsedAt),
		)
	}
}
