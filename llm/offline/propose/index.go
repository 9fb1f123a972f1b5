package propose

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Strengths of the places in which a definition has a word.
const (
	strengthName        = 1.0
	strengthDescription = 0.75
)

// Thresholds of a match.
const (
	minCoverage     = 0.6  // share of a noun phrase that a definition explains
	minNameCoverage = 0.45 // share of the name that a noun phrase says
	minQuestion     = 0.5  // share of a question that a definition explains
	sureScore       = 0.72 // from here on a match binds without a review
	tieDistance     = 0.03 // two scores this close are a tie
	favourBonus     = 0.3  // for a definition that shares a word with the one of the condition
	contextBonus    = 0.06 // for a definition with words that the scenario's text has elsewhere
)

// ownDefinition is a definition of the agent, with its words.
type ownDefinition struct {
	vault.Definition

	phrases [][]string         // its names, as canonical words
	words   map[string]float64 // canonical word → strength
	values  map[string]string  // phrase of an allowed value → its CEL literal
}

// index finds the agent's definition for a phrase.
type index struct {
	own     []ownDefinition
	byKnown map[string]int     // known definition → index in own
	df      map[string]float64 // number of definitions with a canonical word
	heads   map[string]int     // number of definitions whose name ends with a canonical word
	context map[string]bool    // canonical words of the scenario's texts
	topic   string             // the noun that the scenario is about; "": unknown
}

func newIndex(existing []vault.Definition, content []string) *index {
	x := &index{
		byKnown: map[string]int{}, df: map[string]float64{}, heads: map[string]int{},
		context: map[string]bool{}, topic: topicOf(content),
	}
	for _, c := range content {
		for _, t := range terms(text.Words(c)) {
			x.context[t.word] = true
		}
	}
	for _, d := range existing {
		x.own = append(x.own, newOwn(d))
		at := len(x.own) - 1
		for w := range x.own[at].words {
			x.df[w]++
		}
		for _, w := range x.own[at].heads() {
			x.heads[w]++
		}
		for _, phrase := range []string{d.Name, d.Label()} {
			if f, ok := text.Lexicon.Find(phrase); ok {
				if _, taken := x.byKnown[f.Name]; !taken {
					x.byKnown[f.Name] = at
				}
			}
		}
	}
	return x
}

func newOwn(d vault.Definition) ownDefinition {
	o := ownDefinition{Definition: d, words: map[string]float64{}, values: map[string]string{}}
	addPhrase := func(phrase string) {
		var list []string
		for _, t := range terms(text.Words(strings.ReplaceAll(phrase, "_", " "))) {
			list = append(list, t.word)
			o.words[t.word] = strengthName
		}
		if len(list) > 0 {
			o.phrases = append(o.phrases, list)
		}
	}
	addPhrase(d.Name)
	addPhrase(d.Label())
	for _, phrase := range []string{d.Name, d.Label()} {
		if f, ok := text.Lexicon.Find(phrase); ok {
			for _, other := range f.AllPhrases() {
				if strings.HasSuffix(other, " no") {
					continue // "order no" would become "order"
				}
				o.phrases = append(o.phrases, canonicalWords(text.Words(other)))
			}
		}
	}
	for _, t := range terms(text.Words(d.Description)) {
		o.words[t.word] = max(o.words[t.word], strengthDescription)
	}
	for _, raw := range d.AllowedValues {
		var s string
		if json.Unmarshal(raw, &s) == nil && text.Phrase(s) != "" {
			o.values[text.Phrase(s)] = string(raw)
		}
	}
	return o
}

// heads returns the last words of the names of a definition.
func (o *ownDefinition) heads() []string {
	var out []string
	for _, phrase := range []string{o.Name, o.Label()} {
		if list := canonicalWords(text.Words(strings.ReplaceAll(phrase, "_", " "))); len(list) > 0 &&
			!slices.Contains(out, list[len(list)-1]) {
			out = append(out, list[len(list)-1])
		}
	}
	return out
}

func canonicalWords(words []string) []string {
	var out []string
	for _, t := range terms(words) {
		out = append(out, t.word)
	}
	return out
}

// idf is the weight of a canonical word by how much it tells the agent's definitions apart.
func (x *index) idf(w string) float64 {
	n := float64(len(x.own))
	return math.Log(1 + (n+1)/(x.df[w]+0.5))
}

// strengthIn returns how strongly o has a canonical word, 0 if it has not.
func (o *ownDefinition) strengthIn(w string) float64 {
	if s, ok := o.words[w]; ok {
		return s
	}
	best := 0.0
	for other, s := range o.words {
		if s > best && sameWord(w, other) {
			best = s
		}
	}
	return best
}

// phrase is a noun phrase or a question, prepared for matching.
type phrase struct {
	words    []string // folded words
	terms    []term
	head     string          // canonical head noun, "" for a question
	question bool            // what, when, how many …
	wants    vault.ValueType // type that the question word asks for, "" for any
	favour   string          // name of the definition of the condition: its relatives win ties
}

// match is a definition of the agent that a phrase names.
type match struct {
	own       *ownDefinition
	score     float64
	how       MatchedBy
	ambiguous bool
}

// find returns the best definition for a phrase.
func (x *index) find(p phrase) (match, bool) {
	return x.findWhere(p, func(*ownDefinition) bool { return true })
}

// findWhere returns the best definition for a phrase among those that fit.
func (x *index) findWhere(p phrase, fits func(*ownDefinition) bool) (match, bool) {
	if len(p.terms) == 0 || len(p.terms) > maxPhraseTerms {
		return match{}, false
	}
	var best, second match
	for i := range x.own {
		o := &x.own[i]
		if !fits(o) {
			continue
		}
		m, ok := x.score(o, p)
		if !ok {
			continue
		}
		m.own = o
		if x.hasContext(o, p) {
			m.score += contextBonus
		}
		if p.favour != "" && o.Name != p.favour && sharesWord(o.Name, p.favour) {
			m.score += favourBonus
		}
		switch {
		case best.own == nil || m.score > best.score:
			best, second = m, best
		case second.own == nil || m.score > second.score:
			second = m
		}
	}
	if best.own == nil {
		return match{}, false
	}
	best.ambiguous = second.own != nil && best.score-second.score < tieDistance
	return best, true
}

// maxPhraseTerms limits the words of a phrase. Longer ones are no names.
const maxPhraseTerms = 14

// score rates one definition for a phrase.
func (x *index) score(o *ownDefinition, p phrase) (match, bool) {
	said := canonicalWords(p.words)
	if !p.question {
		for _, name := range o.phrases {
			if slices.Equal(name, said) {
				return match{score: 1.2, how: MatchedByName}, true
			}
		}
	}
	if contrasting(p, o) || (p.wants != "" && !fitsType(p.wants, o)) {
		return match{}, false
	}
	var total, covered, named float64
	for _, t := range p.terms {
		w := t.weight * x.idf(t.word)
		s := o.strengthIn(t.word)
		total += w
		covered += w * s
		if s == strengthName {
			named += w
		}
	}
	coverage := covered / total
	nameCoverage := 0.0
	for _, name := range o.phrases {
		var all, hit float64
		for _, w := range name {
			weight := weightOf(w) * x.idf(w)
			if weight == 0 {
				weight = genericWeight
			}
			all += weight
			if slices.ContainsFunc(p.terms, func(t term) bool { return sameWord(t.word, w) }) {
				hit += weight
			}
		}
		nameCoverage = max(nameCoverage, hit/all)
	}
	m := match{score: 0.6*coverage + 0.4*nameCoverage, how: MatchedByWords}
	if named == 0 {
		m.how = MatchedByDescription
	}
	if p.question {
		if p.wants != "" {
			m.score += contextBonus // the type speaks for it, too
		}
		return m, coverage >= minQuestion
	}
	headStrength := o.strengthIn(p.head)
	if (headStrength == 0 && p.head != "name" && p.head != "number") || coverage < minCoverage {
		return m, false
	}
	if p.isVague() && !x.hasContext(o, p) {
		return m, false
	}
	if p.isGeneric() && (x.hasContext(o, p) || p.favour != "" && sharesWord(o.Name, p.favour)) {
		return m, true // "the date" in a text on reservations
	}
	if x.heads[p.head] == 1 && slices.Contains(o.heads(), p.head) && !genericWords[p.head] {
		return m, true // the only definition with this head noun
	}
	return m, nameCoverage >= minNameCoverage || (m.how == MatchedByDescription && coverage >= 0.7)
}

// isVague reports whether a phrase is a single noun that names a thing and no fact, such as "order".
func (p phrase) isVague() bool {
	n := 0
	for _, w := range p.words {
		if !stopWords[w] {
			n++
			if !vagueNouns[w] || genericWords[w] {
				return false
			}
		}
	}
	return n == 1
}

// isGeneric reports whether a phrase has only words that many facts have, such as "date".
func (p phrase) isGeneric() bool {
	return !slices.ContainsFunc(p.terms, func(t term) bool { return t.weight > genericWeight })
}

func (x *index) hasContext(o *ownDefinition, p phrase) bool {
	for w, s := range o.words {
		if s == strengthName && !genericWords[w] && !roleWords[w] && x.context[w] &&
			!slices.ContainsFunc(p.terms, func(t term) bool { return t.word == w }) {
			return true
		}
	}
	return false
}

func sharesWord(a, b string) bool {
	for _, t := range terms(strings.Split(a, "_")) {
		for _, u := range terms(strings.Split(b, "_")) {
			if t.word == u.word && t.weight == 1 {
				return true
			}
		}
	}
	return false
}

// periods are words that make two facts different: an income of a month is no income of a year.
var periods = []string{"monthly", "annual", "week", "weekli", "daili", "day"}

// contrasting reports whether a phrase and a definition differ in kind, role or period.
func contrasting(p phrase, o *ownDefinition) bool {
	if rules.Contrasting(strings.Join(text.Words(strings.Join(p.words, " ")), "_"), o.Name) && !p.question {
		return true
	}
	var said, own string
	for _, period := range periods {
		if slices.ContainsFunc(p.terms, func(t term) bool { return t.word == period }) {
			said = period
		}
		if o.words[period] > 0 {
			own = period
		}
	}
	return said != "" && own != "" && said != own
}

// fitsType reports whether a definition can hold the answer to a question of type t.
func fitsType(t vault.ValueType, o *ownDefinition) bool {
	switch t {
	case vault.TypeDate:
		return o.ValueType == vault.TypeDate || o.ValueType == vault.TypeDatetime ||
			o.words["date"] > 0 || o.words["time"] > 0 || o.words["start"] > 0
	case vault.TypeBoolean:
		return o.ValueType == vault.TypeBoolean || o.ValueType == vault.TypeString
	default:
		return t.Compatible(o.ValueType)
	}
}

// named returns the definition with exactly that name or display name.
func (x *index) named(name string) (*ownDefinition, bool) {
	said := text.Phrase(name)
	for i := range x.own {
		if text.Phrase(x.own[i].Name) == said || text.Phrase(x.own[i].Label()) == said {
			return &x.own[i], true
		}
	}
	return nil, false
}
