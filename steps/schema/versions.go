package schema

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// checkDefinition rejects a change of a definition that is based on another version than the stored one.
func checkDefinition(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, based vault.Based, agent uuid.UUID, name string,
) error {
	return once.CheckVersion(ctx, q, tenant, based, "definition "+name, func() (once.Current, error) {
		row, err := q.LockDefinitionByName(ctx, dbgen.LockDefinitionByNameParams{
			TenantID: tenant, AgentID: agent, Name: name,
		})
		return once.Current{Version: row.OperationID, ChangedAt: row.UpdatedAt, Deleted: row.DeletedAt != nil}, err
	})
}

// checkRequirement is checkDefinition for a requirement.
func checkRequirement(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, based vault.Based, key vault.DeleteRequirementInput,
) error {
	return once.CheckVersion(ctx, q, tenant, based, "requirement of "+key.FieldName, func() (once.Current, error) {
		row, err := lockRequirement(ctx, q, tenant, key)
		return once.Current{Version: row.OperationID, ChangedAt: row.UpdatedAt, Deleted: row.DeletedAt != nil}, err
	})
}

func lockRequirement(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, key vault.DeleteRequirementInput,
) (dbgen.LockRequirementByKeyRow, error) {
	return q.LockRequirementByKey(ctx, dbgen.LockRequirementByKeyParams{
		TenantID: tenant, ScenarioID: key.ScenarioID, StepID: key.StepID, RuleID: key.RuleID, FieldName: key.FieldName,
	})
}

// requirementKey returns what identifies a requirement.
func requirementKey(r vault.Requirement) vault.DeleteRequirementInput {
	return vault.DeleteRequirementInput{
		ScenarioID: r.ScenarioID, FieldName: r.FieldName, StepID: r.StepID, RuleID: r.RuleID,
	}
}

// checkScenario is checkDefinition for a scenario.
func checkScenario(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.Scenario) error {
	return once.CheckVersion(ctx, q, tenant, in.Based, "scenario "+in.ID.String(), func() (once.Current, error) {
		row, err := q.LockScenario(ctx, tenant, in.ID)
		return once.Current{Version: row.OperationID, ChangedAt: row.UpdatedAt}, err
	})
}

// checkRule is checkDefinition for a rule.
func checkRule(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.Rule) error {
	return once.CheckVersion(ctx, q, tenant, in.Based, "rule "+in.ID.String(), func() (once.Current, error) {
		row, err := q.LockRule(ctx, tenant, in.ID)
		return once.Current{Version: row.OperationID, ChangedAt: row.UpdatedAt}, err
	})
}

// overtaken returns why a conditional save wrote nothing, although it was checked before: what the check says now.
func overtaken(checked error, what string) error { return cmp.Or(checked, once.Overtaken(what)) }
