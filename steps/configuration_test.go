package steps_test

import (
	"strings"
	"testing"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func (w *world) apply(in vault.ApplyConfigurationInput) vault.ApplyConfigurationResult {
	w.t.Helper()
	ev := w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ApplyConfiguration, in))
	w.must(w.run(ev, applyConfiguration...))
	return resultOf[vault.ApplyConfigurationResult](w, ev)
}

func TestPersistConfiguration_IsIdempotent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "old", ValueType: vault.TypeString})
	scenario := newID()
	in := vault.ApplyConfigurationInput{AgentConfiguration: vault.AgentConfiguration{
		AgentID:     w.agent,
		Definitions: vault.ConfiguredDefinitions{{Name: "iban", ValueType: vault.TypeString, Enabled: true}},
		Scenarios:   []vault.Scenario{{ID: scenario, Name: "Payout", Description: "Take the IBAN."}},
		Requirements: []vault.Requirement{{
			ScenarioID: scenario, FieldName: "iban", RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
			WhenCondition: "has(fields.ibam)",
		}},
	}}
	in.FillAgent()
	first := w.apply(in)
	w.equal("changes", []vault.ConfigurationChange{
		{Action: vault.ChangeCreate, Kind: vault.KindDefinition, Name: "iban"},
		{Action: vault.ChangeKeep, Kind: vault.KindDefinition, Name: "old"},
		{Action: vault.ChangeCreate, Kind: vault.KindScenario, Name: "Payout"},
		{Action: vault.ChangeCreate, Kind: vault.KindRequirement, Name: "iban of scenario Payout"},
	}, first.Changes)
	if len(first.Extractions) != 1 || len(first.Warnings) != 1 || !strings.HasSuffix(first.Warnings[0], "did you mean iban?") {
		t.Errorf("extractions %v, warnings %v", first.Extractions, first.Warnings)
	}
	again := w.apply(in)
	w.equal("applied again", []vault.ConfigurationChange{
		{Action: vault.ChangeKeep, Kind: vault.KindDefinition, Name: "old"},
	}, again.Changes)
	if len(again.Extractions) != 0 {
		t.Error("an unchanged text is extracted again")
	}
	in.Prune = true
	in.Definitions[0].Description, in.Definitions[0].ForbidExtraction = "Where we pay to", true
	w.equal("pruned", []vault.ConfigurationChange{
		{Action: vault.ChangeUpdate, Kind: vault.KindDefinition, Name: "iban", Members: []string{"description", "forbid_extraction"}},
		{Action: vault.ChangeDelete, Kind: vault.KindDefinition, Name: "old"},
	}, w.apply(in).Changes)
	w.equal("definitions", []string{"iban human none enabled"}, w.definitions())
}

// A configuration with one wrong part changes nothing.
func TestPersistConfiguration_AllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scenario := newID()
	in := vault.ApplyConfigurationInput{AgentConfiguration: vault.AgentConfiguration{
		AgentID:     w.agent,
		Definitions: vault.ConfiguredDefinitions{{Name: "iban", ValueType: vault.TypeString, Enabled: true}},
		Scenarios:   []vault.Scenario{{ID: scenario, Name: "Payout"}},
		Requirements: []vault.Requirement{{
			ScenarioID: scenario, FieldName: "ibann", RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
		}},
	}}
	in.FillAgent()
	ev := w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ApplyConfiguration, in))
	w.refused(ev, vault.CodeUnknown, []string{"ibann", "did you mean iban?"}, applyConfiguration[1])
	w.equal("definitions", []string(nil), w.definitions())
}
