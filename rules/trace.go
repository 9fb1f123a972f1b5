package rules

import (
	"encoding/json"
	"slices"

	"github.com/contextvault/contextvault/vault"
)

// Trace says for each requirement in the scope what becomes of it, in the order of collection. It decides as FindMissing
// does.
func Trace(reqs []vault.Requirement, defs map[string]vault.Definition, known Known, scope Scope) []vault.Traced {
	applicable, _ := Applicable(reqs, known, scope)
	unmet, _ := Unmet(applicable, defs, known)
	missing := make(map[string]vault.Missing, len(unmet))
	for _, m := range unmet {
		missing[m.Requirement.FieldName] = m
	}
	present := presentFields(known)
	when := newConditions(ConditionVars{Fields: present, Session: known.Session, Scenario: known.Scenario})
	sorted := slices.Clone(reqs)
	slices.SortStableFunc(sorted, ByOrder)
	out := []vault.Traced{}
	for _, r := range sorted {
		if !scope.covers(r) {
			continue
		}
		t := vault.Traced{Requirement: r, State: vault.TraceMet}
		if d, ok := defs[r.FieldName]; ok && d.Enabled {
			t.Definition = &d
		}
		for _, name := range r.DependsOn {
			if _, ok := present[name]; !ok {
				t.WaitsFor = append(t.WaitsFor, name)
			}
		}
		holds := true
		if r.Review != vault.ReviewRejected && len(t.WaitsFor) == 0 {
			var err error
			if holds, err = when.eval(r.WhenCondition); err != nil {
				holds, t.Failed = true, err.Error()
			}
		}
		m, lacks := missing[r.FieldName]
		switch chosen := applicable[r.FieldName]; {
		case r.Review == vault.ReviewRejected:
			t.State = vault.TraceRejected
		case len(t.WaitsFor) > 0:
			t.State = vault.TraceWaits
		case !holds:
			t.State = vault.TraceNotNow
		case chosen.ID != r.ID:
			t.State = vault.TraceOverruled
		case lacks:
			t.State, t.Reason, t.Blocking = vault.TraceMissing, m.Reason, m.Blocking
		}
		out = append(out, t)
	}
	return out
}

// presentFields returns the values that conditions and dependencies see.
func presentFields(known Known) map[string]json.RawMessage {
	present := make(map[string]json.RawMessage, len(known.Fields))
	for name, f := range known.Fields {
		if isActive(f) && !f.Expired(known.Now) && !IsEmpty(f.Value) {
			present[name] = f.Value
		}
	}
	return present
}
