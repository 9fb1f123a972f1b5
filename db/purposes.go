package db

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// KnownPurposes returns the purposes that the definitions of a tenant name, sorted.
func KnownPurposes(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID) ([]string, error) {
	rows, err := q.ListFieldPolicies(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		out = append(out, r.Purposes...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// CheckKeyPurpose rejects a purpose of an API key that no definition of its tenant names.
func CheckKeyPurpose(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, purpose string) error {
	if purpose == "" {
		return nil
	}
	known, err := KnownPurposes(ctx, q, tenant)
	if err != nil {
		return err
	}
	return vault.CheckKeyPurpose(purpose, known)
}
