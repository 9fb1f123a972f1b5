package rules

import (
	"encoding/json"
	"strings"

	"github.com/contextvault/contextvault/rules/format"
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

// normalise returns the stored form of a value of type t, or the reason why the value does not have that type. It is
// idempotent. It removes space around a value, except around a string.
func normalise(t vault.ValueType, raw json.RawMessage) (json.RawMessage, string) {
	if isBlankText(raw) {
		return nil, blankText
	}
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
		if !isString {
			return nil, notString
		}
		return jsonString(s), ""
	}
	normaliseText, ok := textFormats[t]
	if !ok {
		return nil, "has a definition with the unknown type " + string(t)
	}
	if !isString {
		_, why := normaliseText("")
		return nil, why
	}
	out, why := normaliseText(strings.TrimSpace(s))
	if why != "" {
		return nil, why
	}
	return jsonString(out), ""
}

// textFormats are the types with values that are texts of a certain format. A function returns the stored form, or the
// problem.
var textFormats = map[vault.ValueType]func(string) (normalised, problem string){
	vault.TypeEmail:    format.Email,
	vault.TypePhone:    format.Phone,
	vault.TypeDate:     format.Date,
	vault.TypeDatetime: format.Datetime,
	vault.TypeURL:      format.URL,
}

// isBlankText reports whether a value is a JSON string that shows nothing.
func isBlankText(raw json.RawMessage) bool {
	var s string
	return jsonType(raw) == vault.TypeString && json.Unmarshal(raw, &s) == nil && format.IsBlank(s)
}
