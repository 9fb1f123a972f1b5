package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Manage the API keys of a tenant, and rotate the sealing key"}
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
	}, a.revokeKeyCommand(), a.rotationCommand(), a.rotateKeysCommand())
	return cmd
}

func (a *App) createKeyCommand() *cobra.Command {
	var name, scopes, sources, limit, purpose string
	var pii bool
	var expires time.Duration
	cmd := &cobra.Command{
		Use: "create", Short: "Create an API key and show it once", Args: cobra.NoArgs,
		Example: "  vault keys create --name 'agent runtime' --scopes read,write --expires-in 2160h",
		RunE: a.ofTenant(func(ctx context.Context, r *app.Runtime, tenant uuid.UUID) (any, error) {
			if name == "" {
				return nil, vault.Invalid("name", "is required: the purpose of the key")
			}
			granted, err := api.ParseScopes(scopes)
			if err != nil {
				return nil, err
			}
			claimed, err := api.ParseSources(sources)
			if err != nil {
				return nil, err
			}
			agents, err := api.ParseAgents(limit, granted)
			if err == nil {
				err = checkAgents(ctx, r, tenant, agents)
			}
			if err != nil {
				return nil, err
			}
			if expires < 0 {
				return nil, vault.Invalid("expires-in",
					"is in the past; use a duration such as 2160h, or 0 for a key that never expires")
			}
			secret := api.NewKey()
			in := dbgen.CreateAPIKeyParams{
				ID: uuid.Must(uuid.NewV7()), TenantID: tenant, Name: name, KeyHash: api.HashKey(secret), Purpose: purpose,
				Masked: !pii, Agents: agents, Actor: string(vault.ActorAdmin), Operation: "keys create",
			}
			for _, source := range claimed {
				in.Sources = append(in.Sources, string(source))
			}
			for _, scope := range granted {
				in.Scopes = append(in.Scopes, string(scope))
			}
			if expires > 0 {
				at := time.Now().Add(expires).UTC()
				in.ExpiresAt = &at
			}
			if err := r.DB.System().CreateAPIKey(ctx, in); err != nil {
				if db.IsForeignKeyViolation(err, "api_keys_tenant_id_fkey") {
					err = fmt.Errorf("tenant %s does not exist; `vault tenants create` creates it", tenant)
				}
				return nil, err
			}
			return createdKey{
				ID:        in.ID,
				Name:      name,
				Scopes:    in.Scopes,
				Sources:   in.Sources,
				Agents:    agents,
				Purpose:   purpose,
				PII:       pii,
				ExpiresAt: in.ExpiresAt,
				Key:       secret,
			}, nil
		}),
	}
	cmd.Flags().StringVar(&name, "name", "", "purpose of the key, for people")
	cmd.Flags().StringVar(&scopes, "scopes", "read,write", "scopes of the key: "+vault.OneOf(api.Scopes))
	cmd.Flags().StringVar(&sources, "sources", "",
		"sources of the values that the key may write, such as tool_result,document_extracted (default: all except\n"+
			"human_entered and document_extracted, which are stronger than the customer's own word)")
	cmd.Flags().StringVar(&limit, "agents", "",
		"`ids` of the agents whose data the key may use, with commas between them (default: all agents)")
	textVar(cmd, &purpose, "purpose", "purpose of reads that state none, such as support", false)
	cmd.Flags().BoolVar(&pii, "pii", true, "whether the key sees values of PII fields; false: they are masked")
	cmd.Flags().DurationVar(&expires, "expires-in", 0, "lifetime of the key, such as 2160h; 0: until it is revoked")
	_ = cmd.MarkFlagRequired("name")
	return cmd
}

// checkAgents returns an error if an agent is not known in the tenant.
func checkAgents(ctx context.Context, r *app.Runtime, tenant uuid.UUID, agents []uuid.UUID) error {
	for _, agent := range agents {
		known, err := r.DB.Tenant(tenant).AgentExists(ctx, tenant, agent)
		if err != nil {
			return err
		}
		if !known {
			return vault.Invalid("agents", "no agent of the tenant has the id %s: an agent is known from its first "+
				"definition or scenario", agent)
		}
	}
	return nil
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
