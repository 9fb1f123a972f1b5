// Package required checks a requirement against the configuration of its agent. The steps that store requirements and
// the dry runs of them use it.
package required

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Check rejects a requirement that its scenario cannot have: the scenario, step, rule and field exist, and the condition
// compiles and fits the types of the definitions.
func Check(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.Requirement,
) error {
	if err := rules.Check(in); err != nil {
		return err
	}
	row, err := q.GetScenario(ctx, tenant, in.ScenarioID)
	if err != nil {
		return db.WrapNotFound(err, "scenario", in.ScenarioID)
	}
	if row.AgentID != in.AgentID {
		return vault.Invalid("agent_id", "scenario %s belongs to agent %s", in.ScenarioID, row.AgentID)
	}
	scenario, err := db.ScenarioOf(row)
	if err != nil {
		return err
	}
	if in.StepID != "" && !scenario.HasStep(in.StepID) {
		return vault.Invalid(
			"step_id", "scenario %s has no step %q; its steps are %s", in.ScenarioID, in.StepID, scenario.StepIDs(),
		)
	}
	if in.RuleID != nil {
		rule, err := q.GetRule(ctx, tenant, *in.RuleID)
		if err != nil {
			return db.WrapNotFound(err, "rule", *in.RuleID)
		}
		if rule.ScenarioID != in.ScenarioID {
			return vault.Invalid("rule_id", "rule %s belongs to scenario %s", *in.RuleID, rule.ScenarioID)
		}
	}
	if err := CheckConditionTypes(ctx, q, tenant, in.AgentID, in.WhenCondition); err != nil {
		return err
	}
	return checkDefined(ctx, q, tenant, in.AgentID, in.FieldName)
}

// CheckConditionTypes rejects a condition that does not fit the types of the agent's definitions.
func CheckConditionTypes(ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID, condition string) error {
	names := rules.ConditionFields(condition)
	if len(names) == 0 {
		return nil
	}
	rows, err := q.ListDefinitionTypes(
		ctx,
		dbgen.ListDefinitionTypesParams{TenantID: tenant, AgentID: agent, Names: names},
	)
	if err != nil {
		return err
	}
	defined := make(map[string]vault.ValueType, len(rows))
	for _, r := range rows {
		defined[r.Name] = vault.ValueType(r.ValueType)
	}
	return rules.CheckConditionTypes(condition, defined)
}

// checkDefined rejects a field that an agent does not define.
func checkDefined(ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID, name string) error {
	_, err := q.GetFieldDefinition(ctx, dbgen.GetFieldDefinitionParams{TenantID: tenant, AgentID: agent, Name: name})
	if !db.IsNotFound(err) {
		return err
	}
	rows, err := q.ListDefinitions(ctx, tenant, agent)
	if err != nil {
		return err
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
	}
	refused := &vault.Error{
		Code: vault.CodeUnknown, Field: "field_name",
		Message: "unknown field: agent " + agent.String() + " defines no field " + name + "; save its definition first",
	}
	if closest, ok := rules.ClosestName(name, names); ok {
		refused.Message += ", or did you mean " + closest + "?"
	}
	return refused
}
