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

// Register registers the schemas of uuid.UUID and of the enums.
func Register(schemas huma.Registry) {
	schemas.RegisterTypeAlias(uuidType, reflect.TypeFor[uuidAlias]())
	for t, e := range enums {
		schemas.RegisterTypeAlias(t, e.alias)
	}
}

// Body is a request body to describe.
type Body struct {
	Operation string // the operation id
	Type      reflect.Type
	// Omit lists members that the body may omit because they come from the path, such as "customer_id" or
	// "writes.customer_id".
	Omit []string
	Set  func(*huma.Schema) // receives the schema
}

// bodies describes request bodies. Every struct type is one component. Its required members are those that every use
// of it requires; a use that requires more says so beside the reference.
type bodies struct {
	schemas    huma.Registry
	uses       map[reflect.Type][]use
	components map[reflect.Type]*huma.Schema
	names      map[reflect.Type]string
}

func newBodies(schemas huma.Registry) *bodies {
	return &bodies{
		schemas: schemas, uses: map[reflect.Type][]use{}, components: map[reflect.Type]*huma.Schema{},
		names: map[reflect.Type]string{},
	}
}

// use is one place where a body has a struct type.
type use struct {
	required []string
	schema   *huma.Schema
	name     string // of the component of a whole body; "": the struct is a part of a body
}

// add describes a body. It follows the JSON and validate tags, so that the description and the validation agree.
func (b *bodies) add(body Body) {
	if variants := variantsOf(body.Type); variants != nil {
		body.Set(b.oneOf(body, variants))
		return
	}
	schema := b.of(body.Type, "", body.Omit, "", body.Operation)
	uses := b.uses[body.Type]
	uses[len(uses)-1].name = TypeName(body.Operation) + "Body"
	body.Set(schema)
}

func (b *bodies) of(t reflect.Type, rules string, omit []string, at, operation string) *huma.Schema {
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
		return b.of(t.Elem(), rules, omit, at, operation)
	}
	switch t.Kind() {
	case reflect.String:
		s.Type = huma.TypeString
	case reflect.Bool:
		s.Type = huma.TypeBoolean
	case reflect.Float64:
		s.Type = huma.TypeNumber
	case reflect.Slice:
		s.Type, s.Items = huma.TypeArray, b.of(t.Elem(), each, omit, at, operation)
	case reflect.Map:
		s.Type, s.AdditionalProperties = huma.TypeObject, b.of(t.Elem(), each, omit, at, operation)
	case reflect.Struct:
		return b.object(t, omit, at, operation)
	default:
		s.Type = huma.TypeInteger
	}
	for rule := range strings.SplitSeq(own, ",") {
		name, value, _ := strings.Cut(rule, "=")
		applyRule(s, name, value)
	}
	return asEnum(b.schemas, t, s)
}

// object describes a use of a struct type, and the type itself at its first use.
func (b *bodies) object(t reflect.Type, omit []string, at, operation string) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	b.addFields(s, t, omit, at, operation)
	if b.components[t] == nil {
		b.components[t] = s
		b.names[t] = nameOf(t, operation)
	}
	out := &huma.Schema{}
	b.uses[t] = append(b.uses[t], use{required: s.Required, schema: out})
	return out
}

// nameOf returns the name of the component of a type: that of the type without Input, or one of the operation for a
// type of this route alone.
func nameOf(t reflect.Type, operation string) string {
	name := strings.TrimSuffix(t.Name(), "Input")
	if first := name[:1]; first != strings.ToUpper(first) {
		return TypeName(operation)
	}
	return name
}

// TypeName returns the name of a type for an operation id: WriteValue for write-value.
func TypeName(operation string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(operation, "-") {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}

func (b *bodies) addFields(s *huma.Schema, t reflect.Type, omit []string, at, operation string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			b.addFields(s, f.Type, omit, at, operation)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := strings.TrimPrefix(at+"."+name, ".")
		if name == "-" {
			continue
		}
		rules := f.Tag.Get("validate")
		property := b.of(f.Type, rules, omit, path, operation)
		property.Description = cmp.Or(f.Tag.Get("doc"), descriptions[name])
		property.ReadOnly = slices.Contains(madeByVault[t], name)
		s.Properties[name] = property
		if first, _, _ := strings.Cut(rules, ","); first == "required" && !slices.Contains(omit, path) {
			s.Required = append(s.Required, name)
		}
	}
}

// finish makes the components, and the references of all uses.
func (b *bodies) finish() {
	components := b.schemas.Map()
	for t, component := range b.components {
		component.Required = b.uses[t][0].required
		for _, u := range b.uses[t][1:] {
			component.Required = slices.DeleteFunc(slices.Clone(component.Required), func(name string) bool {
				return !slices.Contains(u.required, name)
			})
		}
		name := b.names[t]
		if read := components[name]; read != nil {
			shareWith(components, name, read, component)
		}
		components[name] = component
		for _, u := range b.uses[t] {
			*u.schema = narrowed(name, component.Required, u.required, *u.schema)
			if u.name != "" && u.schema.Ref == "" {
				whole := *u.schema
				components[u.name] = &whole
				*u.schema = huma.Schema{Ref: reference(u.name)}
			}
		}
	}
}

// shareWith lets a component describe what is read and what is written. Members that are always read are required by
// the component Stored….
func shareWith(components map[string]*huma.Schema, name string, read, write *huma.Schema) {
	for member, property := range read.Properties {
		switch own := write.Properties[member]; {
		case own == nil:
			property.ReadOnly = true
			write.Properties[member] = property
		case own.Description == "":
			own.Description = property.Description
		}
	}
	stored := narrowed(name, write.Required, read.Required, huma.Schema{
		Description: "As it is stored. All that it has can be sent back.",
	})
	if stored.Ref == "" {
		components["Stored"+name] = &stored
	}
}

// narrowed refers to a component and requires more of its members.
func narrowed(name string, has, required []string, s huma.Schema) huma.Schema {
	more := slices.DeleteFunc(slices.Clone(required), func(member string) bool { return slices.Contains(has, member) })
	out := huma.Schema{Description: s.Description, ReadOnly: s.ReadOnly}
	if len(more) == 0 {
		out.Ref = reference(name)
		return out
	}
	out.AllOf, out.Required = []*huma.Schema{{Ref: reference(name)}}, more
	return out
}

func reference(name string) string { return "#/components/schemas/" + name }

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
	reflect.TypeFor[vault.Definition](): {"id", "origin", "review_state", "updated_at", "version"},
	reflect.TypeFor[vault.Requirement](): {
		"id", "confidence", "needs_human_review", "origin", "review_state", "quote", "version",
	},
	reflect.TypeFor[vault.Scenario](): {"version"},
	reflect.TypeFor[vault.Rule]():     {"version"},
	reflect.TypeFor[vault.Turn]():     {"index"},
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
