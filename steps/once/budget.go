package once

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// Budgeted is the language model with a daily budget for each tenant.
type Budgeted struct {
	llm.Model
	DB     *db.DB
	Limits ModelLimits
	Now    func() time.Time
	Log    *slog.Logger

	Observer Observer
}

// ModelLimits limit and price the calls of the language model.
type ModelLimits struct {
	DailyTokens     int64   // per tenant and day (UTC); 0: no limit
	PromptPrice     float64 // per million prompt tokens, in any currency; 0: costs are not counted
	CompletionPrice float64 // per million completion tokens
}

// The estimated cost of a call, in tokens. A token is about four bytes of English, and completions are short.
const (
	bytesPerToken      = 4
	promptTokens       = 1500 // the instructions and the schema
	expectedCompletion = 1000
)

// ProposeRequirements calls llm.Model.ProposeRequirements within the tenant's budget.
func (b Budgeted) ProposeRequirements(
	ctx context.Context, tenant uuid.UUID, req llm.ProposeRequest,
) (fields []vault.ProposedRequirement, err error) {
	size := len(req.Title)
	for _, t := range req.Texts {
		size += len(t.Label) + len(t.Text)
	}
	for _, d := range req.Existing {
		size += sizeOf(d)
	}
	err = b.spend(ctx, tenant, promptTokens+expectedCompletion+size/bytesPerToken, func(ctx context.Context) error {
		fields, err = b.Model.ProposeRequirements(ctx, req)
		return err
	})
	return fields, err
}

// ExtractValues calls llm.Model.ExtractValues within the tenant's budget.
func (b Budgeted) ExtractValues(
	ctx context.Context, tenant uuid.UUID, req llm.ExtractRequest,
) (found []vault.Candidate, err error) {
	size := 0
	for _, d := range req.Definitions {
		size += sizeOf(d)
	}
	for _, t := range req.Turns {
		size += len(t.Text)
	}
	err = b.spend(ctx, tenant, promptTokens+expectedCompletion+size/bytesPerToken, func(ctx context.Context) error {
		found, err = b.Model.ExtractValues(ctx, req)
		return err
	})
	return found, err
}

// Embed calls llm.Model.Embed within the tenant's budget.
func (b Budgeted) Embed(ctx context.Context, tenant uuid.UUID, texts []string) (vectors [][]float32, err error) {
	size := 0
	for _, t := range texts {
		size += len(t)
	}
	err = b.spend(ctx, tenant, len(texts)+size/bytesPerToken, func(ctx context.Context) error {
		vectors, err = b.Model.Embed(ctx, texts)
		return err
	})
	return vectors, err
}

func sizeOf(d vault.Definition) int {
	size := len(d.Name) + len(d.DisplayName) + len(d.Description) + len(d.CollectionPrompt) + len(d.ExtractionPromptHint)
	size += len(d.Unit) + len(d.Minimum) + len(d.Maximum) + len(d.TimeZone) + len(d.DefaultRegion) + len(d.JSONSchema)
	for _, v := range d.AllowedValues {
		size += len(v)
	}
	for _, e := range d.ExtractionExamples {
		size += len(e)
	}
	return size
}

// spend makes a call within the tenant's budget of the day and records its cost, also when the call fails. It reserves
// the expected tokens before the call, so concurrent calls cannot overdraw the budget; a single call can exceed it by
// the difference between its real and its expected cost. Recording is best effort: a paid result is not discarded
// because its cost could not be recorded.
func (b Budgeted) spend(ctx context.Context, tenant uuid.UUID, expected int, call func(context.Context) error) error {
	q, day := b.DB.Tenant(tenant), b.Now().UTC().Truncate(24*time.Hour)
	reserved := int64(0)
	if b.Limits.DailyTokens > 0 && b.Name() != llm.ProviderOffline {
		reserved = int64(expected)
		_, err := q.ReserveTokens(ctx, dbgen.ReserveTokensParams{
			TenantID: tenant, Day: day, Tokens: reserved, Budget: b.Limits.DailyTokens,
		})
		if db.IsNotFound(err) {
			b.Observer.BudgetSpent()
			return &vault.Error{Code: vault.CodeBudget, Message: fmt.Sprintf(
				"the language model's budget of this tenant, %d tokens a day, is spent until midnight UTC; raise "+
					"llm.daily_budget_tokens, or replay the operation tomorrow", b.Limits.DailyTokens)}
		}
		if err != nil {
			return fmt.Errorf("reserve the tokens of a model call: %w", err)
		}
	}
	used := dbgen.RecordUsageParams{TenantID: tenant, Day: day, Reserved: reserved}
	err := call(llm.WithUsage(ctx, func(u llm.Usage) {
		used.Calls += int64(u.Calls)
		used.PromptTokens += u.PromptTokens
		used.CompletionTokens += u.CompletionTokens
		if len(u.Drops) > 0 {
			b.Log.InfoContext(ctx, "model_entries_dropped", "model_operation", u.Operation, "entries", u.Drops.String())
		}
	}))
	used.CostMicros = int64(
		float64(used.PromptTokens)*b.Limits.PromptPrice + float64(used.CompletionTokens)*b.Limits.CompletionPrice,
	)
	if used.PromptTokens+used.CompletionTokens+reserved == 0 {
		return err // the built-in model costs nothing
	}
	if recordErr := q.RecordUsage(context.WithoutCancel(ctx), used); recordErr != nil {
		b.Log.WarnContext(ctx, "model_usage_not_recorded", "error_code", vault.CodeOf(recordErr))
	}
	return err
}
