package propose

import (
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// bareQuestions are questions without a noun, and the name of what answers them: "Which item, how many, and why?".
var bareQuestions = map[string]string{"how many": "quantity", "why": "reason"}

// readQuestionList reads a question that ends with others which have no noun: "Which item, how many, and why?". It
// reports whether it is one.
func (r *sentenceReader) readQuestionList(c *clause, scope condition) bool {
	var parts []chunk
	start := c.from
	for i := c.from + 1; i <= c.to; i++ {
		if i < c.to && !(whWords[r.word(i)] && (text.ListWords[r.word(i-1)] || strings.Contains(r.gap(i-1), ","))) {
			continue
		}
		end := i
		for end > start && text.ListWords[r.word(end-1)] {
			end--
		}
		if end > start {
			parts = append(parts, chunk{from: start, to: end, question: true})
		}
		start = i
	}
	bare := false
	for _, p := range parts {
		bare = bare || bareQuestions[r.words(p.from, p.to)] != ""
	}
	if len(parts) < 2 || !bare {
		return false
	}
	for _, p := range parts {
		if m, ok := r.readQuestionWords(strings.Fields(r.words(p.from, p.to)), p, scope); ok {
			r.addMention(m, c, scope, p.from, p.to)
		} else {
			r.pass(p.from, p.to, "no definition of the agent answers this question")
		}
	}
	return true
}

// ways are words between a noun and the ways to have it: "Refund to the card or store credit?".
var ways = text.NewWordSet("to by via through")

// isChoice reports whether a clause is a question without a verb that names a noun and the ways to have it.
func (r *sentenceReader) isChoice(c *clause) bool {
	if !r.startsQuestion() || c.to-c.from < 5 || !ways[r.word(c.from+1)] || !isASCIIWords([]string{r.word(c.from)}) {
		return false
	}
	or := false
	for i := c.from + 2; i < c.to; i++ {
		w := r.word(i)
		if auxiliaries[w] || people[w] || negators[w] || strings.Contains(r.gap(i-1), ",") {
			return false
		}
		or = or || w == "or" && i > c.from+2 && i < c.to-1
	}
	return or
}

// readChoice reads a question without a verb that names the ways to have something. A person reviews its name.
func (r *sentenceReader) readChoice(c *clause) (mention, bool) {
	if !r.isChoice(c) {
		return mention{}, false
	}
	p := phrase{words: []string{r.word(c.from), "method"}}
	p.terms, p.head = terms(p.words), canonical("method")
	if found, ok := r.index.find(p); ok && !found.ambiguous {
		return mention{own: found.own, how: found.how, confidence: min(confidenceOf(found), confidenceDataNoun)}, true
	}
	f := newDefinition(text.Singular(r.word(c.from)) + "_method")
	f.Prompt = capitalise(r.words(c.from, c.to)) + "?"
	return mention{definition: f, confidence: confidenceOtherNoun, how: MatchedByNothing}, true
}
