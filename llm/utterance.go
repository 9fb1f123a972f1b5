package llm

import "strings"

// utterance is one turn of the customer's, taken apart.
type utterance struct {
	text      string
	tokens    []token
	entities  []entity
	sentences []sentence
}

// sentence is a sentence of an utterance.
type sentence struct {
	span
	first, last int  // its tokens: first included, last not
	enquiry     bool // it asks for a fact: what it names is not stated
}

// label is a place where a field is named. field is -1 for a field that is not looked for.
type label struct {
	span
	field       int
	first, last int // tokens
}

func newUtterance(text string, now clock) utterance {
	u := utterance{text: text, tokens: tokenize(text), entities: findEntities(text, now)}
	at := 0
	for _, s := range sentences(text, u.entities) {
		for at < len(u.tokens) && u.tokens[at].start < s.start {
			at++
		}
		end := at
		for end < len(u.tokens) && u.tokens[end].end <= s.end {
			end++
		}
		u.sentences = append(u.sentences, sentence{span: s, first: at, last: end, enquiry: u.isEnquiry(s, at, end)})
		at = end
	}
	return u
}

// Words with which a question for a fact begins.
var (
	questionWords = setOf("what what's who who's where where's when when's why which whose how how's")
	auxiliaryVerb = setOf("is are does do did has have was were will would isn't aren't don't doesn't")
	askedAbout    = setOf("it they that this the these those my your he she its their his her a an")
)

// isEnquiry tells "Is my email a@b.c?" and "What is the price?" from "Can you find me …?" and "How about …?".
func (u utterance) isEnquiry(s span, first, last int) bool {
	question := strings.HasSuffix(strings.TrimRight(s.in(u.text), "\"'”’)`* "), "?")
	for first < last && interjections[u.tokens[first].word] {
		first++
	}
	if first+1 >= last {
		return false
	}
	w, next := u.tokens[first].word, u.tokens[first+1].word
	switch {
	case (w == "how" || w == "what") && (next == "about" || next == "bout"):
		return false
	case !question:
		return questionWords[w] && auxiliaryVerb[next] // "what is their number" without the mark
	}
	return questionWords[w] || (auxiliaryVerb[w] && askedAbout[next])
}

// sentenceAt gives the sentence that holds a part of the text.
func (u utterance) sentenceAt(s span) sentence {
	for _, c := range u.sentences {
		if c.start <= s.start && s.end <= c.end {
			return c
		}
	}
	return sentence{span: span{0, len(u.text)}, first: 0, last: len(u.tokens)}
}

// tokenAt gives the first token that begins at or after a place.
func (u utterance) tokenAt(place int) int {
	lo, hi := 0, len(u.tokens)
	for lo < hi {
		mid := (lo + hi) / 2
		if u.tokens[mid].start < place {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// wordsBetween gives the words of a part of the text.
func (u utterance) wordsBetween(start, end int) []string {
	var out []string
	for i := u.tokenAt(start); i < len(u.tokens) && u.tokens[i].end <= end; i++ {
		out = append(out, u.tokens[i].word)
	}
	return out
}

// clauseStart gives where the clause that holds a place begins: after the last comma, "but" or colon of its sentence.
func (u utterance) clauseStart(s sentence, place int) int {
	start := s.start
	for i := s.first; i < s.last && u.tokens[i].start < place; i++ {
		if w := u.tokens[i].word; w == "but" || w == "and" && i+1 < s.last && clauseSubjects[u.tokens[i+1].word] {
			start = u.tokens[i].end
		}
	}
	if at := strings.LastIndexAny(u.text[s.start:place], ",;:()"); at >= 0 {
		start = max(start, s.start+at+1)
	}
	return start
}

// clauseSubjects are words that begin a clause of its own after "and".
var clauseSubjects = setOf("i i'm i'd i'll my it it's the we our they")

// Words that take back or set aside what a clause says.
var (
	denials  = setOf("not don't doesn't didn't isn't aren't wasn't won't wouldn't can't cannot never no nor old previous former wrong avoid hate dislike except neither")
	rejected = setOf("wrong incorrect old outdated anymore invalid")
	supposed = setOf("if suppose supposing unless whether imagine")
	others   = setOf("his her their your its he she they")
)

// afterNo are words that begin what is right, after the "no" to what was wrong: "no it is for three".
var afterNo = setOf("i i'm i'd i'll i've it it's that's we we're make please can could let's change book actually sorry thanks the my")

// denied reports whether the clause of s denies, supposes or gives as an example what it says at s.
func (u utterance) denied(s span) bool {
	c := u.sentenceAt(s)
	start := u.clauseStart(c, s.start)
	before := u.wordsBetween(start, s.start)
	if start == c.start && len(before) > 1 && noWords[before[0]] && afterNo[before[1]] {
		before = before[1:]
	}
	for i, w := range before {
		if denials[w] || supposed[w] {
			return true
		}
		next := ""
		if i+1 < len(before) {
			next = before[i+1]
		}
		switch w + " " + next {
		case "instead of", "rather than", "other than", "used to", "such as", "for example", "for instance", "changed from", "e g", "apart from":
			return true
		}
	}
	if u.supposition(c, s.start) || u.quoted(s) {
		return true
	}
	after := u.wordsBetween(s.end, min(c.end, s.end+40))
	if rest := u.text[s.end:c.end]; len(after) > 0 && !strings.HasPrefix(strings.TrimSpace(rest), ",") {
		switch {
		case after[0] == "isn't" || after[0] == "aren't" || after[0] == "wasn't" || after[0] == "doesn't" || after[0] == "won't":
			return true
		case (after[0] == "is" || after[0] == "are") && len(after) > 1 && (after[1] == "not" || after[1] == "no" || after[1] == "too" || rejected[after[1]]):
			return true
		case after[0] == "was" || after[0] == "anymore":
			return true
		}
	}
	return false
}

// supposition reports whether a place stands behind an "if" that no comma ends.
func (u utterance) supposition(c sentence, place int) bool {
	for i := c.first; i < c.last && u.tokens[i].start < place; i++ {
		if supposed[u.tokens[i].word] && !strings.Contains(u.text[u.tokens[i].end:place], ",") {
			return true
		}
	}
	return false
}

// saying are verbs that introduce the words of somebody.
var saying = setOf("said says say told tells wrote writes asked asks texted replied answered claims claimed mentioned")

// quoted reports whether s stands in quotation marks, as the words of somebody else.
func (u utterance) quoted(s span) bool {
	open := strings.LastIndexAny(u.text[:s.start], "\"“«")
	if open < 0 || !strings.ContainsAny(u.text[s.end:], "\"”»") {
		return false
	}
	if strings.Count(u.text[:s.start], "\"")%2 == 0 && u.text[open] == '"' {
		return false
	}
	before := u.wordsBetween(max(0, open-60), open)
	for i := max(0, len(before)-4); i < len(before); i++ {
		if saying[before[i]] {
			return true
		}
	}
	// Quotation marks around the value alone are only marks: my name is "Ann".
	return len(u.wordsBetween(open, s.start)) > 0
}

// foreign reports whether the clause before s speaks of somebody else: "her email is …", "my friend's number is …".
func (u utterance) foreign(s span) bool {
	c := u.sentenceAt(s)
	for _, w := range u.wordsBetween(u.clauseStart(c, s.start), s.start) {
		if others[w] || (strings.HasSuffix(w, "'s") && !contractions[w]) {
			return true
		}
	}
	return false
}

// contractions end in 's and own nothing.
var contractions = setOf("it's that's here's there's what's who's let's name's email's number's where's she's he's how's")

// interjections stand before what is said, and say nothing.
var interjections = setOf("yes yeah yep yup sure ok okay well um uh hmm hi hello hey oh please thanks alright right great so and actually no nope sorry perfect good fine wait")
