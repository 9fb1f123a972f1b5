package reply

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// ConfirmPrompt returns the question that asks a customer whether a value is right. It does not contain the value of a
// secret definition.
func ConfirmPrompt(d vault.Definition, value json.RawMessage) string {
	if d.Secret() {
		return d.Label() + ": is the recorded value right?"
	}
	return d.Label() + ": " + displayText(d, value) + ". Is that right?"
}

// ReplacePrompt returns the question that asks a customer whether a value replaces the one on record. It does not
// contain the value of a secret definition.
func ReplacePrompt(d vault.Definition, value json.RawMessage) string {
	if d.Secret() {
		return d.Label() + ": you gave a new value. Does it replace the one that we have on record?"
	}
	return d.Label() + ": " + displayText(d, value) + ". Does this replace what we have on record?"
}

// Confirmable reports whether the answer "yes" confirms a value. If yes and no are themselves values of the field, only
// the value yes is confirmable: the answer "yes" to "no. Is that right?" is ambiguous. A value that is not confirmable
// needs a question of kind value.
func Confirmable(d vault.Definition, value json.RawMessage) bool {
	if d.ValueType != vault.TypeBoolean && !yesNoAreValues(d) {
		return true
	}
	return strings.EqualFold(displayText(d, value), "yes")
}

// displayText returns a value as text for a customer. A number has its unit, a list its elements.
func displayText(d vault.Definition, value json.RawMessage) string {
	if d.Multiple {
		var texts []string
		d.Multiple = false
		for _, e := range rules.Elements(value) {
			texts = append(texts, displayText(d, e))
		}
		return strings.Join(texts, ", ")
	}
	switch text := rules.TextOf(value); {
	case text == "true":
		return "yes"
	case text == "false":
		return "no"
	case d.ValueType == vault.TypeNumber && d.Unit != "":
		return text + " " + d.Unit
	default:
		return text
	}
}

// yesNoAreValues reports whether yes or no is one of the allowed values.
func yesNoAreValues(d vault.Definition) bool {
	return slices.ContainsFunc(d.AllowedValues, func(raw json.RawMessage) bool {
		w := fold(displayText(d, raw))
		return w == "yes" || w == "no"
	})
}
