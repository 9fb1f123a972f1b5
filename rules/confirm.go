package rules

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

// ReplacePrompt returns the question that asks a customer whether a value replaces the one on record. It does not contain
// the value of a secret definition.
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
	yes, clear := yesOrNo(value)
	return yes && clear
}

// displayText returns a value as text for a customer.
func displayText(value json.RawMessage) string {
	switch text := textOf(value); text {
	case "true":
		return "yes"
	case "false":
		return "no"
	default:
		return text
	}
}

// Reply is the meaning of a customer's answer to a confirmation.
type Reply string

const (
	ReplyYes   Reply = "yes"   // the candidate is right
	ReplyNo    Reply = "no"    // the candidate is wrong, and the answer has no other value
	ReplyOther Reply = "other" // the answer is another value
)

// ReadReply reads an answer to the question whether candidate is right. It returns the confirmed or the new value, nil
// for ReplyNo. If yes and no are themselves values of the field, such as for a boolean, the answer is the value: "no"
// to the candidate true is another value.
func ReadReply(def vault.Definition, candidate, answer json.RawMessage) (Reply, json.RawMessage) {
	yes, clear := yesOrNo(answer)
	if clear && def.ValueType == vault.TypeBoolean {
		answer, _ = json.Marshal(yes) // a bool never fails
	} else if clear && !yesNoAreValues(def) {
		if yes {
			return ReplyYes, candidate
		}
		return ReplyNo, nil
	}
	checked, err := CheckValue(&def, def.Name, answer, vault.ModeStrict)
	if err == nil && sameValue(def.ValueType, checked.Value, candidate) {
		return ReplyYes, candidate
	}
	return ReplyOther, answer
}

// yesNoAreValues reports whether yes or no is one of the allowed values.
func yesNoAreValues(def vault.Definition) bool {
	return slices.ContainsFunc(def.AllowedValues, func(raw json.RawMessage) bool {
		_, clear := yesOrNo(raw)
		return clear
	})
}

// yesOrNo reads answers that are only a yes or a no. clear is false for any other answer.
func yesOrNo(answer json.RawMessage) (yes, clear bool) {
	switch strings.Trim(foldText(textOf(answer)), " .!") {
	case "true", "yes", "y", "yeah", "yep", "yup", "correct", "right", "that's right", "that is right",
		"that's correct", "that is correct", "yes please", "confirmed":
		return true, true
	case "false", "no", "n", "nope", "wrong", "incorrect", "not right", "that's wrong", "that is wrong", "not correct":
		return false, true
	default:
		return false, false
	}
}
