package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// abbreviations end with a full stop that does not end a sentence.
var abbreviations = NewWordSet(`mr mrs ms dr prof st jr sr no nr tel ave rd blvd apt e.g i.e eg ie etc vs inc ltd co
	approx dept p.m a.m pm am min max d.o.b ref`)

// Sentences splits text at full stops, question and exclamation marks, semicolons and line ends, except inside the
// entities (an address, a number), which are in order.
func Sentences(text string, entities []Entity) []Span {
	var out []Span
	start := 0
	add := func(end int) {
		s := trim(text, Span{start, end})
		if !s.IsEmpty() {
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
		for len(entities) > 0 && entities[0].End <= i {
			entities = entities[1:]
		}
		if len(entities) > 0 && entities[0].Start <= i {
			continue
		}
		next := i + utf8.RuneLen(r)
		if after, _ := utf8.DecodeRuneInString(
			text[next:],
		); next < len(text) && !unicode.IsSpace(after) &&
			!strings.ContainsRune(`.!?)"'”’`, after) {
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

// isAbbreviation reports whether the full stop between before and after ends an abbreviation. "No." is one only
// before a number.
func isAbbreviation(before, after string) bool {
	at := strings.LastIndexFunc(before, func(r rune) bool { return unicode.IsSpace(r) || r == '(' })
	word := strings.ToLower(before[at+1:])
	if after = strings.TrimLeft(after, " "); word == "no" {
		return after != "" && HasDigit(after[:1])
	}
	return abbreviations[word] || (utf8.RuneCountInString(word) == 1 && word >= "b") // an initial, but not "a" or "I"
}

// trim removes white space at both ends of s, and bullets and closing brackets at its start.
func trim(text string, s Span) Span {
	for s.Start < s.End {
		r, n := utf8.DecodeRuneInString(text[s.Start:])
		if !unicode.IsSpace(r) && !strings.ContainsRune("-–•*)", r) {
			break
		}
		s.Start += n
	}
	for s.Start < s.End {
		r, n := utf8.DecodeLastRuneInString(text[:s.End])
		if !unicode.IsSpace(r) {
			break
		}
		s.End -= n
	}
	return s
}

// TrimPunctuation removes white space and punctuation at both ends of s.
func TrimPunctuation(text string, s Span) Span {
	s = trim(text, s)
	for s.Start < s.End && strings.ContainsRune(`"'“”«»:(`, []rune(text[s.Start:])[0]) {
		s.Start += len(string([]rune(text[s.Start:])[0]))
	}
	for s.End > s.Start {
		r := []rune(text[s.Start:s.End])
		last := r[len(r)-1]
		if !strings.ContainsRune(`.,;:!?"'“”«») `, last) {
			break
		}
		s.End -= len(string(last))
	}
	return s
}
