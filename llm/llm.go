// Package llm is the interface to a language model, and what its implementations share: requests, configuration,
// usage and its metering.
//
// A model only proposes. The implementations check an answer against its schema; the caller checks it against the
// definitions and the customer's own words. No code here decides what is stored.
//
// The implementations are llm/openai (any OpenAI-compatible endpoint) and llm/offline (deterministic, no network).
// Package llm/provider selects one of them by configuration. Start reading at Model.
package llm

import (
	"context"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// Model proposes requirements from configuration texts, extracts values from conversations, and embeds short texts.
// It is safe for concurrent use.
//
// Every error is a *vault.Error. Its code is unavailable if a retry may help. It never contains words of a customer,
// of a prompt or of a key.
type Model interface {
	// Name is "offline", or the id of the embedding model. Embeddings are stored under it, because embeddings of two
	// models cannot be compared.
	Name() string

	// ProposeRequirements returns the requirements of a scenario or rule, each with its definition, from one
	// structured call (two with a repair). It returns nil, nil if there are none.
	ProposeRequirements(ctx context.Context, req ProposeRequest) ([]vault.ProposedRequirement, error)

	// ExtractValues returns the values that the customer stated, from one structured call (two with a repair) for all
	// definitions. It returns at most one candidate per definition, in the order of req.Definitions.
	ExtractValues(ctx context.Context, req ExtractRequest) ([]vault.Candidate, error)

	// Embed returns one vector per text, in the same order. A vector has vault.EmbeddingDimensions components and
	// length 1. An empty text is an error.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// ProposeRequest is the input of ProposeRequirements.
type ProposeRequest struct {
	Title    string             // name of the scenario or rule
	Texts    []Text             // its description, steps, conditions and actions
	Existing []vault.Definition // definitions of the agent; a proposal with the same meaning reuses their name
}

// Text is one labelled part of a scenario or rule.
type Text struct {
	Label     string // kind of text, for the model: "description", "step 2", "condition of step 2"
	Text      string // original text
	Condition bool   // a condition, not prose: every definition it names is required
}

// At returns the time of a turn in the customer's time zone. It is zero if neither the turn nor the request has a time.
func (r ExtractRequest) At(t vault.Turn) time.Time {
	at := r.Now
	if t.At != nil {
		at = *t.At
	}
	if at.IsZero() {
		return at
	}
	if r.Zone == nil {
		return at.UTC()
	}
	return at.In(r.Zone)
}

// ExtractRequest is the input of ExtractValues.
type ExtractRequest struct {
	Definitions []vault.Definition // definitions of the values to extract
	// Others are the agent's other definitions. No value is read for them; a statement that fits one of them as well is
	// no evidence for a definition of Definitions.
	Others []vault.Definition
	Turns  []vault.Turn // the conversation, in order; only customer turns are a source of values
	// Now is the time of turns without a time. Zero: relative days in them have no value.
	Now  time.Time
	Zone *time.Location // the customer's time zone, in which days begin; nil: UTC
}
