package rules

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// failedPrefix starts every message about a value that was rejected; the documentation names it.
const failedPrefix = "Field validation failed: "

// Checked is what came of looking at a value.
type Checked struct {
	Value     json.RawMessage // the value as it is to be stored: normalised, or as it came where it could not be
	ValueType vault.ValueType // the definition's type; what kind of JSON it is where the value does not suit the definition, or there is none
	Warnings  []string        // what mode warn let through, without the value; nil in the other modes
}

// EffectiveMode gives the mode that applies to a field: the definition's own, else the configured one, else strict. The mode
// of a definition that is not enabled does not count.
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

// CheckValue checks a value against the definition of its field and normalises it.
//
// A nil definition, or one that is not enabled, means that the agent has no such field. The mode is the effective one (see
// EffectiveMode), and decides what happens to a value that breaks a rule: strict gives an *Error with all that is wrong, warn
// stores the value with Warnings, disabled does not look at all. What cannot be stored is rejected in every mode: no JSON,
// null, more than MaxValueBytes, characters or numbers that PostgreSQL's jsonb cannot hold.
//
// The message of an error never holds the value. Its Detail quotes it, unless the field is PII, encrypted, or undefined.
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
	if def != nil {
		checked, findings = checkAgainst(*def, asSent)
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

// checkStorable rejects what is rejected in every mode.
func checkStorable(name string, raw json.RawMessage) *vault.Error {
	why := storageProblem(raw, vault.MaxValueBytes)
	if why == "" && isNull(raw) {
		why = "is null, which is not a value"
	}
	if why == "" {
		return nil
	}
	return validationError(name, []finding{{text: why, ofValue: true}}, "")
}

// examine checks a value against its definition. The value that it gives is normalised as far as that was possible.
func checkAgainst(def vault.Definition, sent Checked) (Checked, []finding) {
	value, why := normalise(def.ValueType, sent.Value)
	if why != "" {
		return sent, []finding{{text: why, ofValue: true}}
	}
	checked := Checked{Value: value, ValueType: def.ValueType}
	var findings []finding
	if len(def.AllowedValues) > 0 {
		if allowed, ok := findAllowed(def, value); ok {
			checked.Value = allowed
		} else {
			findings = append(findings, finding{text: "is not one of the allowed values: " + listAllowed(def.AllowedValues), ofValue: true})
		}
	}
	if def.ValidationRegex != "" {
		re, err := compilePattern(def.ValidationRegex)
		switch {
		case err != nil:
			findings = append(findings, finding{text: "cannot be checked, because the validation_regex of its definition does not compile", ofValue: true})
		case !matchesWhole(re, textOf(checked.Value)):
			findings = append(findings, finding{text: "does not match the pattern " + def.ValidationRegex, ofValue: true})
		}
	}
	return checked, findings
}

// finding is one thing that is wrong with a value.
type finding struct {
	text    string // what is wrong and what would be right, without the value
	ofValue bool   // the text follows the value, or "the value" where it may not be quoted
}

// about words the finding for a field, with the value or with a stand-in for it.
func (f finding) about(name, value string) string {
	if f.ofValue {
		return name + ": " + value + " " + f.text
	}
	return name + ": " + f.text
}

// failed makes the error of a value that was rejected. quoted is empty where the value must not be shown.
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

// quotable gives the value as a message may quote it, "" where it may not.
func quotedValue(def *vault.Definition, raw json.RawMessage) string {
	if def == nil || def.IsPII || def.EncryptionRequired {
		return ""
	}
	if raw[0] == '"' {
		return strconv.Quote(truncate(textOf(raw)))
	}
	return truncate(string(raw))
}

// shorten cuts what a message quotes to a length that still fits on a line.
func truncate(s string) string {
	const limit = 60 // characters
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}

// jsonKind gives the value type that every value of this kind of JSON has.
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

// compact removes the space between the tokens of valid JSON, and nothing else.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return raw
	}
	return b.Bytes()
}

// textOf gives a JSON value as a person reads it: a string without its quotes, anything else as it is written.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// jsonString writes a string as JSON, with nothing escaped that need not be.
func jsonString(s string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("encode a string: " + err.Error()) // cannot happen: every string has a JSON form
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
