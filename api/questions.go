package api

import (
	"context"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const tagQuestions = "Questions"

func (s *Server) questionRoutes() {
	type list struct {
		Customer input.ID `query:"customer_id" doc:"Only questions to this customer."`
		input.Page
	}
	register(s, route{
		name: "list-questions", method: http.MethodGet, path: "/v1/questions", tag: tagQuestions, access: toRead,
		summary: "List the open questions", detail: "Oldest first.",
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Question], error) {
		after, err := decodeCursor[query.QuestionPosition](in.Cursor)
		if err != nil {
			return nil, err
		}
		return questionPage(s.options.Query.QuestionsPage(ctx, c.tenant, in.Customer.Pointer(), after, in.Limit))
	})
	type QuestionPath struct {
		Question input.ID `path:"question_id" doc:"The id of the question."`
	}
	register(s, route{
		name: "get-question", tag: tagQuestions, access: toRead,
		method: http.MethodGet, path: "/v1/questions/{question_id}",
		summary: "Get a question, open or closed", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *QuestionPath) (*one[vault.Question], error) {
		q, err := s.options.Query.Question(ctx, c.tenant, in.Question.UUID)
		return &one[vault.Question]{q}, err
	})
	type closed struct {
		input.CustomerPath
		input.Page
	}
	register(s, route{
		name: "list-closed-questions", method: http.MethodGet, path: "/v1/customers/{customer_id}/questions/closed",
		tag: tagQuestions, access: toRead,
		summary: "List the closed questions to a customer", detail: "The newest first, with how they ended.",
	}, func(ctx context.Context, c caller, in *closed) (*page[vault.Question], error) {
		after, err := decodeCursor[query.QuestionPosition](in.Cursor)
		if err != nil {
			return nil, err
		}
		return questionPage(s.options.Query.ClosedQuestionsPage(ctx, c.tenant, in.Customer.UUID, after, in.Limit))
	})
	s.customerQuestions()
	type claim struct {
		QuestionPath
		input.Preferences
		input.JSON
	}
	submit[claim](s, vault.ClaimQuestion, route{
		method: http.MethodPost, path: "/v1/questions/{question_id}/claim", tag: tagQuestions, access: toWrite,
		summary: "Claim a question for a channel",
		detail: "For some seconds no other channel asks it: 409 while another channel has it. The same channel renews its " +
			"claim. An answer is taken from every channel.",
		example: `{"channel": "phone", "seconds": 60}`,
	})
	type answer struct {
		QuestionPath
		input.Preferences
		input.JSON
	}
	submit[answer](s, vault.AnswerQuestion, route{
		method: http.MethodPost, path: "/v1/questions/{question_id}/answer", tag: tagQuestions, access: toWrite,
		summary: "Answer a question",
		detail: "The answer is a value, or the words of the customer. A reply that does not answer, such as \"just a " +
			"moment\", succeeds with interrupted, and the question stays open. A refusal succeeds with refused. After an " +
			"unclear or invalid answer, the gap fill asks again in other words, up to its maximum number of attempts.",
		example: `{"value": "ada@example.com"}`,
	})
}

// questionPage is the answer with a page of questions.
func questionPage(items []vault.Question, more bool, err error) (*page[vault.Question], error) {
	out := &page[vault.Question]{listOf[vault.Question]{Items: items}}
	if more {
		last := items[len(items)-1]
		out.Body.Next = cursor.Encode(query.QuestionPosition{OpenedAt: last.OpenedAt, ID: last.ID})
	}
	return out, err
}
