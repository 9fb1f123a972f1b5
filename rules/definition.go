package rules

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/contextvault/contextvault/rules/format"
	"github.com/contextvault/contextvault/rules/internal/bounded"
	"github.com/contextvault/contextvault/vault"
)

// CheckPattern returns the reason why a regular expression cannot be a validation_regex, nil if it can.
func CheckPattern(expr string) error {
	_, err := bounded.Compile(expr)
	return err
}

// CheckSteps returns the maximum number of steps of the check of a value against the validation_regex and the
// json_schema of its definition. A value that is refused without such a check takes none. An import limits the sum to
// vault.MaxImportRegexSteps.
func CheckSteps(def *vault.Definition, value []byte, mode vault.ValidationMode) int {
	if def == nil || !def.Enabled || mode == vault.ModeDisabled {
		return 0
	}
	if def.Multiple {
		return min(elementSteps(*def, Elements(value)), vault.MaxRegexSteps)
	}
	return patternSteps(def.ValidationRegex, value) + schemaSteps(def.JSONSchema, value)
}

func patternSteps(expr string, value []byte) int {
	if expr == "" {
		return 0
	}
	p, err := bounded.Compile(expr)
	if err != nil || len(value) > p.MaxText()+2 { // refused without a match; 2: the quotes
		return 0
	}
	return p.Steps(len(value))
}

func schemaSteps(schema, value json.RawMessage) int {
	if !isSet(schema) {
		return 0
	}
	s, err := bounded.CompileSchema(schema)
	if err != nil {
		return 0
	}
	return min(s.Steps(value), vault.MaxRegexSteps)
}

// limitOrSchemaProblem returns the reason why a normalised value is outside the range of its definition or does not
// match its JSON Schema, "" if neither.
func limitOrSchemaProblem(d vault.Definition, value json.RawMessage) string {
	if d.ValueType == vault.TypeJSON && isSet(d.JSONSchema) {
		return schemaMismatch(d.JSONSchema, value)
	}
	return rangeProblem(d, value)
}

// schemaMismatch returns the reason why a value does not match a JSON Schema, "" if it does.
func schemaMismatch(schema, value json.RawMessage) string {
	s, err := bounded.CompileSchema(schema)
	if err != nil {
		return "cannot be checked, because the json_schema of its definition is not valid or is too large"
	}
	return s.Check(value)
}

// CheckWriteOnce returns the error for a version that would change a value that is written once, nil for any other. An
// active version past its expiry is no value. The correction of a person needs no such check.
func CheckWriteOnce(def *vault.Definition, history []Version, v Version, now time.Time) error {
	if def == nil || !def.Enabled || !def.WriteOnce {
		return nil
	}
	active, ok := activeOf(history)
	if !ok || active.ID == v.ID || v.Claim.says(active.Claim) ||
		active.Claim.ExpiresAt != nil && !active.Claim.ExpiresAt.After(now) {
		return nil
	}
	return vault.Conflict(def.Name, "%s: is written once, and the customer has another value already; "+
		"send the same value again, or have a person correct it", def.Name)
}

func checkTimeZone(zone string) error {
	if _, ok := format.Location(zone); !ok {
		return errors.New("is not an IANA time zone, such as Europe/Berlin")
	}
	return nil
}

func checkRegion(region string) error {
	if !format.IsRegion(region) {
		return errors.New("is not a region with phone numbers: two capital letters of ISO 3166, such as DE")
	}
	return nil
}

// definitionTypeProblems finds members of a definition that have no meaning for its type, and numbers that are none. A
// member that would be ignored is a mistake of the designer, who would trust it.
func definitionTypeProblems(d vault.Definition) []*vault.Error {
	var problems []*vault.Error
	only := func(field string, set bool, t vault.ValueType) {
		if set && d.ValueType != t && d.ValueType.Valid() {
			problems = append(problems, vault.Invalid(field,
				"is only for the value_type %s, and this one is %s; leave it out", t, d.ValueType))
		}
	}
	only("unit", d.Unit != "", vault.TypeNumber)
	only("minimum", isSet(d.Minimum), vault.TypeNumber)
	only("maximum", isSet(d.Maximum), vault.TypeNumber)
	only("time_zone", d.TimeZone != "", vault.TypeDatetime)
	only("default_region", d.DefaultRegion != "", vault.TypePhone)
	only("json_schema", isSet(d.JSONSchema), vault.TypeJSON)
	if isSet(d.JSONSchema) && storageProblem(d.JSONSchema) == "" {
		if _, err := bounded.CompileSchema(d.JSONSchema); err != nil {
			problems = append(problems, vault.Invalid("json_schema", "%s", err.Error()))
		}
	}
	if d.Searchable && (d.Multiple || d.ValueType == vault.TypeJSON) {
		problems = append(problems, vault.Invalid("searchable",
			"is for single values, and a filter compares no lists and no values of the type json; leave it out"))
	}
	if d.PrefixSearch {
		switch d.ValueType {
		case vault.TypeString, vault.TypeEmail, vault.TypePhone, vault.TypeURL:
			if d.Multiple {
				problems = append(problems, vault.Invalid("prefix_search",
					"is for single values, and this one is a list; leave it out"))
			}
		case vault.TypeDate, vault.TypeDatetime, vault.TypeNumber, vault.TypeBoolean, vault.TypeJSON:
			problems = append(problems, vault.Invalid("prefix_search",
				"is only for the value_type string, email, phone or url, and this one is %s; leave it out", d.ValueType))
		}
		if d.EncryptionRequired {
			problems = append(problems, vault.Invalid("prefix_search",
				"would keep the beginning of an encrypted value in plain text; leave it out, or encryption_required"))
		}
	}
	if d.MaxElements != 0 && !d.Multiple {
		problems = append(problems, vault.Invalid("max_elements", "is only for a definition with multiple; leave it out"))
	}
	return append(problems, limitProblems(d)...)
}

// limitProblems finds limits of numbers that are no numbers, or that exclude each other.
func limitProblems(d vault.Definition) []*vault.Error {
	var problems []*vault.Error
	for _, limit := range []struct {
		field string
		value json.RawMessage
	}{{"minimum", d.Minimum}, {"maximum", d.Maximum}} {
		if isSet(limit.value) && storageProblem(limit.value) == "" && !isNumber(string(limit.value)) {
			problems = append(problems, vault.Invalid(limit.field, "is not a number, such as 12.50"))
		}
	}
	if len(problems) == 0 && isSet(d.Minimum) && isSet(d.Maximum) &&
		compareNumbers(string(d.Minimum), string(d.Maximum)) > 0 {
		problems = append(problems, vault.Invalid("maximum", "is less than the minimum, so no value could be stored"))
	}
	return problems
}

// isSet reports whether a member that is any JSON is set: absent and null mean the same.
func isSet(raw json.RawMessage) bool { return len(raw) > 0 && !isNull(raw) }
