package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

const tagConfig = "Configuration"

func (s *Server) definitionRoutes() {
	type FieldOfAgent struct {
		input.AgentPath
		input.FieldPath
	}
	type save struct {
		FieldOfAgent
		input.Preferences
		input.JSON
	}
	submit[save](s, vault.SaveDefinition, route{
		method: http.MethodPut, path: "/v1/agents/{agent_id}/definitions/{name}", tag: tagConfig, access: toConfigure,
		summary: "Save a definition",
		detail: "A definition allows an agent to collect a field, and describes its values. One that loses is_pii, or gets " +
			"other purposes, needs the scope admin.",
		example: `{
			"display_name": "Email Address", "value_type": "email", "is_pii": true, "enabled": true,
			"collection_prompt": "What is your email address?"}`,
	}, func(ctx context.Context, c caller, in *save, body *vault.Definition) error {
		return s.checkLoosens(ctx, c, "", in.Agent.UUID, in.Name, body)
	})
	register(s, route{
		name: "get-definition", tag: tagConfig, access: toRead,
		method: http.MethodGet, path: "/v1/agents/{agent_id}/definitions/{name}",
		summary: "Get a definition", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *FieldOfAgent) (*one[vault.Definition], error) {
		def, err := s.options.Query.Definition(ctx, c.tenant, in.Agent.UUID, in.Name)
		return &one[vault.Definition]{def}, err
	})
	type remove struct {
		FieldOfAgent
		input.Based
		input.Preferences
	}
	submit[remove](s, vault.DeleteDefinition, route{
		method: http.MethodDelete, path: "/v1/agents/{agent_id}/definitions/{name}", tag: tagConfig, access: toConfigure,
		summary: "Delete a definition",
		detail: "Collected values remain. A definition with requirements cannot be deleted: related contains the " +
			"ids of the requirements. One with is_pii or purposes is deleted by a key with the scope admin.",
	}, func(ctx context.Context, c caller, in *remove, _ *vault.DeleteDefinitionInput) error {
		return s.checkLoosens(ctx, c, "", in.Agent.UUID, in.Name, nil)
	})
	type list struct {
		input.AgentPath
		input.Page
	}
	register(s, route{
		name: "list-definitions", tag: tagConfig, access: toRead,
		method: http.MethodGet, path: "/v1/agents/{agent_id}/definitions",
		summary: "List the definitions of an agent", detail: "Sorted by name.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Definition], error) {
		after, err := decodeCursor[afterName](in.Cursor)
		if err != nil {
			return nil, err
		}
		all, err := s.options.Query.Definitions(ctx, c.tenant, in.Agent.UUID)
		if err != nil {
			return nil, err
		}
		items, next := cursor.Page(all, after, in.Limit,
			func(d vault.Definition) afterName { return afterName{d.Name} },
			func(a, b afterName) int { return strings.Compare(a.Name, b.Name) })
		return &page[vault.Definition]{listOf[vault.Definition]{Items: items, Next: next}}, nil
	})
}

// afterName is a position in a list sorted by name.
type afterName struct {
	Name string `json:"name"`
}
