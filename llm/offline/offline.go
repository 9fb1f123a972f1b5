// Package offline is the deterministic language model: rules and a small lexicon, in English, without a network. It
// prefers precision to recall.
//
// The work is in the subpackages: propose reads requirements from texts, extract reads values from conversations,
// embed makes vectors, and text finds words, sentences, dates, times and numbers for both readers. Start reading at
// Model.
package offline

import (
	"context"
	"time"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/embed"
	"github.com/contextvault/contextvault/llm/offline/extract"
	"github.com/contextvault/contextvault/llm/offline/propose"
	"github.com/contextvault/contextvault/vault"
)

// Model implements llm.Model.
type Model struct {
	usage   func(llm.Usage)
	timeout time.Duration
}

// New returns the offline model. It uses the Timeout and Usage of cfg. An error lists every problem of cfg.
func New(cfg llm.Config) (*Model, error) {
	cfg.Provider = llm.ProviderOffline
	cfg, err := cfg.Resolve()
	if err != nil {
		return nil, err
	}
	return &Model{usage: cfg.Usage, timeout: cfg.Timeout}, nil
}

// Builtin returns the offline model with its default settings. It reports no usage.
func Builtin() *Model { return &Model{timeout: llm.DefaultTimeout} }

// Name returns "offline".
func (*Model) Name() string { return llm.ProviderOffline }

// Reader implements llm.Model.
func (*Model) Reader() string { return llm.ProviderOffline }

// ProposeRequirements implements llm.Model.
func (o *Model) ProposeRequirements(
	ctx context.Context,
	req llm.ProposeRequest,
) (fields []vault.ProposedRequirement, err error) {
	err = o.run(ctx, llm.OperationPropose, func(context.Context) error {
		fields = propose.Propose(req)
		return nil
	})
	return fields, err
}

// ReadSentences implements llm.Reader.
func (*Model) ReadSentences(req llm.ProposeRequest) []vault.SentenceReading {
	_, readings := propose.Read(req)
	return readings
}

// ExtractValues implements llm.Model.
func (o *Model) ExtractValues(ctx context.Context, req llm.ExtractRequest) (found []vault.Candidate, err error) {
	err = o.run(ctx, llm.OperationExtract, func(ctx context.Context) (err error) {
		found, err = extract.Extract(ctx, req)
		return err
	})
	return found, err
}

// Embed implements llm.Model.
func (o *Model) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	err = o.run(ctx, llm.OperationEmbed, func(context.Context) error {
		if err := llm.CheckTexts(texts); err != nil {
			return err
		}
		vectors = make([][]float32, len(texts))
		for i, t := range texts {
			vectors[i] = embed.Vector(t)
		}
		return nil
	})
	return vectors, err
}

// run calls fn unless ctx has ended, and reports it as one call.
func (o *Model) run(ctx context.Context, op llm.Operation, fn func(context.Context) error) (err error) {
	m := llm.StartMeter(op, llm.ProviderOffline)
	defer func() { m.Report(ctx, o.usage, err) }()
	m.Usage.Calls = 1
	if err := ctx.Err(); err != nil {
		return vault.Unavailable(llm.Dependency, err)
	}
	bounded, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	return fn(bounded)
}
