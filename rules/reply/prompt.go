package reply

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// ConfirmPrompt returns the question that asks a customer whether a value is right. It does not contain the value of a
// secret definition.
func ConfirmPrompt(d vault.Definition, value json.RawMessage) string {
	if d.Secret() {
		return d.Label() + ": is the recorded value right?"
	}
	return d.Label() + ": " + displayText(value) + ". Is that right?"
}

// ReplacePrompt returns the question that asks a customer whether a value replaces the one on record. It does not
// contain the value of a secret definition.
func ReplacePrompt(d vault.Definition, value json.RawMessage) string {
	if d.Secret() {
		return d.Label() + ": you gave a new value. Does it replace the one that we have on record?"
	}
	return d.Label() + ": " + displayText(value) + ". Does this replace what we have on record?"
}

// Confirmable reports whether the answer "yes" confirms a value. If yes and no are themselves values of the field, only
// the value yes is confirmable: the answer "yes" to "no. Is that right?" is ambiguous. A value that is not confirmable
// needs a question of kind value.
func Confirmable(d vault.Definition, value json.RawMessage) bool {
	if d.ValueType != vault.TypeBoolean && !yesNoAreValues(d) {
		return true
	}
	return strings.EqualFold(displayText(value), "yes")
}

// displayText returns a value as text for a customer.
func displayText(value json.RawMessage) string {
	switch text := plainText(value); text {
	case "true":
		return "yes"
	case "false":
		return "no"
	default:
		return text
	}
}

// yesNoAreValues reports whether yes or no is one of the allowed values.
func yesNoAreValues(d vault.Definition) bool {
	return slices.ContainsFunc(d.AllowedValues, func(raw json.RawMessage) bool {
		w := fold(displayText(raw))
		return w == "yes" || w == "no"
	})
}
