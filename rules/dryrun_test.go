package rules_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestCompareValue(t *testing.T) {
	t.Parallel()
	plain := vault.Definition{Name: "plan", ValueType: vault.TypeString, Enabled: true}
	narrow, disabled := plain, plain
	narrow.AllowedValues = []json.RawMessage{json.RawMessage(`"gold"`)}
	disabled.Enabled = false
	for name, c := range map[string]struct {
		before *vault.Definition
		after  vault.Definition
		value  string
		want   rules.ValueChange
	}{
		"valid in both":           {&plain, narrow, `"gold"`, rules.ValueStays},
		"broken by the change":    {&plain, narrow, `"iron"`, rules.ValueInvalided},
		"broken before":           {&narrow, narrow, `"iron"`, rules.ValueBroken},
		"mended by the change":    {&narrow, plain, `"iron"`, rules.ValueStays},
		"not defined before":      {nil, narrow, `"iron"`, rules.ValueInvalided},
		"disabled":                {&plain, disabled, `"gold"`, rules.ValueInvalided},
		"disabled before, too":    {&disabled, disabled, `"gold"`, rules.ValueBroken},
		"enabled, and it is none": {&disabled, narrow, `"iron"`, rules.ValueInvalided},
	} {
		got, problem := rules.CompareValue(c.before, c.after, json.RawMessage(c.value))
		if got != c.want || (problem == "") != (got == rules.ValueStays) || strings.Contains(problem, "iron") {
			t.Errorf("%s: got %d, %q", name, got, problem)
		}
	}
}

func TestDefinitionEffects(t *testing.T) {
	t.Parallel()
	plain := vault.Definition{Name: "plan", ValueType: vault.TypeString, Enabled: true}
	for member, change := range map[string]func(d *vault.Definition){
		"value_type":          func(d *vault.Definition) { d.ValueType = vault.TypeNumber },
		"multiple":            func(d *vault.Definition) { d.Multiple = true },
		"enabled":             func(d *vault.Definition) { d.Enabled = false },
		"encryption_required": func(d *vault.Definition) { d.EncryptionRequired = true },
		"is_pii":              func(d *vault.Definition) { d.IsPII = true },
		"purposes":            func(d *vault.Definition) { d.Purposes = []string{"support"} },
		"write_once":          func(d *vault.Definition) { d.WriteOnce = true },
		"retention_days":      func(d *vault.Definition) { d.RetentionDays = 7 },
		"remove_after_days":   func(d *vault.Definition) { d.RemoveAfterDays = 7 },
		"erase_on_withdrawal": func(d *vault.Definition) { d.EraseOnWithdrawal = true },
		"forbid_extraction":   func(d *vault.Definition) { d.ForbidExtraction = true },
		"validation_mode":     func(d *vault.Definition) { d.ValidationMode = vault.ModeWarn },
	} {
		after := plain
		change(&after)
		got := rules.DefinitionEffects(&plain, after, []string{"plan"})
		if len(got) != 1 || got[0].Member != member {
			t.Errorf("a change of %s has the effects %+v", member, got)
		}
		if action, members := rules.ChangeOfDefinition(&plain, after); action != vault.ChangeUpdate ||
			!slices.Equal(members, []string{member}) {
			t.Errorf("a change of %s is %s of %v", member, action, members)
		}
	}
	if got := rules.DefinitionEffects(&plain, plain, []string{"plan"}); len(got) != 0 {
		t.Errorf("no change has the effects %+v", got)
	}
	other := plain
	other.Name = "plam"
	if got := rules.DefinitionEffects(nil, other, []string{"plan"}); len(got) != 1 || got[0].Member != "name" {
		t.Errorf("a new name that is close to another has the effects %+v", got)
	}
}

func TestFieldReferences(t *testing.T) {
	t.Parallel()
	scenario, rule := uuid.New(), uuid.New()
	texts := rules.Texts{
		Scenarios: map[uuid.UUID]vault.Scenario{scenario: {ID: scenario, Name: "S", Steps: []vault.ScenarioStep{
			{ID: "a", Condition: "fields.age > 3"}, {ID: "b", Condition: "fields.age_of_dog > 3"}, {ID: "c", Condition: "the age"},
		}}},
		Rules: map[uuid.UUID]vault.Rule{rule: {ID: rule, ScenarioID: scenario, Name: "R", Action: "say fields.age"}},
	}
	requirements := []vault.Requirement{
		{ID: uuid.New(), ScenarioID: scenario, FieldName: "age"},
		{ID: uuid.New(), ScenarioID: scenario, FieldName: "city", WhenCondition: "fields.age > 17", DependsOn: []string{"age"}},
		{ID: uuid.New(), ScenarioID: scenario, FieldName: "age", Review: vault.ReviewRejected, RuleID: &rule},
	}
	definitions := map[string]vault.Definition{"age": {Name: "age", ValueType: vault.TypeString, Enabled: true}}
	var kinds []string
	for _, r := range rules.FieldReferences("age", definitions, requirements, texts) {
		kind := r.Kind
		if r.Problem != "" {
			kind += "!"
		}
		kinds = append(kinds, kind)
	}
	if want := []string{"requirement", "condition!", "dependency", "step condition", "rule"}; !slices.Equal(kinds, want) {
		t.Errorf("got %v, want %v", kinds, want)
	}
}

func TestTextEffects_LostEvidence(t *testing.T) {
	t.Parallel()
	scenario := vault.Scenario{Steps: []vault.ScenarioStep{{ID: "a", Text: "Ask for the email."}}}
	effects, references := rules.TextEffects([]vault.Requirement{
		{ID: uuid.New(), FieldName: "email", Quote: "the email", Origin: vault.OriginExtracted},
		{ID: uuid.New(), FieldName: "phone", Quote: "the phone", Origin: vault.OriginExtracted},
		{ID: uuid.New(), FieldName: "plan", StepID: "gone", Origin: vault.OriginHuman},
	}, rules.Texts{}, &scenario, rules.TextsOf(scenario))
	if len(effects) != 1 || !strings.Contains(effects[0].Text, "replaces 2 requirements") || len(references) != 3 {
		t.Fatalf("got %+v, %+v", effects, references)
	}
	for i, want := range []string{"", "evidence would not be", "no step gone"} {
		if got := references[i].Problem; (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", references[i].FieldName, got, want)
		}
	}
}
