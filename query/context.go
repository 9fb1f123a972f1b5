package query

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules/block"
	"github.com/contextvault/contextvault/vault"
)

// ContextInput selects a context block.
type ContextInput struct {
	CustomerID uuid.UUID
	ScenarioID *uuid.UUID // what it misses and needs; nil: only what is known
	SessionID  *uuid.UUID // conditions can read its variables; nil: no session
	Format     vault.ContextFormat
	// MaxTokens is the largest size: from vault.MinContextTokens to vault.MaxContextTokens.
	MaxTokens int
}

// ContextDocument is a context block in a format.
type ContextDocument struct {
	Body []byte
	// ETag is a strong entity tag, with its quotes.
	ETag string
	// Tokens is the size, as block.Tokens counts it.
	Tokens int
}

// Context returns the context block of a customer. Profile, definitions and requirements come through the cache, so a
// write that succeeded is in the next block.
func (q *Queries) Context(ctx context.Context, tenant uuid.UUID, in ContextInput) (ContextDocument, error) {
	var out ContextDocument
	if err := checkContextTokens(in.MaxTokens); err != nil {
		return out, err
	}
	facts, err := q.contextFacts(ctx, tenant, in)
	if err != nil {
		return out, err
	}
	if out.Body, err = block.Render(facts, in.Format, in.MaxTokens); err != nil {
		return out, err
	}
	digest := sha256.Sum256(out.Body)
	out.ETag, out.Tokens = etag(digest[:]), block.Tokens(string(out.Body))
	return out, nil
}

// checkContextTokens rejects a size of a context block that is out of range.
func checkContextTokens(tokens int) error {
	if tokens < vault.MinContextTokens || tokens > vault.MaxContextTokens {
		return vault.Invalid("max_tokens", "is %d; it must be from %d to %d", tokens, vault.MinContextTokens,
			vault.MaxContextTokens)
	}
	return nil
}

// contextFacts reads what a context block is made of.
func (q *Queries) contextFacts(ctx context.Context, tenant uuid.UUID, in ContextInput) (block.Facts, error) {
	facts := block.Facts{Now: time.Now()}
	var err error
	earlier := takenOf(ctx)
	facts.Profile, err = q.Profile(ctx, tenant, in.CustomerID)
	keepReads(ctx, earlier, func(read string) bool { return read != vault.AuditedChannels }) // a block has no channels
	if err != nil {
		return facts, err
	}
	facts.Withheld = facts.Profile.Withheld
	if in.ScenarioID == nil {
		return facts, nil
	}
	found, state, err := q.missing(ctx, tenant, MissingInput{
		CustomerID: in.CustomerID, ScenarioID: *in.ScenarioID, SessionID: in.SessionID,
	})
	if err != nil {
		return facts, err
	}
	facts.Scenario, facts.Definitions, facts.Missing = &state.Scenario, state.Definitions, found.Missing
	facts.Needed = make(map[string]bool, len(state.Applicable))
	for name := range state.Applicable {
		facts.Needed[name] = true
	}
	facts.Withheld = sortWithheld(append(slices.Clone(facts.Withheld), found.Withheld...))
	return facts, nil
}
