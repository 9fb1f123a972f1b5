// Package propose reads from the texts of a scenario or rule which facts about the customer they need: from
// expressions ("age >= 18") and from English sentences ("ask for the order number").
//
// A sentence is split into clauses (clause.go), and each clause is classified: it needs something, forbids it, gives
// something to the customer, states a condition (classify.go). What a clause needs is matched with the agent's own
// definitions first (index.go), then with the lexicon, and else makes a new definition. Start reading at Propose.
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
	confidenceKnown      = 0.95 // the name of a definition; a known definition in an expression
	confidenceRequested  = 0.93 // a known definition that the text asks for; one of the agent by most of its words
	confidenceAge        = 0.92 // "the customer is over 18"
	confidenceDataNoun   = 0.85 // an unknown definition with a data noun: "loyalty card number"
	confidenceAmbiguous  = 0.75 // two definitions of the agent fit equally well
	confidenceOtherNoun  = 0.7  // an unknown definition with another noun: "their dietary wishes"
)

// Ways in which a phrase was matched with a definition.
const (
	MatchedByName        = vault.MatchedByName
	MatchedByWords       = vault.MatchedByWords
	MatchedByDescription = vault.MatchedByDescription
	MatchedByCondition   = vault.MatchedByCondition
	MatchedByNothing     = vault.MatchedByNothing
)

// MatchedBy is vault.MatchedBy.
type MatchedBy = vault.MatchedBy

// mention is a place of a text that names a definition.
type mention struct {
	own         *ownDefinition       // the definition of the agent; nil: definition
	definition  text.KnownDefinition // of the lexicon, or new
	known       bool                 // in the lexicon
	how         MatchedBy
	confidence  float64
	soft        bool
	extract     bool
	block       bool
	verified    bool
	when        condition
	ofCondition bool   // only a condition reads it
	comparison  string // of an expression: the operator and the literal
	quote       string
	offset      int // start of the quote in the text
	sentence    int // index of its reading
}

// name returns the name of the definition that a mention ends at.
func (m mention) name(x *index) string { return x.requirement(m).Name }

// Propose returns the requirements of the texts, in order. It ignores the title, which names the topic of a scenario
// and not its needs.
func Propose(req llm.ProposeRequest) []vault.ProposedRequirement {
	proposals, _ := Read(req)
	return proposals
}

// Read returns the requirements of the texts, in order, and how each sentence was read.
func Read(req llm.ProposeRequest) ([]vault.ProposedRequirement, []vault.SentenceReading) {
	contents := []string{req.Title}
	for _, t := range req.Texts {
		contents = append(contents, t.Text)
	}
	x := newIndex(req.Existing, contents)
	var order []string
	merged := map[string]draft{}
	var readings []vault.SentenceReading
	memory := textReader{index: x}
	for _, content := range req.Texts {
		found, read := memory.readText(content)
		for i := range read {
			read[i].Label = content.Label
		}
		for _, m := range found {
			p := x.requirement(m)
			if p.Name == "" {
				continue
			}
			reading := &read[m.sentence]
			reading.Gave = append(reading.Gave, vault.GivenRequirement{
				FieldName: p.Name, Existing: m.own != nil || x.isOwn(p.Name), MatchedBy: m.how, RequiredLevel: p.Level,
				FallbackAction: p.Fallback, WhenCondition: p.WhenCondition, UnboundCondition: m.when.text,
				Verified: p.Verified, Confidence: p.Confidence, Quote: p.Quote,
			})
			d := draft{p, m.ofCondition, m.how}
			before, ok := merged[p.Name]
			if !ok {
				order = append(order, p.Name)
				merged[p.Name] = d
				continue
			}
			merged[p.Name] = mergeDrafts(before, d)
		}
		readings = append(readings, read...)
	}
	out := make([]vault.ProposedRequirement, len(order))
	for i, name := range order {
		out[i] = merged[name].ProposedRequirement
	}
	return dropUnboundCircles(out), readings
}

// draft is a proposal before the merge of all places that name its field.
type draft struct {
	vault.ProposedRequirement

	ofCondition bool
	how         MatchedBy
}

// mergeDrafts merges two proposals for one definition: the more confident one, as strict as the stricter one. A place
// where only a condition reads the field does not make it stricter.
func mergeDrafts(a, b draft) draft {
	verified := a.Verified || b.Verified
	out := a
	switch {
	case a.ofCondition && !b.ofCondition:
		out = b
	case b.ofCondition:
	case a.WhenCondition != b.WhenCondition && a.Level == b.Level:
		out = moreConfident(a, b)
		out.WhenCondition = either(a.WhenCondition, b.WhenCondition)
	case a.Level != b.Level && min(a.Confidence, b.Confidence) >= vault.ReviewThreshold:
		// A mention below the threshold does not make a requirement hard that a clear sentence makes soft, and the
		// reverse.
		out = a
		if b.Level == vault.LevelHard {
			out = b
		}
	default:
		out = moreConfident(a, b)
	}
	out.Verified = verified
	return out
}

func moreConfident(a, b draft) draft {
	if b.Confidence > a.Confidence {
		return b
	}
	return a
}

// either returns the condition that holds if a or b holds. An empty one always holds.
func either(a, b string) string {
	switch {
	case a == "" || b == "":
		return ""
	case strings.Contains(a, b):
		return b
	case strings.Contains(b, a):
		return a
	}
	return "(" + a + ") || (" + b + ")"
}

// dropUnboundCircles removes a condition that reads only the field itself: "if they have a phone, ask for it".
func dropUnboundCircles(list []vault.ProposedRequirement) []vault.ProposedRequirement {
	for i := range list {
		if w := list[i].WhenCondition; w == "has(fields."+list[i].Name+")" || w == "!has(fields."+list[i].Name+")" {
			list[i].WhenCondition = ""
		}
	}
	return list
}

// readText returns the mentions of one text, in order: those in expressions, and those in the sentences of the rest.
func (t *textReader) readText(content llm.Text) ([]mention, []vault.SentenceReading) {
	expressions, rest := expressionMentions(content.Text, content.Condition)
	flowed, paragraphs := flow(rest)
	t.flowed, t.original, t.expressions = flowed, content.Text, expressions
	t.found, t.readings = nil, nil
	t.read(paragraphs)
	if len(t.readings) == 0 {
		t.readings = []vault.SentenceReading{{Text: strings.TrimSpace(content.Text)}}
	}
	starts := t.starts
	for _, m := range expressions {
		m.how = vault.MatchedByExpression
		for i, start := range starts {
			if start <= m.offset {
				m.sentence = i
			}
		}
		t.found = append(t.found, m)
	}
	t.starts = nil
	slices.SortStableFunc(t.found, func(a, b mention) int { return cmp.Compare(a.offset, b.offset) })
	pairDates(t.found)
	return t.found, t.readings
}

func (x *index) isOwn(name string) bool {
	return slices.ContainsFunc(x.own, func(o ownDefinition) bool { return o.Name == name })
}

// requirement makes a proposal from a mention. A definition of the agent supplies its name, type and texts.
func (x *index) requirement(m mention) vault.ProposedRequirement {
	own := m.own
	if own == nil {
		own, m = x.ownOf(m)
	}
	p := vault.ProposedRequirement{
		Level: vault.LevelHard, Fallback: vault.FallbackAsk, Verified: m.verified, Confidence: m.confidence,
		WhenCondition: m.when.expr, Quote: m.quote,
	}
	switch {
	case m.soft && m.extract:
		p.Level, p.Fallback = vault.LevelSoft, vault.FallbackExtract
	case m.soft, m.when.unbound && m.when.expr == "":
		p.Level, p.Fallback = vault.LevelSoft, vault.FallbackSkip
	case m.block:
		p.Fallback = vault.FallbackBlock
	}
	if own != nil {
		p.Name, p.DisplayName, p.Description, p.ValueType = own.Name, own.Label(), own.Description, own.ValueType
		p.AllowedValues, p.ValidationRegex = slices.Clone(own.AllowedValues), own.ValidationRegex
		p.CollectionPrompt, p.Examples, p.IsPII = own.Prompt(), slices.Clone(own.ExtractionExamples), own.IsPII
		return p
	}
	f := m.definition
	p.Name, p.DisplayName, p.ValueType, p.CollectionPrompt, p.IsPII = f.Name, f.DisplayName, f.Type, f.Prompt, f.PII
	if f.Examples != "" {
		p.Examples = strings.Split(f.Examples, "; ")
	}
	return p
}

// ownOf finds the agent's definition for a mention of the lexicon. An age without a definition becomes a date of birth:
// an age changes every year.
func (x *index) ownOf(m mention) (*ownDefinition, mention) {
	find := func(name string) *ownDefinition {
		if own, ok := x.named(name); ok {
			return own
		}
		if at, ok := x.byKnown[name]; ok {
			return &x.own[at]
		}
		return nil
	}
	if own := find(m.definition.Name); own != nil {
		return own, m
	}
	if m.definition.Name == "age" && m.known {
		if own := x.age(); own != nil {
			return own, m
		}
		m.definition = text.MustFind("date_of_birth")
	}
	if other, ok := nearNames[m.definition.Name]; ok && m.known {
		if own := find(other); own != nil {
			return own, m
		}
	}
	if m.definition.Name == "date_of_birth" && m.known {
		if own := find("date_of_birth"); own != nil {
			return own, m
		}
		if own := x.birth(); own != nil {
			return own, m
		}
	}
	return nil, m
}

// nearNames are names of the lexicon that stand for each other where the agent defines only one of them.
var nearNames = map[string]string{
	"travel_date": "departure_date", "number_of_guests": "party_size", "party_size": "number_of_guests",
	"check_out_date": "departure_date",
}

// birth returns the date that holds the customer's date of birth, nil for none.
func (x *index) birth() *ownDefinition {
	for i := range x.own {
		if o := &x.own[i]; o.ValueType == vault.TypeDate && o.words["birth"] == strengthName {
			return o
		}
	}
	return nil
}

// knownMention returns a mention of the lexicon with the agent's definition, if there is one.
func (x *index) knownMention(m mention) mention {
	m.own, m = x.ownOf(m)
	return m
}
