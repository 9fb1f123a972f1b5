package query

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/vault"
)

// OperationsPage returns operations, newest first, starting after an id; nil: with the newest. Those of a customer are
// the ones about it or about a customer merged with it, and the ones that wrote its values or assets.
func (q *Queries) OperationsPage(
	ctx context.Context, tenant uuid.UUID, filter vault.OperationFilter, after *uuid.UUID, limit int,
) (page []vault.OperationSummary, more bool, err error) {
	workflows, err := workflowsOf(filter.Workflow)
	if err != nil {
		return nil, false, err
	}
	if filter.Status != "" && !slices.Contains(vault.OperationSelections, filter.Status) {
		return nil, false, vault.Invalid("status", "must be %s", vault.OneOf(vault.OperationSelections))
	}
	rows, err := q.operationRows(
		ctx,
		tenant,
		filter,
		workflows,
		after,
		int32(min(limit, MaxPage))+1,
	) //nolint:gosec // at most MaxPage
	if err != nil {
		return nil, false, err
	}
	page = []vault.OperationSummary{}
	for _, r := range rows[:min(len(rows), limit, MaxPage)] {
		op, err := summaryOf(r)
		if err != nil {
			return nil, false, err
		}
		page = append(page, op)
	}
	return page, len(rows) > len(page), nil
}

// workflowsOf returns a workflow that has operations, or all of them if the name is empty.
func workflowsOf(name string) ([]string, error) {
	var all []string
	for _, o := range vault.Operations() {
		all = append(all, o.Name)
	}
	switch {
	case name == "":
		return all, nil
	case slices.Contains(all, name):
		return []string{name}, nil
	default:
		return nil, vault.Invalid("workflow", "is not the name of an operation, such as %s", vault.WriteValue.Name)
	}
}

func (q *Queries) operationRows(
	ctx context.Context, tenant uuid.UUID, filter vault.OperationFilter, workflows []string, before *uuid.UUID, rows int32,
) ([]dbgen.PageOperationsRow, error) {
	tq := q.db.Tenant(tenant)
	var actor *string // of a reader who is limited to agents: it sees what it caused
	if len(vault.AgentsOf(ctx)) > 0 {
		own := string(vault.ActorOf(ctx))
		actor = &own
	}
	statuses := make([]string, 0, 4)
	for _, s := range filter.Status.Statuses() {
		statuses = append(statuses, string(s))
	}
	switch {
	case filter.CustomerID != nil:
		customers, err := db.MergedCustomers(ctx, tq, tenant, *filter.CustomerID)
		if err != nil {
			return nil, err
		}
		found, err := tq.PageCustomerOperations(ctx, dbgen.PageCustomerOperationsParams{
			TenantID: tenant, Customers: customers, Subjects: convert(customers, uuid.UUID.String), Statuses: statuses,
			Workflows: workflows, Actor: actor, BeforeID: before, MaxRows: rows,
		})
		return convert(found, func(r dbgen.PageCustomerOperationsRow) dbgen.PageOperationsRow {
			return dbgen.PageOperationsRow(r)
		}), err
	case filter.Status == vault.OperationSelection(vault.OperationFailed):
		found, err := tq.PageFailedOperations(ctx, dbgen.PageFailedOperationsParams{
			TenantID: tenant, Workflows: workflows, Actor: actor, BeforeID: before, MaxRows: rows,
		})
		return convert(found, func(r dbgen.PageFailedOperationsRow) dbgen.PageOperationsRow {
			return dbgen.PageOperationsRow(r)
		}), err
	case filter.Status == "" || filter.Status == vault.OperationSelection(vault.OperationSucceeded):
		return tq.PageOperations(ctx, dbgen.PageOperationsParams{
			TenantID: tenant, Workflows: workflows, Actor: actor, Succeeded: filter.Status != "", BeforeID: before,
			MaxRows: rows,
		})
	default:
		found, err := tq.PageUnfinishedOperations(ctx, dbgen.PageUnfinishedOperationsParams{
			TenantID: tenant, Statuses: statuses, Workflows: workflows, Actor: actor, BeforeID: before, MaxRows: rows,
		})
		return convert(found, func(r dbgen.PageUnfinishedOperationsRow) dbgen.PageOperationsRow {
			return dbgen.PageOperationsRow(r)
		}), err
	}
}

func convert[R, T any](rows []R, to func(R) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = to(r)
	}
	return out
}

func summaryOf(r dbgen.PageOperationsRow) (vault.OperationSummary, error) {
	op := vault.OperationSummary{
		ID: r.ID, Workflow: r.Workflow, Subject: r.Subject, Actor: vault.Actor(r.Actor),
		Status: vault.OperationStatus(r.Status), Attempts: int(r.Attempts), AcceptedAt: r.AcceptedAt,
		FinishedAt: r.FinishedAt,
	}
	if len(r.Error) == 0 {
		return op, nil
	}
	var failure vault.Error
	if err := json.Unmarshal(r.Error, &failure); err != nil {
		return op, fmt.Errorf("decode the error of operation %s", r.ID) // the cause may quote a value
	}
	op.Error = &vault.SummarisedError{Code: failure.Code, Detail: failure.Error(), Field: failure.Field}
	return op, nil
}

// AgentsPage returns the agents that have a definition or a scenario, in the order of their ids, starting after an id;
// nil: from the first.
func (q *Queries) AgentsPage(
	ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int,
) (page []vault.AgentSummary, more bool, err error) {
	//nolint:gosec // at most MaxPage
	in := dbgen.PageAgentsParams{
		TenantID: tenant, Agents: vault.AgentsOf(ctx), AfterID: after, MaxRows: int32(min(limit, MaxPage)) + 1,
	}
	rows, err := q.db.Tenant(tenant).PageAgents(ctx, in)
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(r dbgen.PageAgentsRow) vault.AgentSummary { return vault.AgentSummary(r) })
	return page, more, nil
}

// ScenariosPage returns the scenarios of an agent, in the order of their ids, starting after an id; nil: from the
// first.
func (q *Queries) ScenariosPage(
	ctx context.Context, tenant, agent uuid.UUID, after *uuid.UUID, limit int,
) (page []vault.ScenarioSummary, more bool, err error) {
	if err := agents.CheckAgent(ctx, agent); err != nil {
		return nil, false, err
	}
	//nolint:gosec // at most MaxPage
	in := dbgen.PageScenariosParams{
		TenantID: tenant, AgentID: agent, AfterID: after, MaxRows: int32(min(limit, MaxPage)) + 1,
	}
	rows, err := q.db.Tenant(tenant).PageScenarios(ctx, in)
	if err == nil && len(rows) == 0 {
		err = q.knownAgent(ctx, tenant, agent)
	}
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(r dbgen.PageScenariosRow) vault.ScenarioSummary {
		return vault.ScenarioSummary{
			ID: r.ID, AgentID: r.AgentID, Name: r.Name, Rules: r.Rules, Requirements: r.Requirements, CreatedAt: r.CreatedAt,
			UpdatedAt: r.UpdatedAt,
		}
	})
	return page, more, nil
}

// RulesPage returns the rules of an agent, or of one of its scenarios if scenario is not nil, in the order of their
// ids, starting after an id; nil: from the first.
func (q *Queries) RulesPage(
	ctx context.Context, tenant, agent uuid.UUID, scenario, after *uuid.UUID, limit int,
) (page []vault.RuleSummary, more bool, err error) {
	if err := agents.CheckAgent(ctx, agent); err != nil {
		return nil, false, err
	}
	if scenario != nil {
		if err := q.checkIDs(ctx, tenant, *scenario); err != nil {
			return nil, false, err
		}
	}
	//nolint:gosec // at most MaxPage
	in := dbgen.PageRulesParams{
		TenantID: tenant, AgentID: agent, ScenarioID: scenario, AfterID: after, MaxRows: int32(min(limit, MaxPage)) + 1,
	}
	rows, err := q.db.Tenant(tenant).PageRules(ctx, in)
	if err == nil && len(rows) == 0 {
		err = q.knownAgent(ctx, tenant, agent)
	}
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(r dbgen.PageRulesRow) vault.RuleSummary { return vault.RuleSummary(r) })
	return page, more, nil
}

// knownAgent returns an error with vault.CodeUnknown if nothing names the agent.
func (q *Queries) knownAgent(ctx context.Context, tenant, agent uuid.UUID) error {
	known, err := q.db.Tenant(tenant).AgentExists(ctx, tenant, agent)
	if err == nil && !known {
		return vault.Unknown("agent", agent)
	}
	return err
}

// SessionPosition is a position in the list of sessions.
type SessionPosition struct {
	CreatedAt time.Time `json:"created_at"`
	ID        uuid.UUID `json:"id"`
}

// SessionsPage returns the sessions of a customer and of the customers merged with it, newest first, starting after a
// position; nil: with the newest.
func (q *Queries) SessionsPage(
	ctx context.Context, tenant, customer uuid.UUID, after *SessionPosition, limit int,
) (page []vault.SessionSummary, more bool, err error) {
	tq := q.db.Tenant(tenant)
	customers, err := db.MergedCustomers(ctx, tq, tenant, customer)
	if err != nil {
		return nil, false, err
	}
	//nolint:gosec // at most MaxPage
	in := dbgen.PageSessionsParams{
		TenantID: tenant, Customers: customers, Agents: vault.AgentsOf(ctx), MaxRows: int32(min(limit, MaxPage)) + 1,
	}
	if after != nil {
		in.BeforeCreatedAt, in.BeforeID = &after.CreatedAt, &after.ID
	}
	rows, err := tq.PageSessions(ctx, in)
	if err == nil && len(rows) == 0 {
		_, err = q.stored(ctx, tenant, customer) // an unknown customer is an error
	}
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(r dbgen.PageSessionsRow) vault.SessionSummary {
		return vault.SessionSummary{
			ID: r.ID, CustomerID: r.CustomerID, AgentID: r.AgentID, Turns: r.Turns, CreatedAt: r.CreatedAt,
			UpdatedAt: r.UpdatedAt,
		}
	})
	return page, more, nil
}

// MergesPage returns the merges of a customer and of the customers who are merged into it, newest first, starting after
// an id; nil: with the newest.
func (q *Queries) MergesPage(
	ctx context.Context, tenant, customer uuid.UUID, after *uuid.UUID, limit int,
) (page []vault.Merge, more bool, err error) {
	//nolint:gosec // at most MaxPage
	in := dbgen.PageMergesParams{
		TenantID: tenant, CustomerID: customer, BeforeID: after, MaxRows: int32(min(limit, MaxPage)) + 1,
	}
	rows, err := q.db.Tenant(tenant).PageMerges(ctx, in)
	if err == nil && len(rows) == 0 {
		_, err = q.stored(ctx, tenant, customer) // an unknown customer is an error
	}
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, func(r dbgen.PageMergesRow) vault.Merge {
		return vault.Merge{
			ID: r.ID, SourceCustomerID: r.SourceCustomerID, TargetCustomerID: r.TargetCustomerID, State: mergeState(r),
			OperationID: r.OperationID, MergedAt: r.MergedAt, UndoneAt: r.UndoneAt,
		}
	})
	return page, more, nil
}

func mergeState(r dbgen.PageMergesRow) vault.MergeState {
	switch {
	case r.UndoneAt != nil:
		return vault.MergeUndone
	case r.TargetMerged:
		return vault.MergeTargetMerged
	case r.TargetDeleted:
		return vault.MergeTargetDeleted
	default:
		return vault.MergeUndoable
	}
}
