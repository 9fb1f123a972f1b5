package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

// inputSchema describes what is decoded into a type, from its fields and their validate tags, so that the description and the
// check are the same. omit names what is left out because the path says it, such as "customer_id" or "writes.customer_id".
func inputSchema(t reflect.Type, omit []string) *huma.Schema { return schemaOf(t, "", omit, "") }

func schemaOf(t reflect.Type, rules string, omit []string, at string) *huma.Schema {
	s := &huma.Schema{}
	own, each, _ := strings.Cut(rules, "dive,")
	switch {
	case t == uuidType:
		return input.UUIDSchema()
	case t == reflect.TypeFor[time.Time]():
		return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return s // anything
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem(), rules, omit, at)
	}
	switch t.Kind() {
	case reflect.String:
		s.Type = huma.TypeString
	case reflect.Bool:
		s.Type = huma.TypeBoolean
	case reflect.Float64:
		s.Type = huma.TypeNumber
	case reflect.Slice:
		s.Type, s.Items = huma.TypeArray, schemaOf(t.Elem(), each, omit, at)
	case reflect.Map:
		s.Type, s.AdditionalProperties = huma.TypeObject, schemaOf(t.Elem(), each, omit, at)
	case reflect.Struct:
		s.Type, s.AdditionalProperties, s.Properties = huma.TypeObject, false, map[string]*huma.Schema{}
		addFields(s, t, omit, at)
	default:
		s.Type = huma.TypeInteger
	}
	for rule := range strings.SplitSeq(own, ",") {
		name, value, _ := strings.Cut(rule, "=")
		applyRule(s, name, value)
	}
	return s
}

func addFields(s *huma.Schema, t reflect.Type, omit []string, at string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			addFields(s, f.Type, omit, at)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := strings.TrimPrefix(at+"."+name, ".")
		if name == "-" || slices.Contains(omit, path) {
			continue
		}
		rules := f.Tag.Get("validate")
		property := schemaOf(f.Type, rules, omit, path)
		property.Description = meanings[name]
		property.ReadOnly = slices.Contains(madeByVault[t], name)
		s.Properties[name] = property
		if first, _, _ := strings.Cut(rules, ","); first == "required" {
			s.Required = append(s.Required, name)
		}
	}
}

// applyRule says in a schema what a rule of a validate tag asks for.
func applyRule(s *huma.Schema, name, value string) {
	n, _ := strconv.Atoi(value)
	limit := float64(n)
	switch name {
	case "max":
		switch s.Type {
		case huma.TypeString:
			s.MaxLength = &n
		case huma.TypeArray:
			s.MaxItems = &n
		case huma.TypeObject:
			s.MaxProperties = &n
		default:
			s.Maximum = &limit
		}
	case "min":
		switch s.Type {
		case huma.TypeString:
			s.MinLength = &n
		case huma.TypeArray:
			s.MinItems = &n
		default:
			s.Minimum = &limit
		}
	case "len":
		s.MinLength, s.MaxLength = &n, &n
	case "oneof":
		for word := range strings.FieldsSeq(value) {
			s.Enum = append(s.Enum, word)
		}
	case "fieldname":
		s.Pattern = vault.NamePattern.String()
	case "hexadecimal":
		s.Pattern = "^[0-9a-fA-F]*$"
	}
}

// madeByVault are the fields of what is saved that the vault sets: they may be sent back as they were read.
var madeByVault = map[reflect.Type][]string{
	reflect.TypeFor[vault.Definition]():  {"id", "origin", "review_state", "updated_at"},
	reflect.TypeFor[vault.Requirement](): {"id", "confidence", "needs_human_review", "origin", "review_state", "quote"},
	reflect.TypeFor[vault.Turn]():        {"index"},
}

// meanings explain fields of inputs that do not explain themselves.
var meanings = map[string]string{
	"agent_id":               "The agent whose field definitions apply.",
	"allowed_values":         "The only values that are allowed; compared after normalisation. Empty: any.",
	"attempts":               "How often it was handed to the workflow engine.",
	"checksum":               "The SHA-256 of the document, in hexadecimal.",
	"collected_at":           "When the customer said it; absent: when it is accepted.",
	"collection_order":       "Lower is asked first.",
	"collection_prompt":      "How a customer is asked; absent: made from the display name.",
	"condition":              "Free text or an expression, as designers write it.",
	"confidence":             "From 0 to 1; absent: 1.",
	"deadline_seconds":       "How long one question waits for its answer; 0: 24 hours.",
	"decision":               "What a person decides.",
	"depends_on_fields":      "Fields that must be known before this one counts.",
	"display_name":           "The field's name as a person would say it; absent: made from the name.",
	"edit":                   "For an approved requirement: what the person changed.",
	"enabled":                "Whether the field may be collected.",
	"encryption_required":    "Keeps the value encrypted in the database and in the cache, and out of every error text.",
	"expires_at":             "When it stops being good; absent: by the definition's retention, or never.",
	"external_id":            "The customer's identity on the channel, such as a phone number.",
	"fallback_action":        "What gap fill does when no source has the value.",
	"freshness_seconds":      "How old a value may be; 0: as old as it likes.",
	"is_pii":                 "Keeps the value out of every error text.",
	"item_id":                "The id of the version that is meant, or the one that a new item gets.",
	"max_attempts":           "How often one field is asked for; 0: 3 times.",
	"required_level":         "hard: the scenario may not start without it.",
	"required_verification":  "An unverified value still counts as missing.",
	"retention_days":         "How long a value is good from when it was collected; 0: for ever.",
	"skip_invalid":           "Stores what is valid and lists the rest in the result; absent: one invalid write rejects all.",
	"source":                 "Who stated the value.",
	"source_item_id":         "The field or asset that it was derived from.",
	"source_item_type":       "What source_item_id names.",
	"source_metadata":        "An object of the tool's own: confidence, quote, page …",
	"stale_action":           "What a value that is too old counts as; absent: block.",
	"step_id":                "The step of the scenario; absent: the whole of it.",
	"supersede_existing":     "Makes the active assets of the same name superseded by this one.",
	"validation_mode":        "What happens to a value that breaks the definition; absent: as configured.",
	"validation_regex":       "A regular expression in RE2 syntax that must match the whole value.",
	"value":                  "Any JSON value that suits the definition's type, at most 64 KiB.",
	"variables":              "Values by name.",
	"verification_methods":   "The methods that count as verified; absent: any.",
	"when_condition":         "A CEL expression over fields, session and scenario; absent: always.",
	"requires_confirmation":  "The customer is yet to confirm it.",
	"rule_id":                "The rule that is meant; absent: the scenario itself.",
	"verified_by":            "Who verified it.",
	"verification_method":    "How it was verified; required where verified is true.",
	"source_customer_id":     "The customer that is taken away: its id leads to the other one from then on.",
	"extraction_prompt_hint": "What helps a model to find the value in a conversation.",
}
