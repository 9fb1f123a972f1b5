package query_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// The dry run of a deletion says what the reads say after it: for whom a scenario is blocked, and who misses what.
func TestDryRunDeleteRequirement_IsWhatHappens(t *testing.T) {
	t.Parallel()
	v, scenario, customers := dryRunWorld(t)
	all, err := v.Requirements(t.Context(), v.tenant, scenario.ID)
	v.must(err)
	r := all[0]
	in := vault.DeleteRequirementInput{
		ScenarioID: scenario.ID, FieldName: r.FieldName, StepID: r.StepID, RuleID: r.RuleID,
	}
	blocked, _ := v.standings(scenario.ID, customers)
	dry, err := v.DryRunDeleteRequirement(v.reader(), v.tenant, in, query.Look{})
	v.must(err)
	r2, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.DeleteRequirement, in)
	v.run(r2, err, step(v.steps.Definitions.DeleteRequirement), v.acknowledge)
	after, _ := v.standings(scenario.ID, customers)
	unblocked := 0
	for id, was := range blocked {
		if was && !after[id] {
			unblocked++
		}
	}
	if dry.Action != vault.ChangeDelete || len(dry.Scenarios) != 1 || dry.Scenarios[0].Unblocked != unblocked ||
		dry.Scenarios[0].Blocked != 0 {
		t.Errorf("the dry run says %+v; %d customers were unblocked", dry, unblocked)
	}
	_, err = v.DryRunDeleteRequirement(v.reader(), v.tenant, in, query.Look{})
	if vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("a deleted requirement: %v", err)
	}
}

func TestDryRunDeleteDefinition_NamesWhatItBreaks(t *testing.T) {
	t.Parallel()
	v, scenario, customers := dryRunWorld(t)
	all, err := v.Requirements(t.Context(), v.tenant, scenario.ID)
	v.must(err)
	name := all[0].FieldName
	dry, err := v.DryRunDeleteDefinition(
		v.reader(), v.tenant, vault.DeleteDefinitionInput{AgentID: v.agent, Name: name}, query.Look{})
	v.must(err)
	with := 0
	for _, id := range customers {
		p, err := v.Profile(t.Context(), v.tenant, id)
		if vault.CodeOf(err) == vault.CodeUnknown {
			continue
		}
		v.must(err)
		if _, ok := p.Fields[name]; ok {
			with++
		}
	}
	if dry.Values == nil || dry.Values.Checked < with || dry.Values.Invalid+dry.Values.Broken != dry.Values.Checked {
		t.Errorf("the values are %+v; %d customers have one", dry.Values, with)
	}
	if !slices.ContainsFunc(dry.References, func(r vault.DryRunReference) bool {
		return r.Kind == "requirement" && r.Problem != "" && *r.RequirementID == all[0].ID
	}) {
		t.Errorf("the references are %+v", dry.References)
	}
	if len(dry.Effects) == 0 || len(dry.Scenarios) == 0 || !dry.Complete || dry.Action != vault.ChangeDelete {
		t.Errorf("the dry run is %+v", dry)
	}
	_, err = v.DryRunDeleteDefinition(
		v.reader(), v.tenant, vault.DeleteDefinitionInput{AgentID: uuid.New(), Name: name}, query.Look{})
	if vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("a definition that does not exist: %v", err)
	}
}
