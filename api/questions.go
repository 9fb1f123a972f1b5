package api

import (
	"context"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const (
	tagQuestions = "Questions"
	tagReviews   = "Reviews"
)

func (s *Server) questionRoutes() {
	type list struct {
		Customer input.ID `query:"customer_id" doc:"Only the questions to this customer."`
		input.Page
	}
	register(s, route{
		name: "list-questions", method: http.MethodGet, path: "/v1/questions", tag: tagQuestions, access: toRead,
		summary: "List the questions that wait for an answer", detail: "The oldest first.",
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Question], error) {
		after, err := decodeCursor[query.QuestionPosition](in.Cursor)
		if err != nil {
			return nil, err
		}
		items, more, err := s.options.Query.QuestionsPage(ctx, c.tenant, in.Customer.Given(), after, in.Limit)
		out := &page[vault.Question]{listOf[vault.Question]{Items: items}}
		if more {
			last := items[len(items)-1]
			out.Body.Next = encodeCursor(query.QuestionPosition{OpenedAt: last.OpenedAt, ID: last.ID})
		}
		return out, err
	})
	type QuestionPath struct {
		Question input.ID `path:"question_id" doc:"The question."`
	}
	register(s, route{
		name: "get-question", method: http.MethodGet, path: "/v1/questions/{question_id}", tag: tagQuestions, access: toRead,
		summary: "Get a question, open or not", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *QuestionPath) (*one[vault.Question], error) {
		q, err := s.options.Query.Question(ctx, c.tenant, in.Question.UUID)
		return &one[vault.Question]{q}, err
	})
	type answerQuestion struct {
		QuestionPath
		input.Preferences
		input.JSON
	}
	submit[answerQuestion](s, vault.AnswerQuestion, route{
		method: http.MethodPost, path: "/v1/questions/{question_id}/answer", tag: tagQuestions, access: toWrite,
		summary: "Answer a question",
		detail:  "An answer that is invalid is rejected, and the customer asked again, as often as the gap fill says.",
		example: `{"value": "ada@example.com"}`,
	})
	s.reviewRoutes()
}

// PendingReviews is a page of what waits for a person.
type PendingReviews struct {
	vault.Reviews
	Next string `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent: this is the last one."`
}

func (s *Server) reviewRoutes() {
	register(s, route{
		name: "list-reviews", method: http.MethodGet, path: "/v1/reviews", tag: tagReviews, access: toRead,
		summary: "List what was extracted and waits for a person", detail: "Suggested definitions first, then requirements, the oldest first.",
	}, func(ctx context.Context, c caller, in *input.Page) (*one[PendingReviews], error) {
		after, err := decodeCursor[query.ReviewPosition](in.Cursor)
		if err != nil {
			return nil, err
		}
		reviews, more, err := s.options.Query.ReviewsPage(ctx, c.tenant, after, in.Limit)
		out := &one[PendingReviews]{PendingReviews{Reviews: reviews}}
		switch n := len(reviews.Requirements); {
		case more && n > 0:
			out.Body.Next = encodeCursor(query.ReviewPosition{Kind: vault.ReviewOfRequirement, ID: reviews.Requirements[n-1].ID})
		case more:
			out.Body.Next = encodeCursor(query.ReviewPosition{Kind: vault.ReviewOfDefinition, ID: reviews.Definitions[len(reviews.Definitions)-1].ID})
		}
		return out, err
	})
	type decide struct {
		Review input.ID `path:"review_id" doc:"The requirement or definition that is decided on, by its id."`
		input.Preferences
		input.JSON
	}
	submit[decide](s, vault.DecideReview, route{
		method: http.MethodPost, path: "/v1/reviews/{review_id}/decision", tag: tagReviews, access: toWrite,
		summary: "Approve or reject what was extracted",
		detail:  "An approved requirement may be edited while it is.",
		example: `{"kind": "requirement", "decision": "approve", "edit": {"required_level": "soft"}}`,
		into:    map[string]string{"review_id": "id"},
	})
}
