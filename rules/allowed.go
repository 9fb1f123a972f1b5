package rules

import (
	"bytes"
	"encoding/json"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/contextvault/contextvault/vault"
)

// findAllowed gives the allowed value that a normalised value equals, in the definition's own spelling. Texts are compared
// without regard to case and surrounding space, numbers by what they are worth, the rest in normalised form.
func findAllowed(def vault.Definition, value json.RawMessage) (json.RawMessage, bool) {
	var loose json.RawMessage
	for _, raw := range def.AllowedValues {
		allowed, why := normalise(def.ValueType, raw)
		if why != "" {
			continue // Definition.Check refuses such a value; an old one allows nothing
		}
		if bytes.Equal(allowed, value) {
			return allowed, true
		}
		if loose == nil && sameValue(def.ValueType, allowed, value) {
			loose = allowed
		}
	}
	return loose, loose != nil
}

// sameValue compares two normalised values of a type.
func sameValue(t vault.ValueType, a, b json.RawMessage) bool {
	switch t {
	case vault.TypeString:
		return strings.EqualFold(comparableText(a), comparableText(b))
	case vault.TypeNumber:
		return sameNumber(string(a), string(b))
	case vault.TypeJSON:
		return canonicalJSON(a) == canonicalJSON(b)
	default:
		return bytes.Equal(a, b)
	}
}

// comparableText gives a string such that accents entered in two ways are the same.
func comparableText(raw json.RawMessage) string {
	return norm.NFC.String(strings.TrimSpace(textOf(raw)))
}

// canonicalJSON gives one spelling to all JSON that means the same: sorted keys, no space, numbers by what they are worth.
func canonicalJSON(raw json.RawMessage) string {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return string(raw)
	}
	out, err := json.Marshal(canonicalNumbers(v))
	if err != nil {
		return string(raw)
	}
	return string(out)
}

func canonicalNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return json.Number(canonicalNumber(v.String()))
	case []any:
		for i := range v {
			v[i] = canonicalNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = canonicalNumbers(v[k])
		}
	}
	return v
}

// listAllowed names the allowed values for a message, the first of them where there are many.
func listAllowed(values []json.RawMessage) string {
	const most = 10
	texts := make([]string, 0, most)
	for _, v := range values {
		if len(texts) == most {
			return strings.Join(texts, ", ") + ", …"
		}
		texts = append(texts, truncate(textOf(v)))
	}
	return vault.OneOf(texts)
}
