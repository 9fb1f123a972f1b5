package rules

import (
	"bytes"
	"encoding/json"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/contextvault/contextvault/vault"
)

// findAllowed returns the allowed value that equals a normalised value, in the definition's spelling. An exact match
// wins. Otherwise strings are compared without case and surrounding space, numbers by value, and other types in
// normalised form.
func findAllowed(def vault.Definition, value json.RawMessage) (json.RawMessage, bool) {
	var loose json.RawMessage
	for _, raw := range def.AllowedValues {
		allowed, why := normalise(def.ValueType, raw)
		if why != "" {
			continue // from before Check rejected such values; it allows nothing
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

// SameValue reports whether two normalised values of type t are equal. Strings are equal without case and surrounding
// space, numbers by value, JSON by structure.
func SameValue(t vault.ValueType, a, b json.RawMessage) bool { return sameValue(t, a, b) }

// sameValue reports whether two normalised values of type t are equal. Strings are equal without case and surrounding
// space, numbers by value, JSON by structure.
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

// comparableText returns a string in Unicode form NFC without surrounding space, so that both encodings of an accent
// are equal.
func comparableText(raw json.RawMessage) string {
	return norm.NFC.String(strings.TrimSpace(textOf(raw)))
}

// canonicalJSON returns the same text for all JSON with the same content: sorted keys, no space, canonical numbers.
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

// listAllowed returns the allowed values as text for a message, at most maxListed of them.
func listAllowed(values []json.RawMessage) string {
	const maxListed = 10
	texts := make([]string, 0, maxListed)
	for _, v := range values {
		if len(texts) == maxListed {
			return strings.Join(texts, ", ") + ", …"
		}
		texts = append(texts, truncate(textOf(v)))
	}
	return vault.OneOf(texts)
}
