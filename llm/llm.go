// Package llm is the language model behind one small interface. Two models exist: offline, which is deterministic and
// needs no network, and openai, which speaks to any OpenAI-compatible endpoint.
//
// A model only proposes. What it proposes is checked here against its schema, and by the caller against the definitions and
// the customer's own words; nothing here decides what is stored.
//
// Where to start reading: llm.go for the interface and the configuration; offline.go and the files it names for the
// offline model; openai.go and prompts/ for the other.
package llm

import (
	"context"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// Model reads fields out of configuration texts, values out of conversations, and embeds short texts. It is safe for use by
// several goroutines.
//
// An error is a *vault.Error: unavailable for what a retry may mend, another code for what it cannot. It never holds a
// word of a customer, of a prompt or of a key.
type Model interface {
	// Name is "offline", or the id of the embedding model. Embeddings are stored under it, since those of two models cannot be
	// compared.
	Name() string

	// ProposeFields reads the fields that a scenario or rule needs, in one structured call (two with a repair). An empty
	// answer is nil, nil.
	ProposeFields(ctx context.Context, req ProposeRequest) ([]vault.ProposedField, error)

	// ExtractValues reads what a conversation says about the fields, all of them in one structured call (two with a repair). At
	// most one candidate for each field comes back, in the order of req.Fields.
	ExtractValues(ctx context.Context, req ExtractRequest) ([]vault.Candidate, error)

	// Embed gives one vector for each text, in their order, of vault.EmbeddingDimensions components and length 1.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// ProposeRequest is what ProposeFields reads.
type ProposeRequest struct {
	Title    string             // name of the scenario or rule
	Texts    []Text             // its description, steps, conditions and actions
	Existing []vault.Definition // the agent's definitions, whose names are reused where they mean the same
}

// Text is one labelled piece of a scenario or rule.
type Text struct {
	Label     string // what it is, for the model: "description", "step 2", "condition of step 2"
	Text      string // as the designer wrote it
	Condition bool   // it is a condition, not prose: every field it names is needed to decide it
}

// ExtractRequest is what ExtractValues reads.
type ExtractRequest struct {
	Fields []vault.Definition // what to look for
	Turns  []vault.Turn       // the conversation, in order; only customer turns are a source of values
	Now    time.Time          // when "tomorrow" was said; zero: relative dates are left alone
}
