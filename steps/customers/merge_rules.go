package customers

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// SaveMergeRule creates or replaces a merge rule. A save that is older than the last one changes nothing. Pending
// proposals of the rule are closed if it has other fields now, or is disabled.
func (s Merges) SaveMergeRule(ctx context.Context, ev vault.Event) (once.Stored[vault.SavedResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.SaveMergeRuleInput,
	) (vault.SavedResult, error) {
		out := vault.SavedResult{ID: in.MergeRuleID}
		if err := rules.Check(in); err != nil {
			return out, err
		}
		fields, err := mergeFields(ctx, q, ev.TenantID, in.Fields)
		if err != nil {
			return out, err
		}
		if problems := rules.CheckMergeFields(fields); len(problems) > 0 {
			return out, vault.Join(problems)
		}
		all, err := q.LockMergeRules(ctx, ev.TenantID)
		if err != nil {
			return out, err
		}
		if err := checkMergeRule(ctx, q, ev.TenantID, in.Based, in.MergeRuleID, all); err != nil {
			return out, err
		}
		others := 0
		for _, r := range all {
			switch {
			case in.IfVersion == nil && r.ID == in.MergeRuleID && r.AcceptedAt.After(op.AcceptedAt):
				return out, nil // a newer save or deletion was applied before
			case r.ID != in.MergeRuleID && r.DeletedAt == nil:
				others++
			}
		}
		if others >= vault.MaxMergeRules {
			return out, vault.Conflict("merge_rule_id",
				"merge_rule_id: the tenant has %d merge rules, which is the limit; delete one first", others)
		}
		save := dbgen.SaveMergeRuleParams{
			TenantID: ev.TenantID, ID: in.MergeRuleID, Name: in.Name, Fields: in.Fields, Unverified: in.Unverified,
			MaxGroup: vault.DefaultMergeGroup, Enabled: in.Enabled == nil || *in.Enabled, OperationID: op.ID,
			AcceptedAt: op.AcceptedAt, OnlyNew: in.OnlyNew(),
		}
		if in.MaxGroup > 0 {
			save.MaxGroup = int32(in.MaxGroup) //nolint:gosec // at most 50
		}
		saved, err := q.SaveMergeRule(ctx, save)
		if err == nil && saved == 0 {
			err = once.Overtaken("merge rule " + in.MergeRuleID.String())
		}
		if err != nil {
			return out, err
		}
		kept := in.Fields
		if !save.Enabled {
			kept = nil
		}
		return out, q.CloseMergeProposalsOfRule(ctx, dbgen.CloseMergeProposalsOfRuleParams{
			Reason: string(vault.MergeRuleChanged), TenantID: ev.TenantID, RuleID: in.MergeRuleID, Fields: kept,
		})
	})
}

// DeleteMergeRule deletes a merge rule and closes its pending proposals. Decisions stay.
func (s Merges) DeleteMergeRule(ctx context.Context, ev vault.Event) (once.Stored[vault.SavedResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.DeleteMergeRuleInput,
	) (vault.SavedResult, error) {
		out := vault.SavedResult{ID: in.MergeRuleID}
		all, err := q.LockMergeRules(ctx, ev.TenantID)
		if err != nil {
			return out, err
		}
		at := slices.IndexFunc(all, func(r dbgen.MergeRule) bool { return r.ID == in.MergeRuleID && r.DeletedAt == nil })
		if at < 0 {
			return out, vault.Unknown("merge rule", in.MergeRuleID)
		}
		if err := checkMergeRule(ctx, q, ev.TenantID, in.Based, in.MergeRuleID, all); err != nil {
			return out, err
		}
		if in.IfVersion == nil && all[at].AcceptedAt.After(op.AcceptedAt) {
			return out, nil
		}
		err = q.DeleteMergeRule(ctx, dbgen.DeleteMergeRuleParams{
			OperationID: op.ID, AcceptedAt: op.AcceptedAt, TenantID: ev.TenantID, ID: in.MergeRuleID,
		})
		if err != nil {
			return out, err
		}
		return out, q.CloseMergeProposalsOfRule(ctx, dbgen.CloseMergeProposalsOfRuleParams{
			Reason: string(vault.MergeRuleDeleted), TenantID: ev.TenantID, RuleID: in.MergeRuleID,
		})
	})
}

// checkMergeRule rejects a change of a merge rule that is based on another version than the stored one. all are the
// locked rules of the tenant.
func checkMergeRule(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, based vault.Based, id uuid.UUID, all []dbgen.MergeRule,
) error {
	return once.CheckVersion(ctx, q, tenant, based, "merge rule "+id.String(), func() (once.Current, error) {
		at := slices.IndexFunc(all, func(r dbgen.MergeRule) bool { return r.ID == id })
		if at < 0 {
			return once.Current{}, nil // there is none
		}
		r := all[at]
		return once.Current{Version: r.OperationID, ChangedAt: r.UpdatedAt, Deleted: r.DeletedAt != nil}, nil
	})
}

// mergeFields returns what the definitions of a tenant say of fields.
func mergeFields(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, names []string,
) ([]rules.MergeField, error) {
	sealed, err := q.ListSealedNames(ctx, tenant, names)
	if err != nil {
		return nil, err
	}
	searchable, err := q.ListSearchableNames(ctx, tenant, names)
	if err != nil {
		return nil, err
	}
	out := make([]rules.MergeField, len(names))
	for i, name := range names {
		out[i] = rules.MergeField{
			Name: name, Sealed: slices.Contains(sealed, name), Searchable: slices.Contains(searchable, name),
		}
		rows, err := q.ListDefinitionsOfName(ctx, tenant, name)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			def, err := db.DefinitionOf(row)
			if err != nil {
				return nil, err
			}
			out[i].Definitions = append(out[i].Definitions, def)
		}
	}
	return out, nil
}
