package evidence

import (
	"regexp"
	"strings"
)

// notAnAnswer matches phrases with words of yes or no that are neither: "right now", "make sure", "is that right?",
// "no
// problem" in an answer to something else.
var notAnAnswer = regexp.MustCompile(`\bright (now|away|after|before|there|here|next|at|on|in|behind)\b|` +
	`\b(make|making|be) sure\b|\b(is|are|was) (that|this|it)( all)? (right|correct|ok|okay|true)\b|` +
	`\bno (problems?|worries|matter|doubt|rush|need|clue|idea|way of|one)( at all)?\b|\bnot (a|any) problem\b|\bwhy ` +
	`not\b|\bnot only\b|` +
	`(\bcannot|n't) wait\b|(\bnot|n't) mind\b|\b(fine|ok|okay),? thanks\b|\bnot bad\b|\bof course not\b`)

// polarity is what words say to a question: yes, no, both or neither.
type polarity int

const (
	neither polarity = iota
	yes
	no
	both
)

// polarityOf reads words as a reply.
func (t *turn) polarityOf(s span) polarity {
	text := t.text[s.start:s.end]
	if regexp.MustCompile(`\bof course not\b`).MatchString(text) {
		return no
	}
	clear := &turn{text: notAnAnswer.ReplaceAllStringFunc(text, func(m string) string {
		return strings.Repeat(" "+
			"", len(m))
	})}
	words := wordsOf(clear.text, 0)
	found := neither
	add := func(p polarity) {
		if found == neither {
			found = p
		} else if found != p {
			found = both
		}
	}
	noes, yeses := t.sets(func(l *language) phrases { return l.noSet }),
		t.sets(func(l *language) phrases { return l.yesSet })
	for i := 0; i < len(words); {
		n, y := longest(noes, words[i:]), longest(yeses, words[i:])
		switch {
		case n > 0 && n >= y:
			add(no)
			i += n
		case y > 0:
			if i+y < len(words) && longest(noes, words[i+y:]) > 0 && isAuxiliary(words[i:i+y]) { // I do not
				add(no)
				i += y + 1
				continue
			}
			add(yes)
			i += y
		default:
			i++
		}
	}
	return found
}

func isAuxiliary(words []word) bool { return words[0].text == "i" || words[0].text == "ich" }

// bareReply are replies of one or two words in any language, which need no other words to be understood.
func bareReply(text string) polarity {
	text = strings.Trim(text, " .!,\"'*")
	words := wordsOf(text, 0)
	if len(words) == 0 {
		switch {
		case strings.ContainsAny(text, "👍✅👌") && !strings.Contains(text, "👎"):
			return yes
		case strings.ContainsAny(text, "👎❌"):
			return no
		}
		return neither
	}
	found := neither
	for _, l := range languages {
		for i, set := range []phrases{l.yesSet, l.noSet} {
			if n := set.at(words); n != len(words) {
				continue
			}
			p := yes
			if i == 1 {
				p = no
			}
			if found != neither && found != p {
				return both
			}
			found = p
		}
	}
	return found
}

// checkBoolean returns "" if a passage says yes (want is true) or no about the field: in a statement that names it, or
// in a reply to a question about it. Yes and no together, a doubt or a condition are no answer.
func (r reader) checkBoolean(p passage, want bool) (certain bool, why problem) {
	t := p.turn
	wanted := no
	if want {
		wanted = yes
	}
	first, last := t.sentenceAt(p.start), t.sentenceAt(max(p.start, p.end-1))
	if t.sentences[last].asks && t.isQuestion(t.clauseAt(max(p.start, p.end-1))) {
		return false, "the customer asks a question and states nothing"
	}
	if why := r.supposed(t, mention{span: p.span}); why != "" {
		return false, why
	}
	scope := span{t.sentences[first].start, t.sentences[last].end}
	if anyWord(t.sets(func(l *language) phrases { return l.doubtSet }), t.wordsIn(scope)) {
		return false, "the customer's words are a doubt or a condition, not a yes or a no"
	}
	if stated := r.statedIn(p); stated != neither {
		if stated != wanted {
			return false, "the customer's words do not say this yes or no"
		}
		return r.isAsked(t), r.owned(t, mention{span: r.topicIn(p)})
	}
	if why := r.asksForYesNo(t); why != "" {
		return false, why
	}
	if anyWord(t.sets(func(l *language) phrases { return l.doubtSet }), t.words) {
		return false, "the customer's words are a doubt or a condition, not a yes or a no"
	}
	reply := t.replyTo(p, scope)
	if reply != wanted {
		return false, "the customer's words do not say this yes or no"
	}
	if want && t.isLimited() {
		return false, "the customer's words are a doubt or a condition, not a yes or a no"
	}
	return len(t.words) <= maxReplyWords, ""
}

// limits are words that begin what a yes does not cover: "yes, but only after …".
var limits = newPhrases("but, however, although, though, except, only after, only with, only once, as soon as, on " +
	"condition, on the condition, subject to, with the exception, " +
	"aber, allerdings, jedoch, sobald, vorausgesetzt, mais, toutefois, à condition, dès que, pourvu que, pero, " +
	"siempre que, con la condición, en cuanto, però, ma solo, ma prima, a patto, a condizione, purché, mas, porém, " +
	"desde que, contanto que, maar, mits, zodra, ale, pod warunkiem, но, однако, при условии, але, проте, за умови, " +
	"însă, cu condiția, ama, fakat, ancak, şartıyla")

// isLimited reports whether a reply goes on with a limit after other words. At its beginning such a word refers to
// what was said before: "but of course".
func (t *turn) isLimited() bool { return len(t.words) > 1 && limits.anyIn(t.words[1:]) }

// maxReplyWords is the number of words up to which a yes or no is not likely to say something else as well.
const maxReplyWords = 8

// replyTo reads the sentences of the passage, then the entire turn.
func (t *turn) replyTo(p passage, scope span) polarity {
	if found := bareReply(t.text); found == yes || found == no {
		return found
	}
	clause := t.clauses[t.clauseAt(p.start)].span
	for _, s := range []span{{min(clause.start, p.start), max(clause.end, p.end)}, scope, {0, len(t.text)}} {
		found := t.polarityOf(s)
		if found == neither {
			found = bareReply(t.text[s.start:s.end])
		}
		if found != neither {
			return found
		}
	}
	return neither
}

// statedIn reads a statement of the customer about the field, such as "I don't smoke" or "I accept the terms". A bare
// yes or no states nothing by itself.
func (r reader) statedIn(p passage) polarity {
	t := p.turn
	found := neither
	for i := t.clauseAt(p.start); i < len(t.clauses) && t.clauses[i].start < p.end; i++ {
		switch said := r.statedInClause(t, t.clauses[i]); {
		case said == neither:
		case found == neither:
			found = said
		case found != said:
			return both
		}
	}
	return found
}

// topicIn returns the last word of a passage that is the field's, the passage for none.
func (r reader) topicIn(p passage) span {
	found := p.span
	for _, w := range p.turn.wordsIn(p.span) {
		if !grammar[w.text] && hasStem(r.topic.words, w.text) {
			found = w.span
		}
	}
	return found
}

// statedInClause reads a clause. A yes or no before the statement answers something else: "No, I'd like it with milk".
func (r reader) statedInClause(t *turn, c clause) polarity {
	words := c.words
	for len(words) > 0 && (lead.at(words) > 0 || words[0].text == "no" || words[0].text == "nope") {
		if n := max(1, lead.at(words)); n < len(words) &&
			longest(t.sets(func(l *language) phrases { return l.selfSet }), words[n:]) == 0 &&
			words[0].text == "no" && lead.at(words[n:]) == 0 {
			break // "no newsletter for me"
		}
		words = words[max(1, lead.at(words)):]
	}
	if len(words) == 0 {
		return neither
	}
	scope := span{words[0].start, c.end}
	topical := 0
	for _, w := range words {
		if !grammar[w.text] && longest(t.sets(func(l *language) phrases { return l.yesSet }), []word{w}) == 0 &&
			hasStem(r.topic.words, w.text) ||
			isVerbOf(w.text, r.topic.names) {
			topical++
		}
	}
	if topical == 0 || !speaksOfSelf(t, words) || topical < min(2, len(r.objects())) {
		return neither
	}
	if anyWord(t.sets(func(l *language) phrases { return l.notSet }), words) ||
		anyWord(t.sets(func(l *language) phrases { return l.noSet }), words) && t.polarityOf(scope) == no {
		if doubleNegation.MatchString(t.text[scope.start:scope.end]) {
			return both
		}
		return no
	}
	return yes
}

var doubleNegation = regexp.MustCompile(`\b(not|n't|never) (disagree|object|refuse|decline|oppose)`)

// isVerbOf reports whether a word is a verb that is also in the field's name: accept of terms_accepted.
func isVerbOf(word string, names []string) bool { return len(word) > 3 && hasStem(names, word) }

// objects are the words of the name that a statement about the field must have.
func (r reader) objects() []string {
	seen := []string{}
	for _, w := range r.topic.names {
		if !hasStem(seen, w) {
			seen = append(seen, w)
		}
	}
	return seen
}

// speaksOfSelf reports whether a clause has the customer as its subject.
func speaksOfSelf(t *turn, words []word) bool {
	for i := range words {
		if longest(t.sets(func(l *language) phrases { return l.selfSet }), words[i:]) > 0 {
			return true
		}
	}
	return false
}

// light are verbs that say little without their object.
var light = newPhrases("have, be, do, get, want, like, need, wish, agree, confirm, say, own, use, take, mind, let, " +
	"make, think, know, give, hold, " +
	"hereby, also, still, already, currently, ever, now, please, really, actually, personally, all, both, to, that, " +
	"got, happy, willing, okay, ok, ready")

// subordinate words end the part of a question that a reply answers.
var subordinate = newPhrases("that, which, who, whom, whose, when, while, where, because, if, before, after, since, " +
	"although, until, unless, so")

// asksForYesNo returns "" if the agent's turn before a turn is one yes-or-no question about the field.
func (r reader) asksForYesNo(t *turn) problem {
	const unasked = "the yes or no of the customer answers no question about this field"
	before := r.conversation.previous(t)
	if before == nil {
		return unasked
	}
	questions := 0
	for _, s := range before.sentences {
		if s.asks && before.isYesNoQuestion(s.span) {
			questions++
		}
	}
	if questions > 1 {
		return "the customer's yes or no may answer another question of the agent"
	}
	asked := before.lastQuestion()
	if before.borrowed(asked) != "" {
		return unasked
	}
	words := before.wordsIn(asked)
	if anyWord(before.sets(func(l *language) phrases { return l.notSet }), words) {
		return "the agent's question is in the negative, so that the customer's yes or no may mean either"
	}
	if r.isPrompt(before) {
		return ""
	}
	if !r.isAbout(before, words) {
		return unasked
	}
	return ""
}

// isYesNoQuestion reports whether a question can be answered by yes or no.
func (t *turn) isYesNoQuestion(s span) bool {
	words := t.wordsIn(s)
	for i := range words {
		if wh.at(words[i:]) > 0 {
			return false
		}
		if longest(t.sets(func(l *language) phrases { return l.askSet }), words[i:]) > 0 {
			return true
		}
	}
	return true
}

var wh = newPhrases("what, what's, whats, who, who's, which, when, where, why, how, whose, was, wer, wie, wo, wann, " +
	"warum, qué, quién, cómo, dónde, " +
	"quoi, comment, où, quand, pourquoi, che, chi, come, dove, wat, wie, hoe, waar")

// isAbout reports whether the main clause of a question is about the field: its verb or its object is the field's, and
// so is at least half of what it names.
func (r reader) isAbout(t *turn, words []word) bool {
	if i, _ := openers.in(words); i >= 0 {
		words = words[i:]
	}
	main := words
	for i := 3; i < len(words); i++ { // after the auxiliary, the subject and the verb
		if subordinate.at(words[i:]) > 0 && light.at(words[i-1:i]) == 0 {
			main = words[:i]
			break
		}
	}
	if t.language == english && len(main) > 2 && openers.at(main) > 0 {
		i := 2
		for i < len(main)-1 && light.at(main[i:]) > 0 {
			i++
		}
		if verb := main[i].text; !grammar[verb] && !hasStem(r.topic.words, verb) && i < len(main)-1 &&
			!r.topic.mentions(verb) {
			objects := 0
			for _, w := range main[2:i] {
				if w.text == "have" || w.text == "own" || w.text == "use" {
					objects++
				}
			}
			if objects == 0 {
				return false // its verb is another one
			}
		}
	}
	shared, all, first := 0, 0, false
	for _, w := range main {
		if grammar[w.text] || light.at([]word{w}) > 0 {
			continue
		}
		all++
		if hasStem(r.topic.words, w.text) {
			shared++
			first = first || all == 1
		}
	}
	if first && shared == 1 && all > 1 {
		return false // only its verb is the field's: "Do you accept cookies?"
	}
	return shared > 0 && shared*2 >= all
}

// openers begin a question that can be answered by yes or no.
var openers = newPhrases("do you, does your, did you, can you, could you, will you, would you, have you, has your, " +
	"are you, is your, is the, are your, " +
	"were you, was your, may we, shall we, should we, can we, do we, are there, is there, shall i, should i, can i, " +
	"may i, could i, would i, do i, will i, am i, could we, would we, will we, should you, must you, must i")
