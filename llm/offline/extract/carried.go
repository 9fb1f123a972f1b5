package extract

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
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
			m.place = tr.mention(s.valueSpan)
			return
		}
	}
	asksWhere := asksForPlace(tr.question.text)
	for _, n := range tr.properNames() {
		if tr.isNegated(n.Span) || tr.describesNoun(n) || tr.isChoiceValue(n.Span) || tr.inEntity(n.Span) {
			continue
		}
		if townLeads[n.lead] || n.lead == "to" || asksWhere && n.lead != "from" && !byLeads[n.lead] && !calledLeads[n.lead] {
			m.place = tr.mention(n.Span)
			return
		}
	}
	const short = 6 // words of an answer in lower case
	if asksWhere && len(tr.sentences) > 0 && len(tr.properNames()) == 0 && len(tr.tokens) <= short {
		if s, ok := tr.answerIn(tr.sentences[0], target{kind: text.KindPlace}); ok {
			m.place = tr.mention(s)
		}
	}
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
	for i := range tr.tokens {
		if declines[tr.tokens[i].Word] {
			m.offers = map[int]offer{}
			return
		}
	}
	for _, s := range tr.sentences {
		if s.isQuestion || !slices.ContainsFunc(tr.tokens[s.first:s.last], func(w text.Token) bool {
			return agreementWords[w.Word]
		}) || slices.ContainsFunc(tr.tokens[s.first:s.last], func(w text.Token) bool {
			return negations[w.Word] || noWords[w.Word]
		}) {
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
var declines = text.NewWordSet("other others another else different instead alternative alternatives more")

// propose reads a turn of the agent: the values that it offers.
func (m *memory) propose(targets []target, content string, now text.Clock, turn int) {
	tr := turnReader{
		utterance: newUtterance(llm.Truncate(content, maxTurnBytes), now), targets: targets,
		topic: topic{on: true, named: true}, lastKinds: map[text.Kind]int{}, turn: turn,
	}
	tr.read()
	for _, s := range tr.stated {
		if k := targets[s.target].kind; k == text.KindDate || k == text.KindTime || k == text.KindDatetime {
			m.offer(s.target, s.value)
		}
	}
	main := tr.onlyMainName()
	if main < 0 {
		return
	}
	for _, n := range tr.properNames() {
		words := n.In(tr.text)
		if townLeads[n.lead] || n.lead == "at" || n.lead == "from" || n.lead == "to" || byLeads[n.lead] ||
			tr.describesNoun(n) || tr.isChoiceValue(n.Span) || tr.inEntity(n.Span) ||
			slices.Contains(m.told, text.Fold(words)) || m.place != nil && maySamePlace(m.place.words, words) {
			continue
		}
		m.offer(main, targets[main].encode(words, ""))
		return
	}
}

func (m *memory) offer(f int, value json.RawMessage) {
	if value != nil {
		m.offers[f] = offer{value: value}
	}
}

// onlyMainName returns the only target that is the name of the agent's thing, or -1.
func (tr *turnReader) onlyMainName() int {
	found := -1
	for f, t := range tr.targets {
		if t.kind != text.KindFree && t.kind != text.KindPerson || t.isMaker() || !t.isMainName() ||
			t.profile.side != noSide {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = f
	}
	return found
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
	case t.kind == text.KindDate && m.day != nil && m.toDay && t.def.ValueType != "date":
		for g, o := range targets {
			if g != f && o.kind == text.KindDate && !has(g) {
				return nil, mention{}, false
			}
		}
		return t.encode(m.day.words, ""), *m.day, true
	}
	return nil, mention{}, false
}
