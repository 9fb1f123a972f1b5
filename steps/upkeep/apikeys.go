package upkeep

import (
	"context"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/agents"
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
		if err := vault.CheckAgentScopes(in.Agents, in.Scopes); err != nil {
			return out, err
		}
		if err := agents.CheckKnown(ctx, q, op.TenantID, in.Agents); err != nil {
			return out, err
		}
		if err := db.CheckKeyPurpose(ctx, q, op.TenantID, in.Purpose); err != nil {
			return out, err
		}
		row, err := db.NewAPIKey(op.ID, op.TenantID, in)
		if err != nil {
			return out, err
		}
		row.Actor, row.Operation = op.Actor, vault.CreateKey.Name
		err = s.Once.DB.System().CreateAPIKey(ctx, row)
		if db.IsDuplicate(err) {
			return out, vault.Conflict("key_hash", "key_hash: there is a key with this hash already; make a new secret")
		}
		return out, err
	})
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
