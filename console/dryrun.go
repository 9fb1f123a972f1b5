package console

import (
	"strings"

	"github.com/contextvault/contextvault/vault"
)

func listOrNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// referenceText says what names a field.
func referenceText(r vault.DryRunReference) string {
	text := r.Kind + " of scenario " + r.ScenarioName
	if r.FieldName != "" {
		text += ", field " + r.FieldName
	}
	if r.StepID != "" {
		text += ", step " + r.StepID
	}
	if r.RuleName != "" {
		text += ", rule " + r.RuleName
	}
	return text
}
