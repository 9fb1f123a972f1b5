package api

import (
	"context"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// recallRoute answers a question about a customer. It reads, and is a POST so that the question is in no address.
func (s *Server) recallRoute() {
	type ask struct {
		input.CustomerPath
		input.JSON
	}
	register(s, route{
		name: "recall", method: http.MethodPost, path: "/v1/customers/{customer_id}/recall", tag: tagCustomers,
		access:  toRead,
		summary: "Find the facts and quotes of a customer that are closest to a question",
		detail: "It compares the question with the active values of the customer and with the newest 2,000 turns (up to " +
			"4 MiB) of the conversations of the customer and of those merged with it: by their words, and by the meaning of " +
			"the turns that have an embedding. Both ranks are fused. Turns that say a value which was deleted, is withheld or " +
			"is masked for the key are left out. Nothing of other customers is read.",
		body:   &bodyOf{of: vault.RecallInput{}, example: `{"question": "Which languages does she speak?", "limit": 5}`},
		errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, c caller, in *ask) (*one[vault.Recalled], error) {
		question, err := input.Decode[vault.RecallInput](in.JSON)
		if err == nil {
			err = rules.Check(question)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.options.Query.Recall(ctx, c.tenant, in.Customer.UUID, question)
		return &one[vault.Recalled]{out}, err
	})
}
