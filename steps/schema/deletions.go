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

// DeleteDefinition deletes a definition that no requirement uses. The row stays as a tombstone: a save that was
// accepted before the deletion and arrives after it does not restore the definition.
func (s Definitions) DeleteDefinition(ctx context.Context, ev vault.Event) (once.Applied[vault.SavedResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DeleteDefinitionInput,
	) (vault.SavedResult, error) {
		if err := checkDefinition(ctx, q, ev.TenantID, in.Based, in.AgentID, in.Name); err != nil {
			return vault.SavedResult{}, err
		}
		row, err := q.LockDefinitionByName(ctx, dbgen.LockDefinitionByNameParams{
			TenantID: ev.TenantID, AgentID: in.AgentID, Name: in.Name,
		})
		if err != nil {
			return vault.SavedResult{}, db.WrapNotFound(err, "field", in.Name)
		}
		out := vault.SavedResult{ID: row.ID}
		if in.IfVersion == nil && row.AcceptedAt.After(op.AcceptedAt) { // a newer save or deletion is stored
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

// checkNotRequired rejects the deletion of a definition that requirements name or depend on.
func checkNotRequired(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.DeleteDefinitionInput) error {
	rows, err := q.ListFieldRequirements(ctx, dbgen.ListFieldRequirementsParams{
		TenantID: tenant, AgentID: in.AgentID, Name: in.Name,
	})
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

// DeleteRequirement deletes a requirement, saved or extracted. The row stays as a tombstone: an older save or an
// extraction does not restore it.
func (s Definitions) DeleteRequirement(ctx context.Context, ev vault.Event) (once.Applied[vault.SavedResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DeleteRequirementInput,
	) (vault.SavedResult, error) {
		if err := checkRequirement(ctx, q, ev.TenantID, in.Based, in); err != nil {
			return vault.SavedResult{}, err
		}
		row, err := lockRequirement(ctx, q, ev.TenantID, in)
		if err != nil {
			return vault.SavedResult{}, db.WrapNotFound(err, "requirement", in.FieldName)
		}
		out := vault.SavedResult{ID: row.ID}
		// a newer save or deletion is stored
		if in.IfVersion == nil && row.Origin == string(vault.OriginHuman) && row.AcceptedAt.After(op.AcceptedAt) {
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
