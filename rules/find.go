package rules

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// A condition on a customer is a text: the name of a field, and what holds for its active value.
const conditionForm = "must be one of field=value, field^=beginning, field:verified, field:present, " +
	"field:missing and field:older_than=30d, such as country=DE"

// ParseConditions parses the conditions of a filter. A customer meets all of them.
func ParseConditions(texts []string) ([]vault.FieldCondition, error) {
	if len(texts) > vault.MaxConditions {
		return nil, vault.Invalid("where", "has %d conditions; it may have %d", len(texts), vault.MaxConditions)
	}
	out := make([]vault.FieldCondition, len(texts))
	for i, text := range texts {
		c, why := parseCondition(text)
		if why != "" {
			return nil, vault.Invalid("where["+strconv.Itoa(i)+"]", "%s", why)
		}
		out[i] = c
	}
	return out, nil
}

// parseCondition parses one condition, or returns what is wrong, without the text, which can hold a customer's value.
func parseCondition(text string) (c vault.FieldCondition, problem string) {
	end := strings.IndexAny(text, "=:^")
	if end < 0 || !vault.NamePattern.MatchString(text[:end]) || end > vault.MaxNameLength {
		return c, conditionForm
	}
	c.Field = text[:end]
	rest := text[end+1:]
	if text[end] == '=' {
		c.Kind, c.Text = vault.ConditionEquals, rest
		if strings.TrimSpace(rest) == "" {
			return c, "has no value after the =; " + conditionForm
		}
		return c, ""
	}
	if text[end] == '^' {
		c.Kind, c.Text = vault.ConditionBegins, strings.TrimPrefix(rest, "=")
		switch {
		case len(c.Text) == len(rest):
			return c, conditionForm
		case strings.TrimSpace(c.Text) == "":
			return c, "has no text after the ^=; " + conditionForm
		}
		return c, ""
	}
	kind, argument, has := strings.Cut(rest, "=")
	c.Kind = vault.ConditionKind(kind)
	switch c.Kind {
	case vault.ConditionVerified, vault.ConditionPresent, vault.ConditionMissing:
		if has {
			return c, "takes no value: " + conditionForm
		}
		return c, ""
	case vault.ConditionOlderThan:
		age, ok := parseAge(argument)
		if !ok {
			return c, "has no age such as 30d, 12h or 90m after older_than="
		}
		c.Age = age
		return c, ""
	case vault.ConditionEquals, vault.ConditionBegins: // written as = and ^=
	}
	return c, conditionForm
}

// maxAgeDays bounds the age of a condition: 100 years.
const maxAgeDays = 36_500

// parseAge parses a number of days, such as 30d, or a duration of Go, such as 12h or 1h30m.
func parseAge(text string) (time.Duration, bool) {
	const day = 24 * time.Hour
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * day, err == nil && 0 <= n && n <= maxAgeDays
	}
	age, err := time.ParseDuration(text)
	return age, err == nil && 0 <= age && age <= maxAgeDays*day
}

// WantedValues returns the stored forms of the text of a condition: what each definition of the field makes of it. A
// definition for whose type it is no value has none. If no definition has any, the problem says what would be right.
func WantedValues(defs []vault.Definition, text string) (values []json.RawMessage, problem string) {
	for _, d := range defs {
		raw := jsonString(text)
		switch {
		case d.Multiple:
			problem = "is a list; a filter compares single values"
			continue
		case d.ValueType == vault.TypeJSON:
			problem = "has the type json; a filter compares no structures"
			continue
		}
		value, why := normalise(d, raw)
		if why == "" && len(d.AllowedValues) > 0 {
			if allowed, ok := findAllowed(d, value); ok {
				value = allowed
			}
		}
		switch {
		case why != "":
			problem = "the value to find " + why
		case !containsValue(values, value):
			values = append(values, value)
		}
	}
	if len(values) > 0 {
		problem = ""
	}
	return values, problem
}

func containsValue(values []json.RawMessage, value json.RawMessage) bool {
	for _, v := range values {
		if bytes.Equal(v, value) {
			return true
		}
	}
	return false
}

// MatchText returns the text by which a sealed value is compared in filters: without the case of ASCII letters, numbers
// by value. PostgreSQL's match_text does the same for plain values.
func MatchText(value json.RawMessage) string {
	text := TextOf(value)
	if jsonType(value) == vault.TypeNumber {
		return canonicalNumber(text)
	}
	return lowerASCII(text)
}

// PrefixText returns the text by which the beginning of a value is compared. PostgreSQL's prefix_text does the same.
func PrefixText(text string) string { return lowerASCII(text) }

func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, text)
}
