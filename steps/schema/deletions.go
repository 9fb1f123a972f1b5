package schema

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// DeleteDefinition removes a definition that no requirement needs. The row stays as a mark, so that a save that was accepted
// before the deletion, and arrives after it, does not bring the definition back.
func (s Definitions) DeleteDefinition(ctx context.Context, ev vault.Event) (once.Applied[vault.SavedResult], error) {
	return once.Apply(ctx, s.Once, ev, func(t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DeleteDefinitionInput) (vault.SavedResult, error) {
		row, err := q.LockDefinitionByName(ctx, dbgen.LockDefinitionByNameParams{TenantID: ev.TenantID, AgentID: in.AgentID, Name: in.Name})
		if err != nil {
			return vault.SavedResult{}, db.WrapNotFound(err, "field", in.Name)
		}
		out := vault.SavedResult{ID: row.ID}
		if row.AcceptedAt.After(op.AcceptedAt) { // a newer save or deletion is there
			return out, nil
		}
		if row.DeletedAt != nil {
			return vault.SavedResult{}, vault.Unknown("field", in.Name)
		}
		if err := checkNotRequired(ctx, q, ev.TenantID, in); err != nil {
			return vault.SavedResult{}, err
		}
		err = q.DeleteDefinition(ctx, dbgen.DeleteDefinitionParams{
			TenantID: ev.TenantID, ID: row.ID, OperationID: op.ID, AcceptedAt: op.AcceptedAt,
		})
		if err != nil {
			return vault.SavedResult{}, err
		}
		return out, t.Definitions(ctx, q, ev.TenantID, in.AgentID)
	})
}

// checkNotRequired refuses to delete a definition that requirements name, or wait for.
func checkNotRequired(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.DeleteDefinitionInput) error {
	rows, err := q.RequirementsOfField(ctx, dbgen.RequirementsOfFieldParams{TenantID: tenant, AgentID: in.AgentID, Name: in.Name})
	if err != nil || len(rows) == 0 {
		return err
	}
	refused := vault.Conflict("name", "")
	scenarios := map[string]bool{}
	var names []string
	for _, row := range rows {
		refused.Related = append(refused.Related, row.ID)
		if id := row.ScenarioID.String(); !scenarios[id] {
			scenarios[id], names = true, append(names, id)
		}
	}
	refused.Message = "name: field " + in.Name + " is required by scenario " + strings.Join(names, ", ") +
		"; delete those requirements first, or disable the field by saving it with enabled false"
	return refused
}

// DeleteRequirement removes a requirement, a person's or an extracted one. The row stays as a mark, which neither an older save
// nor an extraction overcomes.
func (s Definitions) DeleteRequirement(ctx context.Context, ev vault.Event) (once.Applied[vault.SavedResult], error) {
	return once.Apply(ctx, s.Once, ev, func(t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DeleteRequirementInput) (vault.SavedResult, error) {
		row, err := q.LockRequirementByKey(ctx, dbgen.LockRequirementByKeyParams{
			TenantID: ev.TenantID, ScenarioID: in.ScenarioID, StepID: in.StepID, RuleID: in.RuleID, FieldName: in.FieldName,
		})
		if err != nil {
			return vault.SavedResult{}, db.WrapNotFound(err, "requirement", in.FieldName)
		}
		out := vault.SavedResult{ID: row.ID}
		if row.Origin == string(vault.OriginHuman) && row.AcceptedAt.After(op.AcceptedAt) { // a newer save or deletion is there
			return out, nil
		}
		if row.DeletedAt != nil {
			return vault.SavedResult{}, vault.Unknown("requirement", in.FieldName)
		}
		err = q.DeleteRequirement(ctx, dbgen.DeleteRequirementParams{
			TenantID: ev.TenantID, ID: row.ID, OperationID: op.ID, AcceptedAt: op.AcceptedAt,
		})
		if err != nil {
			return vault.SavedResult{}, err
		}
		return out, t.Requirements(ctx, q, ev.TenantID, in.ScenarioID)
	})
}
