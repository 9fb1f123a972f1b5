package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// DiffConfiguration returns the changes that turn the stored configuration of an agent into the wanted one:
// definitions, scenarios, rules, then requirements, in the order of the wanted configuration; what it lacks comes
// last, by name. With prune, definitions and requirements that it lacks are deleted, otherwise they are kept.
// Scenarios and rules are always kept.
func DiffConfiguration(stored, wanted vault.AgentConfiguration, prune bool) []vault.ConfigurationChange {
	lacking := vault.ChangeKeep
	if prune {
		lacking = vault.ChangeDelete
	}
	changes := []vault.ConfigurationChange{}
	changes = append(changes, differences(vault.KindDefinition, stored.Definitions, wanted.Definitions, lacking,
		func(d vault.Definition) string { return d.Name }, func(d vault.Definition) string { return d.Name },
		plainDefinition)...)
	changes = append(changes, differences(vault.KindScenario, stored.Scenarios, wanted.Scenarios, vault.ChangeKeep,
		func(s vault.Scenario) string { return s.ID.String() }, func(s vault.Scenario) string { return s.Name },
		func(s vault.Scenario) any { return s.Content() })...)
	changes = append(changes, differences(vault.KindRule, stored.Rules, wanted.Rules, vault.ChangeKeep,
		func(r vault.Rule) string { return r.ID.String() }, func(r vault.Rule) string { return r.Name },
		func(r vault.Rule) any { return r.Content() })...)
	names := map[uuid.UUID]string{}
	for _, s := range slices.Concat(stored.Scenarios, wanted.Scenarios) {
		names[s.ID] = s.Name
	}
	return append(changes, differences(vault.KindRequirement, stored.Requirements, wanted.Requirements, lacking,
		RequirementKey, func(r vault.Requirement) string { return requirementName(r, names) }, plainRequirement)...)
}

// RequirementKey identifies a requirement: its scenario, step, rule and field.
func RequirementKey(r vault.Requirement) string {
	rule := uuid.Nil
	if r.RuleID != nil {
		rule = *r.RuleID
	}
	return fmt.Sprintf("%s/%q/%s/%s", r.ScenarioID, r.StepID, rule, r.FieldName)
}

func requirementName(r vault.Requirement, scenarios map[uuid.UUID]string) string {
	scenario := scenarios[r.ScenarioID]
	if scenario == "" {
		scenario = r.ScenarioID.String()
	}
	name := fmt.Sprintf("%s of scenario %s", r.FieldName, scenario)
	if r.StepID != "" {
		name += ", step " + r.StepID
	}
	if r.RuleID != nil {
		name += ", rule " + r.RuleID.String()
	}
	return name
}

// plainDefinition is a definition without the members that the vault sets.
func plainDefinition(d vault.Definition) any {
	d.ID, d.Origin, d.Review, d.UpdatedAt = uuid.Nil, "", "", time.Time{}
	d.Version, d.Based = uuid.Nil, vault.Based{}
	return d
}

// plainRequirement is a requirement without the members that the vault sets.
func plainRequirement(r vault.Requirement) any {
	r.ID, r.Origin, r.Review, r.Confidence, r.NeedsReview, r.Quote = uuid.Nil, "", "", 0, false, ""
	r.Version, r.Based = uuid.Nil, vault.Based{}
	return r
}

func differences[T any](
	kind string, stored, wanted []T, lacking vault.ChangeAction, key, name func(T) string, plain func(T) any,
) []vault.ConfigurationChange {
	before := map[string]T{}
	for _, s := range stored {
		before[key(s)] = s
	}
	var changes []vault.ConfigurationChange
	for _, w := range wanted {
		s, ok := before[key(w)]
		delete(before, key(w))
		if !ok {
			changes = append(changes, vault.ConfigurationChange{Action: vault.ChangeCreate, Kind: kind, Name: name(w)})
			continue
		}
		if members := differingMembers(plain(s), plain(w)); len(members) > 0 {
			changes = append(changes, vault.ConfigurationChange{
				Action: vault.ChangeUpdate, Kind: kind, Name: name(w), Members: members,
			})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(before)) {
		changes = append(changes, vault.ConfigurationChange{Action: lacking, Kind: kind, Name: name(before[k])})
	}
	return changes
}

// differingMembers returns the sorted names of the JSON members in which a and b differ. An absent member, null, an
// empty text and an empty list are equal.
func differingMembers(a, b any) []string {
	x, y := membersOf(a), membersOf(b)
	var out []string
	for name := range maps.Keys(y) {
		if _, ok := x[name]; !ok {
			x[name] = nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if !bytes.Equal(meaningOf(x[name]), meaningOf(y[name])) {
			out = append(out, name)
		}
	}
	return out
}

func membersOf(v any) map[string]json.RawMessage {
	encoded, err := json.Marshal(v)
	members := map[string]json.RawMessage{}
	if err != nil || json.Unmarshal(encoded, &members) != nil {
		return map[string]json.RawMessage{}
	}
	return members
}

func meaningOf(raw json.RawMessage) []byte {
	switch string(raw) {
	case `""`, `[]`, `null`, `{}`:
		return nil
	}
	return compact(raw)
}
