package rules

import (
	"fmt"
	"slices"

	"github.com/contextvault/contextvault/vault"
)

// DeletionEffects returns what the deletion of a definition does besides what a dry run counts. references are those of
// FieldReferences without the definition; mergeRules are the names of the merge rules that it would stop.
func DeletionEffects(
	before vault.Definition, references []vault.DryRunReference, mergeRules []string,
) []vault.DryRunEffect {
	var out []vault.DryRunEffect
	say := func(format string, args ...any) {
		out = append(out, vault.DryRunEffect{Member: "name", Text: fmt.Sprintf(format, args...)})
	}
	needed := 0
	for _, r := range references {
		if r.Kind == "requirement" || r.Kind == "dependency" {
			needed++
		}
	}
	if needed > 0 {
		say("The deletion is refused while requirements need the field or depend on it (%d). Delete these first, or disable "+
			"the field.", needed)
	}
	if before.Enabled {
		say("The collected values stay. The field counts as unknown: mode strict rejects its values, and nobody is asked " +
			"for it.")
	}
	for _, name := range mergeRules {
		say("The merge rule %s compares customers by the field, and cannot be applied any more.", name)
	}
	gone := before
	gone.IsPII, gone.Purposes = false, nil
	for _, e := range DefinitionEffects(&before, gone, nil) {
		if e.Member != "review_state" {
			out = append(out, e)
		}
	}
	return out
}

// WithoutRequirement returns requirements without one, and what depends on its field, or reads it in a condition: the
// scenario would not ask for the field any more.
func WithoutRequirement(
	all []vault.Requirement, deleted vault.Requirement, texts Texts,
) (out []vault.Requirement, references []vault.DryRunReference) {
	out = slices.DeleteFunc(slices.Clone(all), func(r vault.Requirement) bool { return r.ID == deleted.ID })
	asked := slices.ContainsFunc(out, func(r vault.Requirement) bool {
		return r.FieldName == deleted.FieldName && r.Review != vault.ReviewRejected
	})
	for _, r := range out {
		if asked || r.Review == vault.ReviewRejected {
			continue
		}
		if slices.Contains(r.DependsOn, deleted.FieldName) {
			references = append(references, texts.about(r, "dependency",
				"the scenario would not ask for the field, so this one waits until something else fills it"))
		}
		if slices.Contains(ConditionFields(r.WhenCondition), deleted.FieldName) {
			references = append(references, texts.about(r, "condition",
				"the scenario would not ask for the field, so the condition sees what something else fills"))
		}
	}
	return out, references
}
