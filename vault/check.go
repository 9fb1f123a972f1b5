package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"
)

// CheckInput checks a struct against its validate tags, and every text and JSON value in it for what PostgreSQL cannot hold.
// It reports all that is wrong as one *Error, by the paths of the JSON input, with what would be right and without values. A
// zero UUID counts as missing. Types that have a Check method need that instead: it includes this.
func CheckInput(v any) error { return Join(inputProblems(v)) }

// Check reports all that is wrong with a definition as one *Error.
func (d Definition) Check() error {
	problems := append(inputProblems(d), allowedProblems(d)...)
	for i, method := range d.VerificationMethods {
		if first := slices.Index(d.VerificationMethods, method); first < i {
			problems = append(problems, Invalid(fmt.Sprintf("verification_methods[%d]", i), "repeats verification_methods[%d]", first))
		}
	}
	return Join(append(problems, stateProblems(d.Origin, d.Review)...))
}

// allowedProblems finds allowed values that could never be stored.
func allowedProblems(d Definition) []*Error {
	if !d.ValueType.Valid() {
		return nil
	}
	var problems []*Error
	var values []json.RawMessage
	for i, raw := range d.AllowedValues {
		if whyUnstorable(raw, MaxValueBytes) != "" {
			continue // inputProblems says so
		}
		value, why := normalise(d.ValueType, raw)
		if isNull(raw) {
			why = "is null, which says nothing about a customer"
		}
		if why != "" {
			problems = append(problems, Invalid(fmt.Sprintf("allowed_values[%d]", i), "%s", why))
			continue
		}
		values = append(values, value)
	}
	if d.ValidationRegex == "" || len(d.ValidationRegex) > MaxRegexLength || len(values) == 0 {
		return problems
	}
	re, err := compilePattern(d.ValidationRegex)
	if err == nil && !slices.ContainsFunc(values, func(v json.RawMessage) bool { return matchesWhole(re, textOf(v)) }) {
		problems = append(problems, Invalid("validation_regex", "matches none of the allowed values, so that no value could ever be stored"))
	}
	return problems
}

// Check reports all that is wrong with a requirement as one *Error.
func (r Requirement) Check() error {
	problems := inputProblems(r)
	for i, name := range r.DependsOn {
		path := fmt.Sprintf("depends_on_fields[%d]", i)
		switch first := slices.Index(r.DependsOn, name); {
		case name == r.FieldName:
			problems = append(problems, Invalid(path, "is the field itself; a field cannot wait for itself"))
		case first < i:
			problems = append(problems, Invalid(path, "repeats depends_on_fields[%d]", first))
		}
	}
	if r.Order < -maxOrder || r.Order > maxOrder {
		problems = append(problems, Invalid("collection_order", "must be between %d and %d", -maxOrder, maxOrder))
	}
	return Join(append(problems, stateProblems(r.Origin, r.Review)...))
}

// maxOrder bounds collection_order to what an integer column holds, with room for spacing fields by thousands.
const maxOrder = 1_000_000

// stateProblems checks what tags cannot: both may be empty where the vault is to set them.
func stateProblems(origin Origin, review ReviewState) []*Error {
	var problems []*Error
	if origins := []Origin{OriginHuman, OriginExtracted}; origin != "" && !slices.Contains(origins, origin) {
		problems = append(problems, Invalid("origin", "must be %s", OneOf(origins)))
	}
	if states := []ReviewState{ReviewNone, ReviewPending, ReviewApproved, ReviewRejected}; review != "" && !slices.Contains(states, review) {
		problems = append(problems, Invalid("review_state", "must be %s", OneOf(states)))
	}
	return problems
}

// Check reports all that is wrong with a scenario as one *Error.
func (s Scenario) Check() error {
	problems := inputProblems(s)
	seen := make(map[string]int, len(s.Steps))
	for i, step := range s.Steps {
		if first, ok := seen[step.ID]; ok && step.ID != "" {
			problems = append(problems, Invalid(fmt.Sprintf("steps[%d].id", i), "repeats the id of steps[%d]; each step needs its own", first))
			continue
		}
		seen[step.ID] = i
	}
	return Join(problems)
}

// Check reports all that is wrong with a write as one *Error, as far as it can be known without the field's definition.
func (w WriteValueInput) Check() error {
	problems := inputProblems(w)
	if w.Value != nil {
		// Said as CheckValue says it, so that the same mistake reads the same wherever it is found.
		problems = slices.DeleteFunc(problems, func(e *Error) bool { return e.Field == "value" })
		if e := checkStorable(w.Name, w.Value); e != nil {
			problems = append(problems, e)
		}
	}
	problems = append(problems, lineageProblems(w.Lineage, w.SourceSessionID != nil)...)
	if w.ItemID != nil && w.SourceItemID != nil && *w.ItemID == *w.SourceItemID {
		problems = append(problems, Invalid("source_item_id", "is the item itself; an item cannot be derived from itself"))
	}
	if w.CollectedAt != nil && w.ExpiresAt != nil && !w.ExpiresAt.After(*w.CollectedAt) {
		problems = append(problems, Invalid("expires_at", "must be later than collected_at"))
	}
	return Join(problems)
}

// Check reports all that is wrong with an asset as one *Error.
func (a AddAssetInput) Check() error {
	problems := append(inputProblems(a), lineageProblems(a.Lineage, a.UploadSessionID != nil)...)
	if a.UploadedAt != nil && a.ExpiresAt != nil && !a.ExpiresAt.After(*a.UploadedAt) {
		problems = append(problems, Invalid("expires_at", "must be later than uploaded_at"))
	}
	return Join(problems)
}

// lineageProblems checks what the parts of a lineage say together. Tools and external systems may have no id of their own,
// and a session may be named elsewhere in the write; a field or asset is only found by its id.
func lineageProblems(l Lineage, sessionNamed bool) []*Error {
	var problems []*Error
	switch {
	case l.SourceItemID != nil && l.SourceItemType == "":
		problems = append(problems, Invalid("source_item_type", "is required with source_item_id; it must be %s", OneOf(SourceTypes)))
	case l.SourceItemID != nil:
	case l.SourceItemType == SourceProfileField, l.SourceItemType == SourceProfileAsset, l.SourceItemType == SourceSession && !sessionNamed:
		problems = append(problems, Invalid("source_item_id", "is required where source_item_type is %s", l.SourceItemType))
	}
	if l.SourceMetadata != nil && whyUnstorable(l.SourceMetadata, MaxValueBytes) == "" && compact(l.SourceMetadata)[0] != '{' {
		problems = append(problems, Invalid("source_metadata", `must be a JSON object, such as {"tool": "ocr"}`))
	}
	return problems
}

// inputProblems is CheckInput before its findings are joined.
func inputProblems(v any) []*Error {
	var problems []*Error
	err := validate().Struct(v)
	if failures, ok := errors.AsType[validator.ValidationErrors](err); ok {
		for _, failure := range failures {
			problems = append(problems, Invalid(inputPath(failure.Namespace()), "%s", explain(failure)))
		}
	} else if err != nil {
		return []*Error{Invalid("", "the input is missing or of no checkable type")}
	}
	for _, p := range inspect(reflect.ValueOf(v), "") {
		if !slices.ContainsFunc(problems, func(e *Error) bool { return e.Field == p.Field }) {
			problems = append(problems, p)
		}
	}
	return problems
}

// validate gives the one validator of this package. It is costly to make and safe for concurrent use.
var validate = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(jsonName)
	rules := map[string]func(string) error{
		"fieldname": func(s string) error {
			if !NamePattern.MatchString(s) {
				return errors.New("is not a field name: use small letters, digits and _, with no digit first, such as date_of_birth")
			}
			return nil
		},
		"re2": func(s string) error {
			if _, err := compilePattern(s); err != nil {
				return fmt.Errorf("is not a regular expression in RE2 syntax: %w", err)
			}
			return nil
		},
		"cel": conditionProblem,
	}
	for tag, rule := range rules {
		explainRule[tag] = rule
		err := v.RegisterValidation(tag, func(fl validator.FieldLevel) bool { return rule(fl.Field().String()) == nil })
		if err != nil {
			panic("register the rule " + tag + ": " + err.Error()) // a mistake in the lines above
		}
	}
	return v
})

// explainRule gives the words for our own tags; filled once, when the validator is made.
var explainRule = map[string]func(string) error{}

// explain says what is wrong with a field and what would be right.
func explain(failure validator.FieldError) string {
	if rule, ok := explainRule[failure.Tag()]; ok {
		if s, isText := failure.Value().(string); isText {
			if err := rule(s); err != nil {
				return err.Error()
			}
		}
	}
	switch limit := failure.Param(); failure.Tag() {
	case "required":
		return "is required"
	case "required_if":
		// "Verified true": the field by its Go name, and its value.
		name, value, _ := strings.Cut(limit, " ")
		return fmt.Sprintf("is required where %s is %s", snake(name), value)
	case "oneof":
		return "must be " + OneOf(strings.Fields(limit))
	case "max":
		switch failure.Kind() {
		case reflect.String:
			return "is longer than " + limit + " characters"
		case reflect.Slice, reflect.Map:
			return "has more than " + limit + " entries"
		default:
			return "must not be above " + limit
		}
	case "min":
		return "must not be below " + limit
	case "len":
		return "must be " + limit + " characters long"
	case "hexadecimal":
		return "must be hexadecimal: digits and the letters a to f"
	default:
		return "breaks the rule " + failure.Tag() + strings.TrimSuffix("="+limit, "=")
	}
}

// inputPath makes the path of the JSON input of the validator's: "Scenario.steps[2].id" becomes "steps[2].id", and the parts
// of an embedded struct, which JSON shows beside the others, lose its name.
func inputPath(namespace string) string {
	parts := strings.Split(namespace, ".")
	kept := parts[:0]
	for _, part := range parts[1:] {
		if part != "Lineage" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ".")
}

// jsonName gives the name by which JSON knows a struct field.
func jsonName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
		return name
	}
	return f.Name
}

// snake writes a Go name as JSON does: "VerifiedBy" becomes "verified_by".
func snake(name string) string { return strings.Join(nameWords(name), "_") }
