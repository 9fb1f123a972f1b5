// Package propose reads from the texts of a scenario or rule which facts about the customer they need: from
// expressions ("age >= 18") and from English sentences ("ask for the order number"). Start reading at Propose.
package propose

import (
	"cmp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// Confidences of the ways to name a definition. A proposal below vault.ReviewThreshold waits for a review.
const (
	confidenceExpression = 0.98 // fields.x in an expression
	confidenceKnown      = 0.95 // a known definition in an expression; "is required", "is verified"
	confidenceRequested  = 0.93 // a known definition that the text asks for
	confidenceAge        = 0.92 // "the customer is over 18"
	confidenceDataNoun   = 0.85 // an unknown definition with a data noun: "loyalty card number"
	confidenceOtherNoun  = 0.7  // an unknown definition with another noun: "their dietary wishes"
	confidenceOwned      = 0.7  // a known definition, mentioned as the customer's
	confidenceMentioned  = 0.6  // a known definition, mentioned
)

// mention is a place of a text that names a definition.
type mention struct {
	definition text.KnownDefinition
	known      bool // in the lexicon
	confidence float64
	soft       bool
	verified   bool
	quote      string
	offset     int // start of the quote in the text
}

// Propose returns the requirements of the texts, in order. It ignores the title, which names the topic of a scenario
// and not its needs.
func Propose(req llm.ProposeRequest) []vault.ProposedRequirement {
	reuse := newDefinitionIndex(req.Existing)
	var order []string
	merged := map[string]vault.ProposedRequirement{}
	for _, content := range req.Texts {
		for _, m := range mentionsIn(content) {
			p := reuse.requirement(m)
			if p.Name == "" {
				continue
			}
			before, ok := merged[p.Name]
			if !ok {
				order = append(order, p.Name)
				merged[p.Name] = p
				continue
			}
			merged[p.Name] = mergeProposals(before, p)
		}
	}
	out := make([]vault.ProposedRequirement, len(order))
	for i, name := range order {
		out[i] = merged[name]
	}
	return out
}

// mergeProposals merges two proposals for one definition: the more confident one, as strict as the stricter one.
func mergeProposals(a, b vault.ProposedRequirement) vault.ProposedRequirement {
	out := a
	if b.Confidence > a.Confidence {
		out = b
	}
	// A mention below the threshold does not make a requirement hard that a clear sentence makes soft, and the
	// reverse.
	if a.Confidence >= vault.ReviewThreshold && b.Confidence >= vault.ReviewThreshold &&
		(a.Level == vault.LevelHard || b.Level == vault.LevelHard) {
		out.Level, out.Fallback = vault.LevelHard, vault.FallbackAsk
	}
	out.Verified = a.Verified || b.Verified
	return out
}

// mentionsIn returns the mentions of one text, in order: those in expressions, and those in the sentences of the
// rest.
func mentionsIn(t llm.Text) []mention {
	found, rest := expressionMentions(t.Text, t.Condition)
	for _, s := range text.Sentences(rest, nil) {
		for _, m := range sentenceMentions(s.In(rest), s.In(t.Text)) {
			m.offset += s.Start
			found = append(found, m)
		}
	}
	slices.SortStableFunc(found, func(a, b mention) int { return cmp.Compare(a.offset, b.offset) })
	return found
}

// definitionIndex finds the existing definition of the agent for a mention.
type definitionIndex struct {
	byKnown  map[string]vault.Definition // by the name of the known definition
	byPhrase map[string]vault.Definition // by the words of name and display name
}

func newDefinitionIndex(existing []vault.Definition) definitionIndex {
	r := definitionIndex{byKnown: map[string]vault.Definition{}, byPhrase: map[string]vault.Definition{}}
	for _, d := range existing {
		for _, phrase := range []string{text.Phrase(d.Name), text.Phrase(d.Label())} {
			if _, taken := r.byPhrase[phrase]; !taken {
				r.byPhrase[phrase] = d
			}
			if f, ok := text.Lexicon.Find(phrase); ok {
				if _, taken := r.byKnown[f.Name]; !taken {
					r.byKnown[f.Name] = d
				}
			}
		}
	}
	return r
}

// requirement makes a proposal from a mention. An existing definition supplies its name, type and texts.
func (r definitionIndex) requirement(m mention) vault.ProposedRequirement {
	f := m.definition
	if f.Name == "age" && !r.has("age") {
		// An age changes every year; a date of birth does not.
		f = text.MustFind("date_of_birth")
	}
	p := vault.ProposedRequirement{
		Name: f.Name, DisplayName: f.DisplayName, ValueType: f.Type, CollectionPrompt: f.Prompt, IsPII: f.PII,
		Level: vault.LevelHard, Fallback: vault.FallbackAsk, Verified: m.verified, Confidence: m.confidence, Quote: m.quote,
	}
	if f.Examples != "" {
		p.Examples = strings.Split(f.Examples, "; ")
	}
	if m.soft {
		p.Level, p.Fallback = vault.LevelSoft, vault.FallbackSkip
	}
	d, ok := r.byPhrase[text.Phrase(f.Name)]
	if !ok {
		d, ok = r.byKnown[f.Name]
	}
	if ok {
		p.Name, p.DisplayName, p.Description, p.ValueType = d.Name, d.Label(), d.Description, d.ValueType
		p.AllowedValues, p.ValidationRegex = slices.Clone(d.AllowedValues), d.ValidationRegex
		p.CollectionPrompt, p.Examples, p.IsPII = d.Prompt(), slices.Clone(d.ExtractionExamples), d.IsPII
	}
	return p
}

func (r definitionIndex) has(name string) bool {
	_, ok := r.byKnown[name]
	return ok
}
