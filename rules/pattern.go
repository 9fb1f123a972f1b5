package rules

import (
	"github.com/contextvault/contextvault/rules/internal/bounded"
	"github.com/contextvault/contextvault/vault"
)

// CheckPattern returns the reason why a regular expression cannot be a validation_regex, nil if it can.
func CheckPattern(expr string) error {
	_, err := bounded.Compile(expr)
	return err
}

// PatternSteps returns the maximum number of steps of the check of a value against the validation_regex of its
// definition. It is 0 for a value that is not matched. An import limits the sum to vault.MaxImportRegexSteps.
func PatternSteps(def *vault.Definition, value []byte, mode vault.ValidationMode) int {
	if def == nil || !def.Enabled || def.ValidationRegex == "" || mode == vault.ModeDisabled {
		return 0
	}
	p, err := bounded.Compile(def.ValidationRegex)
	if err != nil || len(value) > p.MaxText()+2 { // refused without a match; 2: the quotes
		return 0
	}
	return p.Steps(len(value))
}
