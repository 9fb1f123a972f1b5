package eval

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Matching counts the pairs of slots of one service that a match by meaning would confuse, with the embeddings of the
// built-in model. The slots of one service are different facts.
type Matching struct {
	Threshold float64 `json:"threshold"` // cosine similarity
	Pairs     int     `json:"pairs"`     // of slots of one service
	Close     int     `json:"close"`     // of those, pairs at or above the threshold
	Confused  int     `json:"confused"`  // of those, pairs that types and names do not separate either
}

// matching compares every pair of slots of each service.
func matching(ctx context.Context, services []Service, threshold float64) (Matching, error) {
	out := Matching{Threshold: threshold}
	model, err := offline.New(llm.Config{})
	if err != nil {
		return out, err
	}
	for _, s := range services {
		defs := make([]vault.Definition, len(s.Slots))
		texts := make([]string, len(s.Slots))
		for i, slot := range s.Slots {
			defs[i] = definition(uuid.Nil, slot)
			texts[i] = defs[i].Meaning()
		}
		vectors, err := model.Embed(ctx, texts)
		if err != nil {
			return out, fmt.Errorf("embed the slots of %s: %w", s.Name, err)
		}
		for i := range defs {
			for j := range i {
				out.Pairs++
				if cosine(vectors[i], vectors[j]) < threshold {
					continue
				}
				out.Close++
				if defs[i].ValueType.Compatible(defs[j].ValueType) && !rules.Contrasting(defs[i].Name, defs[j].Name) {
					out.Confused++
				}
			}
		}
	}
	return out, nil
}

// cosine returns the similarity of two unit vectors.
func cosine(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
