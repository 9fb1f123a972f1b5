package extract

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// confidenceCarried is the confidence of a value that is only likely: the customer named the place for another task, or
// agreed to what the agent offered. It is never stored. The vault asks whether it is right instead of asking for it.
const confidenceCarried = 0.55

// memory is what a conversation has said that may be the value of a field for which nobody stated it.
type memory struct {
	place  *mention // the last place to which the customer's words refer: "there"
	day    *mention // the last day of the customer
	back   bool     // the customer refers to the place: "there"
	toDay  bool     // the customer refers to the day: "that day"
	offers map[int]offer
	told   []string // folded values of the customer
}

// mention is words of the customer in a sentence.
type mention struct {
	words, quote string
	turn         int // index in req.Turns
}

// offer is a value that the agent proposed for a target.
type offer struct {
	value  json.RawMessage
	agreed *mention // the sentence in which the customer agreed
}

func newMemory() *memory { return &memory{offers: map[int]offer{}} }

// Words that refer to a place or a day named before.
var (
	backToPlace = phrases(`there, that area, that city, that town, that place, the area, the city, same city, same place,
		same area, same town, nearby`)
	backToDay = phrases(`that day, same day, that date, same date`)
)

// hear reads a turn of the customer.
func (m *memory) hear(tr *turnReader) {
	m.answerOffers(tr)
	m.back = m.back || tr.hasPhrase(backToPlace)
	m.toDay = m.toDay || tr.hasPhrase(backToDay)
	for _, e := range tr.entities {
		if e.Kind == text.KindDate && !tr.isNegated(e.Span) {
			m.day = tr.mention(e.Span)
		}
	}
	for _, s := range tr.stated {
		m.told = append(m.told, text.Fold(s.valueSpan.In(tr.text)))
		if t := tr.targets[s.target]; t.kind == text.KindPlace && t.profile.side != startSide && !t.isAboutCustomer() {
			m.visit(tr, s.valueSpan)
			return
		}
	}
	asksWhere := asksForPlace(tr.question.text)
	for _, n := range tr.properNames() {
		if tr.isNegated(n.Span) || tr.describesNoun(n) || tr.isChoiceValue(n.Span) || tr.inEntity(n.Span) {
			continue
		}
		if townLeads[n.lead] || n.lead == "to" || asksWhere && n.lead != "from" && !byLeads[n.lead] && !calledLeads[n.lead] {
			for i := n.first; i+1 < n.end && text.PhraseEnds[tr.tokens[i].Word]; i++ {
				n.Start = tr.tokens[i+1].Start // "For Nairobi"
			}
			m.visit(tr, n.Span)
			return
		}
	}
	const short = 6 // words of an answer in lower case
	if asksWhere && len(tr.sentences) > 0 && len(tr.properNames()) == 0 && len(tr.tokens) <= short {
		if s, ok := tr.answerIn(tr.sentences[0], target{kind: text.KindPlace}); ok {
			m.visit(tr, s)
			return
		}
	}
	if strings.ToLower(tr.text) == tr.text { // a customer who writes no capitals
		if s, ok := tr.lowerPlace(); ok {
			m.visit(tr, s)
		}
	}
}

// visit notes a place of the customer. A shorter name of the same place leaves the longer one.
func (m *memory) visit(tr *turnReader, s text.Span) {
	words := s.In(tr.text)
	if m.place == nil || len(words) > len(m.place.words) || !maySamePlace(words, m.place.words) {
		m.place = tr.mention(s)
	}
}

// lowerPlace returns the words after "in" or "to" up to the next small word.
func (tr *turnReader) lowerPlace() (text.Span, bool) {
	const longest = 3 // words of a place
	for i := 1; i < len(tr.tokens); i++ {
		if lead := tr.tokens[i-1].Word; lead != "in" && lead != "to" {
			continue
		}
		end := i
		for end < len(tr.tokens) && end <= i+longest && (end == i || tr.adjoins(tr.tokens[end-1].End, end)) &&
			!text.PhraseEnds[tr.tokens[end].Word] && !functionWords[tr.tokens[end].Word] &&
			!interjections[tr.tokens[end].Word] && !tr.inEntity(tr.tokens[end].Span) {
			if w := tr.tokens[end].Word; requestVerbs[w] || vagueNouns[w] || travelVerbs[w] || determiners[w] ||
				tr.topic.words[tr.stems[end]] {
				end = i
				break
			}
			end++
		}
		if end > i && end <= i+longest {
			return text.SpanOf(tr.tokens, i, end), true
		}
	}
	return text.Span{}, false
}

func (tr *turnReader) mention(s text.Span) *mention {
	return &mention{words: s.In(tr.text), quote: tr.quoteAround(s).In(tr.text), turn: tr.turn}
}

func (tr *turnReader) hasPhrase(list [][]string) bool {
	for i := range tr.tokens {
		if slices.ContainsFunc(list, func(p []string) bool { return text.HasWords(tr.tokens, i, p) }) {
			return true
		}
	}
	return false
}

// asksForPlace reports whether an agent's turn asks where, and not whence.
func asksForPlace(question string) bool {
	parts := text.Words(question)
	return strings.Contains(question, "?") && !slices.Contains(parts, "from") && !slices.Contains(parts, "leaving") &&
		slices.ContainsFunc(parts, func(w string) bool {
			return w == "where" || w == "where's" || townWords[w] || w == "location" || w == "area" || w == "destination"
		})
}

// answerOffers marks the agent's offers as accepted or declined by the customer's turn.
func (m *memory) answerOffers(tr *turnReader) {
	if len(m.offers) == 0 {
		return
	}
	for _, s := range tr.sentences {
		has := func(set text.WordSet) bool {
			return slices.ContainsFunc(tr.tokens[s.first:s.last], func(w text.Token) bool { return set[w.Word] })
		}
		agrees := has(takes) || slices.ContainsFunc(tr.tokens[s.first:s.last], func(w text.Token) bool {
			return agreementWords[w.Word] && w.Word != "please"
		})
		switch {
		case !agrees && has(declines):
			m.offers = map[int]offer{}
			return
		case s.isQuestion || !agrees || has(negations) || has(noWords):
			continue
		}
		for f, o := range m.offers {
			if o.agreed == nil {
				o.agreed = tr.mention(s.Span)
				m.offers[f] = o
			}
		}
		return
	}
}

// declines are words of a customer who wants something other than what the agent offers.
var declines = text.NewWordSet("other others another else different instead alternative alternatives")

// takes are words of a customer who takes what the agent offers: "please make the reservation".
var takes = text.NewWordSet("book reserve reservation appointment buy order tickets schedule interesting")

// propose reads a turn of the agent: the values that it offers.
func (m *memory) propose(targets []target, content string, now text.Clock, turn int) {
	tr := turnReader{
		utterance: newUtterance(llm.Truncate(content, maxTurnBytes), now), targets: targets,
		topic: topic{on: true, named: true}, lastKinds: map[text.Kind]int{}, turn: turn,
	}
	tr.read()
	for _, s := range tr.stated {
		switch targets[s.target].kind {
		case text.KindDate, text.KindTime, text.KindDatetime, text.KindPlace, text.KindChoice, text.KindNumber:
			m.offer(s.target, s.value)
		default: // names are read below; an address or a code is offered to nobody
		}
	}
	main := tr.onlyMainName()
	if main < 0 {
		return
	}
	for _, n := range append(tr.properNames(), tr.subjects()...) {
		words := n.In(tr.text)
		if townLeads[n.lead] || n.lead == "at" || n.lead == "from" || n.lead == "to" || byLeads[n.lead] ||
			tr.describesNoun(n) || tr.isChoiceValue(n.Span) || tr.inEntity(n.Span) || tr.listsOptions(n.Span) ||
			slices.Contains(m.told, text.Fold(words)) || m.place != nil && strings.EqualFold(m.place.words, words) ||
			n.first > 0 && text.HasDigit(tr.tokens[n.first-1].Word) {
			continue // a place, another value, or a street
		}
		m.offer(main, targets[main].encode(words, ""))
		return
	}
}

// subjects returns the names of one word that begin a sentence of the agent: "Furusato is a nice restaurant".
func (tr *turnReader) subjects() []properName {
	var out []properName
	for _, c := range tr.sentences {
		i := c.first
		if i+1 >= c.last || !isCapitalised(tr.tokens[i].In(tr.text)) || tr.isPlain(i, i+1) ||
			functionWords[tr.tokens[i].Word] {
			continue
		}
		if w := tr.tokens[i+1].Word; w == "is" || w == "in" || w == "has" || w == "at" {
			out = append(out, properName{Span: tr.tokens[i].Span, first: i, end: i + 1})
		}
	}
	return out
}

// listsOptions reports whether the sentence of a name asks an open question, whose names are only examples: "What kind
// of food, such as American?"
func (tr *turnReader) listsOptions(s text.Span) bool {
	c := tr.sentenceAt(s)
	for i := c.first; i < c.last; i++ {
		if w := tr.tokens[i].Word; openQuestion[w] && !(i+1 < c.last && tr.tokens[i+1].Word == "about") {
			return strings.HasSuffix(strings.TrimSpace(c.In(tr.text)), "?")
		}
	}
	return false
}

func (m *memory) offer(f int, value json.RawMessage) {
	if value != nil {
		m.offers[f] = offer{value: value}
	}
}

// onlyMainName returns the only target that is the name of the agent's thing, or -1. If there are several, it is the
// one that is called a name.
func (tr *turnReader) onlyMainName() int {
	var mains, called, makers []int
	for f, t := range tr.targets {
		if t.kind != text.KindFree && t.kind != text.KindPerson || !t.isMainName() || t.profile.side != noSide {
			continue
		}
		isCalled := slices.ContainsFunc(text.Words(vault.DisplayName(t.def.Name)), func(w string) bool {
			return nameNouns[w]
		})
		switch {
		case t.isMaker() && isCalled:
			makers = append(makers, f)
		case t.isMaker():
		case isCalled:
			mains, called = append(mains, f), append(called, f)
		default:
			mains = append(mains, f)
		}
	}
	switch {
	case len(called) == 0 && len(makers) == 1: // "Name of the match or artist"
		return makers[0]
	case len(mains) == 1:
		return mains[0]
	case len(called) == 1:
		return called[0]
	default:
		return -1
	}
}

// carried returns the value that target f is likely to have, and false for none. has reports whether the customer
// stated a target.
func (m *memory) carried(targets []target, f int, has func(f int) bool) (value json.RawMessage, said mention, ok bool) {
	t := targets[f]
	if o, offered := m.offers[f]; offered && o.agreed != nil {
		return o.value, *o.agreed, true
	}
	switch {
	case t.kind == text.KindPlace && m.place != nil && !t.site && !t.isAboutCustomer() && t.profile.side != startSide:
		for g, o := range targets {
			if g != f && o.kind == text.KindPlace && !o.site && o.profile.side != startSide && !o.isAboutCustomer() {
				return nil, mention{}, false // it may be either
			}
		}
		return t.encode(m.place.words, ""), *m.place, true
	case t.kind == text.KindDate && m.day != nil && m.toDay && t.def.ValueType != vault.TypeDate:
		for g, o := range targets {
			if g != f && o.kind == text.KindDate && !has(g) {
				return nil, mention{}, false
			}
		}
		return t.encode(m.day.words, ""), *m.day, true
	}
	return nil, mention{}, false
}
