package llm

import (
	"context"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// offline is the deterministic model: rules and a small lexicon, no network. It is precise rather than complete.
//
//   - propose.go reads fields out of texts, with the lexicon of lexicon.go;
//   - extract.go reads values out of conversations;
//   - embed.go hashes character n-grams.
type offline struct {
	usage   func(Usage)
	timeout time.Duration
}

// Name gives "offline".
func (*offline) Name() string { return ProviderOffline }

// ProposeFields reads conditions and sentences that say what a customer must tell.
func (o *offline) ProposeFields(ctx context.Context, req ProposeRequest) (fields []vault.ProposedField, err error) {
	err = o.run(ctx, OperationPropose, func(context.Context) error {
		fields = propose(req)
		return nil
	})
	return fields, err
}

// ExtractValues reads what the customer's own turns say about the fields.
func (o *offline) ExtractValues(ctx context.Context, req ExtractRequest) (found []vault.Candidate, err error) {
	err = o.run(ctx, OperationExtract, func(ctx context.Context) (err error) {
		found, err = extract(ctx, req)
		return err
	})
	return found, err
}

// Embed hashes the character n-grams of each text.
func (o *offline) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	err = o.run(ctx, OperationEmbed, func(context.Context) error {
		if err := checkTexts(texts); err != nil {
			return err
		}
		vectors = make([][]float32, len(texts))
		for i, t := range texts {
			vectors[i] = embedText(t)
		}
		return nil
	})
	return vectors, err
}

// run does fn unless the context has ended, and counts it as one call.
func (o *offline) run(ctx context.Context, op Operation, fn func(context.Context) error) (err error) {
	m := startMeter(op, ProviderOffline)
	defer func() { m.done(ctx, o.usage, err) }()
	m.usage.Calls = 1
	if err := ctx.Err(); err != nil {
		return vault.Unavailable(dependency, err)
	}
	bounded, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	return fn(bounded)
}
