package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/rules/internal/bounded"
	"github.com/contextvault/contextvault/vault"
)

// failedPrefix starts every message about a rejected value. The documentation quotes it, so it must not change.
const failedPrefix = "Field validation failed: "

// Checked is the result of the validation of a value.
type Checked struct {
	// Value is the value to store: normalised, or as received if it cannot be normalised.
	Value json.RawMessage
	// ValueType is the type of the definition, or the kind of JSON if the value has another type or there is no
	// definition.
	ValueType vault.ValueType
	// Warnings are the problems that mode warn accepted, without the value. nil in the other modes.
	Warnings []string
}

// EffectiveMode returns the validation mode of a field: that of the enabled definition, else the configured one, else
// strict.
func EffectiveMode(def *vault.Definition, configured vault.ValidationMode) vault.ValidationMode {
	switch {
	case def != nil && def.Enabled && def.ValidationMode.Valid():
		return def.ValidationMode
	case configured.Valid():
		return configured
	default:
		return vault.ModeStrict
	}
}

// CheckValue validates a value against the definition of its field and normalises it.
//
// A definition that is nil or not enabled means that the field is unknown. mode is the effective mode (see
// EffectiveMode). For a value that breaks a rule, strict returns a *vault.Error with all problems, warn returns the
// value with Warnings, and disabled does not validate. Every mode rejects values that cannot be stored: invalid JSON,
// null, more than vault.MaxValueBytes, and characters, numbers or repeated members of an object that PostgreSQL's jsonb
// cannot store.
//
// The message of an error never contains the value. Its Detail quotes the value, unless the definition is secret or
// nil.
func CheckValue(def *vault.Definition, name string, raw json.RawMessage, mode vault.ValidationMode) (Checked, error) {
	if def != nil && !def.Enabled {
		def = nil
	}
	if e := checkStorable(name, raw); e != nil {
		return Checked{}, e
	}
	asSent := Checked{Value: compact(raw), ValueType: jsonType(raw)}
	if mode == vault.ModeDisabled {
		if def != nil {
			asSent.ValueType = def.ValueType
		}
		return asSent, nil
	}
	checked, findings := asSent, []finding{{text: "is not a field that this agent defines"}}
	switch {
	case def != nil:
		checked, findings = checkAgainst(*def, asSent)
	case isBlankText(asSent.Value):
		findings = append(findings, finding{text: blankText, ofValue: true})
	}
	if len(findings) == 0 {
		return checked, nil
	}
	if mode == vault.ModeWarn {
		for _, f := range findings {
			checked.Warnings = append(checked.Warnings, f.about(name, "the value"))
		}
		return checked, nil
	}
	return Checked{}, validationError(name, findings, quotedValue(def, asSent.Value))
}

// checkStorable returns the error for a value that every mode rejects, nil for other values.
func checkStorable(name string, raw json.RawMessage) *vault.Error {
	why := storageProblem(raw)
	if why == "" && isNull(raw) {
		why = "is null, which is not a value"
	}
	if why == "" {
		return nil
	}
	return validationError(name, []finding{{text: why, ofValue: true}}, "")
}

// checkAgainst validates a value against its definition. The returned value is normalised as far as possible.
func checkAgainst(def vault.Definition, sent Checked) (Checked, []finding) {
	if def.Multiple {
		return checkList(def, sent)
	}
	value, why := normalise(def, sent.Value)
	if why != "" {
		return sent, []finding{{text: why, ofValue: true}}
	}
	checked := Checked{Value: value, ValueType: def.ValueType}
	var findings []finding
	if len(def.AllowedValues) > 0 {
		if allowed, ok := findAllowed(def, value); ok {
			checked.Value = allowed
		} else {
			text := "is not one of the allowed values: " + listAllowed(def.AllowedValues)
			findings = append(findings, finding{text: text, ofValue: true})
		}
	}
	if why := limitOrSchemaProblem(def, value); why != "" {
		findings = append(findings, finding{text: why, ofValue: true})
	}
	if def.ValidationRegex != "" {
		re, err := bounded.Compile(def.ValidationRegex)
		switch {
		case err != nil:
			text := "cannot be checked, because the validation_regex of its definition does not compile or is too large"
			findings = append(findings, finding{text: text, ofValue: true})
		case re.TooLong(TextOf(checked.Value)):
			text := fmt.Sprintf("is too long to be checked against the validation_regex of its definition: at most %d bytes",
				re.MaxText())
			findings = append(findings, finding{text: text, ofValue: true})
		case !re.MatchesWhole(TextOf(checked.Value)):
			findings = append(findings, finding{text: "does not match the pattern " + def.ValidationRegex, ofValue: true})
		}
	}
	return checked, findings
}

// finding is one problem of a value.
type finding struct {
	text    string // the problem and the remedy, without the value
	ofValue bool   // the text follows the quoted value, or "the value"
}

// about returns the finding as a message for a field. value is the quoted value, or "the value".
func (f finding) about(name, value string) string {
	if f.ofValue {
		return name + ": " + value + " " + f.text
	}
	return name + ": " + f.text
}

// validationError returns the error for a rejected value. quoted is empty if the value must not be shown.
func validationError(name string, findings []finding, quoted string) *vault.Error {
	plain, quoting := make([]string, len(findings)), make([]string, len(findings))
	for i, f := range findings {
		plain[i], quoting[i] = f.about(name, "the value"), f.about(name, quoted)
	}
	e := &vault.Error{Code: vault.CodeInvalid, Field: name, Message: failedPrefix + strings.Join(plain, "; ")}
	if quoted != "" {
		e.Detail = failedPrefix + strings.Join(quoting, "; ")
	}
	return e
}

// quotedValue returns the value as quoted in a message, "" if it must not be quoted.
func quotedValue(def *vault.Definition, raw json.RawMessage) string {
	if def == nil || def.IsPII || def.EncryptionRequired {
		return ""
	}
	if raw[0] == '"' {
		return strconv.Quote(truncate(TextOf(raw)))
	}
	return truncate(string(raw))
}

// truncate shortens a text for a message.
func truncate(s string) string {
	const limit = 60 // characters
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}

// jsonType returns the value type of this kind of JSON.
func jsonType(raw json.RawMessage) vault.ValueType {
	switch c := bytes.TrimSpace(raw)[0]; {
	case c == '"':
		return vault.TypeString
	case c == 't' || c == 'f':
		return vault.TypeBoolean
	case c == '-' || isDigit(c):
		return vault.TypeNumber
	default:
		return vault.TypeJSON
	}
}

// compact removes the space between the tokens of valid JSON.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return raw
	}
	return b.Bytes()
}

// TextOf returns a JSON string without its quotes, and any other JSON as it is written.
func TextOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// jsonString returns a string as JSON, without unnecessary escapes.
func jsonString(s string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("encode a string: " + err.Error()) // impossible: every string has a JSON form
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
