package openai

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// maxProposals limits the entries of one answer. It is far more than a customer can be asked for.
const maxProposals = 200

// maxQuoteBytes is the size to which a quote is truncated. A long sentence fits.
const maxQuoteBytes = 2000

// unquotedConfidence limits the confidence of a proposal with a quote that is not in the text. Such a proposal goes
// to review.
const unquotedConfidence = 0.5

// proposalAnswer is the answer to ProposeRequirements. Its JSON Schema is made from these types.
type proposalAnswer struct {
	Fields []proposal `json:"fields"`
}

type proposal struct {
	Name             string               `json:"name"`
	DisplayName      string               `json:"display_name"`
	Description      string               `json:"description"`
	ValueType        vault.ValueType      `json:"value_type"`
	AllowedValues    []json.RawMessage    `json:"allowed_values"`
	ValidationRegex  string               `json:"validation_regex"`
	CollectionPrompt string               `json:"collection_prompt"`
	Examples         []string             `json:"examples"`
	IsPII            bool                 `json:"is_pii"`
	Level            vault.RequiredLevel  `json:"required_level"`
	Fallback         vault.FallbackAction `json:"fallback_action"`
	WhenCondition    string               `json:"when_condition"`
	Verified         bool                 `json:"required_verification"`
	Confidence       float64              `json:"confidence"`
	Quote            string               `json:"quote"`
}

// decodeProposals takes the valid entries from the answer to ProposeRequirements: those that match the schema and the
// rules of a definition. Of several entries with one name it takes the first.
func decodeProposals(answer string, req llm.ProposeRequest) ([]vault.ProposedRequirement, llm.Drops, error) {
	found, drops, err := decodeAnswer[proposal](proposalSchema, answer, func() *proposals {
		return &proposals{texts: req.Texts, seen: map[string]bool{}}
	})
	if err != nil {
		return nil, drops, err
	}
	return found.found, drops, nil
}

// proposals collects proposals, in the order of the answer.
type proposals struct {
	texts []llm.Text
	found []vault.ProposedRequirement
	seen  map[string]bool
}

func (p *proposals) size() int { return len(p.found) }

func (p *proposals) add(path string, entry proposal) error {
	r, err := entry.requirement(path)
	switch {
	case err != nil:
		return err
	case p.seen[r.Name]:
		return dropf(llm.DropRepeated, "%s.name was used before in this answer", path)
	case len(p.found) == maxProposals:
		return dropf(llm.DropTooMany, "it has more than %d fields", maxProposals)
	}
	p.seen[r.Name] = true
	if !isQuoted(p.texts, r.Quote) {
		r.Confidence = min(r.Confidence, unquotedConfidence)
	}
	r.Quote = llm.Truncate(r.Quote, maxQuoteBytes)
	p.found = append(p.found, r)
	return nil
}

func (p proposal) requirement(path string) (vault.ProposedRequirement, error) {
	var none vault.ProposedRequirement
	switch {
	case len(p.Name) > vault.MaxNameLength || !vault.NamePattern.MatchString(p.Name):
		return none, dropf(
			llm.DropDefinition,
			"%s.name is not lower case letters, digits and underscores, at most %d",
			path,
			vault.MaxNameLength,
		)
	case len(p.DisplayName) > 200 || len(p.Description) > 2000 || len(p.CollectionPrompt) > 2000:
		return none, dropf(
			llm.DropDefinition,
			"%s has a text that is too long (display_name 200, description and collection_prompt 2000 bytes)",
			path,
		)
	case len(p.Examples) > 50 || slices.ContainsFunc(p.Examples, func(s string) bool { return len(s) > 2000 }):
		return none, dropf(llm.DropDefinition, "%s.examples has more than 50 entries or one of more than 2000 bytes", path)
	case !llm.HasText(p.CollectionPrompt):
		return none, dropf(llm.DropDefinition, "%s.collection_prompt is empty", path)
	}
	if err := checkConfidence(path, p.Confidence); err != nil {
		return none, err
	}
	if err := checkAllowedValues(path, p.ValueType, p.AllowedValues); err != nil {
		return none, err
	}
	r := vault.ProposedRequirement(p)
	if rules.CompileCondition(p.WhenCondition) != nil || !llm.HasText(p.WhenCondition) {
		r.WhenCondition = "" // without its condition the requirement is stricter, which a review can change
		if llm.HasText(p.WhenCondition) {
			r.Confidence = min(r.Confidence, unquotedConfidence)
		}
	}
	r.ValidationRegex = usableRegex(p.ValidationRegex)
	if r.DisplayName == "" {
		r.DisplayName = vault.DisplayName(r.Name)
	}
	// A proposal that cannot be stored would fail at every retry of the step, each with another paid call.
	if err := rules.Check(r); err != nil {
		return none, dropf(llm.DropDefinition, "%s.%v", path, err)
	}
	if err := checkDefinition(path, &r); err != nil {
		return none, err
	}
	return r, nil
}

// checkDefinition checks that r makes a valid definition. It drops a validation regex that makes the definition
// invalid.
func checkDefinition(path string, r *vault.ProposedRequirement) error {
	def := vault.Definition{
		AgentID:            anyID,
		Name:               r.Name,
		DisplayName:        r.DisplayName,
		Description:        r.Description,
		ValueType:          r.ValueType,
		ValidationRegex:    r.ValidationRegex,
		AllowedValues:      r.AllowedValues,
		CollectionPrompt:   r.CollectionPrompt,
		ExtractionExamples: r.Examples,
	}
	err := rules.Check(def)
	if err != nil && r.ValidationRegex != "" {
		r.ValidationRegex, def.ValidationRegex = "", ""
		err = rules.Check(def)
	}
	if err != nil {
		return dropf(llm.DropDefinition, "%s.%v", path, err)
	}
	return nil
}

// anyID is the agent of a definition that is only checked. No check depends on it.
var anyID = uuid.UUID{1}

// checkAllowedValues rejects allowed values of another JSON type than t needs.
func checkAllowedValues(path string, t vault.ValueType, values []json.RawMessage) error {
	if len(values) > 500 {
		return dropf(llm.DropDefinition, "%s.allowed_values has more than 500 entries", path)
	}
	want := "string"
	if t == vault.TypeNumber {
		want = "number"
	}
	for i, v := range values {
		if kindOf(v) != want {
			return dropf(llm.DropType, "%s.allowed_values[%d] is not a %s", path, i, want)
		}
	}
	return nil
}

// usableRegex returns expr, or "" if the vault refuses it: a definition without a regex is still useful.
func usableRegex(expr string) string {
	if len(expr) > vault.MaxRegexLength {
		return ""
	}
	if rules.CheckPattern(expr) != nil {
		return ""
	}
	return expr
}

// isQuoted reports whether one of texts contains quote, ignoring case and white space.
func isQuoted(texts []llm.Text, quote string) bool {
	quote = llm.Squeeze(quote)
	return quote != "" &&
		slices.ContainsFunc(texts, func(t llm.Text) bool { return strings.Contains(llm.Squeeze(t.Text), quote) })
}
