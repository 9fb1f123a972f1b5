package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

const tagSessions = "Sessions"

func (s *Server) sessionRoutes() {
	type save struct {
		input.SessionPath
		input.Preferences
		input.JSON
	}
	submit[save](s, vault.SaveSession, route{
		method: http.MethodPut, path: "/v1/sessions/{session_id}", tag: tagSessions, access: toWrite,
		summary: "Save a session",
		detail:  "Merges variables by name, and appends turns.",
		example: `{
			"agent_id": "` + input.ExampleID + `", "customer_id": "` + input.ExampleID + `",
			"variables": {"plan": "gold"},
			"turns": [{"speaker": "customer", "text": "My email is ada@example.com"}]}`,
	})
	type ofCustomer struct {
		input.CustomerPath
		input.Page
	}
	register(s, route{
		name: "list-sessions", tag: tagSessions, access: toRead,
		method: http.MethodGet, path: "/v1/customers/{customer_id}/sessions",
		summary: "List the sessions of a customer",
		detail:  "Newest first, without variables and turns. Those of customers merged with this customer are included.",
		errors:  []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *ofCustomer) (*page[vault.SessionSummary], error) {
		after, err := decodeCursor[query.SessionPosition](in.Cursor)
		if err != nil {
			return nil, err
		}
		items, more, err := s.options.Query.SessionsPage(ctx, c.tenant, in.Customer.UUID, after, in.Limit)
		out := &page[vault.SessionSummary]{listOf[vault.SessionSummary]{Items: items}}
		if more {
			last := items[len(items)-1]
			out.Body.Next = cursor.Encode(query.SessionPosition{CreatedAt: last.CreatedAt, ID: last.ID})
		}
		return out, err
	})
	type read struct {
		input.SessionPath
		input.Preferences
	}
	submit[read](s, vault.ReadConversation, route{
		method: http.MethodPost, path: "/v1/sessions/{session_id}/read", tag: tagSessions, access: toWrite,
		summary: "Read the facts of a session",
		detail: "Reads what the customer said since the last reading, for all definitions of the agent. Each fact that the " +
			"customer's words prove is written, as an active or as a pending value. Without a request, sessions are read when " +
			"they end or have been quiet for a while. While a gap fill of the session has not ended, nothing is read.",
	})
	register(s, route{
		name: "get-session", method: http.MethodGet, path: "/v1/sessions/{session_id}", tag: tagSessions, access: toRead,
		summary: "Get a session", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *input.SessionPath) (*one[vault.Session], error) {
		session, err := s.options.Query.Session(ctx, c.tenant, in.Session.UUID)
		return &one[vault.Session]{session}, err
	})
	change(s, route{
		name: "add-turns", tag: tagSessions, access: toWrite,
		method: http.MethodPost, path: "/v1/sessions/{session_id}/turns",
		summary: "Add turns to a session", detail: "Agent and customer are those of the session, unless the body names both.",
		body: &bodyOf{
			of: turns{}, example: `{"turns": [{"speaker": "customer", "text": "My email is ada@example.com"}]}`,
		},
		operation: vault.SaveSession.Name,
	}, func(ctx context.Context, c caller, in *save, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := input.Decode[turns](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		if len(body.Turns) == 0 {
			return trigger.Receipt{}, vault.Invalid("turns", "is required: at least one turn")
		}
		if body.AgentID == uuid.Nil || body.CustomerID == uuid.Nil {
			session, err := s.options.Query.WholeSession(ctx, c.tenant, in.Session.UUID)
			if err != nil {
				return trigger.Receipt{}, err
			}
			body.AgentID, body.CustomerID = session.AgentID, session.CustomerID
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.SaveSession, vault.SaveSessionInput{
			SessionID: in.Session.UUID, AgentID: body.AgentID, CustomerID: body.CustomerID, Turns: body.Turns,
		}, opts...)
	})
}

type turns struct {
	Turns      []vault.Turn `json:"turns" validate:"required,min=1,max=1000,dive"`
	AgentID    uuid.UUID    `json:"agent_id,omitempty"`
	CustomerID uuid.UUID    `json:"customer_id,omitempty"`
}
