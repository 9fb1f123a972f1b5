package extract

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// Words right before the name of a target that leave it the customer's own and complete: "my email" and "the order
// number", but not "her email" or "hotel address".
var (
	beforeLabel = text.NewWordSet(`my our the a an this new current correct right best work personal home mobile main
		primary full complete own actual another updated preferred and or but with is are here's here it's use have
		got give enter change update changed updated provide for to on in at by from of please need want be am i'm
		was i'll i'd we're by going will also then that so leave leaving confirm`)
	// afterLabel stand between a name and its value.
	afterLabel = text.NewWordSet(`is are it's its it that's that this would will should be to at on the a my number
		address date now actually currently there still also please use as of for following id simply just new one
		i'm am called time starts day which must by be need want`)
	// behindValue stand between a value and the name after it.
	behindValue = text.NewWordSet("is as for are my our the a an would be will should new current")
	firstPerson = text.NewWordSet("my our")
)

// findLabels finds the names of targets, and other names of the lexicon, which own the value after them. Of two that
// overlap, the longer one counts.
func (tr *turnReader) findLabels() []label {
	var found []label
	for i := 0; i < len(tr.tokens); {
		best, n := -1, 0
		for f, t := range tr.targets {
			for _, parts := range t.labels {
				if len(parts) > n && text.HasWords(tr.tokens, i, parts) {
					best, n = f, len(parts)
				}
			}
		}
		if _, m := text.Lexicon.At(tr.tokens, i); m > n {
			best, n = -1, m
		}
		if n == 0 || tr.partOfName(i, n) {
			i++
			continue
		}
		if tr.isOwnLabel(i) || best >= 0 && tr.introducesValue(i, i+n) {
			found = append(found, label{Span: text.SpanOf(tr.tokens, i, i+n), target: best, first: i, last: i + n})
		} else {
			found = append(found, label{Span: text.SpanOf(tr.tokens, i, i+n), target: -1, first: i, last: i + n})
		}
		i += n
	}
	return found
}

// movementVerbs name a target with "I" before them: "I arrive on Monday".
var movementVerbs = text.NewWordSet("arrive leave check checkin checkout stay")

// isOwnLabel reports whether the name at token i is complete and the customer's own.
func (tr *turnReader) isOwnLabel(i int) bool {
	if i == 0 {
		return true
	}
	if gap := tr.text[tr.tokens[i-1].End:tr.tokens[i].Start]; strings.TrimSpace(gap) != "" {
		return !strings.HasSuffix(gap, "-") || strings.Contains(gap, " ")
	}
	before := tr.tokens[i-1].Word
	return beforeLabel[before] || (before == "i" || before == "we") && movementVerbs[tr.tokens[i].Word]
}

// introducesValue reports whether the value follows the name from token i to token j directly, whatever is before it:
// "a film directed by …".
func (tr *turnReader) introducesValue(i, j int) bool { return j-i > 1 && tr.tokens[j-1].Word == "by" }

// readNamed reads the values next to the names of targets.
func (tr *turnReader) readNamed() {
	for n, name := range tr.labels {
		if name.target < 0 {
			// The entity after the name belongs to another definition.
			if e := tr.linkedAfter(name, n, nil); e >= 0 {
				tr.used[e] = true
			}
			continue
		}
		t := tr.targets[name.target]
		if tr.sentenceAt(name.Span).isQuestion {
			continue
		}
		switch t.kind {
		case text.KindNone, text.KindBoolean:
		case text.KindIdentifier:
			tr.readNamedIdentifier(name)
		case text.KindFree,
			text.KindPerson,
			text.KindFirstName,
			text.KindLastName,
			text.KindCountry,
			text.KindPlace,
			text.KindAddress,
			text.KindChoice:
			tr.readNamedWords(name)
		default:
			tr.readNamedEntity(name, n)
		}
	}
}

// readNamedEntity links a name to the entity of its kind after it, else before it.
func (tr *turnReader) readNamedEntity(name label, n int) {
	t := tr.targets[name.target]
	e := tr.linkedAfter(name, n, &t)
	if e < 0 {
		e = tr.linkedBefore(name, &t)
	}
	if e < 0 {
		return
	}
	value, ceiling := t.match(tr.entities[e], tr.text)
	confidence := confidenceLabelled
	switch {
	case tr.isOwnedByOther(name):
		confidence = confidenceDoubtful
	case !tr.question.has(name.target) && !tr.isOnlyOfKind(name.target) && !t.isNamedBy(tr.text[name.Start:name.End]):
		confidence = confidenceCounted // "leaving on the 5th" may be the end of something else
	}
	tr.used[e] = true
	tr.record(
		name.target,
		value,
		tr.entities[e].Span,
		tr.fullLabel(name).Join(tr.entities[e].Span),
		capConfidence(confidence, ceiling),
		statedByName,
	)
}

// isNamedBy reports whether a phrase is the name or display name of t, and not only a verb for it.
func (t target) isNamedBy(phrase string) bool {
	phrase = text.Phrase(phrase)
	return phrase == text.Phrase(vault.DisplayName(t.def.Name)) || phrase == text.Phrase(t.def.DisplayName)
}

// fullLabel returns a name with its possessive and adjectives: "my new email".
func (tr *turnReader) fullLabel(name label) text.Span {
	i := name.first
	for i > 0 && tr.text[tr.tokens[i-1].End:tr.tokens[i].Start] == " " && (text.Adjectives[tr.tokens[i-1].Word] ||
		firstPerson[tr.tokens[i-1].Word]) {
		i--
		if firstPerson[tr.tokens[i].Word] {
			break
		}
	}
	return text.Span{Start: tr.tokens[i].Start, End: name.End}
}

func (tr *turnReader) wordBefore(name label) string {
	if name.first == 0 {
		return ""
	}
	return tr.tokens[name.first-1].Word
}

// isOwnedByOther reports whether the clause before the name is about another person.
func (tr *turnReader) isOwnedByOther(name label) bool {
	return !firstPerson[tr.wordBefore(name)] && tr.isAboutOther(name.Span)
}

// linkedAfter returns the entity after the name with only linking words between them, or -1. If t is nil, any entity
// fits.
func (tr *turnReader) linkedAfter(name label, n int, t *target) int {
	limit := tr.sentenceAt(name.Span).End
	if n+1 < len(tr.labels) {
		limit = min(limit, tr.labels[n+1].Start)
	}
	for i, e := range tr.entities {
		if e.Start < name.End {
			continue
		}
		if e.Start >= limit || !tr.onlyWords(name.End, e.Start, afterLabel, 5) {
			return -1
		}
		if t == nil {
			return i
		}
		if value, _ := t.match(e, tr.text); value != nil {
			return i
		}
		return -1
	}
	return -1
}

// linkedBefore returns the entity right before the name, or -1: "a@b.c is my email".
func (tr *turnReader) linkedBefore(name label, t *target) int {
	start := tr.sentenceAt(name.Span).Start
	for i := len(tr.entities) - 1; i >= 0; i-- {
		e := tr.entities[i]
		if e.End > name.Start {
			continue
		}
		if e.End < start || tr.used[i] {
			return -1
		}
		between := tr.wordsBetween(e.End, name.Start)
		if len(between) == 0 || !tr.onlyWords(e.End, name.Start, behindValue, 4) || !behindValue[between[0]] {
			return -1
		}
		if value, _ := t.match(e, tr.text); value != nil {
			return i
		}
		return -1
	}
	return -1
}

// onlyWords reports whether the text between start and end has at most limit words, all of set, in one sentence.
func (tr *turnReader) onlyWords(start, end int, set text.WordSet, limit int) bool {
	if strings.ContainsAny(tr.text[start:end], ".;!?\n") {
		return false
	}
	between := tr.wordsBetween(start, end)
	return len(between) <= limit && !slices.ContainsFunc(between, func(w string) bool { return !set[w] })
}

// readNamedIdentifier links a name to the code after it: one word with a digit, or more if the regex of the
// definition matches them.
func (tr *turnReader) readNamedIdentifier(name label) {
	t := tr.targets[name.target]
	end := tr.sentenceAt(name.Span).End
	i := name.last
	for i+1 < len(tr.tokens) && i < name.last+5 && afterLabel[tr.tokens[i].Word] &&
		strings.TrimSpace(tr.text[tr.tokens[i].End:tr.tokens[i+1].Start]) != "-" {
		i++ // the "A" of "A-1029" is not an article
	}
	if i >= len(tr.tokens) || strings.ContainsAny(tr.text[name.End:tr.tokens[i].Start], ";!?\n") {
		return
	}
	code := tr.codeAt(tr.tokens[i].Start, end, t)
	if code.IsEmpty() {
		return
	}
	confidence := confidenceLabelled
	if tr.isOwnedByOther(name) {
		confidence = confidenceDoubtful
	}
	if tr.record(
		name.target,
		t.encode(code.In(tr.text), code.In(tr.text)),
		code,
		tr.fullLabel(name).Join(code),
		confidence,
		statedByName,
	) {
		tr.markUsed(code)
	}
}

// codeAt reads a code: letters, digits and marks between them, with at least one digit. It takes more words while the
// regex of t needs them or they are groups of digits.
func (tr *turnReader) codeAt(start, limit int, t target) text.Span {
	end := start
	for end < limit && isCodeByte(tr.text[end]) {
		end++
	}
	code := text.TrimPunctuation(tr.text, text.Span{Start: start, End: end})
	best := text.Span{}
	for range 8 {
		said := code.In(tr.text)
		if !code.IsEmpty() && text.HasDigit(said) && (t.regex == nil || t.regex.MatchString(said)) {
			best = code
		}
		next := code.End
		if next >= limit || tr.text[next] != ' ' ||
			(t.regex == nil && !best.IsEmpty() && !codeContinues(tr.text[next+1:limit], said)) {
			break
		}
		end = next + 1
		for end < limit && isCodeByte(tr.text[end]) {
			end++
		}
		if end == next+1 {
			break
		}
		code = text.TrimPunctuation(tr.text, text.Span{Start: start, End: end})
	}
	return best
}

// codeContinues reports whether the next group belongs to the code: "DE89 3704 0044", "SW1A 1AA".
func codeContinues(rest, said string) bool {
	group := rest
	if at := strings.IndexFunc(rest, func(r rune) bool { return r > unicode.MaxASCII || !isCodeByte(byte(r)) }); at >= 0 {
		group = rest[:at]
	}
	group = strings.TrimRight(group, ".,")
	return group != "" && text.HasDigit(group) && group == strings.ToUpper(group) && !strings.ContainsAny(group, ":/") &&
		len(said) >= 2
}

func isCodeByte(b byte) bool {
	return text.IsAlphanumeric(b) || strings.IndexByte("-/_.#", b) >= 0 || b >= utf8.RuneSelf
}

// markUsed marks the entities within s as belonging to a definition.
func (tr *turnReader) markUsed(s text.Span) {
	for i, e := range tr.entities {
		if s.Overlaps(e.Span) {
			tr.used[i] = true
		}
	}
}

// readNamedWords reads the words after a name: "my job title is senior engineer". Only linking verbs may be between
// them.
func (tr *turnReader) readNamedWords(name label) {
	t := tr.targets[name.target]
	if tr.introducesValue(name.first, name.last) {
		if said := tr.capitalisedRun(name.last); !said.IsEmpty() && tr.isAdjacent(name.last) {
			tr.record(
				name.target,
				t.encode(said.In(tr.text), ""),
				said,
				name.Span.Join(said),
				confidenceNamedWords,
				statedByName,
			)
		}
		return
	}
	i, linked := name.last, false
	gap := ""
	if i < len(tr.tokens) {
		gap = strings.TrimSpace(tr.text[name.End:tr.tokens[i].Start])
	}
	switch {
	case i >= len(tr.tokens):
		return
	case gap == ":" || gap == "=" || gap == "-" || gap == "–":
		linked = true
	case gap != "" && gap != `"` && gap != ",":
		return
	}
	if strings.HasSuffix(tr.tokens[i-1].Word, "'s") {
		linked = true
	}
	for ; i < len(tr.tokens) && i < name.last+4; i++ {
		w := tr.tokens[i].Word
		if linkVerbs[w] {
			linked = true
		} else if !linkFillers[w] {
			break
		}
	}
	if !linked || i >= len(tr.tokens) {
		return
	}
	said := tr.valueExtent(tr.tokens[i].Start, tr.sentenceAt(name.Span).End, t)
	value, confidence := tr.parseWords(t, said)
	if value == nil {
		return
	}
	if tr.isOwnedByOther(name) {
		return
	}
	if tr.record(name.target, value, said, tr.fullLabel(name).Join(said), confidence, statedByName) {
		tr.markUsed(said)
	}
}

var (
	linkVerbs   = text.NewWordSet("is are 's it's its be that's called")
	linkFillers = text.NewWordSet("will would should now actually currently still also must just the simply")
)

// valueExtent returns a value in words, up to the end of its clause.
func (tr *turnReader) valueExtent(start, end int, t target) text.Span {
	stops := ",;:!?()"
	if t.kind == text.KindAddress {
		stops = ";!?()"
	}
	s := text.Span{Start: start, End: end}
	if at := strings.IndexAny(tr.text[start:end], stops); at >= 0 {
		if !(t.kind == text.KindPlace && tr.isRegion(start+at)) {
			s.End = start + at
		} else if more := strings.IndexAny(tr.text[start+at+1:end], stops+"."); more >= 0 {
			s.End = start + at + 1 + more
		}
	}
	for i := tr.tokenAt(start); i < len(tr.tokens) && tr.tokens[i].Start < s.End; i++ {
		w := tr.tokens[i].Word
		next := ""
		if i+1 < len(tr.tokens) {
			next = tr.tokens[i+1].Word
		}
		if tr.tokens[i].Start > start &&
			(clauseEnds[w] || (w == "and" && (clauseSubjects[next] || t.kind != text.KindFree))) {
			s.End = tr.tokens[i].Start
			break
		}
	}
	return text.TrimPunctuation(tr.text, s)
}

// clauseEnds begin a new clause and are in no short value.
var clauseEnds = text.NewWordSet(`but because since so please thanks thank if when while which who where although
	though by`)

// isRegion reports whether a country or the short name of a state follows the comma: "London, UK".
func (tr *turnReader) isRegion(comma int) bool {
	i := tr.tokenAt(comma)
	if i >= len(tr.tokens) {
		return false
	}
	w := tr.tokens[i].In(tr.text)
	if text.CountryAt(tr.tokens, i) > 0 || (len(w) <= 3 && w == strings.ToUpper(w) && !text.HasDigit(w)) {
		return true
	}
	rest := strings.TrimLeft(tr.text[tr.tokens[i].End:], " ")
	if i+1 < len(tr.tokens) && isCapitalised(w) && strings.HasPrefix(rest, tr.tokens[i+1].In(tr.text)) &&
		regionEnds[tr.tokens[i+1].Word] {
		return !notPlaces[tr.tokens[i].Word] && !interjections[tr.tokens[i].Word]
	}
	return isCapitalised(w) && !interjections[tr.tokens[i].Word] && !notPlaces[tr.tokens[i].Word] &&
		(rest == "" || strings.ContainsRune(".?!", rune(rest[0])))
}

// regionEnds follow a region after its town: "Toronto, Ontario on the 4th".
var regionEnds = text.NewWordSet("for on in at and by from to like please this next with")

// nonValues begin an answer that is not a value.
var nonValues = text.NewWordSet(`not no none nothing unknown on same wrong incorrect different private available
	attached below above here there what something already your his her their any anything whatever don't dont i i'm
	you it that this these those they he she we if about still yet only also a an perfect great nice confidential
	secret irrelevant correct right fine good ok okay changing changed going the`)

// parseWords returns the value of t in words, nil for none, and its confidence.
func (tr *turnReader) parseWords(t target, said text.Span) (json.RawMessage, float64) {
	if said.IsEmpty() {
		return nil, 0
	}
	content := said.In(tr.text)
	parts := text.Words(content)
	if len(parts) == 0 || nonValues[parts[0]] && !(parts[0] == "the" && t.kind == text.KindFree && len(parts) > 1) {
		return nil, 0
	}
	if strings.HasPrefix(content, "to ") && len(parts) > 2 {
		return nil, 0 // an intention: "my plan is to call tomorrow"
	}
	switch t.kind {
	case text.KindChoice:
		return t.matchChoice(content), confidenceLabelled
	case text.KindCountry:
		if text.Countries[strings.Join(parts, " ")] {
			return t.encode(content, content), confidenceLabelled
		}
		return nil, 0
	case text.KindPerson, text.KindFirstName, text.KindLastName:
		return parsePerson(t, content)
	case text.KindAddress:
		if len(parts) <= 16 && text.HasDigit(content) {
			return t.encode(content, content), confidenceNamedWords
		}
		return nil, 0
	case text.KindPlace:
		if len(parts) <= 4 && !text.HasDigit(content) &&
			!slices.ContainsFunc(parts, func(w string) bool { return sentenceWords[w] }) {
			return t.encode(content, content), confidenceLabelled
		}
		return nil, 0
	default: // any short words, below
	}
	if len(parts) > 6 || slices.ContainsFunc(parts, func(w string) bool { return sentenceWords[w] }) {
		return nil, 0
	}
	return t.encode(content, content), confidenceNamedWords
}

// sentenceWords are words of a sentence, not of a short value.
var sentenceWords = text.NewWordSet(`i you he she we they me him us them is are was were am do does did don't doesn't
	didn't have has had will would can could should isn't aren't can't won't know think want need what which who how
	why when i'm it's i'll i'd let's because if whether maybe`)

// parsePerson reads a name of one to four words. It returns nil for other words.
func parsePerson(t target, content string) (json.RawMessage, float64) {
	tokens := text.Tokenize(content)
	if len(tokens) == 0 || len(tokens) > 4 || text.HasDigit(content) {
		return nil, 0
	}
	capitals := true
	for _, tok := range tokens {
		if sentenceWords[tok.Word] || nonValues[tok.Word] || isCount(tok.Word) || notNames[tok.Word] {
			return nil, 0
		}
		r, _ := utf8.DecodeRuneInString(tok.In(content))
		capitals = capitals && (unicode.IsUpper(r) || len(tok.Word) <= 3 && tok.Start > 0)
	}
	confidence := confidenceLabelled
	if !capitals {
		confidence = confidenceNamedWords
	}
	if t.kind == text.KindPerson && len(tokens) == 1 && t.def.Name != "name" {
		confidence = confidenceInferred // a first name is not a full name
	}
	if (t.kind == text.KindFirstName || t.kind == text.KindLastName) && len(tokens) > 2 {
		confidence = confidenceNamedWords
	}
	return t.encode(content, content), confidence
}

// notNames follow "my name is" or "I'm called" and are not names.
var notNames = text.NewWordSet(`on in at from with for of about under spelled misspelled listed missing wrong and or
	too long short very here there calling looking a an the to`)

func isCount(word string) bool {
	_, ok := text.CountWord(word)
	return ok
}
