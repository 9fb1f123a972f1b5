package console

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

// schemaPageSize is the number of agents or scenarios on a page.
const schemaPageSize = 100

// agentList is the content of the page of agents.
type agentList struct {
	Agents   []vault.AgentSummary
	Next     string
	MayWrite bool
}

func (q *request) schemaPage() error {
	after, err := decodeCursor[uuid.UUID](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	list := agentList{MayWrite: q.may(api.ScopeWrite)}
	var more bool
	if list.Agents, more, err = q.options.Query.AgentsPage(q.ctx, q.key.TenantID, after, schemaPageSize); err != nil {
		return err
	}
	if more {
		list.Next = cursor.Encode(list.Agents[len(list.Agents)-1].AgentID)
	}
	return q.show(http.StatusOK, "Schema", "schema", schemaContent(list))
}

// agentPage is the content of the page of an agent.
type agentPage struct {
	Agent       uuid.UUID
	Definitions []vault.Definition
	Scenarios   []vault.ScenarioSummary
	Next        string
	MayWrite    bool
}

func (q *request) agentPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	after, err := decodeCursor[uuid.UUID](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	page := agentPage{Agent: id, MayWrite: q.may(api.ScopeWrite)}
	var more bool
	page.Scenarios, more, err = q.options.Query.ScenariosPage(q.ctx, q.key.TenantID, id, after, schemaPageSize)
	if err != nil {
		return err
	}
	if more {
		page.Next = cursor.Encode(page.Scenarios[len(page.Scenarios)-1].ID)
	}
	if page.Definitions, err = q.options.Query.Definitions(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	page.Definitions = slices.SortedFunc(slices.Values(page.Definitions), func(a, b vault.Definition) int {
		return cmp.Compare(a.Name, b.Name)
	})
	return q.show(http.StatusOK, "Agent", "schema", agentContent(page))
}
