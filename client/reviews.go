package client

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Review is something that was extracted and waits for a person: a definition or a requirement.
type Review struct {
	Kind        vault.ReviewKind   `json:"kind"`
	ID          uuid.UUID          `json:"id"`
	Definition  *vault.Definition  `json:"definition,omitempty"`
	Requirement *vault.Requirement `json:"requirement,omitempty"`
}

// ListReviews gives what was extracted and waits for a person: suggested definitions first, then requirements, the oldest first.
func (c *Client) ListReviews(ctx context.Context) iter.Seq2[Review, error] {
	type pending struct {
		vault.Reviews
		Next string `json:"next_cursor"`
	}
	return pages(ctx, c, path("v1", "reviews"), nil, func(p pending) ([]Review, string) {
		var out []Review
		for _, d := range p.Definitions {
			out = append(out, Review{Kind: vault.ReviewOfDefinition, ID: d.ID, Definition: &d})
		}
		for _, r := range p.Requirements {
			out = append(out, Review{Kind: vault.ReviewOfRequirement, ID: r.ID, Requirement: &r})
		}
		return out, p.Next
	})
}
