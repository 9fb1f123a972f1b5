package rules_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestDiffConfiguration_Members(t *testing.T) {
	t.Parallel()
	stored := vault.Definition{
		ID: uuid.New(), Name: "age", ValueType: vault.TypeNumber, Enabled: true, Origin: vault.OriginHuman, UpdatedAt: time.Now(),
		ValidationMode: vault.ModeStrict,
	}
	for name, c := range map[string]struct {
		change func(d *vault.Definition)
		want   []string
	}{
		"set by the vault":     {func(d *vault.Definition) { d.ID, d.Origin, d.UpdatedAt = uuid.Nil, "", time.Time{} }, nil},
		"empty list":           {func(d *vault.Definition) { d.AllowedValues = []json.RawMessage{} }, nil},
		"a bound of 0":         {func(d *vault.Definition) { d.Minimum = json.RawMessage("0") }, []string{"minimum"}},
		"disabled":             {func(d *vault.Definition) { d.Enabled = false }, []string{"enabled"}},
		"type and description": {func(d *vault.Definition) { d.ValueType, d.Description = vault.TypeString, "x" }, []string{"description", "value_type"}},
	} {
		wanted := stored
		c.change(&wanted)
		got := rules.DiffConfiguration(
			vault.AgentConfiguration{Definitions: vault.ConfiguredDefinitions{stored}},
			vault.AgentConfiguration{Definitions: vault.ConfiguredDefinitions{wanted}}, true,
		)
		var members []string
		for _, change := range got {
			members = append(members, change.Members...)
		}
		if !slices.Equal(members, c.want) {
			t.Errorf("%s: got %v, want members %v", name, got, c.want)
		}
	}
}

// Only prune deletes, and it never deletes a scenario or a rule.
func TestDiffConfiguration_Lacking(t *testing.T) {
	t.Parallel()
	scenario := uuid.New()
	stored := vault.AgentConfiguration{
		Definitions:  vault.ConfiguredDefinitions{{Name: "email"}},
		Scenarios:    []vault.Scenario{{ID: scenario, Name: "Sign up"}},
		Rules:        []vault.Rule{{ID: uuid.New(), ScenarioID: scenario, Name: "Adults"}},
		Requirements: []vault.Requirement{{ScenarioID: scenario, FieldName: "email"}},
	}
	for prune, lacking := range map[bool]vault.ChangeAction{false: vault.ChangeKeep, true: vault.ChangeDelete} {
		want := []vault.ConfigurationChange{
			{Action: lacking, Kind: vault.KindDefinition, Name: "email"},
			{Action: vault.ChangeKeep, Kind: vault.KindScenario, Name: "Sign up"},
			{Action: vault.ChangeKeep, Kind: vault.KindRule, Name: "Adults"},
			{Action: lacking, Kind: vault.KindRequirement, Name: "email of scenario Sign up"},
		}
		got := rules.DiffConfiguration(stored, vault.AgentConfiguration{}, prune)
		if !slices.EqualFunc(got, want, func(a, b vault.ConfigurationChange) bool {
			return a.Action == b.Action && a.Kind == b.Kind && a.Name == b.Name
		}) {
			t.Errorf("prune %t: got %v, want %v", prune, got, want)
		}
	}
}
