package rules

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/vault"
)

// Masked replaces what a masked value hides, and a text that is not shown.
const Masked = "•••"

// Mask returns a value as a reader without the right to PII sees it, by its type: the first letter and the domain of an
// email address, the last two digits of a phone number, the year of a date or a time, the first letter of a
// text of at least four, and of anything else only that there is a value. The elements of a list are
// masked one by one. An empty value is as it is.
func Mask(kind vault.ValueType, value json.RawMessage) json.RawMessage {
	if IsEmpty(value) {
		return value
	}
	var list []json.RawMessage
	if kind != vault.TypeJSON && json.Unmarshal(value, &list) == nil && list != nil {
		for i := range list {
			list[i] = Mask(kind, list[i])
		}
		return encodeMasked(list)
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return encodeMasked(Masked)
	}
	return encodeMasked(maskText(kind, text))
}

func encodeMasked(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage(`"` + Masked + `"`)
	}
	return out
}

func maskText(kind vault.ValueType, text string) string {
	switch kind {
	case vault.TypeEmail:
		if at := strings.LastIndexByte(text, '@'); at > 0 {
			return firstOf(text[:at]) + Masked + text[at:]
		}
	case vault.TypePhone:
		var digits []rune
		for _, r := range text {
			if '0' <= r && r <= '9' {
				digits = append(digits, r)
			}
		}
		if len(digits) >= 6 {
			return Masked + string(digits[len(digits)-2:])
		}
	case vault.TypeDate, vault.TypeDatetime:
		if len(text) > 5 && text[4] == '-' &&
			!strings.ContainsFunc(text[:4], func(r rune) bool { return r < '0' || r > '9' }) {
			return text[:4] + "-" + Masked
		}
	case vault.TypeString:
		if utf8.RuneCountInString(text) >= 4 {
			return firstOf(text) + Masked
		}
	default: // a part would say too much, or nothing
	}
	return Masked
}

// firstOf returns the first letter of a text of at least two letters, "" of a shorter one, which it would show whole.
func firstOf(text string) string {
	if utf8.RuneCountInString(text) < 2 {
		return ""
	}
	_, size := utf8.DecodeRuneInString(text)
	return text[:size]
}

// MaskIdentity masks the identity of a customer on a channel: an email address or a phone number as such, of anything
// else only that there is one.
func MaskIdentity(identity string) string {
	if strings.Contains(identity, "@") {
		return maskText(vault.TypeEmail, identity)
	}
	return maskText(vault.TypePhone, identity)
}
