package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) apiKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "api-keys", Short: "Manage API keys through the API, with a key that has the scope admin",
		Long: "Manage API keys through the API, with a key that has the scope admin. `vault keys` does it in the\n" +
			"database, without a key.",
	}
	var limit int
	list := &cobra.Command{Use: "list", Short: "List the API keys, newest first"}
	limitVar(list, &limit, "keys")
	a.addTenantFlag(list.Flags())
	var revoked vault.RevokeKeyInput
	revoke := withID(&cobra.Command{Use: "revoke", Short: "Revoke an API key within seconds"}, "key", "`id` of the key",
		&revoked.KeyID)
	cmd.AddCommand(
		a.createAPIKeyCommand(),
		a.read(byOperator, list, func(ctx context.Context, c *client.Client) (any, error) {
			keys, err := upTo(c.ListKeys(ctx), limit)
			return apiKeys(keys), err
		}),
		submit(a, revoke, &revoked, (*client.Client).RevokeKey),
	)
	return cmd
}

func (a *App) createAPIKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create", Short: "Create an API key and show it once",
		Example: "  vault api-keys create --name 'agent runtime' --scopes read,write --expires-in 2160h",
	}
	flags := addKeyFlags(cmd)
	a.addWaitFlag(cmd)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		in, secret, err := flags.newKey()
		if err != nil {
			return nil, err
		}
		op, err := c.CreateKey(ctx, in, a.options(a.wait)...)
		if err != nil {
			return nil, err
		}
		a.noteUnfinished(op.ID, op.Status)
		return newAPIKey{ID: op.ID, Name: in.Name, Scopes: in.Scopes, ExpiresAt: in.ExpiresAt, Key: secret}, nil
	})
}

// keyFlags say what a new API key may do.
type keyFlags struct {
	name, scopes, sources, agents, purpose string
	pii                                    bool
	expires                                time.Duration
}

func addKeyFlags(cmd *cobra.Command) *keyFlags {
	f := &keyFlags{}
	textVar(cmd, &f.name, "name", "purpose of the key, for people", true)
	cmd.Flags().StringVar(&f.scopes, "scopes", "read,write", "scopes of the key: "+vault.OneOf(api.Scopes))
	cmd.Flags().StringVar(&f.sources, "sources", "",
		"sources of the values that the key may write, such as tool_result,document_extracted (default: all except\n"+
			"human_entered and document_extracted, which are stronger than the customer's own word)")
	cmd.Flags().StringVar(&f.agents, "agents", "",
		"`ids` of the agents whose data the key may use, with commas between them (default: all agents)")
	textVar(cmd, &f.purpose, "purpose", "purpose of reads that state none, such as support", false)
	cmd.Flags().BoolVar(&f.pii, "pii", true, "whether the key sees values of PII fields; false: they are masked")
	cmd.Flags().DurationVar(&f.expires, "expires-in", 0, "lifetime of the key, such as 2160h; 0: until it is revoked")
	return f
}

// newKey returns the key that the flags describe, and its new secret.
func (f *keyFlags) newKey() (in vault.CreateKeyInput, secret string, err error) {
	granted, err := api.ParseScopes(f.scopes)
	if err != nil {
		return in, "", err
	}
	in = vault.CreateKeyInput{Name: f.name, Purpose: f.purpose, Masked: !f.pii}
	for _, scope := range granted {
		in.Scopes = append(in.Scopes, string(scope))
	}
	if in.Sources, err = api.ParseSources(f.sources); err != nil {
		return in, "", err
	}
	if in.Agents, err = api.ParseAgents(f.agents, granted); err != nil {
		return in, "", err
	}
	if f.expires < 0 {
		return in, "", vault.Invalid("expires-in",
			"is in the past; use a duration such as 2160h, or 0 for a key that never expires")
	}
	if f.expires > 0 {
		at := time.Now().Add(f.expires).UTC()
		in.ExpiresAt = &at
	}
	secret = api.NewKey()
	in.KeyHash = hex.EncodeToString(api.HashKey(secret))
	return in, secret, nil
}

type newAPIKey struct {
	ID        uuid.UUID  `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Key       string     `json:"key"`
}

func (k newAPIKey) table(w io.Writer) {
	line(w, "id", k.ID)
	line(w, "name", k.Name)
	line(w, "scopes", strings.Join(k.Scopes, ","))
	line(w, "expires", when(k.ExpiresAt))
	line(w, "key", k.Key)
	line(w, "(store the key now: it is not shown again)")
}

type apiKeys []vault.KeySummary

func (k apiKeys) table(w io.Writer) {
	head(w, "ID", "NAME", "SCOPES", "AGENTS", "PURPOSE", "MASKED", "CREATED", "EXPIRES", "REVOKED", "LAST USED")
	for _, key := range k {
		line(w, key.ID, key.Name, strings.Join(key.Scopes, ","), dash(joinIDs(key.Agents)),
			dash(key.Purpose), yesNo(key.Masked), when(&key.CreatedAt),
			when(key.ExpiresAt), when(key.RevokedAt), when(key.LastUsedAt))
	}
}

func (a *App) usageCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{Use: "usage", Short: "List tokens and cost of the language model by day, newest first"}
	limitVar(cmd, &limit, "days")
	a.addTenantFlag(cmd.Flags())
	return a.read(byOperator, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		days, err := upTo(c.ListUsage(ctx), limit)
		return usedDays(days), err
	})
}

type usedDays []vault.Usage

func (u usedDays) table(w io.Writer) {
	head(w, "DAY", "CALLS", "PROMPT TOKENS", "COMPLETION TOKENS", "COST")
	for _, day := range u {
		line(w, day.Day, day.Calls, day.PromptTokens, day.CompletionTokens, fmt.Sprintf("%.6f", float64(day.CostMicros)/1e6))
	}
}
