package console

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

// schemaPageSize is the number of agents or scenarios on a page.
const schemaPageSize = 100

// agentList is the content of the page of agents.
type agentList struct {
	Agents []vault.AgentSummary
	Next   string
}

func (q *request) schemaPage() error {
	after, err := decodeCursor[uuid.UUID](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	var list agentList
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
	page := agentPage{Agent: id}
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

// scenarioPage is the content of the page of a scenario.
type scenarioPage struct {
	Scenario     vault.Scenario
	Requirements []scenarioRequirement
}

// scenarioRequirement is a requirement with the texts that hold its evidence.
type scenarioRequirement struct {
	Requirement vault.Requirement
	Passages    []passage
}

func (q *request) scenarioPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	var page scenarioPage
	if page.Scenario, err = q.options.Query.Scenario(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	requirements, err := q.options.Query.Requirements(q.ctx, q.key.TenantID, id)
	if err != nil {
		return err
	}
	requirements = slices.SortedStableFunc(slices.Values(requirements), func(a, b vault.Requirement) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.FieldName, b.FieldName))
	})
	evidence := evidence{q: q, scenarios: map[uuid.UUID]*vault.Scenario{id: &page.Scenario}}
	for _, r := range requirements {
		var item inboxItem
		if err := evidence.add(q.ctx, &item, r); err != nil {
			return err
		}
		page.Requirements = append(page.Requirements, scenarioRequirement{r, slices.DeleteFunc(item.Passages,
			func(p passage) bool { return !p.Found })})
	}
	return q.show(http.StatusOK, page.Scenario.Name, "schema", scenarioContent(page))
}
