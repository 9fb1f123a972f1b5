package extract

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/rules"
)

// isWords reports whether the values of t are words without a form of their own.
func (t target) isWords() bool {
	switch t.kind {
	case text.KindFree, text.KindPerson, text.KindFirstName, text.KindLastName, text.KindCountry, text.KindPlace,
		text.KindAddress:
		return true
	default:
		return false
	}
}

// readAnswers reads the customer's answers to the agent's question. readEntities and readChoices read the others.
func (tr *turnReader) readAnswers() {
	for _, f := range tr.question.targets {
		t := tr.targets[f]
		if tr.isStated(f, statedByName) || tr.askedOfKind(t.kind) > 1 {
			continue
		}
		switch {
		case t.kind == text.KindBoolean:
			tr.readYesNoAnswer(f)
		case t.kind == text.KindIdentifier:
			tr.readCodeAnswer(f)
		case t.isWords():
			tr.readWordsAnswer(f)
		case t.kind == text.KindDatetime:
			tr.readDatetimeAnswer(f)
		case t.kind == text.KindEmail, t.kind == text.KindPhone, t.kind == text.KindURL, t.kind == text.KindAge,
			t.isAboutCustomer():
			tr.readEntityAnswer(f)
		}
	}
}

// askedOfKind returns the number of requested targets of a kind.
func (tr *turnReader) askedOfKind(k text.Kind) int {
	n := 0
	for _, f := range tr.question.targets {
		if tr.targets[f].kind == k {
			n++
		}
	}
	return n
}

// readDatetimeAnswer takes the only day and time of the turn for target f: "5 March 2027 at 14:30". The definition must
// have a time zone, and the half of the day must be clear.
func (tr *turnReader) readDatetimeAnswer(f int) {
	day, clock := -1, -1
	for i, e := range tr.entities {
		switch {
		case tr.used[i] || tr.sentenceAt(e.Span).isQuestion:
			continue
		case e.Kind == text.KindDate && day < 0:
			day = i
		case e.Kind == text.KindTime && clock < 0:
			clock = i
		case e.Kind == text.KindDate, e.Kind == text.KindTime:
			return // several
		}
	}
	t := tr.targets[f]
	if day < 0 || clock < 0 || t.def.TimeZone == "" || tr.entities[day].Value == "" {
		return
	}
	d, c := tr.entities[day], tr.entities[clock]
	at, ok := text.ClockTime(c.In(tr.text))
	if !ok || tr.sentenceAt(d.Span) != tr.sentenceAt(c.Span) {
		return
	}
	confidence := confidenceAnswered
	if d.Inferred {
		confidence = confidenceInferred
	}
	said := text.Span{Start: min(d.Start, c.Start), End: max(d.End, c.End)}
	value := t.encode(said.In(tr.text), d.Value+"T"+at+":00")
	if tr.record(f, value, said, tr.quoteAround(said), confidence, statedInAnswer) {
		tr.used[day], tr.used[clock] = true, true
	}
}

// readEntityAnswer takes the only entity in the turn that fits target f.
func (tr *turnReader) readEntityAnswer(f int) {
	t := tr.targets[f]
	only := -1
	for i, e := range tr.entities {
		if tr.used[i] || tr.sentenceAt(e.Span).isQuestion {
			continue
		}
		if value, _ := t.match(e, tr.text); value == nil {
			continue
		}
		if (t.kind == text.KindNumber || t.kind == text.KindAge) && (tr.countsSomethingElse(f, e) || len(tr.tokens) > 14) {
			continue
		}
		if only >= 0 {
			return
		}
		only = i
	}
	if only < 0 {
		return
	}
	e := tr.entities[only]
	value, ceiling := t.match(e, tr.text)
	if tr.record(f, value, e.Span, tr.quoteAround(e.Span), capConfidence(confidenceAnswered, ceiling), statedInAnswer) {
		tr.used[only] = true
	}
}

// countsSomethingElse reports whether the number e counts other things than target f: "2 nights" for a number of
// guests.
func (tr *turnReader) countsSomethingElse(f int, e text.Entity) bool {
	i := tr.tokenAt(e.End)
	if i >= len(tr.tokens) || strings.TrimSpace(tr.text[e.End:tr.tokens[i].Start]) != "" {
		return false
	}
	w := tr.tokens[i].Word
	if tr.targets[f].countsNoun(w) || text.PhraseEnds[w] || interjections[w] || w == "years" || w == "year" {
		return false
	}
	for g, t := range tr.targets {
		if g != f && t.countsNoun(w) {
			return true
		}
	}
	return text.CountedPlurals[w] || (strings.HasSuffix(w, "s") && w != "yes" && w != "thanks")
}

// readCodeAnswer takes the only code of a short turn.
func (tr *turnReader) readCodeAnswer(f int) {
	t := tr.targets[f]
	var only text.Span
	for i := 0; i < len(tr.tokens); i++ {
		start := tr.tokens[i].Start
		if !only.IsEmpty() && start < only.End {
			continue
		}
		code := tr.codeAt(start, len(tr.text), t)
		if code.IsEmpty() || len(code.In(tr.text)) < 3 || tr.sentenceAt(code).isQuestion ||
			strings.ContainsRune(tr.text, '@') {
			continue
		}
		if !only.IsEmpty() {
			return
		}
		only = code
	}
	if !only.IsEmpty() && len(tr.tokens) <= 14 {
		tr.record(f, t.encode(only.In(tr.text), ""), only, tr.quoteAround(only), confidenceAnswered, statedInAnswer)
	}
}

// phrases splits a list of phrases, separated by commas, into their words.
func phrases(list string) [][]string {
	var out [][]string
	for phrase := range strings.SplitSeq(list, ",") {
		out = append(out, strings.Fields(phrase))
	}
	return out
}

// readWordsAnswer takes the words of an answer, without the words around them.
func (tr *turnReader) readWordsAnswer(f int) {
	t := tr.targets[f]
	others := 0
	for _, g := range tr.question.targets {
		if g != f && tr.targets[g].isWords() {
			others++
		}
	}
	if others > 0 && t.kind != text.KindFree || others > 1 ||
		t.kind == text.KindFree && !slices.Contains(tr.question.open, f) ||
		tr.question.unknown > 0 {
		return
	}
	if t.kind == text.KindPlace &&
		slices.ContainsFunc(tr.properNames(), func(n properName) bool { return townLeads[n.lead] }) {
		return // readNames reads it
	}
	var only text.Span
	sentences := 0
	for _, c := range tr.sentences {
		if c.isQuestion {
			continue
		}
		if tr.hasContent(c.first, c.last) {
			sentences++
		}
		said, ok := tr.answerIn(c, t)
		if !ok || others > 0 && !tr.standsBeforePlace(said) {
			continue
		}
		if !only.IsEmpty() {
			return
		}
		only = said
	}
	if only.IsEmpty() {
		return
	}
	if elements := rules.SpokenElements(only.In(tr.text)); t.def.Multiple && len(elements) > 1 {
		for _, at := range elements {
			element := text.Span{Start: only.Start + at[0], End: only.Start + at[1]}
			if value, _ := tr.parseWords(t, element); value != nil {
				tr.record(f, value, element, tr.quoteAround(element), confidenceInferred, statedInAnswer)
			}
		}
		return
	}
	value, confidence := tr.parseWords(t, only)
	if value != nil {
		if capital := isCapitalised(only.In(tr.text)); (!capital || t.kind == text.KindPlace) &&
			(sentences > 1 || len(tr.question.targets) > 1) || !capital && len(tr.tokens) > wordsOfReply {
			confidence = confidenceInferred // other words of the turn may be the answer
		}
		tr.record(f, value, only, tr.quoteAround(only), min(confidence, confidenceReply), statedInAnswer)
	}
}

// wordsOfReply is the length of a turn up to which its words in lower case are an answer, in words.
const wordsOfReply = 9

// standsBeforePlace reports whether a place follows the words, so that they are no place: "Asian Fusion in Concord".
func (tr *turnReader) standsBeforePlace(s text.Span) bool {
	i := tr.tokenAt(s.End)
	for i < len(tr.tokens) && !text.PhraseEnds[tr.tokens[i].Word] && i < tr.tokenAt(s.End)+2 {
		i++
	}
	return i+1 < len(tr.tokens) && townLeads[tr.tokens[i].Word] && tr.nameFrom(i+1) > i+1
}

// Words before an answer, which say that it is wanted, and words after it, which say that it is good.
var (
	leadWords = text.NewWordSet(
		`i i'm i'd i'll i've we we're we'd we'll am are is be it it's its that's that this will would
		should could can like love want wants need prefer enjoy choose pick take try make let's lets let go going with for to
		some a an get have eat watch see hear listen play find look looking search searching craving feeling feel having
		mood thinking of about usually really just maybe on in at from near around into out my our name called use say says
		live based staying stay visit visiting show me please you help interested kind type sort something anything how
		what's do hope hoping think guess rather preferably mostly more also um the somewhere likes wanna gonna craving
		fancy fond dying ready planning wish seem work working appear decide suggest enjoying`,
	)
	leadStems = stemSet(leadWords)
	restWords = text.NewWordSet(
		`is sounds sound would be will works work a an the good great perfect fine nice best one name
		title please thanks thank you my choice favorite favourite preferred preference right now tonight for me us ok okay
		awesome lovely wonderful that then kind of sort type will do area actually instead today if possible at moment
		cool ideal sir really too really very`,
	)
	restStarts = text.NewWordSet("in at on for near around from to with by if and but on because since as so which that")
)

// stemSet returns the stems of words.
func stemSet(words text.WordSet) text.WordSet {
	out := text.WordSet{}
	for w := range words {
		if len(w) > 2 && !strings.Contains(w, "'") {
			out[text.Stem(w)] = true
		}
	}
	return out
}

// answerIn returns the answer in a sentence: the words after its lead, up to a mark or a word that ends a phrase.
func (tr *turnReader) answerIn(c sentence, t target) (text.Span, bool) {
	i := c.first
	for i < c.last {
		w := tr.tokens[i]
		name := isCapitalised(w.In(tr.text)) && i > c.first && w.Word != "i" && !strings.HasPrefix(w.Word, "i'") &&
			!tr.isShouted() && i+1 <= c.last
		isLead := leadWords[w.Word] || leadStems[tr.stems[i]] || strings.HasSuffix(w.Word, "ly") && len(w.Word) > 5 ||
			t.kind == text.KindPlace && placeNouns[w.Word] ||
			interjections[w.Word] ||
			t.entity[text.Singular(w.Word)] && i+1 < c.last
		if name || !isLead {
			break
		}
		i++
	}
	if i >= c.last {
		return text.Span{}, false
	}
	j := i
	for j < c.last && (j == i || tr.continuesAnswer(i, j, t)) {
		j++
	}
	if t.kind != text.KindAddress {
		if end := tr.nameFrom(i); end > j && isCapitalised(tr.tokens[i].In(tr.text)) {
			j = min(end, c.last)
		}
	}
	if len(t.describes) > 0 {
		for k := i; k < j; k++ {
			if w := text.Singular(tr.tokens[k].Word); t.describes[w] || tr.isThing(w) || k > i && sortOf[w] {
				if k == i {
					return text.Span{}, false
				}
				j = k
			}
		}
	}
	for j-i > 1 && (interjections[tr.tokens[j-1].Word] || restWords[tr.tokens[j-1].Word]) &&
		!isCapitalised(tr.tokens[j-1].In(tr.text)) {
		j--
	}
	said := text.TrimPunctuation(tr.text, text.Span{Start: tr.tokens[i].Start, End: tr.tokens[j-1].End})
	if tail := tr.nameTailAt(said.End); tail != "" {
		said.End += len(tail)
	}
	return said, tr.isAnswer(c, i, j, t)
}

// continuesAnswer reports whether token j belongs to the answer that begins at token i.
func (tr *turnReader) continuesAnswer(i, j int, t target) bool {
	gap := tr.text[tr.tokens[j-1].End:tr.tokens[j].Start]
	w := tr.tokens[j].Word
	switch {
	case t.kind == text.KindAddress:
		return !strings.ContainsAny(gap, ";!?")
	case strings.Contains(gap, ","):
		return (t.kind == text.KindPlace || t.kind == text.KindCountry) && tr.isRegion(tr.tokens[j-1].End)
	case strings.ContainsAny(gap, ";:!?()") || strings.Contains(gap, ". ") && !tr.joinsName(j):
		return false
	case w == "and" || w == "or":
		return w == "and" && t.kind == text.KindFree && j+1 < len(tr.tokens) && !text.PhraseEnds[tr.tokens[j+1].Word] &&
			!leadWords[tr.tokens[j+1].Word] && !clauseSubjects[tr.tokens[j+1].Word] && j-i == 1
	case w == "of" || w == "the" && tr.tokens[j-1].Word == "of":
		return true
	case text.PhraseEnds[w] || interjections[w] || clauseEnds[w]:
		return false
	case restWords[w] && !isCapitalised(tr.tokens[j].In(tr.text)):
		return false
	}
	return true
}

// isAnswer reports whether the tokens from i to j are an answer: a few words that are no sentence, with nothing after
// them but a remark or the start of another phrase.
func (tr *turnReader) isAnswer(c sentence, i, j int, t target) bool {
	said := text.SpanOf(tr.tokens, i, j)
	if i == c.first && restWords[tr.tokens[i].Word] && !leadWords[tr.tokens[i].Word] {
		return false // "Sounds great"
	}
	if text.PhraseEnds[tr.tokens[i].Word] && !isCapitalised(tr.tokens[i].In(tr.text)) || tr.isChoiceValue(said) ||
		tr.namesOnlyThings(i, j, t) {
		return false
	}
	capital := isCapitalised(tr.tokens[i].In(tr.text)) && !tr.isShouted()
	if t.kind != text.KindAddress {
		for k := i; k < j; k++ {
			if !t.describes[text.Singular(tr.tokens[k].Word)] && slices.ContainsFunc(tr.targets, func(o target) bool {
				return o.describes[text.Singular(tr.tokens[k].Word)]
			}) {
				return false // "American food" is no place
			}
			if w := tr.tokens[k].Word; notFree[w] && !(capital && isCapitalised(tr.tokens[k].In(tr.text))) ||
				!capital && (requestVerbs[w] || actionWords[w] || ordinaryWords[w] && j-i == 1 || strings.HasSuffix(w, "ing") ||
					t.kind == text.KindPlace && tr.topic.words[tr.stems[k]]) {
				return false
			}
		}
		if j-i > 6 || slices.ContainsFunc(tr.entities, func(e text.Entity) bool {
			return e.Overlaps(said) && !(t.kind == text.KindFree && e.Kind == text.KindNumber)
		}) {
			return false
		}
	}
	if j == c.last {
		return true
	}
	if i == c.first && j == i+1 && tr.tokens[j].Word == "to" {
		return false // "Change to …"
	}
	if t.kind == text.KindPlace && townLeads[tr.tokens[j].Word] {
		return false // "Sports in Seattle"
	}
	if capital && j < c.last && tr.tokens[j].Word == "is" &&
		!slices.ContainsFunc(tr.tokens[j:c.last], func(w text.Token) bool {
			return negations[w.Word]
		}) {
		return true
	}
	if restStarts[tr.tokens[j].Word] || strings.Contains(tr.text[tr.tokens[j-1].End:tr.tokens[j].Start], ",") {
		return t.kind != text.KindPlace || capital
	}
	return !slices.ContainsFunc(tr.tokens[j:c.last], func(w text.Token) bool {
		return !restWords[w.Word] && !interjections[w.Word] && !t.entity[text.Singular(w.Word)] && !courtesyWords[w.Word]
	})
}

// namesOnlyThings reports whether an answer has only the nouns of the definitions: "a restaurant".
func (tr *turnReader) namesOnlyThings(i, j int, t target) bool {
	for ; i < j; i++ {
		w := text.Singular(tr.tokens[i].Word)
		if !t.entity[w] && !t.describes[w] && !tr.isThing(w) && !ordinaryWords[w] && !leadWords[w] {
			return false
		}
	}
	return true
}

var courtesyWords = text.NewWordSet("please thanks thank you sir madam")

// actionWords are verbs that follow "I want to" and are no answer.
var actionWords = text.NewWordSet(
	`leave leaving depart departing arrive arriving travel travelling traveling fly flying drive
	return returning go come coming head heading start starting begin end move moving check checking pick picking drop
	dropping rent renting schedule cancel change confirm add pay tell ask speak talk know wait meet`,
)

// notFree are words of an answer that is not a value.
var notFree = text.NewWordSet(`look looks looking find search searching go going see get buy purchase book sounds
	great good perfect fine nice cool works later perhaps probably anything something nothing any some another more
	other else event events ticket tickets place places one ones two three four five help sure thing things a an preference
	matter matters whatever anywhere idea clue specific particular either both same different new don't doesn't know care
	yes no not mind open choice choices options option available anyone anybody nobody`)
