package openai

import (
	"context"
	"fmt"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// Limits of one embeddings request, below those of the endpoint: 2,048 texts, 300,000 tokens in total and 8,192
// tokens per text. A token is at least one byte, and about four bytes in English.
const (
	embedBatch     = 128
	maxEmbedBytes  = 8_000   // of one text; the subject of a text is at its start
	maxEmbedBudget = 250_000 // of one batch
)

// Embed implements llm.Model. It sends the texts in batches. Vectors of a model with fewer dimensions are extended with
// zeros.
func (o *Model) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	if len(texts) == 0 {
		return nil, nil
	}
	m := llm.StartMeter(llm.OperationEmbed, o.cfg.EmbeddingModel)
	defer func() { m.Report(ctx, o.cfg.Usage, err) }()
	if err := llm.CheckTexts(texts); err != nil {
		return nil, err
	}
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	vectors = make([][]float32, 0, len(texts))
	for len(vectors) < len(texts) {
		batch := nextBatch(texts[len(vectors):])
		var more [][]float32
		err := o.embedBreaker.do(caller, func() (err error) {
			m.Usage.Calls++
			more, err = o.embedBatch(ctx, m, batch)
			return err
		})
		if err != nil {
			return nil, err
		}
		vectors = append(vectors, more...)
	}
	return vectors, nil
}

func (o *Model) embedBatch(ctx context.Context, m *llm.Meter, batch []string) ([][]float32, error) {
	res, err := o.embeddings.New(ctx, sdk.EmbeddingNewParams{
		Model:          o.cfg.EmbeddingModel,
		Input:          sdk.EmbeddingNewParamsInputUnion{OfArrayOfStrings: batch},
		Dimensions:     param.NewOpt(int64(vault.EmbeddingDimensions)),
		EncodingFormat: sdk.EmbeddingNewParamsEncodingFormatFloat,
	})
	sent := 0
	for _, text := range batch {
		sent += len(text)
	}
	if err != nil {
		if mayCharge(err) {
			m.AddTokens(0, 0, sent, 0)
		}
		return nil, classify(ctx, o.cfg.Timeout, err)
	}
	if res == nil {
		m.AddTokens(0, 0, sent, 0)
		return nil, vault.Unavailable(llm.Dependency, fmt.Errorf("the response has no embeddings"))
	}
	m.AddTokens(res.Usage.PromptTokens, 0, sent, 0)
	vectors := make([][]float32, len(batch))
	for _, e := range res.Data {
		if e.Index < 0 || e.Index >= int64(len(batch)) || vectors[e.Index] != nil {
			return nil, vault.Unavailable(
				llm.Dependency,
				fmt.Errorf("the response has an embedding for an unknown or repeated text"),
			)
		}
		if len(e.Embedding) > vault.EmbeddingDimensions {
			return nil, &vault.Error{Code: vault.CodeInvalid, Message: fmt.Sprintf(
				"%s %s gave embeddings of %d dimensions instead of at most %d; use an embedding model that can shorten its "+
					"vectors, such as %s",
				llm.Dependency,
				o.cfg.EmbeddingModel,
				len(e.Embedding),
				vault.EmbeddingDimensions,
				llm.DefaultEmbeddingModel,
			)}
		}
		v, ok := llm.UnitVector(e.Embedding)
		if !ok {
			return nil, vault.Unavailable(llm.Dependency, fmt.Errorf("the response has an embedding that is zero or not finite"))
		}
		// Zeros change no similarity.
		vectors[e.Index] = append(v, make([]float32, vault.EmbeddingDimensions-len(v))...)
	}
	for i := range vectors {
		if vectors[i] == nil {
			return nil, vault.Unavailable(
				llm.Dependency,
				fmt.Errorf("the response has %d embeddings for %d texts", len(res.Data), len(batch)),
			)
		}
	}
	return vectors, nil
}

// nextBatch returns the texts that fit into the next request, each truncated to maxEmbedBytes.
func nextBatch(texts []string) []string {
	var batch []string
	bytes := 0
	for _, t := range texts {
		t = llm.Truncate(t, maxEmbedBytes)
		if len(batch) == embedBatch || (len(batch) > 0 && bytes+len(t) > maxEmbedBudget) {
			break
		}
		batch = append(batch, t)
		bytes += len(t)
	}
	return batch
}
