package query_test

import (
	"testing"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestConfiguration_IsWhatPersonsWrote(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString, ForbidExtraction: true})
	scenario := v.scenario().ID
	v.rule(scenario, "adults")
	v.require(scenario, vault.Requirement{FieldName: "plan"})
	got, err := v.Configuration(t.Context(), v.tenant, v.agent)
	v.must(err)
	v.equal("parts", []int{1, 1, 1, 1}, []int{
		len(got.Definitions), len(got.Scenarios), len(got.Rules), len(got.Requirements),
	})
	v.equal("forbids extraction", true, got.Definitions[0].ForbidExtraction)
	v.equal("differences from itself", []vault.ConfigurationChange{}, rules.DiffConfiguration(got, got, true))
	_, err = v.Configuration(t.Context(), v.other, v.agent)
	v.refused(err, vault.CodeUnknown, "agent")
}

func TestExplainScenario_BeforeExtraction(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	scenario := v.scenario().ID
	got, err := v.ExplainScenario(t.Context(), v.tenant, scenario)
	v.must(err)
	if got.Model != "" || got.Current || len(got.Sentences) != 0 {
		t.Errorf("got %+v", got)
	}
	_, err = v.ExplainScenario(t.Context(), v.other, scenario)
	v.refused(err, vault.CodeUnknown, "scenario")
}
