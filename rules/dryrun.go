package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Setup is what decides what a scenario asks of a customer.
type Setup struct {
	Scenario     vault.Scenario
	Requirements []vault.Requirement
	Definitions  map[string]vault.Definition
	// Policies are those of the fields of the tenant: a field that the customer has not consented to is not asked for.
	Policies map[string]FieldPolicy
}

// Standing is what a scenario asks of a customer, without the fields that the customer has not consented to.
type Standing struct {
	Blocked bool
	Missing []vault.Missing // in the order of collection
}

// StandingOf returns what a scenario asks of a customer. known.Scenario is that of the setup.
func (s Setup) StandingOf(known Known, consents []vault.Consent) Standing {
	known.Scenario = s.Scenario
	missing, _ := FindMissing(s.Requirements, s.Definitions, known, Scope{})
	out := Standing{}
	for _, m := range missing {
		if s.Policies[m.Requirement.FieldName].Refuses(consents, known.Now) {
			continue
		}
		out.Missing = append(out.Missing, m)
		out.Blocked = out.Blocked || m.Blocking
	}
	return out
}

// Lacks returns the fields that are missing after a change and not before it, with their reasons.
func Lacks(before, after Standing) map[string]vault.MissingReason {
	out := map[string]vault.MissingReason{}
	for _, m := range after.Missing {
		out[m.Requirement.FieldName] = m.Reason
	}
	for _, m := range before.Missing {
		delete(out, m.Requirement.FieldName)
	}
	return out
}

// Names returns the missing fields in the order of collection.
func (s Standing) Names() []string {
	out := make([]string, len(s.Missing))
	for i, m := range s.Missing {
		out[i] = m.Requirement.FieldName
	}
	return out
}

// WithRequirement returns requirements with one that a person saves: it replaces the one of the same scenario, step,
// rule and field.
func WithRequirement(
	all []vault.Requirement, saved vault.Requirement,
) (out []vault.Requirement, before *vault.Requirement) {
	saved.Origin, saved.Review, saved.Confidence, saved.NeedsReview, saved.Quote =
		vault.OriginHuman, vault.ReviewNone, 1, false, ""
	saved.ID = uuid.Max // a new one is the youngest
	out = slices.Clone(all)
	key := RequirementKey(saved)
	for i, r := range out {
		if RequirementKey(r) == key {
			saved.ID = r.ID
			out[i] = saved
			return out, &all[i]
		}
	}
	return append(out, saved), nil
}

// WithDefinition returns definitions with one that a person saves.
func WithDefinition(all map[string]vault.Definition, saved vault.Definition) map[string]vault.Definition {
	saved.Origin, saved.Review = vault.OriginHuman, vault.ReviewNone
	out := maps.Clone(all)
	if out == nil {
		out = map[string]vault.Definition{}
	}
	out[saved.Name] = saved
	return out
}

// ValueChange is what a change of a definition means for a value.
type ValueChange int

const (
	ValueStays     ValueChange = iota // valid, or mended by the change
	ValueBroken                       // it breaks the stored definition and the changed one
	ValueInvalided                    // it breaks the changed definition only
)

// CompareValue says what a change of a definition means for a stored value, and what would be wrong with it. before is
// nil if the field is not defined, so that no value was invalid. The text contains no value.
func CompareValue(before *vault.Definition, after vault.Definition, value json.RawMessage) (ValueChange, string) {
	problem := problemOf(&after, value)
	switch {
	case problem == "":
		return ValueStays, ""
	case before != nil && (before.Enabled || !after.Enabled) && problemOf(before, value) != "":
		return ValueBroken, problem
	default:
		return ValueInvalided, problem
	}
}

// problemOf returns what is wrong with a value in mode strict, "" if it is valid.
func problemOf(def *vault.Definition, value json.RawMessage) string {
	_, err := CheckValue(def, def.Name, value, vault.ModeStrict)
	if err == nil {
		return ""
	}
	text := err.Error()
	if e, ok := err.(*vault.Error); ok { //nolint:errorlint // CheckValue returns this type
		text = e.Message
	}
	text = strings.TrimPrefix(text, failedPrefix)
	return strings.TrimPrefix(text, def.Name+": ")
}

// ChangeOfDefinition returns whether a definition would be created or updated, and the members that differ.
func ChangeOfDefinition(before *vault.Definition, after vault.Definition) (vault.ChangeAction, []string) {
	if before == nil {
		return vault.ChangeCreate, nil
	}
	b, a := *before, after
	b.AgentID, a.AgentID = uuid.Nil, uuid.Nil
	return changed(differingMembers(plainDefinition(b), plainDefinition(a)))
}

// ChangeOfRequirement is ChangeOfDefinition for a requirement. One that was extracted becomes that of a person.
func ChangeOfRequirement(before *vault.Requirement, after vault.Requirement) (vault.ChangeAction, []string) {
	if before == nil {
		return vault.ChangeCreate, nil
	}
	members := differingMembers(plainRequirement(*before), plainRequirement(after))
	if before.Origin != vault.OriginHuman {
		members = append(members, "origin")
	}
	return changed(members)
}

// ChangeOfText is ChangeOfDefinition for a scenario or a rule.
func ChangeOfText[T interface{ Content() T }](before *T, after T) (vault.ChangeAction, []string) {
	if before == nil {
		return vault.ChangeCreate, nil
	}
	return changed(differingMembers((*before).Content(), after.Content()))
}

func changed(members []string) (vault.ChangeAction, []string) {
	if len(members) == 0 {
		return vault.ChangeKeep, nil
	}
	return vault.ChangeUpdate, members
}

// effect is a rule of DefinitionEffects: what the change of a member does, "" for no effect.
type effect struct {
	member string
	text   func(before, after vault.Definition) string
}

var definitionEffects = []effect{
	{"value_type", func(b, a vault.Definition) string {
		if b.ValueType == a.ValueType || b.ValueType == "" {
			return ""
		}
		return fmt.Sprintf("Values are stored as %s and no longer as %s from now on. Stored values keep their form until "+
			"they are written again.", a.ValueType, b.ValueType)
	}},
	{"multiple", func(b, a vault.Definition) string {
		switch {
		case a.Multiple && !b.Multiple:
			return "A value becomes a list. A stored value keeps its form until it is written again."
		case b.Multiple && !a.Multiple:
			return "A value is no list any more. A stored list keeps its form until it is written again."
		}
		return ""
	}},
	{"enabled", func(b, a vault.Definition) string {
		if !b.Enabled || a.Enabled {
			return ""
		}
		return "The field counts as unknown: mode strict rejects its values, and nobody is asked for it. " +
			"Requirements for it stay, and still count it as missing."
	}},
	{"encryption_required", func(b, a vault.Definition) string {
		switch {
		case a.EncryptionRequired && !b.EncryptionRequired:
			return "The values are sealed, for every agent. seal-values also seals the stored ones. The name stays sealed, " +
				"also if encryption_required is taken back."
		case b.EncryptionRequired && !a.EncryptionRequired:
			return "Nothing: a name that was sealed stays sealed, for every agent."
		}
		return ""
	}},
	{"is_pii", func(b, a vault.Definition) string {
		switch {
		case a.IsPII && !b.IsPII:
			return "Keys that see masked values no longer see these. Reads of them are recorded in the audit, and error " +
				"texts no longer quote them. It holds for the name, for every agent."
		case b.IsPII && !a.IsPII:
			return "Unless the definition of another agent has is_pii: every key with the scope read sees the values, " +
				"reads of them are not recorded any more, and error texts quote them."
		}
		return ""
	}},
	{"purposes", func(b, a vault.Definition) string {
		switch {
		case slices.Equal(b.Purposes, a.Purposes):
			return ""
		case len(a.Purposes) == 0:
			return "Unless the definition of another agent has purposes: the values are read and collected without consent."
		}
		return "Values are read for these purposes only, and if the customer has consented to them. A customer without " +
			"consent is not asked for the field, and the field blocks no scenario for that customer."
	}},
	{"write_once", func(b, a vault.Definition) string {
		if !a.WriteOnce || b.WriteOnce {
			return ""
		}
		return "A stored value is not replaced any more, except by the correction of a person."
	}},
	{"retention_days", func(b, a vault.Definition) string {
		if a.RetentionDays == b.RetentionDays {
			return ""
		}
		return "It holds for values that are written from now on. Stored values keep the expiry that they have."
	}},
	{"remove_after_days", func(b, a vault.Definition) string {
		if a.RemoveAfterDays == 0 || b.RemoveAfterDays != 0 && a.RemoveAfterDays >= b.RemoveAfterDays {
			return ""
		}
		return "Versions that expired longer ago are removed for good by the next sweep."
	}},
	{"erase_on_withdrawal", func(b, a vault.Definition) string {
		if !a.EraseOnWithdrawal || b.EraseOnWithdrawal {
			return ""
		}
		return "A withdrawal of the last consent erases the values for good, history included."
	}},
	{"forbid_extraction", func(b, a vault.Definition) string {
		if !a.ForbidExtraction || b.ForbidExtraction {
			return ""
		}
		return "No conversation fills the field any more."
	}},
	{"validation_mode", func(b, a vault.Definition) string {
		if a.ValidationMode == b.ValidationMode {
			return ""
		}
		switch a.ValidationMode {
		case vault.ModeWarn:
			return "Values that break the definition are stored with warnings. They do not meet hard requirements."
		case vault.ModeDisabled:
			return "Values that break the definition are stored."
		case vault.ModeStrict:
			return "Values that break the definition are rejected."
		}
		return "The configured mode decides about values that break the definition."
	}},
}

// DefinitionEffects returns what a change of a definition does besides what a dry run counts. before is nil for a new
// one; defined are the names that the agent defines.
func DefinitionEffects(before *vault.Definition, after vault.Definition, defined []string) []vault.DryRunEffect {
	var out []vault.DryRunEffect
	old := vault.Definition{Enabled: true, ValidationMode: after.ValidationMode, RetentionDays: after.RetentionDays}
	if before != nil {
		old = *before
	} else if near, ok := ClosestName(after.Name, defined); ok {
		out = append(out, vault.DryRunEffect{
			Member: "name",
			Text:   "This is a new field. The agent also defines " + near + ": values under that name stay there.",
		})
	}
	for _, e := range definitionEffects {
		if text := e.text(old, after); text != "" {
			out = append(out, vault.DryRunEffect{Member: e.member, Text: text})
		}
	}
	if before != nil && before.Origin == vault.OriginExtracted &&
		(before.Review == vault.ReviewPending || before.Review == vault.ReviewRejected) {
		out = append(out, vault.DryRunEffect{
			Member: "review_state",
			Text:   "The suggestion becomes a definition of a person. Hard requirements for it block customers.",
		})
	}
	return out
}

// Texts are the scenarios and rules of an agent, by id.
type Texts struct {
	Scenarios map[uuid.UUID]vault.Scenario
	Rules     map[uuid.UUID]vault.Rule
}

// about returns a reference to a requirement.
func (t Texts) about(r vault.Requirement, as, problem string) vault.DryRunReference {
	out := vault.DryRunReference{
		ScenarioID: r.ScenarioID, ScenarioName: t.Scenarios[r.ScenarioID].Name, StepID: r.StepID, RuleID: r.RuleID,
		RequirementID: &r.ID, FieldName: r.FieldName, Kind: as, Problem: problem,
	}
	if r.RuleID != nil {
		out.RuleName = t.Rules[*r.RuleID].Name
	}
	return out
}

// FieldReferences returns what names a field: the requirements for it, the conditions that read it and the dependencies
// on it, then the step conditions and rules that read it as an expression. Each says what would be wrong with it once
// the definitions are as given. Rejected requirements do not count.
func FieldReferences(
	name string, definitions map[string]vault.Definition, requirements []vault.Requirement, texts Texts,
) []vault.DryRunReference {
	types := make(map[string]vault.ValueType, len(definitions))
	for _, d := range definitions {
		types[d.Name] = d.ValueType
	}
	def, defined := definitions[name]
	undefined := "" // the problem of what reads the field
	if !defined {
		undefined = "the agent would not define the field"
	}
	var out []vault.DryRunReference
	for _, r := range requirements {
		if r.Review == vault.ReviewRejected {
			continue
		}
		if r.FieldName == name {
			problem := ""
			switch {
			case !defined:
				problem = undefined
			case !def.Enabled:
				problem = "the field would count as unknown, so nobody is asked for it"
			case r.FallbackAction == vault.FallbackExtract && def.ForbidExtraction:
				problem = "only a conversation could fill it, which forbid_extraction forbids"
			}
			out = append(out, texts.about(r, "requirement", problem))
		}
		if slices.Contains(ConditionFields(r.WhenCondition), name) {
			problem := ""
			if err := CheckConditionTypes(r.WhenCondition, types); err != nil {
				problem = strings.TrimPrefix(err.Error(), "when_condition: ")
			}
			if !defined {
				problem = undefined
			}
			out = append(out, texts.about(r, "condition", problem))
		}
		if slices.Contains(r.DependsOn, name) {
			out = append(out, texts.about(r, "dependency", undefined))
		}
	}
	for _, id := range sortedIDs(texts.Scenarios) {
		s := texts.Scenarios[id]
		for _, step := range s.Steps {
			if reads(step.Condition, name) {
				out = append(out, vault.DryRunReference{
					ScenarioID: s.ID, ScenarioName: s.Name, StepID: step.ID, Kind: "step condition", Problem: undefined,
				})
			}
		}
	}
	for _, id := range sortedIDs(texts.Rules) {
		r := texts.Rules[id]
		if reads(r.Condition, name) || reads(r.Action, name) {
			out = append(out, vault.DryRunReference{
				ScenarioID: r.ScenarioID, ScenarioName: texts.Scenarios[r.ScenarioID].Name, RuleID: &r.ID, RuleName: r.Name,
				Kind: "rule", Problem: undefined,
			})
		}
	}
	return out
}

// reads reports whether a text of a designer is a condition that reads a field, or names it as fields.<name>.
func reads(text, name string) bool {
	if text == "" {
		return false
	}
	if slices.Contains(ConditionFields(text), name) {
		return true
	}
	_, after, found := strings.Cut(text, "fields."+name)
	return found && (after == "" || !strings.ContainsAny(after[:1], "abcdefghijklmnopqrstuvwxyz0123456789_"))
}

func sortedIDs[T any](of map[uuid.UUID]T) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(of), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
}

// TextEffects returns what a change of the texts of a scenario or a rule does, and the requirements that it is about:
// those of the scenario without its rules, or those of the rule. steps is nil for a rule. texts are the new ones.
func TextEffects(
	requirements []vault.Requirement, texts Texts, steps *vault.Scenario, now []string,
) (effects []vault.DryRunEffect, references []vault.DryRunReference) {
	replaced, kept := 0, 0
	for _, r := range requirements {
		if r.Review == vault.ReviewRejected {
			continue
		}
		unreviewed := r.Origin == vault.OriginExtracted &&
			(r.Review == "" || r.Review == vault.ReviewNone || r.Review == vault.ReviewPending)
		problem := ""
		switch {
		case steps != nil && r.StepID != "" && !steps.HasStep(r.StepID):
			problem = "the scenario would have no step " + r.StepID + "; the requirement stays, and applies to no other step"
		case r.Quote != "" && !slices.ContainsFunc(now, func(t string) bool { return strings.Contains(t, r.Quote) }):
			problem = "its evidence would not be in the text any more"
			if unreviewed {
				problem += ", and nobody has approved it: the extraction deletes it unless the new text needs it too"
			}
		}
		if unreviewed {
			replaced++
		} else {
			kept++
		}
		references = append(references, texts.about(r, "evidence", problem))
	}
	effects = append(effects, vault.DryRunEffect{Member: "text", Text: fmt.Sprintf(
		"The text is read again. The extraction replaces %d requirements that no person has decided about, and keeps %d. "+
			"What it will find is not known before.", replaced, kept)})
	return effects, references
}

// TextsOf returns the texts of a scenario that requirements are extracted from.
func TextsOf(s vault.Scenario) []string {
	out := []string{s.Description}
	for _, step := range s.Steps {
		out = append(out, step.Text, step.Condition)
	}
	return out
}
