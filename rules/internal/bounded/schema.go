package bounded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/contextvault/contextvault/vault"
)

// Schema is a compiled JSON Schema of limited size.
type Schema struct {
	root  *jsonschema.Schema
	parts int             // its subschemas
	names map[string]bool // the members that it names: no values of a customer
}

const (
	// schemaURL is the address of every schema. Nothing is there.
	schemaURL = "https://schema.invalid/"
	// maxNumberLength limits the digits of numbers that are compared: exact arithmetic with more is slow.
	maxNumberLength = 100
	// stepsPerPart is the number of steps, as those of a regular expression, that take as long as one evaluation of a
	// subschema: about a microsecond.
	stepsPerPart = 40
	// maxSchemaProblems is the maximum number of problems of one value that a message names.
	maxSchemaProblems = 5
)

// noLoader refuses to load other documents.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(string) (any, error) { return nil, errors.New("nothing is loaded") }

// CompileSchema compiles a JSON Schema: draft 2020-12, or an earlier one that $schema names. Formats are checked.
// It returns an error for a document that is no schema, refers to another document, or exceeds vault.MaxSchemaBytes or
// vault.MaxSchemaParts.
func CompileSchema(document []byte) (Schema, error) {
	if s, ok := schemas.get(string(document)); ok {
		return s, nil
	}
	s, err := buildSchema(document)
	if err == nil {
		schemas.add(string(document), s)
	}
	return s, err
}

func buildSchema(document []byte) (Schema, error) {
	if len(document) > vault.MaxSchemaBytes {
		return Schema{}, fmt.Errorf("is larger than %d KiB", vault.MaxSchemaBytes>>10)
	}
	decoded, why := decode(document)
	if why != "" {
		return Schema{}, errors.New(why)
	}
	if _, isObject := decoded.(map[string]any); !isObject {
		return Schema{}, errors.New(`is not a JSON Schema, which is an object, such as {"type": "object"}`)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	compiler.AssertFormat()
	compiler.UseRegexpEngine(func(expr string) (jsonschema.Regexp, error) { return Compile(expr) })
	if err := compiler.AddResource(schemaURL, decoded); err != nil {
		return Schema{}, schemaError(err)
	}
	root, err := compiler.Compile(schemaURL)
	if err != nil {
		return Schema{}, schemaError(err)
	}
	s := Schema{root: root, names: map[string]bool{}}
	return s, s.inspect()
}

// schemaError describes why a document is no schema. The text contains parts of the schema only.
func schemaError(err error) error {
	if invalid, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if cause, ok := errors.AsType[*jsonschema.ValidationError](invalid.Err); ok {
			if regex := formatError(cause); regex != nil {
				return fmt.Errorf("has a pattern that %w", regex)
			}
			problems := problemsOf(cause, func(string) bool { return true }, nil)
			return errors.New("is not a JSON Schema: " + strings.Join(problems, "; "))
		}
	}
	if regex, ok := errors.AsType[*jsonschema.InvalidRegexError](err); ok {
		return fmt.Errorf("has a pattern that %w", regex.Err)
	}
	if _, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		return errors.New(
			"refers to another document; only references that begin with # are allowed, such as #/$defs/address",
		)
	}
	text := strings.ReplaceAll(err.Error(), schemaURL, "")
	return errors.New("is not a JSON Schema: " + text)
}

// formatError returns the problem of the first pattern that does not compile, nil if there is none. The schemas of
// schemas have the format regex for patterns.
func formatError(invalid *jsonschema.ValidationError) error {
	if k, ok := invalid.ErrorKind.(*kind.Format); ok && k.Want == "regex" {
		return k.Err
	}
	for _, cause := range invalid.Causes {
		if err := formatError(cause); err != nil {
			return err
		}
	}
	return nil
}

// inspect counts the parts of a schema and collects the names in it. It returns an error for a schema with too many
// parts, with references that are resolved while a value is checked, or one that refers to itself for the same value.
func (s *Schema) inspect() error {
	const (
		open = 1 + iota
		done
	)
	state := map[*jsonschema.Schema]int{}
	pending := []*jsonschema.Schema{s.root}
	var visit func(part *jsonschema.Schema) error
	visit = func(part *jsonschema.Schema) error {
		switch state[part] {
		case done:
			return nil
		case open:
			return errors.New("refers to itself without a property or an item between, so no value could be checked")
		}
		if part.RecursiveRef != nil || part.DynamicRef != nil {
			return errors.New("has a $dynamicRef or $recursiveRef; use $ref, such as #/$defs/address")
		}
		if s.parts++; s.parts > vault.MaxSchemaParts {
			return fmt.Errorf("has more than %d parts", vault.MaxSchemaParts)
		}
		state[part] = open
		for name := range part.Properties {
			s.names[name] = true
		}
		for _, name := range part.Required {
			s.names[name] = true
		}
		for _, sub := range inPlace(part, nil) {
			if err := visit(sub); err != nil {
				return err
			}
		}
		state[part] = done
		pending = append(pending, below(part)...)
		return nil
	}
	for i := 0; i < len(pending); i++ {
		if err := visit(pending[i]); err != nil {
			return err
		}
	}
	return nil
}

// inPlace returns the subschemas that are applied to the same value. object is the value, nil for any.
func inPlace(part *jsonschema.Schema, object map[string]any) []*jsonschema.Schema {
	subs := slices.Concat(part.AllOf, part.AnyOf, part.OneOf)
	subs = append(subs, part.Ref, part.Not, part.If, part.Then, part.Else)
	applies := func(name string) bool {
		_, has := object[name]
		return object == nil || has
	}
	for name, sub := range part.DependentSchemas {
		if applies(name) {
			subs = append(subs, sub)
		}
	}
	for name, dependency := range part.Dependencies {
		if sub, ok := dependency.(*jsonschema.Schema); ok && applies(name) {
			subs = append(subs, sub)
		}
	}
	return compactSchemas(subs)
}

// below returns the subschemas that are applied to the members and items of a value.
func below(part *jsonschema.Schema) []*jsonschema.Schema {
	subs := []*jsonschema.Schema{
		part.PropertyNames, part.UnevaluatedProperties, part.Contains, part.Items2020, part.UnevaluatedItems,
	}
	subs = append(subs, part.PrefixItems...)
	for _, sub := range part.Properties {
		subs = append(subs, sub)
	}
	for _, sub := range part.PatternProperties {
		subs = append(subs, sub)
	}
	for _, either := range []any{part.AdditionalProperties, part.Items, part.AdditionalItems} {
		subs = append(subs, schemasIn(either)...)
	}
	return compactSchemas(subs)
}

// schemasIn returns the schemas of a keyword that is a schema, a list of them or a boolean.
func schemasIn(keyword any) []*jsonschema.Schema {
	switch k := keyword.(type) {
	case *jsonschema.Schema:
		return []*jsonschema.Schema{k}
	case []*jsonschema.Schema:
		return k
	default:
		return nil
	}
}

func compactSchemas(subs []*jsonschema.Schema) []*jsonschema.Schema {
	return slices.DeleteFunc(subs, func(sub *jsonschema.Schema) bool { return sub == nil })
}

// Steps returns an upper bound of the work to check a value, in steps of a regular expression. It stops counting
// beyond vault.MaxRegexSteps.
func (s Schema) Steps(value []byte) int {
	decoded, why := decode(value)
	if why != "" {
		return 0 // refused without a check
	}
	return s.steps(decoded)
}

func (s Schema) steps(value any) int {
	w := work{}
	w.add(s.root, value)
	return w.steps
}

// work counts the steps of a check by following it: each subschema is evaluated for the same values, and what a check
// could skip is counted too.
type work struct{ steps int }

func (w *work) full() bool { return w.steps > vault.MaxRegexSteps }

func (w *work) add(part *jsonschema.Schema, value any) {
	if part == nil || w.full() {
		return
	}
	w.steps += stepsPerPart
	if part.Enum != nil {
		w.steps += stepsPerPart * len(part.Enum.Values)
	}
	object, _ := value.(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	for _, sub := range inPlace(part, object) {
		w.add(sub, value)
	}
	switch v := value.(type) {
	case string:
		w.match(part.Pattern, v)
	case []any:
		w.items(part, v)
	case map[string]any:
		w.members(part, v)
	}
}

func (w *work) match(pattern jsonschema.Regexp, text string) {
	if p, ok := pattern.(Pattern); ok {
		w.steps += p.Steps(len(text))
	}
}

func (w *work) items(part *jsonschema.Schema, items []any) {
	const comparedInPairs = 20 // more are compared by their hashes
	if part.UniqueItems {
		w.steps += stepsPerPart * len(items) * min(len(items), comparedInPairs)
	}
	listed := slices.Concat(schemasInList(part.Items), part.PrefixItems)
	all := append([]*jsonschema.Schema{part.Contains, part.Items2020, part.UnevaluatedItems},
		slices.Concat(schemasIn(part.AdditionalItems), schemaAlone(part.Items))...)
	for i, item := range items {
		if w.full() {
			return
		}
		w.steps += stepsPerPart
		if i < len(listed) {
			w.add(listed[i], item)
		}
		for _, sub := range all {
			w.add(sub, item)
		}
	}
}

func schemasInList(keyword any) []*jsonschema.Schema {
	list, _ := keyword.([]*jsonschema.Schema)
	return list
}

func schemaAlone(keyword any) []*jsonschema.Schema {
	if one, ok := keyword.(*jsonschema.Schema); ok {
		return []*jsonschema.Schema{one}
	}
	return nil
}

func (w *work) members(part *jsonschema.Schema, members map[string]any) {
	w.steps += stepsPerPart * len(part.Required)
	for name, member := range members {
		if w.full() {
			return
		}
		w.steps += stepsPerPart
		w.add(part.PropertyNames, name)
		w.add(part.Properties[name], member)
		w.add(part.UnevaluatedProperties, member)
		for pattern, sub := range part.PatternProperties {
			w.match(pattern, name)
			w.add(sub, member)
		}
		for _, sub := range schemasIn(part.AdditionalProperties) {
			w.add(sub, member)
		}
	}
}

// Check returns the reason why a JSON value does not match the schema, "" if it does. The reason follows "the value" in
// a message. It names places in the value by positions and by the names in the schema, and contains nothing else of
// the value.
func (s Schema) Check(value []byte) (problem string) {
	defer func() {
		if recover() != nil {
			problem = "cannot be checked against the json_schema of its definition"
		}
	}()
	decoded, why := decode(value)
	if why != "" {
		return why
	}
	if s.steps(decoded) > vault.MaxRegexSteps {
		return "is too large to be checked against the json_schema of its definition"
	}
	err := s.root.Validate(decoded)
	if err == nil {
		return ""
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return "does not match its json_schema"
	}
	problems := problemsOf(invalid, func(name string) bool { return s.names[name] }, decoded)
	return "does not match its json_schema: " + strings.Join(problems, "; ")
}

// decode decodes a JSON document with exact numbers.
func decode(document []byte) (decoded any, problem string) {
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	if dec.Decode(&decoded) != nil {
		return nil, "is not valid JSON"
	}
	if hasLongNumber(decoded) {
		return nil, "has a number with more than " + strconv.Itoa(maxNumberLength) + " digits, which cannot be checked"
	}
	return decoded, ""
}

// hasLongNumber reports whether exact arithmetic with a number of a JSON value would be slow.
func hasLongNumber(v any) bool {
	switch v := v.(type) {
	case json.Number:
		mantissa, exponent, _ := strings.Cut(strings.ToLower(v.String()), "e")
		power, err := strconv.Atoi(exponent)
		return len(mantissa) > maxNumberLength || exponent != "" && (err != nil || max(power, -power) > maxNumberLength)
	case []any:
		return slices.ContainsFunc(v, hasLongNumber)
	case map[string]any:
		for _, member := range v {
			if hasLongNumber(member) {
				return true
			}
		}
	}
	return false
}

// problemsOf lists the problems of a value in a stable order, each with its place. isKnown reports whether the name of
// a member may be shown.
func problemsOf(invalid *jsonschema.ValidationError, isKnown func(string) bool, value any) []string {
	var problems []string
	collectProblems(invalid, isKnown, value, &problems)
	slices.Sort(problems)
	problems = slices.Compact(problems)
	if rest := len(problems) - maxSchemaProblems; rest > 0 {
		problems = append(problems[:maxSchemaProblems], fmt.Sprintf("and %d more", rest))
	}
	return problems
}

func collectProblems(invalid *jsonschema.ValidationError, isKnown func(string) bool, value any, problems *[]string) {
	switch invalid.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not, *kind.Contains, *kind.MinContains, *kind.PropertyNames:
		// Their causes are the problems of alternatives.
	default:
		if len(invalid.Causes) > 0 {
			for _, cause := range invalid.Causes {
				collectProblems(cause, isKnown, value, problems)
			}
			return
		}
	}
	place := placeOf(invalid.InstanceLocation, isKnown, value)
	*problems = append(*problems, problemAt(place, invalid.ErrorKind)...)
}

// placeOf returns a location in a value as address.lines[2]. A member whose name is not known is shown as ….
func placeOf(location []string, isKnown func(string) bool, value any) string {
	var place strings.Builder
	for _, token := range location {
		switch at := value.(type) {
		case []any:
			place.WriteString("[" + token + "]")
			value = nil
			if i, err := strconv.Atoi(token); err == nil && i < len(at) {
				value = at[i]
			}
		case map[string]any:
			value = at[token]
			writeMember(&place, token, isKnown)
		default: // of a schema, whose every part may be shown
			writeMember(&place, token, isKnown)
		}
	}
	return place.String()
}

func writeMember(place *strings.Builder, name string, isKnown func(string) bool) {
	if place.Len() > 0 {
		place.WriteByte('.')
	}
	if !isKnown(name) {
		name = "…"
	}
	place.WriteString(name)
}

// problemAt returns the problems of one place, in words.
func problemAt(place string, k jsonschema.ErrorKind) []string {
	at := place
	if at == "" {
		at = "it"
	}
	one := func(format string, args ...any) []string { return []string{at + " " + fmt.Sprintf(format, args...)} }
	missing := func(names []string) []string {
		var problems []string
		for _, name := range names {
			problems = append(problems, strings.TrimPrefix(place+"."+name, ".")+" is missing")
		}
		return problems
	}
	switch k := k.(type) {
	case *kind.Required:
		return missing(k.Missing)
	case *kind.DependentRequired:
		return missing(k.Missing)
	case *kind.Dependency:
		return missing(k.Missing)
	case *kind.Type:
		return one("is not of type %s", vault.OneOf(k.Want))
	case *kind.Enum:
		return one("is not %s", vault.OneOf(textsOf(k.Want)))
	case *kind.Const:
		return one("is not %s", textsOf([]any{k.Want})[0])
	case *kind.Format:
		return one("is not of the format %s", k.Want)
	case *kind.Pattern:
		return one("does not match the pattern %s", k.Want)
	case *kind.MinLength:
		return one("is shorter than %d characters", k.Want)
	case *kind.MaxLength:
		return one("is longer than %d characters", k.Want)
	case *kind.Minimum:
		return one("is less than %s", k.Want.RatString())
	case *kind.Maximum:
		return one("is more than %s", k.Want.RatString())
	case *kind.ExclusiveMinimum:
		return one("is not more than %s", k.Want.RatString())
	case *kind.ExclusiveMaximum:
		return one("is not less than %s", k.Want.RatString())
	case *kind.MultipleOf:
		return one("is not a multiple of %s", k.Want.RatString())
	case *kind.MinItems:
		return one("has fewer than %d items", k.Want)
	case *kind.MaxItems:
		return one("has more than %d items", k.Want)
	case *kind.UniqueItems:
		return one("has the same item twice, at %d and %d", k.Duplicates[0], k.Duplicates[1])
	case *kind.MinProperties:
		return one("has fewer than %d members", k.Want)
	case *kind.MaxProperties:
		return one("has more than %d members", k.Want)
	case *kind.AdditionalProperties, *kind.FalseSchema:
		return one("has a part that the schema does not allow")
	case *kind.AdditionalItems:
		return one("has more items than the schema allows")
	case *kind.PropertyNames:
		return one("has a member with a name that the schema does not allow")
	case *kind.AnyOf:
		return one("matches none of the alternatives of anyOf")
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return one("matches more than one of the alternatives of oneOf")
		}
		return one("matches none of the alternatives of oneOf")
	case *kind.Contains, *kind.MinContains, *kind.MaxContains:
		return one("does not contain the items that the schema requires")
	default:
		return one("is not what the schema allows")
	}
}

// textsOf returns values of a schema as JSON, at most a few of them.
func textsOf(values []any) []string {
	const maxListed, maxText = 10, 60
	var texts []string
	for _, v := range values {
		if len(texts) == maxListed {
			return append(texts, "another allowed value")
		}
		raw, _ := json.Marshal(v) // what was decoded from JSON has a JSON form
		text := []rune(string(raw))
		if len(text) > maxText {
			text = append(text[:maxText-1], '…')
		}
		texts = append(texts, string(text))
	}
	return texts
}
