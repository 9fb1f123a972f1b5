package llm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// maxProposals bounds what one text may need: far more than anybody could be asked for.
const maxProposals = 200

// maxQuoteBytes is how much of a quote is kept: a sentence, however long.
const maxQuoteBytes = 2000

// unquotedConfidence is the most that a proposal may claim whose quote is not in the text: it goes to review.
const unquotedConfidence = 0.5

// proposedField is one entry of the answer to ProposeFields. Pointers tell a missing key from an empty value.
type proposedField struct {
	Name             *string               `json:"name"`
	DisplayName      *string               `json:"display_name"`
	Description      *string               `json:"description"`
	ValueType        *vault.ValueType      `json:"value_type"`
	AllowedValues    *[]json.RawMessage    `json:"allowed_values"`
	ValidationRegex  *string               `json:"validation_regex"`
	CollectionPrompt *string               `json:"collection_prompt"`
	Examples         *[]string             `json:"examples"`
	IsPII            *bool                 `json:"is_pii"`
	Level            *vault.RequiredLevel  `json:"required_level"`
	Fallback         *vault.FallbackAction `json:"fallback_action"`
	Verified         *bool                 `json:"required_verification"`
	Confidence       *float64              `json:"confidence"`
	Quote            *string               `json:"quote"`
}

// decodeProposals checks the answer to ProposeFields against its schema and against what a definition may hold.
func decodeProposals(answer string, req ProposeRequest) ([]vault.ProposedField, error) {
	var body struct {
		Fields *[]proposedField `json:"fields"`
	}
	if err := decodeStrict(answer, &body); err != nil {
		return nil, err
	}
	if body.Fields == nil {
		return nil, problemf("fields is missing")
	}
	if len(*body.Fields) > maxProposals {
		return nil, problemf("it has more than %d fields", maxProposals)
	}
	var out []vault.ProposedField
	seen := map[string]bool{}
	for i, f := range *body.Fields {
		path := fmt.Sprintf("fields[%d]", i)
		field, err := f.check(path)
		if err != nil {
			return nil, err
		}
		if seen[field.Name] {
			return nil, problemf("%s.name was used before in this answer", path)
		}
		seen[field.Name] = true
		if !quotedFrom(req.Texts, field.Quote) {
			field.Confidence = min(field.Confidence, unquotedConfidence)
		}
		field.Quote = cut(field.Quote, maxQuoteBytes)
		out = append(out, field)
	}
	return out, nil
}

func (f proposedField) check(path string) (vault.ProposedField, error) {
	var none vault.ProposedField
	err := missing(path,
		presence{"name", f.Name != nil}, presence{"display_name", f.DisplayName != nil}, presence{"description", f.Description != nil},
		presence{"value_type", f.ValueType != nil}, presence{"allowed_values", f.AllowedValues != nil},
		presence{"validation_regex", f.ValidationRegex != nil}, presence{"collection_prompt", f.CollectionPrompt != nil},
		presence{"examples", f.Examples != nil}, presence{"is_pii", f.IsPII != nil}, presence{"required_level", f.Level != nil},
		presence{"fallback_action", f.Fallback != nil}, presence{"required_verification", f.Verified != nil},
		presence{"confidence", f.Confidence != nil}, presence{"quote", f.Quote != nil})
	if err != nil {
		return none, err
	}
	switch {
	case len(*f.Name) > vault.MaxNameLength || !vault.NamePattern.MatchString(*f.Name):
		return none, problemf("%s.name is not lower case letters, digits and underscores, at most %d", path, vault.MaxNameLength)
	case !f.ValueType.Valid():
		return none, problemf("%s.value_type is not %s", path, vault.OneOf(vault.ValueTypes))
	case !slices.Contains(vault.RequiredLevels, *f.Level):
		return none, problemf("%s.required_level is not %s", path, vault.OneOf(vault.RequiredLevels))
	case !slices.Contains(vault.FallbackActions, *f.Fallback):
		return none, problemf("%s.fallback_action is not %s", path, vault.OneOf(vault.FallbackActions))
	case len(*f.DisplayName) > 200 || len(*f.Description) > 2000 || len(*f.CollectionPrompt) > 2000:
		return none, problemf("%s has a text that is too long (display_name 200, description and collection_prompt 2000 bytes)", path)
	case len(*f.Examples) > 50 || slices.ContainsFunc(*f.Examples, func(s string) bool { return len(s) > 2000 }):
		return none, problemf("%s.examples has more than 50 entries or one of more than 2000 bytes", path)
	case !isText(*f.CollectionPrompt):
		return none, problemf("%s.collection_prompt is empty", path)
	}
	if err := checkConfidence(path, *f.Confidence); err != nil {
		return none, err
	}
	if err := checkAllowed(path, *f.ValueType, *f.AllowedValues); err != nil {
		return none, err
	}
	field := vault.ProposedField{
		Name: *f.Name, DisplayName: *f.DisplayName, Description: *f.Description, ValueType: *f.ValueType, AllowedValues: *f.AllowedValues,
		ValidationRegex: safeRegex(*f.ValidationRegex), CollectionPrompt: *f.CollectionPrompt, Examples: *f.Examples, IsPII: *f.IsPII,
		Level: *f.Level, Fallback: *f.Fallback, Verified: *f.Verified, Confidence: *f.Confidence, Quote: *f.Quote,
	}
	if field.DisplayName == "" {
		field.DisplayName = vault.DisplayName(field.Name)
	}
	// What could not be stored would be found out at every attempt to do so, each with another call.
	if err := rules.Check(field); err != nil {
		return none, problemf("%s.%v", path, err)
	}
	if err := suitable(path, &field); err != nil {
		return none, err
	}
	return field, nil
}

// suitable checks that the field makes a definition that allows something. An expression that does not is dropped.
func suitable(path string, f *vault.ProposedField) error {
	def := vault.Definition{
		AgentID: anyID, Name: f.Name, DisplayName: f.DisplayName, Description: f.Description, ValueType: f.ValueType, ValidationRegex: f.ValidationRegex,
		AllowedValues: f.AllowedValues, CollectionPrompt: f.CollectionPrompt, ExtractionExamples: f.Examples,
	}
	err := rules.Check(def)
	if err != nil && f.ValidationRegex != "" {
		f.ValidationRegex, def.ValidationRegex = "", ""
		err = rules.Check(def)
	}
	if err != nil {
		return problemf("%s.%v", path, err)
	}
	return nil
}

// anyID stands for an agent in what is checked: which one it is does not matter.
var anyID = uuid.UUID{1}

// checkAllowed refuses allowed values that no value of the type could equal.
func checkAllowed(path string, t vault.ValueType, values []json.RawMessage) error {
	if len(values) > 500 {
		return problemf("%s.allowed_values has more than 500 entries", path)
	}
	want := "string"
	if t == vault.TypeNumber {
		want = "number"
	}
	for i, v := range values {
		if kindOf(v) != want {
			return problemf("%s.allowed_values[%d] is not a %s", path, i, want)
		}
	}
	return nil
}

// safeRegex drops an expression that the vault could not use. A field without one is still a good field.
func safeRegex(expr string) string {
	if len(expr) > vault.MaxRegexLength {
		return ""
	}
	if _, err := regexp.Compile(expr); err != nil {
		return ""
	}
	return expr
}

// quotedFrom reports whether quote stands in one of the texts, apart from white space and case.
func quotedFrom(texts []Text, quote string) bool {
	quote = squeeze(quote)
	return quote != "" && slices.ContainsFunc(texts, func(t Text) bool { return strings.Contains(squeeze(t.Text), quote) })
}

// squeeze lowers s and makes every run of white space one blank.
func squeeze(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
