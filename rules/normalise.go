package rules

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/contextvault/contextvault/vault"
)

// Messages about a value of the wrong type. Each follows the value in a message.
const (
	notString   = "is not a text, such as \"Ada Lovelace\""
	emptyString = "is an empty text; omit the field if the value is unknown"
	notEmail    = "is not an email address, such as name@example.com"
	notPhone    = "is not a phone number in international format, such as +14155552671"
	notDate     = "is not a date, such as 1990-03-31"
	notDatetime = "is not a date and time in RFC 3339, such as 2026-03-31T14:30:00Z"
	notNumber   = "is not a number, such as 12.50"
	notBoolean  = "is not true or false"
	notURL      = "is not a web address, such as https://example.com/page"
)

// normalise returns the stored form of a value of type t, or the reason why the value does not have that type. It is
// idempotent. It removes space around a value, except around a string.
func normalise(t vault.ValueType, raw json.RawMessage) (json.RawMessage, string) {
	switch t { //nolint:exhaustive // the other types are texts, below
	case vault.TypeJSON:
		return compact(raw), ""
	case vault.TypeNumber:
		// Keep the literal as written: a float64 would round it.
		if s := strings.TrimSpace(textOf(raw)); isNumber(s) && storageProblem(json.RawMessage(s)) == "" {
			return json.RawMessage(s), ""
		}
		return nil, notNumber
	case vault.TypeBoolean:
		switch strings.ToLower(strings.TrimSpace(textOf(raw))) {
		case "true", "yes":
			return json.RawMessage("true"), ""
		case "false", "no":
			return json.RawMessage("false"), ""
		}
		return nil, notBoolean
	}

	isString := jsonType(raw) == vault.TypeString
	s := textOf(raw)
	if t == vault.TypeString {
		switch {
		case !isString:
			return nil, notString
		case strings.TrimSpace(s) == "":
			return nil, emptyString
		default:
			return jsonString(s), ""
		}
	}
	form, ok := textForms[t]
	if !ok {
		return nil, "has a definition with the unknown type " + string(t)
	}
	if isString {
		if out, ok := form.normalise(strings.TrimSpace(s)); ok {
			return jsonString(out), ""
		}
	}
	return nil, form.want
}

// textForms are the types with values that are strings of a certain form.
var textForms = map[vault.ValueType]struct {
	normalise func(string) (string, bool)
	want      string
}{
	vault.TypeEmail:    {normaliseEmail, notEmail},
	vault.TypePhone:    {normalisePhone, notPhone},
	vault.TypeDate:     {normaliseDate, notDate},
	vault.TypeDatetime: {normaliseDatetime, notDatetime},
	vault.TypeURL:      {normaliseURL, notURL},
}

// maxEmailLength is the maximum length of an address in bytes (RFC 5321: a path of 256 with its brackets).
const maxEmailLength = 254

// normaliseEmail converts the domain to lower case. It keeps the local part, because its case may matter to the
// receiver.
func normaliseEmail(s string) (string, bool) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || len(s) > maxEmailLength {
		return "", false
	}
	s = s[:at] + lowerASCII(s[at:])
	return s, validate().Var(s, "email") == nil
}

// phoneShape rejects texts from which the parser would extract only a part: words, letters for digits, an extension, a
// second number.
var phoneShape = regexp.MustCompile(`^\(?\+[0-9 \x{a0}().\-/\x{2010}-\x{2015}]+$`)

// normalisePhone returns a number in the form E.164.
func normalisePhone(s string) (string, bool) {
	if !phoneShape.MatchString(s) {
		return "", false
	}
	number, err := phonenumbers.Parse(s, "ZZ") // no default country: a number without a country code is ambiguous
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}

func normaliseDate(s string) (string, bool) {
	_, err := time.Parse(time.DateOnly, s)
	return s, err == nil
}

// datetimeShape matches RFC 3339, which allows a space and lower case for T and Z. Package time alone would also accept
// T1:04 and a comma.
var datetimeShape = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)([Zz]|[+-]\d{2}:\d{2})$`)

// normaliseDatetime returns a time in UTC.
func normaliseDatetime(s string) (string, bool) {
	m := datetimeShape.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	t, err := time.Parse(time.RFC3339Nano, m[1]+"T"+m[2]+strings.ToUpper(m[3]))
	if err != nil {
		return "", false
	}
	// In the first and the last year, UTC may be in a year that RFC 3339 cannot express.
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return "", false
	}
	return t.Format(time.RFC3339Nano), true
}

func normaliseURL(s string) (string, bool) {
	if strings.ContainsFunc(s, unicode.IsSpace) || validate().Var(s, "http_url") != nil {
		return "", false
	}
	u, err := url.Parse(s)
	return s, err == nil && u.Hostname() != ""
}

// lowerASCII converts ASCII letters to lower case. For some other letters, lower case would be a different letter.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
