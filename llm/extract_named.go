package llm

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What may stand before the name of a field, for it to be the customer's own and whole: "my email", "the order number", but
// not "her email" or "hotel address".
var (
	beforeLabel = setOf(`my our the a an this new current correct right best work personal home mobile main primary full complete own actual
		another updated preferred and or but with is are here's here it's use have got give enter change update changed updated provide for to on in
		at by from of please need want be am i'm was i'll i'd we're by going will also then that so leave leaving confirm`)
	// words between a name and its value
	afterLabel = setOf(`is are it's its it that's that this would will should be to at on the a my number address date now actually currently there
		still also please use as of for following id simply just new one i'm am called time starts day which must by be need want`)
	// words between a value and the name behind it
	behindValue = setOf("is as for are my our the a an would be will should new current")
	firstPerson = setOf("my our")
)

// findLabels finds where the turn names a field: one that is looked for, or another that the lexicon knows and that therefore
// owns what follows. Of two that overlap, the longer one counts.
func (l *listener) findLabels() []label {
	var found []label
	for i := 0; i < len(l.tokens); {
		best, n := -1, 0
		for f, t := range l.targets {
			for _, parts := range t.labels {
				if len(parts) > n && hasWords(l.tokens, i, parts) {
					best, n = f, len(parts)
				}
			}
		}
		if _, m := lexicon.at(l.tokens, i); m > n {
			best, n = -1, m
		}
		if n == 0 {
			i++
			continue
		}
		if l.ownLabel(i) || best >= 0 && l.leadsOn(i, i+n) {
			found = append(found, label{span: spanOf(l.tokens, i, i+n), field: best, first: i, last: i + n})
		} else {
			found = append(found, label{span: spanOf(l.tokens, i, i+n), field: -1, first: i, last: i + n})
		}
		i += n
	}
	return found
}

// moving are verbs that name a field with "I" before them: "I arrive on Monday".
var moving = setOf("arrive leave check checkin checkout stay")

// ownLabel reports whether the name at token i is whole and the customer's.
func (l *listener) ownLabel(i int) bool {
	if i == 0 {
		return true
	}
	if gap := l.text[l.tokens[i-1].end:l.tokens[i].start]; strings.TrimSpace(gap) != "" {
		return !strings.HasSuffix(gap, "-") || strings.Contains(gap, " ")
	}
	before := l.tokens[i-1].word
	return beforeLabel[before] || (before == "i" || before == "we") && moving[l.tokens[i].word]
}

// leadsOn reports whether the name from token i to token j is one that its value follows at once, whatever stands before it: "a film
// directed by …".
func (l *listener) leadsOn(i, j int) bool { return j-i > 1 && l.tokens[j-1].word == "by" }

// named states what is said of a field by its name.
func (l *listener) named() {
	for n, name := range l.labels {
		if name.field < 0 {
			// What follows belongs to another field.
			if e := l.linkedAfter(name, n, nil); e >= 0 {
				l.used[e] = true
			}
			continue
		}
		t := l.targets[name.field]
		if l.sentenceAt(name.span).enquiry {
			continue
		}
		switch t.kind {
		case kindNone, kindBoolean:
		case kindIdentifier:
			l.namedIdentifier(name)
		case kindFree, kindPerson, kindFirstName, kindLastName, kindCountry, kindPlace, kindAddress, kindChoice:
			l.namedWords(name)
		default:
			l.namedEntity(name, n)
		}
	}
}

// namedEntity links a name to the value of its form behind it, else before it.
func (l *listener) namedEntity(name label, n int) {
	t := l.targets[name.field]
	e := l.linkedAfter(name, n, &t)
	if e < 0 {
		e = l.linkedBefore(name, &t)
	}
	if e < 0 {
		return
	}
	value, ceiling := t.fits(l.entities[e], l.text)
	confidence := sureLabelled
	if l.foreignOwner(name) {
		confidence = doubtful
	}
	l.used[e] = true
	l.state(name.field, value, l.entities[e].span, l.whole(name).join(l.entities[e].span), limited(confidence, ceiling), byName)
}

// whole is the name with what stands before it: "my new" of "my new email".
func (l *listener) whole(name label) span {
	i := name.first
	for i > 0 && l.text[l.tokens[i-1].end:l.tokens[i].start] == " " && (adjectives[l.tokens[i-1].word] || firstPerson[l.tokens[i-1].word]) {
		i--
		if firstPerson[l.tokens[i].word] {
			break
		}
	}
	return span{l.tokens[i].start, name.end}
}

func (l *listener) wordBefore(name label) string {
	if name.first == 0 {
		return ""
	}
	return l.tokens[name.first-1].word
}

// foreignOwner reports whether the clause before the name speaks of somebody else.
func (l *listener) foreignOwner(name label) bool {
	return !firstPerson[l.wordBefore(name)] && l.foreign(name.span)
}

// linkedAfter gives the entity that follows the name with nothing but linking words between, or -1. Without a target any
// entity will do.
func (l *listener) linkedAfter(name label, n int, t *target) int {
	limit := l.sentenceAt(name.span).end
	if n+1 < len(l.labels) {
		limit = min(limit, l.labels[n+1].start)
	}
	for i, e := range l.entities {
		if e.start < name.end {
			continue
		}
		if e.start >= limit || !l.onlyWords(name.end, e.start, afterLabel, 5) {
			return -1
		}
		if t == nil {
			return i
		}
		if value, _ := t.fits(e, l.text); value != nil {
			return i
		}
		return -1
	}
	return -1
}

// linkedBefore gives the entity right before the name: "a@b.c is my email".
func (l *listener) linkedBefore(name label, t *target) int {
	start := l.sentenceAt(name.span).start
	for i := len(l.entities) - 1; i >= 0; i-- {
		e := l.entities[i]
		if e.end > name.start {
			continue
		}
		if e.end < start || l.used[i] {
			return -1
		}
		between := l.wordsBetween(e.end, name.start)
		if len(between) == 0 || !l.onlyWords(e.end, name.start, behindValue, 4) || !behindValue[between[0]] {
			return -1
		}
		if value, _ := t.fits(e, l.text); value != nil {
			return i
		}
		return -1
	}
	return -1
}

// onlyWords reports whether between two places there are at most limit words, all of a set, and no mark that parts sentences.
func (l *listener) onlyWords(start, end int, set wordSet, limit int) bool {
	if strings.ContainsAny(l.text[start:end], ".;!?\n") {
		return false
	}
	between := l.wordsBetween(start, end)
	return len(between) <= limit && !slices.ContainsFunc(between, func(w string) bool { return !set[w] })
}

// namedIdentifier links a name to the code behind it: one word with a digit, or several where the field's expression says so.
func (l *listener) namedIdentifier(name label) {
	t := l.targets[name.field]
	end := l.sentenceAt(name.span).end
	i := name.last
	for i+1 < len(l.tokens) && i < name.last+5 && afterLabel[l.tokens[i].word] && strings.TrimSpace(l.text[l.tokens[i].end:l.tokens[i+1].start]) != "-" {
		i++ // the "A" of "A-1029" is no article
	}
	if i >= len(l.tokens) || strings.ContainsAny(l.text[name.end:l.tokens[i].start], ";!?\n") {
		return
	}
	code := l.codeAt(l.tokens[i].start, end, t)
	if code.empty() {
		return
	}
	confidence := sureLabelled
	if l.foreignOwner(name) {
		confidence = doubtful
	}
	if l.state(name.field, t.store(code.in(l.text), code.in(l.text)), code, l.whole(name).join(code), confidence, byName) {
		l.use(code)
	}
}

// codeAt reads a code: letters and digits with marks between, at least one digit. More words are taken in as long as the
// field's expression needs them, or they are groups of digits.
func (l *listener) codeAt(start, limit int, t target) span {
	end := start
	for end < limit && isCodeByte(l.text[end]) {
		end++
	}
	code := trimPunctuation(l.text, span{start, end})
	best := span{}
	for range 8 {
		said := code.in(l.text)
		if !code.empty() && hasDigit(said) && (t.regex == nil || t.regex.MatchString(said)) {
			best = code
		}
		next := code.end
		if next >= limit || l.text[next] != ' ' || (t.regex == nil && !best.empty() && !codeContinues(l.text[next+1:limit], said, t)) {
			break
		}
		end = next + 1
		for end < limit && isCodeByte(l.text[end]) {
			end++
		}
		if end == next+1 {
			break
		}
		code = trimPunctuation(l.text, span{start, end})
	}
	return best
}

// codeContinues reports whether another group belongs to the code so far: "DE89 3704 0044", "SW1A 1AA".
func codeContinues(rest, said string, t target) bool {
	group := rest
	if at := strings.IndexFunc(rest, func(r rune) bool { return r > unicode.MaxASCII || !isCodeByte(byte(r)) }); at >= 0 {
		group = rest[:at]
	}
	group = strings.TrimRight(group, ".,")
	return group != "" && hasDigit(group) && group == strings.ToUpper(group) && !strings.ContainsAny(group, ":/") && len(said) >= 2
}

func isCodeByte(b byte) bool {
	return isAlphanumeric(b) || strings.IndexByte("-/_.#", b) >= 0 || b >= utf8.RuneSelf
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// use marks the entities within a part of the text as somebody's.
func (l *listener) use(s span) {
	for i, e := range l.entities {
		if s.overlaps(e.span) {
			l.used[i] = true
		}
	}
}

// namedWords reads the words behind a name: "my job title is senior engineer". Only "is" and its like may stand between.
func (l *listener) namedWords(name label) {
	t := l.targets[name.field]
	if l.leadsOn(name.first, name.last) {
		if said := l.capitalised(name.last); !said.empty() && l.adjacentTo(name.last) {
			l.state(name.field, t.store(said.in(l.text), ""), said, name.span.join(said), sureWords, byName)
		}
		return
	}
	i, linked := name.last, false
	gap := ""
	if i < len(l.tokens) {
		gap = strings.TrimSpace(l.text[name.end:l.tokens[i].start])
	}
	switch {
	case i >= len(l.tokens):
		return
	case gap == ":" || gap == "=" || gap == "-" || gap == "–":
		linked = true
	case gap != "" && gap != `"` && gap != ",":
		return
	}
	if strings.HasSuffix(l.tokens[i-1].word, "'s") {
		linked = true
	}
	for ; i < len(l.tokens) && i < name.last+4; i++ {
		w := l.tokens[i].word
		if linkVerbs[w] {
			linked = true
		} else if !linkFillers[w] {
			break
		}
	}
	if !linked || i >= len(l.tokens) {
		return
	}
	said := l.extent(l.tokens[i].start, l.sentenceAt(name.span).end, t)
	value, confidence := l.wordsValue(t, said)
	if value == nil {
		return
	}
	if l.foreignOwner(name) {
		return
	}
	if l.state(name.field, value, said, l.whole(name).join(said), confidence, byName) {
		l.use(said)
	}
}

var (
	linkVerbs   = setOf("is are 's it's its be that's called")
	linkFillers = setOf("will would should now actually currently still also must just the simply")
)

// extent is how far a value in words goes: to the end of its clause.
func (l *listener) extent(start, end int, t target) span {
	stops := ",;:!?()"
	if t.kind == kindAddress {
		stops = ";!?()"
	}
	s := span{start, end}
	if at := strings.IndexAny(l.text[start:end], stops); at >= 0 {
		if !(t.kind == kindPlace && l.isRegion(start+at)) {
			s.end = start + at
		} else if more := strings.IndexAny(l.text[start+at+1:end], stops+"."); more >= 0 {
			s.end = start + at + 1 + more
		}
	}
	for i := l.tokenAt(start); i < len(l.tokens) && l.tokens[i].start < s.end; i++ {
		w := l.tokens[i].word
		next := ""
		if i+1 < len(l.tokens) {
			next = l.tokens[i+1].word
		}
		if l.tokens[i].start > start && (clauseEnds[w] || (w == "and" && (clauseSubjects[next] || t.kind != kindFree))) {
			s.end = l.tokens[i].start
			break
		}
	}
	return trimPunctuation(l.text, s)
}

// clauseEnds are words that no short value contains, and that begin something else.
var clauseEnds = setOf("but because since so please thanks thank if when while which who where although though by")

// isRegion reports whether a comma is followed by the name of a country or the short name of a state: "London, UK".
func (l *listener) isRegion(comma int) bool {
	i := l.tokenAt(comma)
	if i >= len(l.tokens) {
		return false
	}
	w := l.tokens[i].in(l.text)
	if countryAt(l.tokens, i) > 0 || (len(w) <= 3 && w == strings.ToUpper(w) && !hasDigit(w)) {
		return true
	}
	rest := strings.TrimLeft(l.text[l.tokens[i].end:], " ")
	return isCapitalised(w) && !interjections[l.tokens[i].word] && !months[l.tokens[i].word] && (rest == "" || strings.ContainsRune(".?!", rune(rest[0])))
}

// notValues are words with which an answer begins that is no value.
var notValues = setOf(`not no none nothing unknown on same wrong incorrect different private available attached below above here there what something
	already your his her their any anything whatever don't dont i i'm you it that this these those they he she we if about still yet only also
	a an perfect great nice confidential secret irrelevant correct right fine good ok okay changing changed going the`)

// wordsValue turns words into a value of the field, or nil where they are none.
func (l *listener) wordsValue(t target, said span) (json.RawMessage, float64) {
	if said.empty() {
		return nil, 0
	}
	text := said.in(l.text)
	parts := words(text)
	if len(parts) == 0 || notValues[parts[0]] && !(parts[0] == "the" && t.kind == kindFree && len(parts) > 1) {
		return nil, 0
	}
	if strings.HasPrefix(text, "to ") && len(parts) > 2 {
		return nil, 0 // what somebody is about to do: "my plan is to call tomorrow"
	}
	switch t.kind {
	case kindChoice:
		return t.choose(text), sureLabelled
	case kindCountry:
		if countries[strings.Join(parts, " ")] {
			return t.store(text, text), sureLabelled
		}
		return nil, 0
	case kindPerson, kindFirstName, kindLastName:
		return personValue(t, text)
	case kindAddress:
		if len(parts) <= 16 && hasDigit(text) {
			return t.store(text, text), sureWords
		}
		return nil, 0
	case kindPlace:
		if len(parts) <= 4 && !hasDigit(text) && !slices.ContainsFunc(parts, func(w string) bool { return sentenceWords[w] }) {
			return t.store(text, text), sureLabelled
		}
		return nil, 0
	}
	if len(parts) > 6 || slices.ContainsFunc(parts, func(w string) bool { return sentenceWords[w] }) {
		return nil, 0
	}
	return t.store(text, text), sureWords
}

// sentenceWords are words of a sentence, not of a short value.
var sentenceWords = setOf(`i you he she we they me him us them is are was were am do does did don't doesn't didn't have has had will would can could
	should isn't aren't can't won't know think want need what which who how why when i'm it's i'll i'd let's because if whether maybe`)

// personValue reads a name of one to four words.
func personValue(t target, text string) (json.RawMessage, float64) {
	tokens := tokenize(text)
	if len(tokens) == 0 || len(tokens) > 4 || hasDigit(text) {
		return nil, 0
	}
	capitals := true
	for _, tok := range tokens {
		if sentenceWords[tok.word] || notValues[tok.word] || numberWords[tok.word] != "" || nameless[tok.word] {
			return nil, 0
		}
		r, _ := utf8.DecodeRuneInString(tok.in(text))
		capitals = capitals && (unicode.IsUpper(r) || len(tok.word) <= 3 && tok.start > 0)
	}
	confidence := sureLabelled
	if !capitals {
		confidence = sureWords
	}
	if t.kind == kindPerson && len(tokens) == 1 && t.def.Name != "name" {
		confidence = inferredValue // a first name is no full name
	}
	if (t.kind == kindFirstName || t.kind == kindLastName) && len(tokens) > 2 {
		confidence = sureWords
	}
	return t.store(text, text), confidence
}

// nameless are words that follow "my name is" or "I'm called" and are no name.
var nameless = setOf("on in at from with for of about under spelled misspelled listed missing wrong and or too long short very here there calling looking a an the to")
