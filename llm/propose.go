package llm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// Confidences of the ways in which a text may name a field. What is under vault.ReviewThreshold waits for a person.
const (
	sureExpression  = 0.98 // fields.x in an expression
	sureKnown       = 0.95 // a known field in an expression; "is required", "is verified"
	sureNeeded      = 0.93 // a known field that a verb of asking governs
	sureAge         = 0.92 // "the customer is over 18"
	sureNoun        = 0.85 // an unknown field whose noun names a piece of data: "loyalty card number"
	unsureNoun      = 0.7  // an unknown field of another noun: "their dietary wishes"
	unsureOwned     = 0.7  // a known field that is only mentioned as the customer's
	unsureMentioned = 0.6  // a known field that is only mentioned
)

// mention is a field that a text names.
type mention struct {
	field      knownField
	known      bool // the field is in the lexicon
	confidence float64
	soft       bool
	verified   bool
	quote      string
	at         int // where the quote begins, for the order
}

// propose reads the fields that the texts need. The title is left out: it says what a scenario is about, not what it needs.
func propose(req ProposeRequest) []vault.ProposedField {
	reuse := newReuse(req.Existing)
	var order []string
	merged := map[string]vault.ProposedField{}
	for _, text := range req.Texts {
		for _, m := range mentionsIn(text) {
			p := reuse.proposal(m)
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
	out := make([]vault.ProposedField, len(order))
	for i, name := range order {
		out[i] = merged[name]
	}
	return out
}

// mergeProposals makes one of two proposals for one field: the surer one, as strict as the stricter one.
func mergeProposals(a, b vault.ProposedField) vault.ProposedField {
	out := a
	if b.Confidence > a.Confidence {
		out = b
	}
	// A mere mention does not make a field hard that a plain sentence calls optional, nor the other way round.
	if a.Confidence >= vault.ReviewThreshold && b.Confidence >= vault.ReviewThreshold && (a.Level == vault.LevelHard || b.Level == vault.LevelHard) {
		out.Level, out.Fallback = vault.LevelHard, vault.FallbackAsk
	}
	out.Verified = a.Verified || b.Verified
	return out
}

// mentionsIn reads one text: its expressions first, then what is left of it, sentence by sentence.
func mentionsIn(t Text) []mention {
	found, rest := expressionMentions(t.Text, t.Condition)
	for _, s := range sentences(rest, nil) {
		for _, m := range sentenceMentions(s.in(rest), s.in(t.Text)) {
			m.at += s.start
			found = append(found, m)
		}
	}
	slices.SortStableFunc(found, func(a, b mention) int { return cmp.Compare(a.at, b.at) })
	return found
}

// reuse gives fields the names under which the agent knows them already.
type reuse struct {
	byField  map[string]vault.Definition // by the name of the known field that the definition is
	byPhrase map[string]vault.Definition // by the words of the definition's name and display name
}

func newReuse(existing []vault.Definition) reuse {
	r := reuse{byField: map[string]vault.Definition{}, byPhrase: map[string]vault.Definition{}}
	for _, d := range existing {
		for _, phrase := range []string{phraseOf(d.Name), phraseOf(d.Label())} {
			if _, taken := r.byPhrase[phrase]; !taken {
				r.byPhrase[phrase] = d
			}
			if f, ok := lexicon.find(phrase); ok {
				if _, taken := r.byField[f.name]; !taken {
					r.byField[f.name] = d
				}
			}
		}
	}
	return r
}

// proposal makes a proposal of a mention, in the words of an existing definition where there is one.
func (r reuse) proposal(m mention) vault.ProposedField {
	f := m.field
	if f.name == "age" && !r.has("age") {
		// An age is out of date on every birthday; the date it is counted from is not.
		f = mustKnow("date_of_birth")
	}
	p := vault.ProposedField{
		Name: f.name, DisplayName: f.display, ValueType: f.typ, CollectionPrompt: f.prompt, IsPII: f.pii,
		Level: vault.LevelHard, Fallback: vault.FallbackAsk, Verified: m.verified, Confidence: m.confidence, Quote: m.quote,
	}
	if f.examples != "" {
		p.Examples = strings.Split(f.examples, "; ")
	}
	if m.soft {
		p.Level, p.Fallback = vault.LevelSoft, vault.FallbackSkip
	}
	d, ok := r.byPhrase[phraseOf(f.name)]
	if !ok {
		d, ok = r.byField[f.name]
	}
	if ok {
		p.Name, p.DisplayName, p.Description, p.ValueType = d.Name, d.Label(), d.Description, d.ValueType
		p.AllowedValues, p.ValidationRegex = slices.Clone(d.AllowedValues), d.ValidationRegex
		p.CollectionPrompt, p.Examples, p.IsPII = d.Prompt(), slices.Clone(d.ExtractionExamples), d.IsPII
	}
	return p
}

func (r reuse) has(name string) bool {
	_, ok := r.byField[name]
	return ok
}

// mustKnow gives the known field of that name.
func mustKnow(name string) knownField {
	for _, f := range knownFields {
		if f.name == name {
			return f
		}
	}
	panic("no known field " + name)
}
