package query_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// save stores a definition as it is.
func (v *vaultOf) save(d vault.Definition) {
	v.t.Helper()
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.SaveDefinition, d)
	v.run(r, err, step(v.steps.Definitions.PersistDefinition), v.acknowledge)
}

// invalids returns the customers whose active value cannot be written again.
func (v *vaultOf) invalids(name string, customers []uuid.UUID) []uuid.UUID {
	v.t.Helper()
	var out []uuid.UUID
	for _, id := range customers {
		p, err := v.Profile(v.t.Context(), v.tenant, id)
		if vault.CodeOf(err) == vault.CodeUnknown {
			continue
		}
		v.must(err)
		value, ok := p.Fields[name]
		if !ok {
			continue
		}
		err = v.of(id).tryWrite(vault.WriteValueInput{
			ItemID: ptr(newID()), AgentID: v.agent, CustomerID: id, Name: name, Value: value.Value, Source: value.Source,
		})
		if vault.CodeOf(err) == vault.CodeInvalid {
			out = append(out, id)
		} else {
			v.must(err)
		}
	}
	return out
}

// standings returns for each customer whether a scenario is blocked, and the missing fields.
func (v *vaultOf) standings(scenario uuid.UUID, customers []uuid.UUID) (blocked map[uuid.UUID]bool, missing map[uuid.UUID][]string) {
	v.t.Helper()
	blocked, missing = map[uuid.UUID]bool{}, map[uuid.UUID][]string{}
	for _, id := range customers {
		out, err := v.Missing(v.reader(), v.tenant, query.MissingInput{CustomerID: id, ScenarioID: scenario})
		v.must(err)
		blocked[id] = out.Blocked
		for _, m := range out.Missing {
			missing[id] = append(missing[id], m.Requirement.FieldName)
		}
	}
	return blocked, missing
}

// reader is the context of a key that sees everything.
func (v *vaultOf) reader() context.Context { return query.WithAccess(v.t.Context(), vault.Access{}) }

// dryRunWorld has customers with different values of plan, and a scenario that needs it.
func dryRunWorld(t *testing.T) (v *vaultOf, scenario vault.Scenario, customers []uuid.UUID) {
	t.Helper()
	v = newVault(t, "")
	v.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString, ValidationMode: vault.ModeWarn},
		vault.Definition{Name: "age", ValueType: vault.TypeNumber},
	)
	scenario = v.scenario()
	v.require(scenario.ID,
		vault.Requirement{FieldName: "plan"},
		vault.Requirement{FieldName: "age", RequiredLevel: vault.LevelSoft, WhenCondition: `fields.plan == "gold"`},
	)
	for i, plan := range []string{"gold", "silver", "bronze", "12", "", "old", "checked"} {
		customer := v.of(newID())
		customers = append(customers, customer.customer)
		switch {
		case plan == "":
			customer.write("age", "7", func(in *vault.WriteValueInput) { in.Value = json.RawMessage("7") })
		case plan == "old":
			customer.write("plan", "gold", func(in *vault.WriteValueInput) { in.CollectedAt = ptr(time.Now().Add(-time.Hour)) })
		case plan == "checked":
			customer.write("plan", "gold", func(in *vault.WriteValueInput) { in.Verified, in.VerificationMethod = true, "document" })
		default:
			customer.write("plan", plan)
		}
		if i == 0 {
			v.customer = customer.customer
		}
	}
	return v, scenario, customers
}

// A dry run says what then happens: values that cannot be written again, and customers for whom the scenario no longer
// starts, and nothing was changed by it.
func TestDryRunDefinition_IsWhatHappens(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(d *vault.Definition){
		"nothing":        func(*vault.Definition) {},
		"allowed values": func(d *vault.Definition) { d.AllowedValues = []json.RawMessage{text("gold"), text("silver")} },
		"a pattern":      func(d *vault.Definition) { d.ValidationRegex = "[a-z]+" },
		"another type":   func(d *vault.Definition) { d.ValueType = vault.TypeNumber },
		"a list":         func(d *vault.Definition) { d.Multiple = true },
		"verification":   func(d *vault.Definition) { d.RequiredVerification = true },
		"freshness":      func(d *vault.Definition) { d.FreshnessSeconds = 60 },
		"disabled":       func(d *vault.Definition) { d.Enabled = false },
		"purposes":       func(d *vault.Definition) { d.Purposes = []string{"support"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, scenario, customers := dryRunWorld(t)
			d, err := v.Definition(t.Context(), v.tenant, v.agent, "plan")
			v.must(err)
			d.ValidationMode = vault.ModeStrict
			v.save(d)
			before := v.invalids("plan", customers)
			blocked, missing := v.standings(scenario.ID, customers)
			change(&d)
			out, err := v.DryRunDefinition(v.reader(), v.tenant, d, query.Look{})
			v.must(err)
			again, _ := v.standings(scenario.ID, customers)
			v.equal("the dry run changes nothing", blocked, again)
			v.save(d)
			var invalid []uuid.UUID
			if len(d.Purposes) == 0 { // without consent no value can be written at all
				invalid = v.invalids("plan", customers)
			}
			invalid = slices.DeleteFunc(invalid, func(id uuid.UUID) bool { return slices.Contains(before, id) })
			if out.Values.Invalid != len(invalid) || out.Values.Customers != len(invalid) {
				t.Errorf("the dry run says that %d values would be invalid, and %d are: %+v", out.Values.Invalid, len(invalid), out.Values)
			}
			if !out.Complete || out.Customers != len(customers) {
				t.Errorf("it looked at %d of %d customers", out.Customers, len(customers))
			}
			v.forgetPolicies()
			afterBlocked, afterMissing := v.standings(scenario.ID, customers)
			var nowBlocked, unblocked, asked int
			for _, id := range customers {
				if afterBlocked[id] && !blocked[id] {
					nowBlocked++
				}
				if !afterBlocked[id] && blocked[id] {
					unblocked++
				}
				if slices.ContainsFunc(afterMissing[id], func(f string) bool { return !slices.Contains(missing[id], f) }) {
					asked++
				}
			}
			s := out.Scenarios[0]
			if s.Blocked != nowBlocked || s.Unblocked != unblocked || s.Asked != asked {
				t.Errorf("the dry run says blocked %d, unblocked %d, asked %d; it is %d, %d, %d", s.Blocked, s.Unblocked, s.Asked,
					nowBlocked, unblocked, asked)
			}
		})
	}
}

// forgetPolicies waits until the policies of the tenant are read again.
func (v *vaultOf) forgetPolicies() { v.Queries = query.New(v.db, v.cache, v.sealer) }

// A dry run of a requirement says what then happens.
func TestDryRunRequirement_IsWhatHappens(t *testing.T) {
	t.Parallel()
	for name, changed := range map[string]vault.Requirement{
		"hard":        {FieldName: "age", RequiredLevel: vault.LevelHard, WhenCondition: `fields.plan == "gold"`},
		"always":      {FieldName: "age", RequiredLevel: vault.LevelHard},
		"a condition": {FieldName: "plan", RequiredLevel: vault.LevelHard, WhenCondition: `has(fields.age)`},
		"dependent":   {FieldName: "plan", RequiredLevel: vault.LevelHard, DependsOn: []string{"age"}},
		"of a step":   {FieldName: "age", RequiredLevel: vault.LevelHard, StepID: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, scenario, customers := dryRunWorld(t)
			changed.AgentID, changed.ScenarioID, changed.FallbackAction = v.agent, scenario.ID, vault.FallbackAsk
			blocked, _ := v.standings(scenario.ID, customers)
			out, err := v.DryRunRequirement(v.reader(), v.tenant, changed, query.Look{})
			v.must(err)
			v.require(scenario.ID, changed)
			after, _ := v.standings(scenario.ID, customers)
			var nowBlocked, unblocked int
			for _, id := range customers {
				if after[id] && !blocked[id] {
					nowBlocked++
				}
				if !after[id] && blocked[id] {
					unblocked++
				}
			}
			if s := out.Scenarios[0]; s.Blocked != nowBlocked || s.Unblocked != unblocked {
				t.Errorf("the dry run says blocked %d, unblocked %d; it is %d, %d", s.Blocked, s.Unblocked, nowBlocked, unblocked)
			}
		})
	}
}

// The parts of a dry run add up to the whole, and a part says that it is one.
func TestDryRun_Pages(t *testing.T) {
	t.Parallel()
	v, _, customers := dryRunWorld(t)
	d, err := v.Definition(t.Context(), v.tenant, v.agent, "plan")
	v.must(err)
	d.AllowedValues = []json.RawMessage{text("gold")}
	whole, err := v.DryRunDefinition(v.reader(), v.tenant, d, query.Look{})
	v.must(err)
	invalid, looked := 0, 0
	var after *uuid.UUID
	for {
		out, err := v.DryRunDefinition(v.reader(), v.tenant, d, query.Look{After: after, Customers: 2})
		v.must(err)
		if out.Complete != (out.Next == nil) || out.Customers > 2 {
			t.Fatalf("a part is %+v", out)
		}
		invalid, looked = invalid+out.Values.Invalid, looked+out.Customers
		if after = out.Next; after == nil {
			break
		}
	}
	if invalid != whole.Values.Invalid || invalid != 3 || looked != len(customers) {
		t.Errorf("the parts have %d of %d invalid values of %d customers", invalid, whole.Values.Invalid, looked)
	}
	_, err = v.DryRunDefinition(v.reader(), v.tenant, d, query.Look{Customers: vault.MaxDryRunCustomers + 1})
	v.refused(err, vault.CodeInvalid, "customers")
}

// A key that sees masked values gets no customer of a personal field, as the caller chooses the pattern.
func TestDryRun_ExamplesFollowTheRights(t *testing.T) {
	t.Parallel()
	v, _, _ := dryRunWorld(t)
	d, err := v.Definition(t.Context(), v.tenant, v.agent, "plan")
	v.must(err)
	d.IsPII = true
	v.save(d)
	d.AllowedValues = []json.RawMessage{text("gold")}
	seen, err := v.DryRunDefinition(v.reader(), v.tenant, d, query.Look{})
	v.must(err)
	if len(seen.Values.Examples) != 3 || seen.ExamplesHidden {
		t.Errorf("a key with PII gets %+v", seen.Values)
	}
	masked := query.WithAccess(t.Context(), vault.Access{Masked: true})
	hidden, err := v.DryRunDefinition(masked, v.tenant, d, query.Look{})
	v.must(err)
	if len(hidden.Values.Examples)+len(hidden.Scenarios[0].Examples) != 0 || !hidden.ExamplesHidden || hidden.Values.Invalid != 3 {
		t.Errorf("a masked key gets %+v", hidden.Values)
	}
	other, err := v.DryRunDefinition(v.reader(), v.other, d, query.Look{})
	v.must(err)
	if other.Action != vault.ChangeCreate || other.Customers != 0 || len(other.References) != 0 {
		t.Errorf("another tenant gets %+v", other)
	}
	d.Purposes = []string{"support"}
	v.save(d)
	v.forgetPolicies()
	d.AllowedValues, d.ValidationRegex = nil, "x"
	withheld, err := v.DryRunDefinition(v.reader(), v.tenant, d, query.Look{})
	v.must(err)
	if len(withheld.Values.Examples) != 0 || len(withheld.Withheld) == 0 || withheld.Values.Invalid != 0 ||
		len(withheld.Values.Reasons) != 0 {
		t.Errorf("without a consent it gives %+v", withheld)
	}
}

// A condition on a value that the reader may not see tells nothing: the value counts as absent.
func TestDryRun_ConditionsOnWithheldValues(t *testing.T) {
	t.Parallel()
	v, scenario, _ := dryRunWorld(t)
	d, err := v.Definition(t.Context(), v.tenant, v.agent, "plan")
	v.must(err)
	asks := vault.Requirement{
		AgentID: v.agent, ScenarioID: scenario.ID, FieldName: "nothing", RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk, WhenCondition: `"plan" in fields && fields.plan != "none"`,
	}
	v.save(vault.Definition{AgentID: v.agent, Name: "nothing", ValueType: vault.TypeString, Enabled: true})
	seen, err := v.DryRunRequirement(v.reader(), v.tenant, asks, query.Look{})
	v.must(err)
	if seen.Scenarios[0].Asked == 0 {
		t.Fatalf("with the right to see it, the condition finds nobody: %+v", seen)
	}
	d.Purposes = []string{"support"}
	v.save(d)
	v.forgetPolicies()
	withheld, err := v.DryRunRequirement(v.reader(), v.tenant, asks, query.Look{})
	v.must(err)
	if withheld.Scenarios[0].Asked != 0 || len(withheld.Withheld) == 0 {
		t.Errorf("without a purpose it finds %+v", withheld)
	}
}

// A dry run names what refers to a field, to a step and to evidence.
func TestDryRun_References(t *testing.T) {
	t.Parallel()
	v, scenario, _ := dryRunWorld(t)
	d, err := v.Definition(t.Context(), v.tenant, v.agent, "plan")
	v.must(err)
	d.ValueType = vault.TypeNumber
	out, err := v.DryRunDefinition(v.reader(), v.tenant, d, query.Look{})
	v.must(err)
	var as []string
	for _, r := range out.References {
		as = append(as, r.Kind+" of "+r.FieldName)
		if (r.Problem != "") != (r.Kind == "condition") {
			t.Errorf("a reference is %+v", r)
		}
	}
	slices.Sort(as)
	v.equal("references", []string{"condition of age", "requirement of plan"}, as)
	v.require(scenario.ID, vault.Requirement{FieldName: "plan", StepID: "b"})
	scenario.Steps = scenario.Steps[:1]
	out, err = v.DryRunScenario(v.reader(), v.tenant, scenario, query.Look{})
	v.must(err)
	if out.Action != vault.ChangeUpdate || !slices.ContainsFunc(out.References, func(r vault.DryRunReference) bool {
		return r.StepID == "b" && r.Problem != ""
	}) {
		t.Errorf("without the step the dry run is %+v", out)
	}
	rule := vault.Rule{ID: newID(), AgentID: v.agent, ScenarioID: scenario.ID, Name: "Check", Condition: "Ask for the plan."}
	r, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.SaveRule, rule)
	v.run(r, err, step(v.steps.Scenarios.PersistRule))
	v.require(scenario.ID, vault.Requirement{FieldName: "plan", RuleID: &rule.ID})
	dbtest.Exec(t, v.url, `UPDATE requirements SET origin = 'extracted', quote = 'the plan' WHERE rule_id = $1`, rule.ID)
	v.forgetPolicies()
	rule.Condition = "Ask nothing."
	out, err = v.DryRunRule(v.reader(), v.tenant, rule)
	v.must(err)
	if len(out.References) == 0 && len(out.Effects) == 0 {
		t.Errorf("the dry run of the rule is %+v", out)
	}
}
