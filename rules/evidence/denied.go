package evidence

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Patterns of a negation before and after a value. Only small words and a verb may be between "not" and the value ("I
// don't live in Paris"), and no punctuation: "not now, Paris" negates nothing. Neither do "I don't mind", "why not"
// and
// "not only".
var (
	negationBefore = regexp.MustCompile(
		`(?:\b(?:not|cannot|never|no longer|neither|nor|dont|isnt|arent|wasnt|doesnt|didnt|` +
			`cant|wont)|n't)` +
			`(?: (?:a|an|the|my|our|any|in|at|on|to|from|for|with|by|of|it|me|us|that|this|is|was|be|been|really|actually|` +
			`exactly|called|named|born|live|living|use|using|call|calling|contact|send|email|e-mail|mail|write|reach|` +
			`want|need|like|have|got|` +
			`prefer|take|choose|book|go|going|or|anymore)){0,5} ?["'(<$€£+]*$`,
	)
	negationAfter = regexp.MustCompile(`^["')>]*(?: [\w'-]+){0,2} (?:(?:(?:is|are|was|were) not|isn't|aren't|wasn't|` +
		`weren't) ` +
		`(?:my|our|the|his|her|right|correct|what|where|mine|me|ok|okay|possible|good|available|valid|it|true|for me|` +
		`going to|an option)|` +
		`(?:is|are|was|were|has become|became) (?:no longer|wrong|incorrect|out of the question|impossible|too \w+|not ` +
		`what|never|cancelled|` +
		`canceled|outdated|invalid|a typo|a mistake|my old|my former|my previous|off the table)|` +
		`(?:doesn't|does not|don't|do not|didn't|did not|won't|will not|wouldn't|would not|can't|cannot|can not|` +
		`couldn't|could not|no longer|never) ` +
		`(?:work|works|worked|suit|suits|fit|fits|come|make|do|go|exist|exists|apply|applies|help|helps|count|attend|` +
		`join|happen|appeal|interest|belong|want|need)|` +
		`(?:cancelled|canceled)\b)`)
	// excludes matches words that exclude what follows, or leave it behind.
	excludes = regexp.MustCompile(`(?:^|[ ,;:.!?("])(?:(?:any|every)(?:thing|one|body|where)?(?: day| time| one)? ` +
		`(?:but|except|besides|other than|apart from)|` +
		`all (?:but|except)|except(?:ing)?(?: for)?|other than|instead of|rather than|apart from|aside from|excluding|` +
		`exclude|without|besides|` +
		`no more|avoid(?:ing)?|hat(?:e|ed|es|ing)|dislike[ds]?|can't stand|cannot stand|tired of|sick of|fed up with|` +
		`allergic to|get(?:ting)? rid of|rid of|` +
		`cancel(?:led|ling|ed|ing)?|terminat(?:e|ed|ing)|quit(?:ting)?|stopp?(?:ed|ing)? (?:using|paying(?: for)?)|` +
		`unsubscrib(?:e|ed|ing)(?: from)?|` +
		`(?:switch|chang|mov|upgrad|downgrad|migrat)(?:e|ed|ing)?(?: (?:it|me|my \w+|away|over))? from|opt(?:ed)? out of|` +
		`used to (?:live|have|be|work|use|go by|own)(?: [\w'-]+){0,2}|previously|formerly|former|previous|used to be|no|` +
		`neither|nor|` +
		`außer|statt|anstatt|ohne|sauf|sans|plutôt que|excepto|salvo|sin|en vez de|eccetto|tranne|senza|invece di|` +
		`exceto|sem|em vez de|behalve|zonder|` +
		`oprócz|bez|zamiast|fără|în loc de|кроме|без|вместо|крім|замість|hariç)` +
		`(?: (?:a|an|the|my|our|your|in|at|on|for|to|of|as|old|current|is|was|number|email|address|plan|der|die|das|den|` +
		`dem|le|la|les|el|los|il|o|de)){0,4} ?["'(<]*$`)
	oldOne = regexp.MustCompile(`\b(?:old|former|previous|ex|outdated|maiden|wrong|fake|alte|frühere|ancien(?:ne)?|` +
		`antigu[oa]|vecchi[oa]|antig[oa]|oude|star[aey]|fost|старый|прежний|старий)(?: [\pL'-]+){0,3} (?:is|was|were|` +
		`ist|war|est|était|es|era|è|foi|:)? ?["'(<]*$`)
	past   = regexp.MustCompile(`\b(?:i|we) (?:had|was on|were on|used) (?:a |the |an |your )?$`)
	before = regexp.MustCompile(`^[^.!?]{0,30}\b(before|previously|last year|back then|in the past|years ago|until ` +
		`(?:recently|last))\b`)
)

// maxNegationDistance is the number of bytes before a value that are searched for a negation.
const maxNegationDistance = 80

// denied refuses a value that the customer denies, excludes, or has left behind. It reads the turn and not the quote,
// because a quote may leave out the negation.
func (r reader) denied(t *turn, m mention) problem {
	const says = "the customer's words around the value deny or exclude it"
	begin := t.sentences[t.sentenceAt(m.start)].start
	near := tail(t.text[begin:m.start], maxNegationDistance)
	if at := negationBefore.FindStringIndex(near); at != nil && !strings.HasSuffix(near[:at[0]], "why ") {
		return says
	}
	if excludes.MatchString(near) && !strings.HasSuffix(near, "no, ") {
		return says
	}
	rest := t.text[m.end:]
	if negationAfter.MatchString(rest) {
		return says
	}
	if oldOne.MatchString(near) || past.MatchString(near) && before.MatchString(rest) {
		return "the customer says that it was so in the past"
	}
	if t.language != english && r.deniedAbroad(t, m) {
		return says
	}
	return ""
}

// maxBetween is the number of words between a negation and the value in languages whose grammar the rules do not know.
const maxBetween = 4

// deniedAbroad looks for a negation close to a mention, in the language of the turn.
func (r reader) deniedAbroad(t *turn, m mention) bool {
	set := t.language.notSet
	first := t.wordAfter(m.start)
	for i, next := first-1, m.start; i >= max(0, first-maxBetween-1); i-- {
		if strings.ContainsAny(t.text[t.words[i].end:max(t.words[i].end, next)], stops) {
			break
		}
		if n := set.at(t.words[i:]); n > 0 && i+n <= first {
			return true
		}
		next = t.words[i].start
	}
	last := t.wordBefore(m.end)
	for i, from := last+1, m.end; i < len(t.words) && i < last+maxBetween; i++ {
		if strings.ContainsAny(t.text[from:max(from, t.words[i].start)], stops) {
			break
		}
		if set.at(t.words[i:]) > 0 {
			return true
		}
		from = t.words[i].end
	}
	return false
}

// stops separate what is denied from what is not.
const stops = ",;.!?"

// tail returns the end of a text, at most limit bytes, at the beginning of a character.
func tail(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	from := len(text) - limit
	for !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:]
}
