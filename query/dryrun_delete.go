package query

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// DryRunDeleteDefinition says what would become of values, scenarios and requirements if a definition were deleted.
func (q *Queries) DryRunDeleteDefinition(
	ctx context.Context, tenant uuid.UUID, in vault.DeleteDefinitionInput, look Look,
) (vault.DryRun, error) {
	d, err := q.newDryRun(ctx, tenant, in.AgentID, in)
	if err != nil {
		return vault.DryRun{}, err
	}
	before, exists := d.definitions[in.Name]
	if !exists {
		return vault.DryRun{}, vault.Unknown("field", in.Name)
	}
	without := maps.Clone(d.definitions)
	delete(without, in.Name)
	gone := before
	gone.Enabled = false // for its values: an unknown field
	d.before, d.after = &before, &gone
	d.out.Kind, d.out.Name, d.out.Action = vault.KindDefinition, in.Name, vault.ChangeDelete
	d.out.References = rules.FieldReferences(in.Name, without, d.all(), d.texts)
	stopped, err := d.mergeRulesOf(ctx, in.Name)
	if err != nil {
		return vault.DryRun{}, err
	}
	d.out.Effects = rules.DeletionEffects(before, d.out.References, stopped)
	d.out.Values = &vault.DryRunValues{}
	d.personal = d.policies[in.Name].PII
	policies := d.policiesWith(vault.Definition{Name: in.Name})
	for _, id := range d.scenarioIDs() {
		if !slices.ContainsFunc(d.requirements[id], func(r vault.Requirement) bool {
			return r.FieldName == in.Name || slices.Contains(r.DependsOn, in.Name)
		}) {
			continue
		}
		as, then := d.setup(id), d.setup(id)
		then.Definitions, then.Policies = without, policies
		d.compare(as, then)
	}
	return d.run(ctx, look)
}

// mergeRulesOf returns the names of the merge rules that compare by a field which no other agent defines.
func (d *dryRun) mergeRulesOf(ctx context.Context, name string) ([]string, error) {
	tq := d.q.db.Tenant(d.tenant)
	definitions, err := tq.ListDefinitionsOfName(ctx, d.tenant, name)
	if err != nil || len(definitions) > 1 {
		return nil, err
	}
	all, err := tq.ListMergeRules(ctx, d.tenant)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range all {
		if r.Enabled && slices.Contains(r.Fields, name) {
			out = append(out, cmp.Or(r.Name, r.ID.String()))
		}
	}
	return out, nil
}

// DryRunDeleteRequirement says for whom a scenario would ask for something else if a requirement were deleted.
func (q *Queries) DryRunDeleteRequirement(
	ctx context.Context, tenant uuid.UUID, in vault.DeleteRequirementInput, look Look,
) (vault.DryRun, error) {
	scenario, err := q.Scenario(ctx, tenant, in.ScenarioID)
	if err != nil {
		return vault.DryRun{}, err
	}
	d, err := q.newDryRun(ctx, tenant, scenario.AgentID, in)
	if err != nil {
		return vault.DryRun{}, err
	}
	key := rules.RequirementKey(vault.Requirement{
		ScenarioID: in.ScenarioID, FieldName: in.FieldName, StepID: in.StepID, RuleID: in.RuleID,
	})
	own := d.requirements[in.ScenarioID]
	at := slices.IndexFunc(own, func(r vault.Requirement) bool { return rules.RequirementKey(r) == key })
	if at < 0 {
		return vault.DryRun{}, vault.Unknown("requirement", in.FieldName)
	}
	before, then := d.setup(in.ScenarioID), d.setup(in.ScenarioID)
	d.out.Kind, d.out.Name, d.out.Action = vault.KindRequirement, in.FieldName, vault.ChangeDelete
	then.Requirements, d.out.References = rules.WithoutRequirement(own, own[at], d.texts)
	d.out.Effects = []vault.DryRunEffect{{
		Member: "field_name", Text: "A later extraction does not add the requirement again. Collected values stay.",
	}}
	d.personal = len(d.personalFields()) > 0 && own[at].WhenCondition != ""
	d.compare(before, then)
	return d.run(ctx, look)
}
