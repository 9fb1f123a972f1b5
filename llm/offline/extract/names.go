package extract

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// particles stand inside a name in lower case: "Rio de Janeiro", "Bank of America".
var particles = text.NewWordSet("de la del da do di du das dos of the van von der den el al le les y e vs")

// nameFrom returns the end of the proper name that begins at token i, i if none does. The words of a name are
// capitalised, but for particles between them.
func (tr *turnReader) nameFrom(i int) int {
	j := i
	for j < len(tr.tokens) && j < i+10 && (j == i || tr.joinsName(j)) {
		w := tr.tokens[j]
		if isCapitalised(w.In(tr.text)) || j > i && text.HasDigit(w.In(tr.text)) && !tr.inEntity(w.Span) {
			if notPlaces[w.Word] || tr.inEntity(w.Span) || j == i && ordinaryWords[w.Word] && w.Word != "the" &&
				!(i+1 < len(tr.tokens) && isCapitalised(tr.tokens[i+1].In(tr.text)) && tr.joinsName(i+1)) {
				break
			}
			j++
			continue
		}
		k := j
		for k < len(tr.tokens) && k < j+2 && particles[tr.tokens[k].Word] && tr.joinsName(k) {
			k++
		}
		if k == j || j == i || k >= len(tr.tokens) || !isCapitalised(tr.tokens[k].In(tr.text)) || !tr.joinsName(k) ||
			notPlaces[tr.tokens[k].Word] {
			break
		}
		j = k + 1
	}
	return j
}

// joinsName reports whether the gap before token j can be inside a name.
func (tr *turnReader) joinsName(j int) bool {
	if j == 0 {
		return false
	}
	switch gap := tr.text[tr.tokens[j-1].End:tr.tokens[j].Start]; gap {
	case " ", "-", "'", "’", " & ":
		return true
	case ". ":
		w := tr.tokens[j-1].Word
		return w == "st" || w == "dr" || w == "mt" || w == "mr" || w == "mrs" || w == "ms" || len(w) == 1
	default:
		return false
	}
}

func (tr *turnReader) inEntity(s text.Span) bool {
	return slices.ContainsFunc(tr.entities, func(e text.Entity) bool { return e.Overlaps(s) })
}

// isShouted reports whether the turn is written in capitals, so that they say nothing about names.
func (tr *turnReader) isShouted() bool {
	return strings.ToUpper(tr.text) == tr.text && len(tr.tokens) > 3
}

// properName is a name in a turn with the word before it.
type properName struct {
	text.Span
	first, end int    // tokens
	lead       string // the word before it, "" at the start of a sentence or after a mark
}

// properNames returns the capitalised names of the turn, without the first words of sentences.
func (tr *turnReader) properNames() []properName {
	if tr.isShouted() {
		return nil
	}
	var out []properName
	for _, c := range tr.sentences {
		for i := c.first; i < c.last; i++ {
			if !isCapitalised(tr.tokens[i].In(tr.text)) {
				continue
			}
			end := min(tr.nameFrom(i), c.last)
			if end <= i || tr.isPlain(i, end) {
				continue
			}
			n := properName{Span: text.SpanOf(tr.tokens, i, end), first: i, end: end}
			if tail := tr.nameTailAt(n.End); tail != "" {
				n.End += len(tail)
				for n.end < len(tr.tokens) && tr.tokens[n.end].Start < n.End {
					n.end++
				}
			} else if end < len(tr.tokens) && tr.text[n.End:tr.tokens[end].Start] == ", " && tr.isRegion(n.End) {
				k := max(1, text.CountryAt(tr.tokens, end))
				n.end = end + k
				n.End = tr.tokens[n.end-1].End
			}
			if i > c.first && strings.TrimSpace(tr.text[tr.tokens[i-1].End:n.Start]) == "" {
				n.lead = tr.tokens[i-1].Word
				if n.lead == "the" && i-1 > c.first {
					n.lead = tr.tokens[i-2].Word
				}
			}
			if i == c.first && (end == i+1 && !(end == c.last) && !followedByRemark(tr, end, c.last)) {
				i = end - 1
				continue // a capital at the start of a sentence says nothing
			}
			out = append(out, n)
			i = n.end - 1
		}
	}
	return out
}

// isPlain reports whether capitalised words are no name: pronouns, greetings and the nouns of the definitions.
func (tr *turnReader) isPlain(i, end int) bool {
	for ; i < end; i++ {
		w := tr.tokens[i].Word
		if !remarkStarts[w] && !interjections[w] && !ordinaryWords[w] && !sentenceWords[w] && !leadWords[w] &&
			!slices.ContainsFunc(tr.targets, func(t target) bool { return t.entity[text.Singular(w)] }) {
			return false
		}
	}
	return true
}

// followedByRemark reports whether the words from token i on say that something is wanted or good: "Sol is fine".
func followedByRemark(tr *turnReader, i, last int) bool {
	return i < last && (tr.tokens[i].Word == "is" || tr.tokens[i].Word == "sounds" || tr.tokens[i].Word == "would" ||
		tr.tokens[i].Word == "works" || tr.tokens[i].Word == "please")
}

// Words before a name that say what it is.
var (
	townLeads   = text.NewWordSet("in near around within into")
	siteLeads   = text.NewWordSet("at")
	byLeads     = text.NewWordSet("by")
	calledLeads = text.NewWordSet("called named titled entitled")
)

// readNames reads proper names: towns and addresses after a preposition, and names beside the noun that a definition
// names ("the song Hurricane").
func (tr *turnReader) readNames() {
	for _, n := range tr.properNames() {
		if tr.isEnquiry(n.Span) || tr.isChoiceValue(n.Span) ||
			slices.ContainsFunc(tr.stated, func(s statement) bool { return s.valueSpan.Overlaps(n.Span) }) {
			continue
		}
		f, confidence := tr.placeOf(n)
		if f < 0 {
			f, confidence = tr.namedThing(n)
		}
		if f < 0 || tr.isStated(f, statedInAnswer) || !tr.question.has(f) && !tr.isOnTopic(n.Span) {
			continue
		}
		t := tr.targets[f]
		how := statedByForm
		if tr.question.has(f) {
			how = statedInAnswer
		}
		tr.record(f, t.encode(n.In(tr.text), ""), n.Span, tr.quoteAround(n.Span), confidence, how)
	}
}

// placeOf returns the place that a name is, by the word before it, or -1.
func (tr *turnReader) placeOf(n properName) (int, float64) {
	if tr.describesNoun(n) {
		return -1, 0
	}
	ctx := tr.contextOf(n.Span)
	way := noSide
	switch {
	case n.lead == "from":
		way = startSide
	case n.lead == "to":
		way = endSide
	case n.lead == "for", townLeads[n.lead]:
		way = contextSide(tr.targets, text.KindPlace, nearestSenses(ctx.before))
	case siteLeads[n.lead]:
	case len(ctx.sides) > 0 && n.lead != "" && senses[n.lead] != "":
		way = contextSide(tr.targets, text.KindPlace, ctx.sides) // "leaving Paris"
	default:
		return -1, 0
	}
	hasSite := slices.ContainsFunc(
		tr.tokens[n.first:min(len(tr.tokens), n.end+1)],
		func(w text.Token) bool { return siteWords[w.Word] },
	)
	best, count, sided := -1, 0, false
	for f, t := range tr.targets {
		if t.kind != text.KindPlace || t.isAboutCustomer() || t.site != hasSite || tr.isStated(f, statedByName) {
			continue
		}
		switch {
		case t.profile.side != noSide && way != noSide && t.profile.side != way:
			continue
		case n.lead == "from" && t.profile.side == noSide && !shares(sensesIn(definitionWords(t.def)), beginnings):
			continue
		case n.lead == "for" && tr.standsBeforeNoun(n):
			continue
		case n.lead == "for" && !tr.question.has(f) && !(tr.onlyPlace(f) && tr.asksOnlyWhere()):
			continue
		case n.lead == "to" && t.profile.side != endSide && !tr.question.has(f) && !travels(ctx.before):
			continue
		case siteLeads[n.lead] && !t.site && !(tr.question.has(f) && len(tr.question.targets) == 1 && tr.asksOnlyWhere()):
			continue
		}
		if t.profile.side != noSide && t.profile.side == way && !sided {
			best, count, sided = f, 0, true
		} else if sided && t.profile.side == noSide {
			continue
		}
		if tr.question.has(f) && best != f {
			best, count = f, 0
		} else if best >= 0 && tr.question.has(best) && best != f {
			continue
		}
		if best < 0 || tr.targets[best].town() == t.town() || t.town() {
			if best >= 0 && t.town() && !tr.targets[best].town() {
				count = 0
			}
			best = f
			count++
		}
	}
	if best < 0 || count > 1 {
		return -1, 0
	}
	if way == noSide && tr.targets[best].profile.side == endSide && tr.hasStart(best) && !tr.question.has(best) {
		return -1, 0
	}
	return best, confidenceOnlyForm
}

// standsBeforeNoun reports whether a name belongs to the noun after it: "for United Airlines flights".
func (tr *turnReader) standsBeforeNoun(n properName) bool {
	if n.end >= len(tr.tokens) || !tr.adjoins(n.End, n.end) {
		return false
	}
	w := tr.tokens[n.end].Word
	return !text.PhraseEnds[w] && !interjections[w] && !restWords[w]
}

// asksOnlyWhere reports whether "for" can stand before the place: "the weather for Delhi", but not "tickets for
// Anberlin".
func (tr *turnReader) asksOnlyWhere() bool {
	return !slices.ContainsFunc(tr.targets, func(o target) bool { return o.kind == text.KindFree && o.isMainName() })
}

// travels reports whether words say that the customer goes somewhere.
func travels(parts []string) bool {
	return slices.ContainsFunc(parts, func(w string) bool { return travelVerbs[w] })
}

var travelVerbs = text.NewWordSet(
	`go going travel traveling travelling fly flying drive driving head heading move moving
	trip journey ride way visit get take taking ship send deliver come coming relocate relocating`,
)

// hasStart reports whether another place is the start of the way that ends at place f.
func (tr *turnReader) hasStart(f int) bool {
	return slices.ContainsFunc(tr.targets, func(t target) bool {
		return t.kind == text.KindPlace && t.profile.side == startSide && t.site == tr.targets[f].site
	})
}

// onlyPlace reports whether f is the only place that is not a station or the like.
func (tr *turnReader) onlyPlace(f int) bool {
	for g, t := range tr.targets {
		if g != f && t.kind == text.KindPlace && !t.site {
			return false
		}
	}
	return true
}

// town reports whether the definition of a place says that it is a town.
func (t target) town() bool {
	return slices.ContainsFunc(definitionWords(t.def), func(w string) bool { return townWords[w] })
}

// adjoins reports whether only blanks are between a byte position and token i.
func (tr *turnReader) adjoins(end, i int) bool {
	return end <= tr.tokens[i].Start && strings.TrimSpace(tr.text[end:tr.tokens[i].Start]) == ""
}

// describesNoun reports whether a name stands right before a noun that it describes: "in Thai cuisine".
func (tr *turnReader) describesNoun(n properName) bool {
	if n.end >= len(tr.tokens) || !tr.adjoins(n.End, n.end) {
		return false
	}
	w := text.Singular(tr.tokens[n.end].Word)
	return slices.ContainsFunc(tr.targets, func(t target) bool { return t.describes[w] || t.entity[w] })
}

// namedThing returns the target whose thing a name names, or -1: the noun of its definition is beside the name, the
// name follows "by" or "called", or the agent has just offered it.
func (tr *turnReader) namedThing(n properName) (int, float64) {
	before, after := "", ""
	if n.first > 0 && strings.TrimSpace(tr.text[tr.tokens[n.first-1].End:n.Start]) == "" {
		before = text.Singular(tr.tokens[n.first-1].Word)
	}
	if n.end < len(tr.tokens) && tr.adjoins(n.End, n.end) {
		after = text.Singular(tr.tokens[n.end].Word)
	}
	only := func(fits func(t target) bool) int {
		found := -1
		for f, t := range tr.targets {
			if t.kind != text.KindFree && t.kind != text.KindPerson || len(t.entity) == 0 || !fits(t) {
				continue
			}
			if found >= 0 {
				return -1
			}
			found = f
		}
		return found
	}
	describing := slices.ContainsFunc(tr.targets, func(t target) bool { return len(t.describes) > 0 })
	if f := only(func(t target) bool {
		return t.entity[before] && t.isMainName() || t.entity[after] && !describing
	}); f >= 0 {
		return f, confidenceOnlyForm
	}
	if after != "" &&
		slices.ContainsFunc(tr.targets, func(t target) bool { return t.describes[after] || t.entity[after] }) {
		return -1, 0
	}
	if byLeads[n.lead] {
		if f := only(func(t target) bool { return t.isMaker() }); f >= 0 {
			return f, confidenceOnlyForm
		}
		return -1, 0
	}
	if n.lead == "to" || n.lead == "for" {
		c := tr.sentenceAt(n.Span)
		if f := only(func(t target) bool { return t.profile.sides["goal"] }); f >= 0 &&
			slices.ContainsFunc(tr.tokens[c.first:n.first], func(w text.Token) bool {
				return giveVerbs[w.Word] || tr.targets[f].profile.own[text.Stem(w.Word)]
			}) {
			return f, confidenceOnlyForm
		}
		return -1, 0
	}
	if tr.topic.named && !tr.topic.in(tr.stems) && !tr.question.about {
		return -1, 0
	}
	main := only(func(t target) bool { return !t.isMaker() && t.profile.side == noSide && t.isMainName() })
	if main >= 0 && (calledLeads[n.lead] || tr.question.has(main) || tr.wasOffered(n)) && !townLeads[n.lead] {
		return main, confidenceOnlyForm
	}
	return -1, 0
}

// giveVerbs name what a recipient gets.
var giveVerbs = text.NewWordSet(
	"send sending transfer transferring give giving pay paying wire forward deliver ship transmit remit",
)

// isMainName reports whether t is the name or title of a thing.
func (t target) isMainName() bool {
	return namesThing(t.def.Description) ||
		slices.ContainsFunc(text.Words(vault.DisplayName(t.def.Name)), func(w string) bool {
			return nameNouns[w]
		})
}

// isMaker reports whether t is a person or group who made something: its definition says "by", or what they do.
func (t target) isMaker() bool {
	parts := text.Words(vault.DisplayName(t.def.Name) + " . " + t.def.Description)
	return slices.ContainsFunc(parts, func(w string) bool {
		return w == "by" || w == "artist" || w == "author" || w == "director" || w == "singer" || w == "band" ||
			w == "performer" || w == "writer" || w == "composer" || w == "musician" || w == "maker"
	}) && !slices.ContainsFunc(headPhrase(t.def.Description), func(w string) bool { return w == "song" || w == "title" })
}

// wasOffered reports whether the agent's turn before has the name.
func (tr *turnReader) wasOffered(n properName) bool {
	return (followedByRemark(tr, n.end, len(tr.tokens)) || !strings.Contains(text.Fold(tr.question.text), " or ")) &&
		len(n.In(tr.text)) > 3 &&
		strings.Contains(text.Fold(tr.question.text), text.Fold(n.In(tr.text)))
}

// isChoiceValue reports whether words are an allowed value of a target.
func (tr *turnReader) isChoiceValue(s text.Span) bool {
	return slices.ContainsFunc(tr.targets, func(t target) bool {
		return t.kind == text.KindChoice && t.matchChoice(s.In(tr.text)) != nil
	})
}

// beginnings are senses of the words of a place where something begins.
var beginnings = text.WordSet{"depart": true, "start": true, "origin": true, "pickup": true}
