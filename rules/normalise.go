package rules

import (
	"encoding/json"
	"strings"

	"github.com/contextvault/contextvault/rules/format"
	"github.com/contextvault/contextvault/rules/internal/unit"
	"github.com/contextvault/contextvault/vault"
)

// Messages about a value of the wrong type. Each follows the value in a message. Those about formats are in package
// format.
const (
	notString  = "is not a text, such as \"Ada Lovelace\""
	blankText  = "is a text without a visible character; omit the field if the value is unknown"
	notNumber  = "is not a number, such as 12.50"
	notBoolean = "is not true or false"
)

// normalise returns the stored form of a value of a definition, or the reason why the value does not have its type. It
// is idempotent. It removes space around a value and the unit of a number. A datetime without
// an offset is read in the definition's time zone, and a phone number without a country code in its region.
func normalise(d vault.Definition, raw json.RawMessage) (json.RawMessage, string) {
	if isBlankText(raw) {
		return nil, blankText
	}
	switch d.ValueType { //nolint:exhaustive // the other types are texts of a format
	case vault.TypeJSON:
		return compact(raw), ""
	case vault.TypeNumber:
		// Keep the literal as written: a float64 would round it.
		s, ok := unit.Trim(d.Unit, TextOf(raw))
		if ok && isNumber(s) && storageProblem(json.RawMessage(s)) == "" {
			return json.RawMessage(s), ""
		}
		if d.Unit != "" {
			return nil, "is not a number in " + d.Unit + ", such as 12.50"
		}
		return nil, notNumber
	case vault.TypeBoolean:
		switch strings.ToLower(strings.TrimSpace(TextOf(raw))) {
		case "true", "yes":
			return json.RawMessage("true"), ""
		case "false", "no":
			return json.RawMessage("false"), ""
		}
		return nil, notBoolean
	}

	isString := jsonType(raw) == vault.TypeString
	s := TextOf(raw)
	if d.ValueType == vault.TypeString {
		if !isString {
			return nil, notString
		}
		return jsonString(strings.TrimSpace(s)), ""
	}
	if !isString {
		s = "" // no format has the empty text, so the problem is that of the type
	}
	out, why := normaliseText(d, strings.TrimSpace(s))
	if why != "" {
		return nil, why
	}
	return jsonString(out), ""
}

// normaliseText returns the stored form of a text of a certain format, or the problem.
func normaliseText(d vault.Definition, s string) (normalised, problem string) {
	switch d.ValueType {
	case vault.TypeEmail:
		return format.Email(s)
	case vault.TypePhone:
		return format.Phone(s, d.DefaultRegion)
	case vault.TypeDate:
		return format.Date(s)
	case vault.TypeDatetime:
		return format.Datetime(s, d.TimeZone)
	case vault.TypeURL:
		return format.URL(s)
	default:
		return "", "has a definition with the unknown type " + string(d.ValueType)
	}
}

// isBlankText reports whether a value is a JSON string that shows nothing.
func isBlankText(raw json.RawMessage) bool {
	var s string
	return jsonType(raw) == vault.TypeString && json.Unmarshal(raw, &s) == nil && format.IsBlank(s)
}
