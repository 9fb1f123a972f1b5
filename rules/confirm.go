package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// ConfirmPrompt is the question that asks a customer whether a value is right. It leaves out what is secret.
func ConfirmPrompt(d vault.Definition, value json.RawMessage) string {
	if d.Secret() {
		return d.Label() + ": is the recorded value right?"
	}
	return d.Label() + ": " + displayText(value) + ". Is that right?"
}

// Confirmable reports whether "yes" says that a value is right. Where yes and no are themselves values of the field, it does for a
// yes alone: "yes" to the question whether no is right may mean either. Such a value is asked for plainly.
func Confirmable(d vault.Definition, value json.RawMessage) bool {
	if d.ValueType != vault.TypeBoolean && !yesNoAreValues(d) {
		return true
	}
	yes, clear := yesOrNo(value)
	return yes && clear
}

// spoken gives a value as it is said to a customer.
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

// Reply is what a customer's answer to a confirmation comes to.
type Reply string

const (
	ReplyYes   Reply = "yes"   // the candidate is right
	ReplyNo    Reply = "no"    // it is wrong, and the answer does not say what would be right
	ReplyOther Reply = "other" // the answer is another value
)

// ReadReply reads an answer to the question whether candidate is right. Where yes and no are themselves values of the field,
// as those of a boolean are, the answer is taken for the value: "no" to the question whether yes is right says no.
func ReadReply(def vault.Definition, candidate, answer json.RawMessage) (Reply, json.RawMessage) {
	said, clear := yesOrNo(answer)
	if clear && def.ValueType == vault.TypeBoolean {
		answer, _ = json.Marshal(said) // a bool always encodes
	} else if clear && !yesNoAreValues(def) {
		if said {
			return ReplyYes, candidate
		}
		return ReplyNo, nil
	}
	if checked, err := CheckValue(&def, def.Name, answer, vault.ModeStrict); err == nil && sameValue(def.ValueType, checked.Value, candidate) {
		return ReplyYes, candidate
	}
	return ReplyOther, answer
}

// yesNoAreValues reports whether a field has yes or no among its allowed values.
func yesNoAreValues(def vault.Definition) bool {
	return slices.ContainsFunc(def.AllowedValues, func(raw json.RawMessage) bool {
		_, clear := yesOrNo(raw)
		return clear
	})
}

// yesOrNo reads the answers that mean yes or no and nothing else.
func yesOrNo(answer json.RawMessage) (yes, clear bool) {
	switch strings.Trim(foldText(textOf(answer)), " .!") {
	case "true", "yes", "y", "yeah", "yep", "yup", "correct", "right", "that's right", "that is right", "that's correct", "that is correct", "yes please", "confirmed":
		return true, true
	case "false", "no", "n", "nope", "wrong", "incorrect", "not right", "that's wrong", "that is wrong", "not correct":
		return false, true
	default:
		return false, false
	}
}
