// Package keystore stores API keys in PostgreSQL, for package api, which does not import package db.
package keystore

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// Store implements api.Keys.
type Store struct{ DB *db.DB }

// FindKey implements api.Keys.
func (s Store) FindKey(ctx context.Context, hash []byte) (api.Key, error) {
	row, err := s.DB.System().FindAPIKey(ctx, hash)
	if err != nil {
		return api.Key{}, db.WrapNotFound(err, "API key", "it")
	}
	key := api.Key{
		ID:         row.ID,
		TenantID:   row.TenantID,
		Hash:       row.KeyHash,
		Agents:     row.Agents,
		Purpose:    row.Purpose,
		Masked:     !row.Pii,
		ExpiresAt:  row.ExpiresAt,
		RevokedAt:  row.RevokedAt,
		LastUsedAt: row.LastUsedAt,
	}
	for _, scope := range row.Scopes {
		key.Scopes = append(key.Scopes, api.Scope(scope))
	}
	for _, source := range row.Sources {
		key.Sources = append(key.Sources, vault.ValueSource(source))
	}
	return key, nil
}

// TouchKey implements api.Keys.
func (s Store) TouchKey(ctx context.Context, id uuid.UUID) error {
	return s.DB.System().TouchAPIKey(ctx, id)
}
