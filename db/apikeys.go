package db

import (
	"encoding/hex"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// NewAPIKey returns the row of a new API key. The caller adds who creates it.
func NewAPIKey(id, tenant uuid.UUID, in vault.CreateKeyInput) (dbgen.CreateAPIKeyParams, error) {
	hash, err := hex.DecodeString(in.KeyHash)
	if err != nil {
		return dbgen.CreateAPIKeyParams{}, vault.Invalid("key_hash", "is not hexadecimal")
	}
	row := dbgen.CreateAPIKeyParams{
		ID: id, TenantID: tenant, Name: in.Name, KeyHash: hash, Scopes: in.Scopes, Agents: in.Agents,
		Purpose: in.Purpose, Masked: in.Masked, ExpiresAt: in.ExpiresAt,
	}
	for _, source := range in.Sources {
		row.Sources = append(row.Sources, string(source))
	}
	return row, nil
}
