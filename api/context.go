package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// tokensHeader has the size of a context block.
const tokensHeader = "Vault-Context-Tokens"

var contextTypes = map[vault.ContextFormat]string{
	vault.ContextText:     "text/plain; charset=utf-8",
	vault.ContextMarkdown: "text/markdown; charset=utf-8",
	vault.ContextJSON:     "application/json",
}

func (s *Server) contextRoute() {
	type get struct {
		input.CustomerPath
		Scenario  input.ID            `query:"scenario" doc:"The id of a scenario: the block then begins with what it misses, and what it needs."`
		Session   input.ID            `query:"session_id" doc:"The id of the session with the variables for conditions."`
		MaxTokens int                 `query:"max_tokens" minimum:"250" maximum:"100000" default:"2000" doc:"The largest size of the block, in tokens as the vault estimates them, from above."`
		Format    vault.ContextFormat `query:"format" enum:"text,markdown,json" default:"text" doc:"The format of the block."`
		Known     string              `header:"If-None-Match" doc:"Entity tags of answers that the caller has. The response is 304, without a body, if the answer would be one of them."`
	}
	register(s, route{
		name: "get-context", method: http.MethodGet, path: "/v1/customers/{customer_id}/context", tag: tagCustomers,
		access:  toRead,
		summary: "Get the context block of a customer",
		detail: "What an agent needs to know, for the prompt of its language model: what the scenario misses, with the " +
			"question that asks for it; what it needs and is known; what is uncertain or waits for a decision; what is " +
			"withheld; what else is known; documents. Each value has its certainty, source, age and item id. The most useful " +
			"comes first, and as much as fits in max_tokens: a larger number adds entries at the end. Values are in double " +
			"quotes, and nothing in them can end the quotes, begin a line or open markup. The header " + tokensHeader +
			" has the size. The age is in days, so an answer and its ETag can change at most once a day by themselves.",
		errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity},
		answers: map[string]*huma.Response{"200": s.contextResponse(), "304": {Description: "The caller has this answer."}},
	}, func(ctx context.Context, c caller, in *get) (*rawAnswer, error) {
		d, err := s.options.Query.Context(ctx, c.tenant, query.ContextInput{
			CustomerID: in.Customer.UUID, ScenarioID: in.Scenario.Pointer(), SessionID: in.Session.Pointer(),
			Format: in.Format, MaxTokens: in.MaxTokens,
		})
		if err != nil {
			return nil, err
		}
		return tagged(ctx, in.Known, contextTypes[in.Format], d.ETag, d.Body, map[string]string{
			tokensHeader: strconv.Itoa(d.Tokens),
		}), nil
	})
}

// contextResponse describes the answer with a context block.
func (s *Server) contextResponse() *huma.Response {
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	schemas := s.api.OpenAPI().Components.Schemas
	return &huma.Response{
		Description: http.StatusText(http.StatusOK),
		Headers: map[string]*huma.Param{
			"ETag":       tagHeader,
			tokensHeader: {Description: "The size of the block.", Schema: &huma.Schema{Type: huma.TypeInteger}},
		},
		Content: map[string]*huma.MediaType{
			"text/plain": text, "text/markdown": text,
			"application/json": {Schema: schemas.Schema(reflect.TypeFor[vault.ContextBlock](), true, "")},
		},
	}
}
