package rules

import (
	"fmt"
	"slices"

	"github.com/contextvault/contextvault/vault"
)

// UndefinedReferences returns one warning for each field that a requirement reads in its condition or depends on, and
// that is not among the defined names. A warning says what follows, and names the closest defined field, if one is
// close.
func UndefinedReferences(r vault.Requirement, defined []string) []string {
	var warnings []string
	add := func(member, name, effect string) {
		if slices.Contains(defined, name) {
			return
		}
		warning := fmt.Sprintf("%s: the agent defines no field %s, so %s", member, name, effect)
		if closest, ok := ClosestName(name, defined); ok {
			warning += "; did you mean " + closest + "?"
		}
		warnings = append(warnings, warning)
	}
	for _, name := range ConditionFields(r.WhenCondition) {
		add("when_condition", name, "the condition finds no value of it")
	}
	for i, name := range r.DependsOn {
		add(fmt.Sprintf("depends_on_fields[%d]", i), name, "the requirement never applies")
	}
	return warnings
}

// ClosestName returns the name that differs least from an unknown one, and false if none is close: at most one letter
// in three may differ. A swap of two letters counts as one difference.
func ClosestName(unknown string, names []string) (string, bool) {
	best, least := "", len(unknown)/3+1
	for _, name := range slices.Sorted(slices.Values(names)) {
		if SameName(unknown, name) {
			return name, true
		}
		if d := editDistance(unknown, name); d < least {
			best, least = name, d
		}
	}
	return best, best != ""
}

// editDistance is the number of insertions, deletions, replacements and swaps of neighbours that turn a into b.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
