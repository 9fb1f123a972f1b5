package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules/internal/bounded"
	"github.com/contextvault/contextvault/vault"
)

// Check validates the input of an operation: its validate tags, the rules of its type, and that PostgreSQL can store
// every text and JSON value in it. It reports all problems as one *vault.Error with the path of each wrong member, the
// problem and the remedy, and never a customer's value. A zero UUID counts as missing.
func Check(input any) error {
	switch in := input.(type) {
	case vault.Definition:
		return checkDefinition(in)
	case vault.Requirement:
		return checkRequirement(in)
	case vault.Scenario:
		return checkScenario(in)
	case vault.ApplyConfigurationInput:
		return checkConfiguration(in)
	case vault.WriteValueInput:
		return checkWrite(in)
	case vault.ImportValuesInput:
		return checkImport(in)
	case vault.AddAssetInput:
		return checkAsset(in)
	case vault.MergeCustomersInput:
		return checkMerge(in)
	case vault.DecideReviewInput:
		return checkReview(in)
	case vault.TakeTurnInput:
		return checkTurn(in)
	default:
		return vault.Join(inputProblems(in))
	}
}

func checkTurn(in vault.TakeTurnInput) error {
	problems := inputProblems(in)
	if in.CustomerID == uuid.Nil && (in.Channel == "" || in.ExternalID == "") {
		problems = append(problems, vault.Invalid("customer_id",
			"is missing; name the customer by customer_id, or by channel and external_id"))
	}
	if (in.SessionID == uuid.Nil) == (in.SessionKey == "") {
		problems = append(problems, vault.Invalid("session_key",
			"name the session by session_id or by session_key, and not by both"))
	}
	if in.SessionID == uuid.Nil && in.AgentID == uuid.Nil && in.ScenarioID == uuid.Nil {
		problems = append(problems, vault.Invalid("agent_id", "is missing; a session_key needs agent_id or scenario_id"))
	}
	return vault.Join(problems)
}

func checkDefinition(d vault.Definition) error {
	problems := inputProblems(d)
	if len(problems) >= vault.MaxProblems {
		return vault.Join(problems)
	}
	problems = append(append(problems, definitionTypeProblems(d)...), allowedProblems(d)...)
	for i, method := range d.VerificationMethods[:min(len(d.VerificationMethods), vault.MaxEntries)] {
		if first := slices.Index(d.VerificationMethods, method); first < i {
			path := fmt.Sprintf("verification_methods[%d]", i)
			problems = append(problems, vault.Invalid(path, "repeats verification_methods[%d]", first))
		}
	}
	return vault.Join(append(problems, stateProblems(d.Origin, d.Review)...))
}

// allowedProblems finds allowed values that no write could store.
func allowedProblems(d vault.Definition) []*vault.Error {
	if !d.ValueType.Valid() {
		return nil
	}
	var problems []*vault.Error
	var values []json.RawMessage
	limitsHold, bytes, steps := len(definitionTypeProblems(d)) == 0, 0, 0
	for _, raw := range d.AllowedValues {
		if bytes += len(raw); bytes > vault.MaxAllowedBytes {
			return append(problems, vault.Invalid("allowed_values", "are larger than %s together", kib(vault.MaxAllowedBytes)))
		}
	}
	for i, raw := range d.AllowedValues {
		if storageProblem(raw) != "" {
			continue // inputProblems reports it
		}
		value, why := normalise(d, raw)
		if isNull(raw) {
			why = "is null, which is not a value"
		}
		if why != "" {
			problems = append(problems, vault.Invalid(fmt.Sprintf("allowed_values[%d]", i), "%s", why))
			continue
		}
		if steps += schemaSteps(d.JSONSchema, value); steps > vault.MaxRegexSteps {
			return append(problems, vault.Invalid("json_schema", "is too large to be checked against these allowed values; "+
				"use a smaller one, or fewer or shorter values"))
		}
		if why := limitOrSchemaProblem(d, value); why != "" && limitsHold {
			problems = append(problems, vault.Invalid(fmt.Sprintf("allowed_values[%d]", i), "%s", why))
		}
		values = append(values, value)
	}
	if d.ValidationRegex == "" || len(values) == 0 {
		return problems
	}
	re, err := bounded.Compile(d.ValidationRegex)
	if err != nil {
		return problems // inputProblems reports it
	}
	if why := matchesNone(re, values); why != "" {
		problems = append(problems, vault.Invalid("validation_regex", "%s", why))
	}
	return problems
}

// matchesNone returns the reason why no allowed value can be stored, "" if re matches one of them.
func matchesNone(re bounded.Pattern, values []json.RawMessage) string {
	steps := 0
	for _, v := range values {
		text := TextOf(v)
		if steps += re.Steps(len(text)); steps > vault.MaxRegexSteps {
			return "is too large to be checked against these allowed values; use a smaller pattern, or fewer or shorter values"
		}
		if re.MatchesWhole(text) {
			return ""
		}
	}
	return "matches none of the allowed values, so no value could be stored"
}

func checkRequirement(r vault.Requirement) error {
	problems := inputProblems(r)
	for i, name := range r.DependsOn[:min(len(r.DependsOn), vault.MaxEntries)] {
		path := fmt.Sprintf("depends_on_fields[%d]", i)
		switch first := slices.Index(r.DependsOn, name); {
		case name == r.FieldName:
			problems = append(problems, vault.Invalid(path, "is the field itself; a field cannot depend on itself"))
		case first < i:
			problems = append(problems, vault.Invalid(path, "repeats depends_on_fields[%d]", first))
		}
	}
	if r.Order < -maxOrder || r.Order > maxOrder {
		problems = append(problems, vault.Invalid("collection_order", "must be between %d and %d", -maxOrder, maxOrder))
	}
	return vault.Join(append(problems, stateProblems(r.Origin, r.Review)...))
}

// maxOrder limits collection_order to a range that an integer column can hold, with room for spacing fields by
// thousands.
const maxOrder = 1_000_000

// stateProblems validates members that may be empty, because the vault sets them then. Tags cannot express that.
func stateProblems(origin vault.Origin, review vault.ReviewState) []*vault.Error {
	var problems []*vault.Error
	origins := []vault.Origin{vault.OriginHuman, vault.OriginExtracted}
	if origin != "" && !slices.Contains(origins, origin) {
		problems = append(problems, vault.Invalid("origin", "must be %s", vault.OneOf(origins)))
	}
	states := []vault.ReviewState{
		vault.ReviewNone, vault.ReviewPending, vault.ReviewApproved, vault.ReviewRejected,
	}
	if review != "" && !slices.Contains(states, review) {
		problems = append(problems, vault.Invalid("review_state", "must be %s", vault.OneOf(states)))
	}
	return problems
}

// checkReview validates a decision with its edit, whose members are of a definition or of a requirement.
func checkReview(in vault.DecideReviewInput) error {
	problems := inputProblems(in)
	if e := in.Edit; e != nil {
		for _, m := range []struct {
			name string
			set  bool
			of   vault.ReviewKind
		}{
			{"is_pii", e.IsPII != nil, vault.ReviewOfDefinition},
			{"required_verification", e.RequiredVerification != nil, vault.ReviewOfDefinition},
			{"required_level", e.RequiredLevel != nil, vault.ReviewOfRequirement},
			{"fallback_action", e.FallbackAction != nil, vault.ReviewOfRequirement},
			{"when_condition", e.WhenCondition != nil, vault.ReviewOfRequirement},
			{"depends_on_fields", len(e.DependsOn) > 0, vault.ReviewOfRequirement},
			{"collection_order", e.Order != nil, vault.ReviewOfRequirement},
		} {
			if m.set && m.of != in.Kind {
				problems = append(problems, vault.Invalid("edit."+m.name, "is of a %s, and the review is of a %s", m.of, in.Kind))
			}
		}
	}
	return vault.Join(problems)
}

func checkScenario(s vault.Scenario) error {
	problems := inputProblems(s)
	seen := make(map[string]int, len(s.Steps))
	for i, step := range s.Steps[:min(len(s.Steps), vault.MaxEntries)] {
		if first, ok := seen[step.ID]; ok && step.ID != "" {
			path := fmt.Sprintf("steps[%d].id", i)
			problems = append(problems,
				vault.Invalid(path, "repeats the id of steps[%d]; each step needs its own", first))
			continue
		}
		seen[step.ID] = i
	}
	return vault.Join(problems)
}

// checkConfiguration validates each part like its own save, and the references between them.
func checkConfiguration(in vault.ApplyConfigurationInput) error {
	problems := inputProblems(in)
	add := func(kind string, i int, agent uuid.UUID, id string, seen map[string]int, err error) {
		path := fmt.Sprintf("%s[%d]", kind, i)
		if e, ok := errors.AsType[*vault.Error](err); ok {
			problems = append(problems, vault.Invalid(path, "%s", e.Error()))
		}
		if agent != in.AgentID {
			problems = append(problems, vault.Invalid(path+".agent_id", "is another agent than agent_id of the configuration"))
		}
		if first, ok := seen[id]; ok {
			problems = append(problems, vault.Invalid(path, "repeats %s[%d]; keep one of them", kind, first))
		}
		seen[id] = i
	}
	seen := map[string]int{}
	for i, d := range in.Definitions {
		add("definitions", i, d.AgentID, d.Name, seen, checkDefinition(d))
	}
	seen = map[string]int{}
	for i, s := range in.Scenarios {
		add("scenarios", i, s.AgentID, s.ID.String(), seen, checkScenario(s))
	}
	seen = map[string]int{}
	for i, r := range in.Rules {
		add("rules", i, r.AgentID, r.ID.String(), seen, nil)
	}
	seen = map[string]int{}
	for i, r := range in.Requirements {
		add("requirements", i, r.AgentID, RequirementKey(r), seen, checkRequirement(r))
	}
	return vault.Join(problems)
}

// checkWrite validates a write without its definition. CheckValue validates the value against the definition.
func checkWrite(w vault.WriteValueInput) error {
	problems := inputProblems(w)
	if w.Value != nil {
		// Use the message of CheckValue, so that the same mistake has the same message everywhere.
		problems = slices.DeleteFunc(problems, func(e *vault.Error) bool { return e.Field == "value" })
		if e := checkStorable(w.Name, w.Value); e != nil {
			problems = append(problems, e)
		}
	}
	problems = append(problems, lineageProblems(w.Lineage, w.SourceSessionID != nil)...)
	if w.ItemID != nil && w.SourceItemID != nil && *w.ItemID == *w.SourceItemID {
		problems = append(problems,
			vault.Invalid("source_item_id", "is the item itself; an item cannot be derived from itself"))
	}
	if w.CollectedAt != nil && w.ExpiresAt != nil && !w.ExpiresAt.After(*w.CollectedAt) {
		problems = append(problems, vault.Invalid("expires_at", "must be later than collected_at"))
	}
	return vault.Join(problems)
}

func checkAsset(a vault.AddAssetInput) error {
	problems := append(inputProblems(a), lineageProblems(a.Lineage, a.UploadSessionID != nil)...)
	if a.UploadedAt != nil && a.ExpiresAt != nil && !a.ExpiresAt.After(*a.UploadedAt) {
		problems = append(problems, vault.Invalid("expires_at", "must be later than uploaded_at"))
	}
	return vault.Join(problems)
}

// lineageProblems validates the members of a lineage together. A field or asset is found only by its id, so it needs
// one. A tool or external system may have no id. The id of a session may be elsewhere in the write (sessionNamed).
func lineageProblems(l vault.Lineage, sessionNamed bool) []*vault.Error {
	var problems []*vault.Error
	switch {
	case l.SourceItemID != nil && l.SourceItemType == "":
		problems = append(problems, vault.Invalid("source_item_type",
			"is required with source_item_id; it must be %s", vault.OneOf(vault.SourceTypes)))
	case l.SourceItemID != nil:
	case l.SourceItemType == vault.SourceProfileField, l.SourceItemType == vault.SourceProfileAsset,
		l.SourceItemType == vault.SourceSession && !sessionNamed:
		problems = append(problems,
			vault.Invalid("source_item_id", "is required if source_item_type is %s", l.SourceItemType))
	}
	meta := l.SourceMetadata
	if meta != nil && storageProblem(meta) == "" && compact(meta)[0] != '{' {
		problems = append(problems, vault.Invalid("source_metadata", `must be a JSON object, such as {"tool": "ocr"}`))
	}
	return problems
}

// inputProblems returns the problems of the validate tags, and of texts and JSON values that PostgreSQL cannot store.
func inputProblems(v any) []*vault.Error {
	var problems []*vault.Error
	err := validate().Struct(v)
	if failures, ok := errors.AsType[validator.ValidationErrors](err); ok {
		for _, failure := range failures[:min(len(failures), vault.MaxProblems+1)] {
			problems = append(problems, vault.Invalid(inputPath(failure.Namespace()), "%s", tagProblem(failure)))
		}
	} else if err != nil {
		return []*vault.Error{vault.Invalid("", "the input is missing or has a type that cannot be validated")}
	}
	for _, p := range storageProblems(reflect.ValueOf(v), "") {
		if !slices.ContainsFunc(problems, func(e *vault.Error) bool { return e.Field == p.Field }) {
			problems = append(problems, p)
		}
	}
	return problems
}

// validate returns the validator of this package. It is expensive to create and safe for concurrent use.
var validate = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(jsonName)
	rules := map[string]func(string) error{
		"fieldname": func(s string) error {
			if !vault.NamePattern.MatchString(s) {
				return errors.New("is not a field name: use small letters, digits and _, with no digit first, " +
					"such as date_of_birth")
			}
			return nil
		},
		"re2":      CheckPattern,
		"cel":      conditionProblem,
		"timezone": checkTimeZone,
		"region":   checkRegion,
	}
	for tag, rule := range rules {
		ruleProblems[tag] = rule
		err := v.RegisterValidation(tag, func(fl validator.FieldLevel) bool { return rule(fl.Field().String()) == nil })
		if err != nil {
			panic("register the rule " + tag + ": " + err.Error()) // a bug in the lines above
		}
	}
	return v
})

// ruleProblems maps our own tags to the functions that describe a problem. It is filled once, when the validator is
// created.
var ruleProblems = map[string]func(string) error{}

// tagProblem describes why a member fails its validate tag, and the remedy.
func tagProblem(failure validator.FieldError) string {
	if rule, ok := ruleProblems[failure.Tag()]; ok {
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
		// The parameter is the Go name of another member and its value: "Verified true".
		name, value, _ := strings.Cut(limit, " ")
		return fmt.Sprintf("is required if %s is %s", snakeCase(name), value)
	case "oneof":
		return "must be " + vault.OneOf(strings.Fields(limit))
	case "max":
		switch failure.Kind() {
		case reflect.String:
			return "is longer than " + limit + " characters"
		case reflect.Slice, reflect.Map:
			return "has more than " + limit + " entries"
		default:
			return "must be at most " + limit
		}
	case "min":
		return "must be at least " + limit
	case "len":
		return "must be " + limit + " characters long"
	case "unique":
		return "has an entry twice; keep one of them"
	case "hexadecimal":
		return "must be hexadecimal: digits and the letters a to f"
	default:
		return "breaks the rule " + failure.Tag() + strings.TrimSuffix("="+limit, "=")
	}
}

// inputPath converts the validator's path to that of the JSON input: "Scenario.steps[2].id" becomes "steps[2].id". The
// name of the embedded Lineage is dropped, because JSON shows its members at the level above.
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

// jsonName returns the JSON name of a struct field.
func jsonName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
		return name
	}
	return f.Name
}

// snakeCase converts a Go name to a JSON name: "VerifiedBy" becomes "verified_by".
func snakeCase(name string) string { return strings.Join(nameWords(name), "_") }

// checkImport validates every write of an import. Paths of problems start with the index of the write.
func checkImport(in vault.ImportValuesInput) error {
	if len(in.Writes) > vault.MaxImport {
		return vault.Invalid("writes",
			"has %d entries; the limit is %d, so split the import", len(in.Writes), vault.MaxImport)
	}
	var problems []*vault.Error
	if err := vault.Join(inputProblems(in)); err != nil {
		return err
	}
	for i, w := range in.Writes {
		if len(problems) > vault.MaxProblems {
			break
		}
		if err := checkWrite(w); err != nil {
			problems = append(problems, vault.Invalid(fmt.Sprintf("writes[%d]", i), "%s", err.Error()))
		}
	}
	return vault.Join(problems)
}

func checkMerge(in vault.MergeCustomersInput) error {
	if in.SourceCustomerID == in.TargetCustomerID && in.SourceCustomerID != uuid.Nil {
		return vault.Invalid("target_customer_id", "is also the source; use two different customers")
	}
	return vault.Join(inputProblems(in))
}
