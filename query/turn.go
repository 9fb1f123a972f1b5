package query

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules/block"
	"github.com/contextvault/contextvault/vault"
)

// CompleteTurn adds to the result of a turn what its reader may see: the values and quotes of what was learned, what
// the scenario misses, the next question and the context block. The stored result has ids only.
func (q *Queries) CompleteTurn(
	ctx context.Context, tenant uuid.UUID, r *vault.TurnResult, format vault.ContextFormat, maxTokens int,
) error {
	for i := range r.Learned {
		if err := q.completeFact(ctx, tenant, &r.Learned[i]); err != nil {
			return err
		}
	}
	questions, err := q.Questions(ctx, tenant, r.CustomerID)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, question := range questions {
		ours := question.AgentID == r.AgentID && (r.ScenarioID == nil || question.ScenarioID == *r.ScenarioID)
		if ours && question.Askable(r.Channel, now) {
			r.Question = &question
			break
		}
	}
	facts, err := q.contextFacts(ctx, tenant, ContextInput{
		CustomerID: r.CustomerID, ScenarioID: r.ScenarioID, SessionID: &r.SessionID,
	})
	if err != nil {
		return err
	}
	r.Missing = slices.DeleteFunc(block.Entries(facts), func(e vault.ContextEntry) bool {
		return e.Section != vault.SectionMissing
	})
	text, err := block.Render(facts, format, maxTokens)
	r.Context = string(text)
	return err
}

// completeFact adds the value and the quote of a fact. One that is withheld has neither.
func (q *Queries) completeFact(ctx context.Context, tenant uuid.UUID, f *vault.TurnFact) error {
	if f.ItemID == nil {
		return nil
	}
	v, err := q.Field(ctx, tenant, *f.ItemID)
	if vault.Permanent(err) {
		return nil // withheld, or deleted since
	}
	if err != nil {
		return err
	}
	var said struct {
		Quote string `json:"quote"`
	}
	_ = json.Unmarshal(v.SourceMetadata, &said) // of a masked value there are none
	f.Value, f.Quote = v.Value, said.Quote
	return nil
}
