// Package schema describes the inputs of operations in OpenAPI.
package schema

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

// uuidAlias is the schema of uuid.UUID.
type uuidAlias struct{}

// Schema implements huma.SchemaProvider.
func (uuidAlias) Schema(huma.Registry) *huma.Schema { return input.UUIDSchema() }

var uuidType = reflect.TypeFor[uuid.UUID]()

// Register registers the schema of uuid.UUID.
func Register(schemas huma.Registry) {
	schemas.RegisterTypeAlias(uuidType, reflect.TypeFor[uuidAlias]())
}

// Of returns the schema of an input type. It follows the JSON and validate tags, so that the description and the
// validation agree. omit lists members that come from the path, such as "customer_id" or "writes.customer_id".
func Of(t reflect.Type, omit []string) *huma.Schema { return schemaOf(t, "", omit, "") }

func schemaOf(t reflect.Type, rules string, omit []string, at string) *huma.Schema {
	s := &huma.Schema{}
	own, each, _ := strings.Cut(rules, "dive,")
	switch {
	case t == uuidType:
		return input.UUIDSchema()
	case t == reflect.TypeFor[time.Time]():
		return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return s // any JSON value
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
		property.Description = cmp.Or(f.Tag.Get("doc"), descriptions[name])
		property.ReadOnly = slices.Contains(madeByVault[t], name)
		s.Properties[name] = property
		if first, _, _ := strings.Cut(rules, ","); first == "required" {
			s.Required = append(s.Required, name)
		}
	}
}

// applyRule adds a rule of a validate tag to a schema.
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

// madeByVault are the members that the vault sets. A caller can send them back unchanged.
var madeByVault = map[reflect.Type][]string{
	reflect.TypeFor[vault.Definition]():  {"id", "origin", "review_state", "updated_at"},
	reflect.TypeFor[vault.Requirement](): {"id", "confidence", "needs_human_review", "origin", "review_state", "quote"},
	reflect.TypeFor[vault.Turn]():        {"index"},
}

// descriptions describe the members that several inputs have, by name. Other members have the tag doc.
var descriptions = map[string]string{
	"agent_id":              "The id of the agent whose definitions apply.",
	"allowed_values":        "The allowed values, compared after normalisation. Empty: any value.",
	"attempts":              "The number of times the operation was pushed to the workflow engine.",
	"checksum":              "The SHA-256 of the document, in hexadecimal.",
	"collected_at":          "The time when the customer stated the value. Absent: the time of acceptance.",
	"collection_order":      "The position in the order of collection. Lower numbers come first.",
	"collection_prompt":     "The question to the customer. Absent: derived from the display name.",
	"condition":             "Free text or an expression.",
	"confidence":            "From 0 to 1. Absent: 1.",
	"depends_on_fields":     "Fields that must be known before this requirement applies.",
	"display_name":          "The name of the field for people. Absent: derived from the name.",
	"expires_at":            "The time when the value expires. Absent: by the retention of the definition, or never.",
	"external_id":           "The identity of the customer on the channel, such as a phone number.",
	"fallback_action":       "The action of gap fill if no source has the value.",
	"is_pii":                "Keeps the value out of error messages.",
	"item_id":               "The id of the version, or the id for a new item.",
	"required_level":        "hard: the scenario must not start without the field.",
	"required_verification": "An unverified value still counts as missing.",
	"requires_confirmation": "The customer has not confirmed the value yet.",
	"rule_id":               "The id of the rule. Absent: the scenario itself.",
	"source":                "The source of the value.",
	"source_metadata":       "Metadata of the source: an object with any members, such as confidence, quote or page.",
	"step_id":               "The id of the step of the scenario. Absent: the whole scenario.",
	"validation_regex":      "A regular expression in RE2 syntax that must match the whole value.",
	"value":                 "Any JSON value of the type of the definition, up to 64 KiB.",
	"variables":             "Values by name.",
	"verification_method":   "The method of the verification. Required if verified is true.",
	"verified_by":           "The person or system that verified the value.",
	"when_condition":        "A CEL expression over fields, session and scenario. Absent: always true.",
}
