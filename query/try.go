package query

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// TryInput is a customer to try a scenario with.
type TryInput struct {
	ScenarioID uuid.UUID
	CustomerID *uuid.UUID                 // nil: a customer of whom nothing is known
	Assumed    map[string]json.RawMessage // values that the customer would state; nothing stores them
	StepID     string                     // as rules.Scope.StepID
}

// Tried is what a scenario asks of a customer, requirement by requirement.
type Tried struct {
	Scenario vault.Scenario
	Traced   []vault.Traced
	Next     *vault.Traced // the first missing field that nothing was assumed of; nil: none
	Blocked  bool
}

// Try traces the requirements of a scenario for a customer, with assumed values. It reads no session: a condition that
// reads one counts as true. A value that its definition rejects is an error with the name of the field.
func (q *Queries) Try(ctx context.Context, tenant uuid.UUID, in TryInput) (Tried, error) {
	var out Tried
	var err error
	if out.Scenario, err = q.Scenario(ctx, tenant, in.ScenarioID); err != nil {
		return out, err
	}
	if in.StepID != "" && !out.Scenario.HasStep(in.StepID) {
		return out, vault.Invalid("step_id", "scenario %s has no step %q; its steps are %s", in.ScenarioID, in.StepID,
			out.Scenario.StepIDs())
	}
	requirements, err := q.Requirements(ctx, tenant, in.ScenarioID)
	if err != nil {
		return out, err
	}
	list, err := q.Definitions(ctx, tenant, out.Scenario.AgentID)
	if err != nil {
		return out, err
	}
	definitions := make(map[string]vault.Definition, len(list))
	for _, d := range list {
		definitions[d.Name] = d
	}
	known := rules.Known{Fields: map[string]vault.Value{}, Scenario: out.Scenario, Now: time.Now()}
	customer := uuid.Nil
	if in.CustomerID != nil {
		customer = *in.CustomerID
		profile, err := q.openProfile(ctx, tenant, customer)
		if err != nil {
			return out, err
		}
		known.Fields = profile.Fields
	}
	for name, value := range in.Assumed {
		def, ok := definitions[name]
		if !ok {
			return out, vault.Unknown("field", name)
		}
		checked, err := rules.CheckValue(&def, name, value, vault.ModeStrict)
		if err != nil {
			return out, err
		}
		known.Fields[name] = vault.Value{
			Name: name, Value: checked.Value, ValueType: checked.ValueType, Status: vault.StatusActive, CollectedAt: known.Now,
		}
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return out, err
	}
	if err := q.conditions.Acquire(ctx, tenant.String()); err != nil {
		return out, err
	}
	defer q.conditions.Release(tenant.String())
	out.Traced = rules.Trace(requirements, definitions, known, rules.Scope{StepID: in.StepID})
	for i := range out.Traced {
		t := &out.Traced[i]
		if t.State != vault.TraceMissing {
			continue
		}
		if customer != uuid.Nil {
			refused, err := g.refuses(ctx, customer, t.Requirement.FieldName)
			if err != nil {
				return out, err
			}
			if refused {
				t.State = vault.TraceWithheld
				continue
			}
		}
		out.Blocked = out.Blocked || t.Blocking
		if _, assumed := in.Assumed[t.Requirement.FieldName]; !assumed && out.Next == nil && t.Definition != nil {
			out.Next = t
		}
	}
	return out, nil
}

// ConditionTried is the outcome of a condition for a customer.
type ConditionTried struct {
	Holds  bool
	Failed string   // why it failed; "": it did not. A requirement whose condition fails applies
	Reads  []string // the fields that it reads by name
	Hidden []string // those of the fields that the reader may not see, which count as absent
}

// TryCondition evaluates a condition with the values of a customer that the reader may see. A condition tells about the
// values that it reads, so those that are masked or withheld count as absent.
func (q *Queries) TryCondition(
	ctx context.Context, tenant uuid.UUID, condition string, scenario vault.Scenario, customer *uuid.UUID,
) (ConditionTried, error) {
	var out ConditionTried
	if err := rules.CompileCondition(condition); err != nil {
		return out, err
	}
	out.Reads = rules.ConditionFields(condition)
	vars := rules.ConditionVars{Fields: map[string]json.RawMessage{}, Scenario: scenario}
	if customer != nil {
		g, err := q.guard(ctx, tenant)
		if err != nil {
			return out, err
		}
		profile, err := q.Profile(ctx, tenant, *customer)
		if err != nil {
			return out, err
		}
		now := time.Now()
		for name, v := range profile.Fields {
			switch {
			case g.masks(name):
				out.Hidden = append(out.Hidden, name)
			case !v.Expired(now) && !rules.IsEmpty(v.Value):
				vars.Fields[name] = v.Value
			}
		}
		for _, w := range profile.Withheld {
			out.Hidden = append(out.Hidden, w.Name)
		}
		slices.Sort(out.Hidden)
	}
	if err := q.conditions.Acquire(ctx, tenant.String()); err != nil {
		return out, err
	}
	defer q.conditions.Release(tenant.String())
	holds, err := rules.EvalCondition(condition, vars)
	if err != nil {
		out.Failed = err.Error()
	}
	out.Holds = holds
	return out, nil
}

// TryValue says what is wrong with a value that a definition would check, "" if nothing is. The definition is not stored.
func TryValue(def vault.Definition, value json.RawMessage) string {
	def.Enabled, def.IsPII = true, false // the person typed the value
	if err := rules.CheckPattern(def.ValidationRegex); def.ValidationRegex != "" && err != nil {
		return "the pattern " + err.Error()
	}
	_, problem := rules.CompareValue(nil, def, value)
	return problem
}
