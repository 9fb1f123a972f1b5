package api

import (
	"context"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const tagReviews = "Reviews"

// PendingReviews is a page of pending reviews.
type PendingReviews struct {
	vault.Reviews
	Next string `json:"next_cursor,omitempty" doc:"The cursor of the next page. Absent: this is the last page."`
}

func (s *Server) reviewRoutes() {
	register(s, route{
		name:    "list-reviews",
		method:  http.MethodGet,
		path:    "/v1/reviews",
		tag:     tagReviews,
		access:  toRead,
		values:  true,
		summary: "List the pending reviews",
		detail:  "Extracted definitions first, then requirements, then pending values, then proposed merges. Oldest first.",
	}, func(ctx context.Context, c caller, in *input.Page) (*one[PendingReviews], error) {
		after, err := decodeCursor[query.ReviewPosition](in.Cursor)
		if err != nil {
			return nil, err
		}
		reviews, more, err := s.options.Query.ReviewsPage(ctx, c.tenant, after, in.Limit)
		out := &one[PendingReviews]{PendingReviews{Reviews: reviews}}
		if last := query.LastReview(reviews); more && last != nil {
			out.Body.Next = cursor.Encode(*last)
		}
		return out, err
	})
	type decide struct {
		Review input.ID `path:"review_id" doc:"The id of the requirement or definition."`
		input.Preferences
		input.JSON
	}
	submit[decide](s, vault.DecideReview, route{
		method: http.MethodPost, path: "/v1/reviews/{review_id}/decision", tag: tagReviews, access: toApprove,
		summary: "Approve or reject an extracted definition or requirement",
		detail:  "An approval of a requirement can include changes to it.",
		example: `{"kind": "requirement", "decision": "approve", "edit": {"required_level": "soft"}}`,
		into:    map[string]string{"review_id": "id"},
	})
}
