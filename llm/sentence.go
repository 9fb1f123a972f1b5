package llm

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// abbreviations end in a full stop that ends no sentence.
var abbreviations = setOf("mr mrs ms dr prof st jr sr no nr tel ave rd blvd apt e.g i.e eg ie etc vs inc ltd co approx dept p.m a.m pm am min max d.o.b ref")

// sentences splits text at full stops, question and exclamation marks, semicolons and line ends. A mark inside one of the
// entities, which are in order, ends nothing: the full stops of an address or a number.
func sentences(text string, entities []entity) []span {
	var out []span
	start := 0
	add := func(end int) {
		s := trim(text, span{start, end})
		if !s.empty() {
			out = append(out, s)
		}
		start = end
	}
	for i, r := range text {
		if r == '\n' {
			add(i)
			continue
		}
		if !strings.ContainsRune(".!?;…", r) {
			continue
		}
		for len(entities) > 0 && entities[0].end <= i {
			entities = entities[1:]
		}
		if len(entities) > 0 && entities[0].start <= i {
			continue
		}
		next := i + utf8.RuneLen(r)
		if after, _ := utf8.DecodeRuneInString(text[next:]); next < len(text) && !unicode.IsSpace(after) && !strings.ContainsRune(`.!?)"'”’`, after) {
			continue
		}
		if r == '.' && isAbbreviation(text[start:i], text[next:]) {
			continue
		}
		add(next)
	}
	add(len(text))
	return out
}

// isAbbreviation reports whether a full stop ends an abbreviation. "No." is one where a number follows, and else an answer.
func isAbbreviation(before, after string) bool {
	at := strings.LastIndexFunc(before, func(r rune) bool { return unicode.IsSpace(r) || r == '(' })
	word := strings.ToLower(before[at+1:])
	if after = strings.TrimLeft(after, " "); word == "no" {
		return after != "" && hasDigit(after[:1])
	}
	return abbreviations[word] || (utf8.RuneCountInString(word) == 1 && word >= "b") // an initial, but not "a" or "I"
}

// trim takes white space, bullets and closing marks off the ends of s.
func trim(text string, s span) span {
	for s.start < s.end {
		r, n := utf8.DecodeRuneInString(text[s.start:])
		if !unicode.IsSpace(r) && !strings.ContainsRune("-–•*)", r) {
			break
		}
		s.start += n
	}
	for s.start < s.end {
		r, n := utf8.DecodeLastRuneInString(text[:s.end])
		if !unicode.IsSpace(r) {
			break
		}
		s.end -= n
	}
	return s
}
