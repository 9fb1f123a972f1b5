package upkeep

import (
	"context"
	"encoding/hex"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// APIKeys creates and revokes API keys of a tenant. The role of tenants may not write the table, so each effect is a
// statement of the system, which changes nothing when it runs again, before the operation is marked as applied.
type APIKeys struct{ Once once.Runner }

// CreateKey stores an API key with the id of its operation.
func (s APIKeys) CreateKey(ctx context.Context, ev vault.Event) (once.Stored[vault.KeyResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.CreateKeyInput,
	) (vault.KeyResult, error) {
		out := vault.KeyResult{KeyID: op.ID}
		if err := rules.Check(in); err != nil {
			return out, err
		}
		hash, err := hex.DecodeString(in.KeyHash)
		if err != nil {
			return out, vault.Invalid("key_hash", "is not hexadecimal")
		}
		if err := checkAgents(ctx, q, op.TenantID, in); err != nil {
			return out, err
		}
		row := dbgen.CreateAPIKeyParams{
			ID: op.ID, TenantID: op.TenantID, Name: in.Name, KeyHash: hash, Scopes: in.Scopes, Agents: in.Agents,
			Purpose: in.Purpose, Masked: in.Masked, ExpiresAt: in.ExpiresAt, Actor: op.Actor, Operation: vault.CreateKey.Name,
		}
		for _, source := range in.Sources {
			row.Sources = append(row.Sources, string(source))
		}
		err = s.Once.DB.System().CreateAPIKey(ctx, row)
		if db.IsDuplicate(err) {
			return out, vault.Conflict("key_hash", "key_hash: there is a key with this hash already; make a new secret")
		}
		return out, err
	})
}

// checkAgents returns an error if a key for some agents is to have a scope that covers all of them, or names an agent
// that the tenant does not have.
func checkAgents(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.CreateKeyInput) error {
	for _, scope := range in.Scopes {
		if len(in.Agents) > 0 && (scope == "admin" || scope == "erase") {
			return vault.Invalid("agents",
				"cannot be combined with the scope %s, which covers all agents; omit one of them", scope)
		}
	}
	for _, agent := range in.Agents {
		known, err := q.AgentExists(ctx, tenant, agent)
		if err != nil {
			return err
		}
		if !known {
			return vault.Invalid("agents", "no agent of the tenant has the id %s: an agent is known from its first definition "+
				"or scenario", agent)
		}
	}
	return nil
}

// RevokeKey ends an API key.
func (s APIKeys) RevokeKey(ctx context.Context, ev vault.Event) (once.Stored[vault.KeyResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		_ *dbgen.Queries, op dbgen.Operation, in vault.RevokeKeyInput,
	) (vault.KeyResult, error) {
		out := vault.KeyResult(in)
		n, err := s.Once.DB.System().RevokeAPIKey(ctx, dbgen.RevokeAPIKeyParams{
			TenantID: op.TenantID, ID: in.KeyID, Actor: op.Actor, Operation: vault.RevokeKey.Name,
		})
		if err == nil && n == 0 {
			err = vault.Unknown("API key", in.KeyID)
		}
		return out, err
	})
}
