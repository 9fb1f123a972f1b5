// Package agents decides what a caller may name who is limited to some agents of a tenant, such as an API key with
// agents. Package query asks it before a read by an id, and package trigger before it accepts an operation: no route
// has a rule of its own. A context without a limit costs nothing.
//
// A scenario, a rule, a requirement, a definition, a session, a question and a gap fill have an agent. A value belongs
// to the agents that define its field, and an asset to the agent of the conversation in which it was uploaded.
// Customers, with their channels, labels and consents, belong to the tenant.
package agents

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// CheckAgent returns an error if a context may not use an agent.
func CheckAgent(ctx context.Context, agent uuid.UUID) error {
	return checkAgent(vault.AgentsOf(ctx), "agent_id", agent)
}

func checkAgent(limit vault.AgentLimit, member string, agent uuid.UUID) error {
	if limit.Allows(agent) {
		return nil
	}
	return refused(member, "this API key is limited to agents, and agent %s is not one of them", agent)
}

// CheckIDs returns an error if ids name something of an agent that a context may not use. Unknown ids pass.
func CheckIDs(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, ids ...uuid.UUID) error {
	foreign, err := Foreign(ctx, q, tenant, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if kind, ok := foreign[id]; ok {
			return refused("id", "%s %s belongs to an agent that this API key may not use", kind, id)
		}
	}
	return nil
}

// CheckKnown returns an error if a tenant has not got an agent to which an API key is to be limited.
func CheckKnown(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, agents []uuid.UUID) error {
	for _, agent := range agents {
		known, err := q.AgentExists(ctx, tenant, agent)
		if err != nil {
			return err
		}
		if !known {
			return vault.Invalid("agents", "no agent of the tenant has the id %s: an agent is known from its first "+
				"definition or scenario", agent)
		}
	}
	return nil
}

// Foreign returns those of some ids that belong to agents that a context may not use, with their kinds.
func Foreign(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, ids []uuid.UUID,
) (map[uuid.UUID]string, error) {
	limit := vault.AgentsOf(ctx)
	if len(limit) == 0 || len(ids) == 0 {
		return nil, nil
	}
	rows, err := q.FindForeign(ctx, dbgen.FindForeignParams{TenantID: tenant, Ids: ids, Agents: limit})
	if err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]string, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Kind
	}
	return out, nil
}

// Fields returns the names of the fields that a context may use. nil: all of them.
func Fields(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID) ([]string, error) {
	limit := vault.AgentsOf(ctx)
	if len(limit) == 0 {
		return nil, nil
	}
	names, err := q.ListFieldsOfAgents(ctx, tenant, limit)
	if names == nil {
		names = []string{} // none of them, and not all
	}
	return names, err
}

// CheckFields returns an error if a context may not use one of some fields.
func CheckFields(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	own, err := Fields(ctx, q, tenant)
	if err != nil || own == nil {
		return err
	}
	for _, name := range names {
		if !slices.Contains(own, name) {
			return refused("name", "no agent of this API key defines the field %s", name)
		}
	}
	return nil
}

// CheckOperation returns an error if a context that is limited asks for an operation that its actor has not caused and
// that is no gap fill of its agents. Unknown ids pass.
func CheckOperation(ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID) error {
	limit := vault.AgentsOf(ctx)
	if len(limit) == 0 {
		return nil
	}
	foreign, err := q.IsForeignOperation(ctx, dbgen.IsForeignOperationParams{
		TenantID: tenant, ID: id, Actor: string(vault.ActorOf(ctx)), Agents: limit,
	})
	if err == nil && foreign {
		err = refused("operation_id", "this API key is limited to agents, and sees the operations that it caused itself")
	}
	return err
}

func refused(field, format string, args ...any) error {
	return &vault.Error{
		Code: vault.CodeNotAllowed, Field: field, Message: field + ": " + fmt.Sprintf(format, args...),
	}
}
