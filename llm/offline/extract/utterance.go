package extract

import (
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// utterance is one turn, split into tokens, entities and sentences.
type utterance struct {
	text      string
	tokens    []text.Token
	stems     []string // of the tokens
	entities  []text.Entity
	sentences []sentence
}

// sentence is one sentence of an utterance.
type sentence struct {
	text.Span
	first, last int  // tokens; last is exclusive
	isQuestion  bool // it asks for a fact, so that it states none
}

// label is the name of a definition in an utterance.
type label struct {
	text.Span
	target      int
	first, last int // tokens; last is exclusive
}

func newUtterance(content string, now text.Clock) utterance {
	u := utterance{text: content, tokens: text.Tokenize(content), entities: text.FindEntities(content, now)}
	u.stems = make([]string, len(u.tokens))
	for i, t := range u.tokens {
		u.stems[i] = text.Stem(t.Word)
	}
	at := 0
	for _, s := range text.Sentences(content, u.entities) {
		for at < len(u.tokens) && u.tokens[at].Start < s.Start {
			at++
		}
		end := at
		for end < len(u.tokens) && u.tokens[end].End <= s.End {
			end++
		}
		u.sentences = append(u.sentences, sentence{Span: s, first: at, last: end, isQuestion: u.asksForFact(s, at, end)})
		at = end
	}
	return u
}

// Words at the start of a question for a fact.
var (
	questionWords = text.NewWordSet("what what's who who's where where's when when's why which whose how how's")
	auxiliaryVerb = text.NewWordSet("is are does do did has have was were will would isn't aren't don't doesn't")
	askedAbout    = text.NewWordSet("it they that this the these those my your he she its their his her a an")
)

// asksForFact distinguishes "Is my email a@b.c?" and "What is the price?" from "Can you find me …?" and "How about
// …?".
func (u utterance) asksForFact(s text.Span, first, last int) bool {
	question := strings.HasSuffix(strings.TrimRight(s.In(u.text), "\"'”’)`* "), "?")
	for first < last && interjections[u.tokens[first].Word] {
		first++
	}
	if first+1 >= last {
		return false
	}
	w, next := u.tokens[first].Word, u.tokens[first+1].Word
	switch {
	case (w == "how" || w == "what") && (next == "about" || next == "bout"):
		return false
	case !question:
		return questionWords[w] && auxiliaryVerb[next] // "what is their number" without a question mark
	}
	return questionWords[w] || (auxiliaryVerb[w] && askedAbout[next])
}

// modifierLeads stand before the circumstances of a question, which are no part of what it asks: "What is the weather in
// Delhi on the 3rd?"
var modifierLeads = text.NewWordSet("in on for at from to near around by")

// isEnquiry reports whether a question asks about the words of a span, so that it does not state them.
func (u utterance) isEnquiry(s text.Span) bool {
	c := u.sentenceAt(s)
	if !c.isQuestion {
		return false
	}
	first := c.first
	for first < c.last && (interjections[u.tokens[first].Word] || fillers[u.tokens[first].Word]) {
		first++
	}
	at := u.tokenAt(s.Start)
	if first >= c.last || !questionWords[u.tokens[first].Word] || at <= first+1 {
		return true
	}
	lead := u.tokens[at-1].Word
	if lead == "the" && at-2 > first {
		lead = u.tokens[at-2].Word
	}
	return !modifierLeads[lead]
}

// sentenceAt returns the sentence that contains s, or the whole text.
func (u utterance) sentenceAt(s text.Span) sentence {
	for _, c := range u.sentences {
		if c.Start <= s.Start && s.End <= c.End {
			return c
		}
	}
	return sentence{Span: text.Span{Start: 0, End: len(u.text)}, first: 0, last: len(u.tokens)}
}

// tokenAt returns the first token at or after a byte position.
func (u utterance) tokenAt(place int) int {
	lo, hi := 0, len(u.tokens)
	for lo < hi {
		mid := (lo + hi) / 2
		if u.tokens[mid].Start < place {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// wordsBetween returns the words between two byte positions.
func (u utterance) wordsBetween(start, end int) []string {
	var out []string
	for i := u.tokenAt(start); i < len(u.tokens) && u.tokens[i].End <= end; i++ {
		out = append(out, u.tokens[i].Word)
	}
	return out
}

// clauseStart returns the start of the clause at a byte position: after the last comma, colon or "but" of its
// sentence.
func (u utterance) clauseStart(s sentence, place int) int {
	start := s.Start
	for i := s.first; i < s.last && u.tokens[i].Start < place; i++ {
		if w := u.tokens[i].Word; w == "but" || w == "and" && i+1 < s.last && clauseSubjects[u.tokens[i+1].Word] {
			start = u.tokens[i].End
		}
	}
	if at := strings.LastIndexAny(u.text[s.Start:place], ",;:()"); at >= 0 {
		start = max(start, s.Start+at+1)
	}
	return start
}

// clauseSubjects begin a new clause after "and".
var clauseSubjects = text.NewWordSet("i i'm i'd i'll my it it's the we our they")

// Words that negate or qualify a clause.
var (
	negations = text.NewWordSet(`not don't doesn't didn't isn't aren't wasn't won't wouldn't can't cannot never no
		nor old previous former wrong avoid hate dislike except neither`)
	rejections    = text.NewWordSet("not no too wrong incorrect old outdated anymore invalid")
	negatedVerbs  = text.NewWordSet("isn't aren't wasn't doesn't won't")
	hypotheticals = text.NewWordSet("if suppose supposing unless whether imagine")
	thirdPersons  = text.NewWordSet("his her their your its he she they")
)

// afterNo begin the right value after a "no" to a wrong one: "no it is for three".
var afterNo = text.NewWordSet(`i i'm i'd i'll i've it it's that's we we're make please can could let's change book
	actually sorry thanks the my`)

// isNegated reports whether the clause of s negates s, assumes it, quotes it or gives it as an example.
func (u utterance) isNegated(s text.Span) bool {
	c := u.sentenceAt(s)
	start := u.clauseStart(c, s.Start)
	before := u.wordsBetween(start, s.Start)
	if start == c.Start && len(before) > 1 && noWords[before[0]] && afterNo[before[1]] {
		before = before[1:]
	}
	for i, w := range before {
		if negations[w] || hypotheticals[w] {
			return true
		}
		next := ""
		if i+1 < len(before) {
			next = before[i+1]
		}
		switch w + " " + next {
		case "instead of",
			"rather than",
			"other than",
			"used to",
			"such as",
			"for example",
			"for instance",
			"changed from",
			"e g",
			"apart from":
			return true
		}
	}
	if u.isHypothetical(c, s.Start) || u.isQuoted(s) {
		return true
	}
	after := u.wordsBetween(s.End, min(c.End, s.End+40))
	if rest := u.text[s.End:c.End]; len(after) > 0 && !strings.HasPrefix(strings.TrimSpace(rest), ",") {
		switch {
		case negatedVerbs[after[0]]:
			return true
		case (after[0] == "is" || after[0] == "are") && len(after) > 1 && rejections[after[1]]:
			return true
		case after[0] == "was" || after[0] == "anymore":
			return true
		}
	}
	return false
}

// isHypothetical reports whether an "if" before a byte position has no comma after it.
func (u utterance) isHypothetical(c sentence, place int) bool {
	for i := c.first; i < c.last && u.tokens[i].Start < place; i++ {
		if hypotheticals[u.tokens[i].Word] && !strings.Contains(u.text[u.tokens[i].End:place], ",") {
			return true
		}
	}
	return false
}

// speechVerbs introduce the words of another person.
var speechVerbs = text.NewWordSet(`said says say told tells wrote writes asked asks texted replied answered claims
	claimed mentioned`)

// isQuoted reports whether s is quoted from another person.
func (u utterance) isQuoted(s text.Span) bool {
	open := strings.LastIndexAny(u.text[:s.Start], "\"“«")
	if open < 0 || !strings.ContainsAny(u.text[s.End:], "\"”»") {
		return false
	}
	if strings.Count(u.text[:s.Start], "\"")%2 == 0 && u.text[open] == '"' {
		return false
	}
	before := u.wordsBetween(max(0, open-60), open)
	for i := max(0, len(before)-4); i < len(before); i++ {
		if speechVerbs[before[i]] {
			return true
		}
	}
	// Quotation marks around the value alone do not quote another person: my name is "Ann".
	return len(u.wordsBetween(open, s.Start)) > 0
}

// isAboutOther reports whether the clause before s is about another person: "her email is …", "my friend's number is
// …".
func (u utterance) isAboutOther(s text.Span) bool {
	c := u.sentenceAt(s)
	for _, w := range u.wordsBetween(u.clauseStart(c, s.Start), s.Start) {
		if thirdPersons[w] || (strings.HasSuffix(w, "'s") && !contractions[w]) {
			return true
		}
	}
	return false
}

// contractions end in 's and are not possessive.
var contractions = text.NewWordSet(`it's that's here's there's what's who's let's name's email's number's where's
	she's he's how's`)

// interjections have no meaning of their own.
var interjections = text.NewWordSet(`yes yeah yep yup sure ok okay well um uh hmm hi hello hey oh please thanks
	alright right great so yea ya yay oh hmmm hmm mhm correct exactly indeed fantastic awesome excellent wonderful cool and actually no nope sorry perfect good fine wait`)
