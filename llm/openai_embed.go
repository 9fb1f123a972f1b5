package llm

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/contextvault/contextvault/vault"
)

// Limits of the embeddings endpoint, with room to spare: it takes 2,048 texts and 300,000 tokens in one request, and 8,192
// tokens of one text. A token is at least one byte, and about four in English.
const (
	embedBatch     = 128
	maxEmbedBytes  = 8_000   // one text is cut here; what a turn is about is said before
	maxEmbedBudget = 250_000 // bytes of one batch
)

// Embed asks for vectors of vault.EmbeddingDimensions, in batches.
func (o *openAI) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	if len(texts) == 0 {
		return nil, nil
	}
	m := startMeter(OperationEmbed, o.cfg.EmbeddingModel)
	defer func() { m.done(ctx, o.cfg.Usage, err) }()
	if err := checkTexts(texts); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	vectors = make([][]float32, 0, len(texts))
	for len(vectors) < len(texts) {
		batch := nextBatch(texts[len(vectors):])
		more, err := o.embedBatch(ctx, m, batch)
		if err != nil {
			return nil, err
		}
		vectors = append(vectors, more...)
	}
	return vectors, nil
}

func (o *openAI) embedBatch(ctx context.Context, m *meter, batch []string) ([][]float32, error) {
	m.usage.Calls++
	res, err := o.embeddings.New(ctx, openai.EmbeddingNewParams{
		Model:          o.cfg.EmbeddingModel,
		Input:          openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: batch},
		Dimensions:     param.NewOpt(int64(vault.EmbeddingDimensions)),
		EncodingFormat: openai.EmbeddingNewParamsEncodingFormatFloat,
	})
	sent := 0
	for _, text := range batch {
		sent += len(text)
	}
	if err != nil {
		if worked(err) {
			m.count(0, 0, sent, 0)
		}
		return nil, classify(ctx, o.cfg.Timeout, err)
	}
	if res == nil {
		m.count(0, 0, sent, 0)
		return nil, vault.Unavailable(dependency, fmt.Errorf("it gave no embeddings"))
	}
	m.count(res.Usage.PromptTokens, 0, sent, 0)
	vectors := make([][]float32, len(batch))
	for _, e := range res.Data {
		if e.Index < 0 || e.Index >= int64(len(batch)) || vectors[e.Index] != nil {
			return nil, vault.Unavailable(dependency, fmt.Errorf("it gave an embedding for a text that it was not asked for"))
		}
		if len(e.Embedding) != vault.EmbeddingDimensions {
			return nil, &vault.Error{Code: vault.CodeInvalid, Message: fmt.Sprintf(
				"%s %s gave embeddings of %d dimensions instead of %d; use an embedding model that can shorten its vectors, such as %s",
				dependency, o.cfg.EmbeddingModel, len(e.Embedding), vault.EmbeddingDimensions, DefaultEmbeddingModel)}
		}
		v, ok := unit(e.Embedding)
		if !ok {
			return nil, vault.Unavailable(dependency, fmt.Errorf("it gave an embedding without direction"))
		}
		vectors[e.Index] = v
	}
	for i := range vectors {
		if vectors[i] == nil {
			return nil, vault.Unavailable(dependency, fmt.Errorf("it gave %d embeddings for %d texts", len(res.Data), len(batch)))
		}
	}
	return vectors, nil
}

// nextBatch takes as many texts from the front as fit into one request, each cut to its limit.
func nextBatch(texts []string) []string {
	var batch []string
	bytes := 0
	for _, t := range texts {
		t = cut(t, maxEmbedBytes)
		if len(batch) == embedBatch || (len(batch) > 0 && bytes+len(t) > maxEmbedBudget) {
			break
		}
		batch = append(batch, t)
		bytes += len(t)
	}
	return batch
}

// checkTexts refuses a text without words: an endpoint would refuse the whole batch for it.
func checkTexts(texts []string) error {
	for i, t := range texts {
		if strings.TrimSpace(t) == "" {
			return vault.Invalid("texts", "text %d is empty; there is nothing to embed", i)
		}
	}
	return nil
}

// unit scales v to length 1; it reports false for a vector that has no direction.
func unit(v []float64) ([]float32, bool) {
	var sum float64
	for _, x := range v {
		sum += x * x
	}
	length := math.Sqrt(sum)
	if length == 0 || math.IsNaN(length) || math.IsInf(length, 0) {
		return nil, false
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x / length)
	}
	return out, true
}
