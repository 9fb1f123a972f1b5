package query

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Erasure returns an erasure with its receipt.
func (q *Queries) Erasure(ctx context.Context, tenant, id uuid.UUID) (vault.Erasure, error) {
	row, err := q.db.Tenant(tenant).GetErasure(ctx, tenant, id)
	if err != nil {
		return vault.Erasure{}, db.WrapNotFound(err, "erasure", id)
	}
	out, err := erasureOf(dbgen.ListErasuresPageRow{
		ID: row.ID, State: row.State, Derived: row.Derived, Counts: row.Counts, Mentions: row.Mentions,
		BegunAt: row.BegunAt, FinishedAt: row.FinishedAt,
	})
	if row.Receipt != nil {
		out.Receipt = *row.Receipt
	}
	return out, err
}

// ErasuresPage returns erasures of the tenant, newest first, without their receipts.
func (q *Queries) ErasuresPage(
	ctx context.Context, tenant uuid.UUID, before *uuid.UUID, limit int,
) (page []vault.Erasure, more bool, err error) {
	rows, err := q.db.Tenant(tenant).ListErasuresPage(ctx, dbgen.ListErasuresPageParams{
		TenantID: tenant, Before: before, MaxRows: int32(min(limit, MaxPage)) + 1, //nolint:gosec // at most MaxPage
	})
	if err != nil {
		return nil, false, err
	}
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	page = make([]vault.Erasure, len(rows))
	for i, row := range rows {
		if page[i], err = erasureOf(row); err != nil {
			return nil, false, err
		}
	}
	return page, more, nil
}

// ReceiptKey returns the public key that checks the receipts of a tenant, as JSON. A tenant without an erasure has
// none.
func (q *Queries) ReceiptKey(ctx context.Context, tenant uuid.UUID) (string, error) {
	row, err := q.db.Tenant(tenant).GetErasureKey(ctx, tenant)
	if db.IsNotFound(err) {
		return "", &vault.Error{
			Code: vault.CodeUnknown, Field: "erasure",
			Message: "this tenant has no key of receipts: the first erasure makes it",
		}
	}
	return row.PublicKey, err
}

func erasureOf(row dbgen.ListErasuresPageRow) (vault.Erasure, error) {
	out := vault.Erasure{
		ID: row.ID, State: vault.ErasureState(row.State), Derived: vault.DerivedAction(row.Derived),
		BegunAt: row.BegunAt, FinishedAt: row.FinishedAt,
	}
	if err := json.Unmarshal(row.Counts, &out.Rows); err != nil {
		return out, fmt.Errorf("read the counts of erasure %s: %w", row.ID, err)
	}
	if err := json.Unmarshal(row.Mentions, &out.Mentions); err != nil {
		return out, fmt.Errorf("read the counts of erasure %s: %w", row.ID, err)
	}
	return out, nil
}
