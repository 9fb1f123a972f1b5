package extract

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
)

// Words for yes and no.
var (
	yesWords = text.NewWordSet("yes yeah yep yup yea sure absolutely definitely certainly correct right")
	noWords  = text.NewWordSet("no nope nah never")
)

// Phrases that may stand in the clause of a yes or no without changing it: "no thank you", "yes that is right".
var (
	yesPhrases = phrases(`of course, i do, i am, i have, i would, i will, i did, we do, we are, we have, we would,
		we will, it is, it does, it was, they are, they do, he is, she is, he does, she does, that is right, that's right,
		that is correct, that's correct, that is true, that's true, right, correct, i'd like that, i would like that,
		that would be great, that would be good, that would be nice, please do, i need it, i want it, i want that,
		i need that, i'd love that, i'd love to, i'd like to, very much, for sure, it's true, all good`)
	noPhrases = phrases(`i don't, i do not, i'm not, i am not, i haven't, i have not, i wouldn't, i would not, i won't,
		i will not, i didn't, i did not, we don't, we do not, we aren't, we are not, we haven't, we won't, it isn't,
		it's not, it is not, it doesn't, it does not, they aren't, they don't, he isn't, she isn't, not really, not at all,
		i don't need it, i don't need that, i don't want it, i don't want that, that's not necessary,
		that is not necessary, that won't be necessary, not necessary, no need, i don't think so, not this time,
		none, not for me, i'd rather not, i would rather not, rather not, not needed, it's fine, it is fine, i'm good,
		i'm fine, that's fine`)
	courtesies = phrases(`please, thanks, thank you, thank you very much, many thanks, sir, madam, ma'am, indeed, exactly,
		that's all, that is all, that's it, it's ok, it's okay, ok, okay, great, perfect`)
)

// reversals in the rest of a turn take a yes or no back, or make it depend on something: "yes, cancel it", "no, wait, I
// do want it", "yes, if it is free".
var reversals = text.NewWordSet(`if unless depends depending provided when but however although though except wait hold
	actually cancel stop forget ignore remove delete skip undo change first question questions maybe perhaps unsure
	possibly probably know idea clue later whether until either otherwise instead check think`)

// requirementVerbs are the verbs of "I do not require …" and "I need …".
var requirementVerbs = text.NewWordSet(`need want require have like own use prefer wish desire take bring carry`)

// clause is a part of a sentence between marks, as tokens. end is exclusive.
type clause struct{ first, end int }

// clauses splits the turn at punctuation, and at "and" and "but".
func (u utterance) clauses() []clause {
	var out []clause
	start := 0
	flush := func(end int) {
		if end > start {
			out = append(out, clause{start, end})
		}
		start = end
	}
	for i, t := range u.tokens {
		if i > 0 && strings.ContainsAny(u.text[u.tokens[i-1].End:t.Start], ".,;:!?()\n–—") {
			flush(i)
		}
		if t.Word == "and" || t.Word == "but" {
			flush(i)
		}
	}
	flush(len(u.tokens))
	return out
}

// fillers may stand before a yes or no.
var fillers = text.NewWordSet("um uh hmm hm well oh so ok okay ah er actually honestly")

// readYesNoAnswer reads the answer to a yes/no question about target f. Only a whole clause is an answer, and nothing
// after it may take it back.
func (tr *turnReader) readYesNoAnswer(f int) {
	if !tr.question.single || !tr.question.yesNo {
		return
	}
	list := tr.clauses()
	answer, span, rest := polarityUnknown, text.Span{}, 0
	for i, c := range list {
		p := tr.polarity(f, c)
		if p == polarityUnknown {
			if i == 0 && c.end-c.first == 1 && fillers[tr.tokens[c.first].Word] {
				continue // "well, no"
			}
			break
		}
		if answer != polarityUnknown && p != answer {
			return
		}
		if answer == polarityUnknown {
			answer, span = p, text.SpanOf(tr.tokens, c.first, c.end)
		}
		rest = i + 1
	}
	if answer == polarityUnknown || tr.takesBack(f, answer, list[rest:]) ||
		strings.Contains(tr.text[:span.End], "?") || strings.HasPrefix(strings.TrimSpace(tr.text[span.End:]), "?") {
		return
	}
	tr.recordTruth(f, answer == polarityYes, span, confidenceAnswered, statedInAnswer)
}

// polarity is the meaning of a clause as an answer to a yes/no question.
type polarity int

const (
	polarityUnknown polarity = iota
	polarityYes
	polarityNo
)

// polarity reads a whole clause as a yes or no about target f.
func (tr *turnReader) polarity(f int, c clause) polarity {
	i := c.first
	for i < c.end && (fillers[tr.tokens[i].Word] || i == c.first && tr.tokens[i].Word == "and") {
		i++
	}
	seen := polarityUnknown
	for i < c.end {
		n, p := 0, polarityUnknown
		switch w := tr.tokens[i].Word; {
		case yesWords[w]:
			n, p = 1, polarityYes
		case noWords[w]:
			n, p = 1, polarityNo
		}
		for _, list := range []struct {
			of [][]string
			p  polarity
		}{{yesPhrases, polarityYes}, {noPhrases, polarityNo}, {courtesies, polarityUnknown}} {
			for _, parts := range list.of {
				if len(parts) > n && i+len(parts) <= c.end && text.HasWords(tr.tokens, i, parts) {
					n, p = len(parts), list.p
				}
			}
		}
		if n == 0 {
			if p = tr.requirement(f, i, c.end, seen); p == polarityUnknown {
				return polarityUnknown
			}
			n = c.end - i
		}
		if p != polarityUnknown && seen != polarityUnknown && p != seen && !(seen == polarityNo && p == polarityYes && n > 1) {
			return polarityUnknown
		}
		if p != polarityUnknown && seen == polarityUnknown {
			seen = p
		}
		i += n
	}
	return seen
}

// requirement reads "I do not require insurance", "I need a child seat" and, after a no, "insurance": words that name
// target f with a verb of need, and nothing else.
func (tr *turnReader) requirement(f, i, end int, seen polarity) polarity {
	negative, verb, subject, names := false, false, false, false
	for k := i; k < end; k++ {
		w := tr.tokens[k].Word
		switch {
		case negations[w]:
			negative = true
		case requirementVerbs[w] || w == "do" || w == "would" || w == "will":
			verb = verb || requirementVerbs[w]
		case w == "i" || w == "we" || w == "i'd" || w == "we'd" || w == "i'll" || w == "i've":
			subject = true
		case tr.targets[f].profile.own[text.Stem(w)]:
			names = true
		case articles[w] || w == "to" || w == "with" || w == "the" || w == "please" || w == "thanks":
		default:
			return polarityUnknown
		}
	}
	switch {
	case !names:
		return polarityUnknown
	case seen != polarityUnknown && !subject:
		return seen // "no insurance", "yes with insurance"
	case !subject || !verb:
		return polarityUnknown
	case negative:
		return polarityNo
	}
	return polarityYes
}

var articles = text.NewWordSet("a an any some that this it")

// takesBack reports whether the clauses after an answer take it back, question it or command something else.
func (tr *turnReader) takesBack(f int, answer polarity, rest []clause) bool {
	for _, c := range rest {
		for i := c.first; i < c.end; i++ {
			w := tr.tokens[i].Word
			negated := negations[w] || noWords[w]
			if reversals[w] || answer == polarityYes && negated ||
				answer == polarityNo && yesWords[w] && w != "right" && w != "correct" {
				return true
			}
			if answer == polarityNo && !negated && tr.targets[f].profile.own[text.Stem(w)] && !tr.isDenied(c, i) {
				return true // "no, I do want the insurance"
			}
			if answer == polarityNo && w == "do" && i > c.first && tr.tokens[i-1].Word == "i" &&
				!(i+1 < c.end && tr.tokens[i+1].Word == "not") {
				return true // "no, I do want it"
			}
		}
		end := tr.tokens[c.end-1].End
		if end < len(tr.text) && strings.HasPrefix(strings.TrimLeft(tr.text[end:], ` "')`), "?") {
			return true
		}
	}
	return false
}

// isDenied reports whether a word of a clause stands after a negation.
func (tr *turnReader) isDenied(c clause, i int) bool {
	return slices.ContainsFunc(tr.tokens[c.first:i], func(t text.Token) bool {
		return negations[t.Word] || t.Word == "without"
	})
}

// readDenials reads "I do not require insurance" as false without a question: the whole clause denies the need for what
// a boolean target names.
func (tr *turnReader) readDenials() {
	list := tr.clauses()
	for f, t := range tr.targets {
		if t.kind != text.KindBoolean || len(t.profile.own) == 0 || tr.isStated(f, statedInAnswer) {
			continue
		}
		for i, c := range list {
			if tr.requirement(f, c.first, c.end, polarityUnknown) == polarityNo && tr.onlyTargetNamed(f, c) &&
				!tr.takesBack(f, polarityNo, list[i+1:]) && !tr.isConditional(c) {
				tr.recordTruth(f, false, text.SpanOf(tr.tokens, c.first, c.end), confidenceCounted, statedByName)
			}
		}
	}
}

// isConditional reports whether the sentence of a clause assumes something: "if I do not need insurance".
func (tr *turnReader) isConditional(c clause) bool {
	s := tr.sentenceAt(text.SpanOf(tr.tokens, c.first, c.end))
	return s.isQuestion || slices.ContainsFunc(tr.tokens[s.first:s.last], func(t text.Token) bool {
		return hypotheticals[t.Word] || t.Word == "when"
	})
}

// onlyTargetNamed reports whether no other boolean target has the words of a clause.
func (tr *turnReader) onlyTargetNamed(f int, c clause) bool {
	for g, t := range tr.targets {
		if g == f || t.kind != text.KindBoolean {
			continue
		}
		for i := c.first; i < c.end; i++ {
			if w := text.Stem(tr.tokens[i].Word); t.profile.own[w] && tr.targets[f].profile.own[w] {
				return false
			}
		}
	}
	return true
}

// recordTruth adds a yes or no. record would drop a no, because it negates its clause.
func (tr *turnReader) recordTruth(f int, yes bool, span text.Span, confidence float64, how strength) {
	t := tr.targets[f]
	value, word := "false", "no"
	if yes {
		value, word = "true", "yes"
	}
	raw := json.RawMessage(value)
	if len(t.choices) > 0 {
		if raw = t.matchChoice(value); raw == nil {
			raw = t.matchChoice(word)
		}
	}
	if raw == nil {
		return
	}
	tr.stated = append(tr.stated, statement{
		target: f, value: raw, confidence: confidence, strength: how, quote: span, valueSpan: span, turn: tr.turn,
	})
}
