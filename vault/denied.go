package vault

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// What denies the words beside it. Between a "not" and what it denies stand small words and a verb ("I don't live in Paris"), and
// no punctuation: "not now, Paris" denies nothing. Neither do "I don't mind", "why not" and "not only".
var (
	deniedBefore = regexp.MustCompile(`(?:\b(?:not|cannot|never|no longer|neither|nor|dont|isnt|arent|wasnt|doesnt|didnt|cant|wont)|n't)` +
		`(?: (?:a|an|the|my|our|any|in|at|on|to|from|for|with|by|of|it|me|us|that|this|is|was|be|been|really|actually|exactly|called|named|born|` +
		`live|living|use|using|call|calling|contact|send|email|e-mail|mail|write|reach|want|need|like|prefer|have|take|choose|book|go|going)){0,5} ?["'(<$€£+]*$`)
	deniedAfter = regexp.MustCompile(`^["')>]* (?:(?:(?:is|are|was|were) not|isn't|aren't|wasn't|weren't) (?:my|our|the|his|her|right|correct|what|where|mine|me)|` +
		`(?:is|are|was|were) (?:no longer|wrong|incorrect))\b`)
)

// deniedWithin is how far before a value a denial may begin, in bytes.
const deniedWithin = 60

// denies reports whether the words beside a part of the turn say that it is not so: a quote may leave them out, so that the whole
// turn counts.
func (p passage) denies(start, end int) bool {
	before := p.turn[:start]
	if len(before) > deniedWithin {
		from := len(before) - deniedWithin
		for !utf8.RuneStart(before[from]) {
			from++
		}
		before = before[from:]
	}
	if at := deniedBefore.FindStringIndex(before); at != nil && !strings.HasSuffix(before[:at[0]], "why ") {
		return true
	}
	return deniedAfter.MatchString(p.turn[end:])
}
