package query

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// KeysPage returns the API keys of a tenant, newest first, starting after an id; nil: with the newest. Revoked and
// expired keys are among them.
func (q *Queries) KeysPage(
	ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int,
) (page []vault.KeySummary, more bool, err error) {
	rows, err := q.db.Tenant(tenant).PageAPIKeys(ctx, dbgen.PageAPIKeysParams{
		TenantID: tenant, AfterID: after, MaxRows: int32(min(limit, MaxPage)) + 1, //nolint:gosec // at most MaxPage
	})
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(row dbgen.PageAPIKeysRow) vault.KeySummary {
		out := vault.KeySummary{
			ID: row.ID, Name: row.Name, Scopes: row.Scopes, Agents: row.Agents, Purpose: row.Purpose, Masked: !row.Pii,
			CreatedAt: row.CreatedAt,
			ExpiresAt: row.ExpiresAt, RevokedAt: row.RevokedAt, LastUsedAt: row.LastUsedAt,
		}
		for _, source := range row.Sources {
			out.Sources = append(out.Sources, vault.ValueSource(source))
		}
		return out
	})
	return page, more, nil
}

// UsagePage returns what a tenant used of the language model by day, newest first, starting before a day; nil: with the
// newest. Days without a call are left out.
func (q *Queries) UsagePage(
	ctx context.Context, tenant uuid.UUID, before *time.Time, limit int,
) (page []vault.Usage, more bool, err error) {
	rows, err := q.db.Tenant(tenant).PageUsage(ctx, dbgen.PageUsageParams{
		TenantID: tenant, Before: before, MaxRows: int32(min(limit, MaxPage)) + 1, //nolint:gosec // at most MaxPage
	})
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(row dbgen.LlmUsage) vault.Usage {
		return vault.Usage{
			Day: row.Day.Format(time.DateOnly), Calls: row.Calls, PromptTokens: row.PromptTokens,
			CompletionTokens: row.CompletionTokens, CostMicros: row.CostMicros,
		}
	})
	return page, more, nil
}
