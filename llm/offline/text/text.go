// Package text finds the parts of an English text: words, sentences, entities (addresses, dates, times, numbers), and
// the definitions and countries of a lexicon. It does not decide what a text means; packages propose and extract do.
// Start reading at Tokenize and FindEntities.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Span is a part of a text, in bytes. End is exclusive.
type Span struct{ Start, End int }

// In returns the part of text.
func (s Span) In(text string) string { return text[s.Start:s.End] }

// Overlaps reports whether s and other have a byte in common.
func (s Span) Overlaps(other Span) bool { return s.Start < other.End && other.Start < s.End }

// Contains reports whether other is inside s.
func (s Span) Contains(other Span) bool { return s.Start <= other.Start && other.End <= s.End }

// Join returns the smallest span that contains both.
func (s Span) Join(other Span) Span { return Span{min(s.Start, other.Start), max(s.End, other.End)} }

// IsEmpty reports whether s has no bytes.
func (s Span) IsEmpty() bool { return s.Start >= s.End }

// Token is one word of a text: letters, digits, and apostrophes between letters. Word is the folded text.
type Token struct {
	Span
	Word string
}

// Tokenize splits text into its words.
func Tokenize(text string) []Token {
	var out []Token
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, Token{Span{start, end}, Fold(text[start:end])})
			start = -1
		}
	}
	for i, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r):
			if start < 0 {
				start = i
			}
		case isApostrophe(r) && start >= 0 && nextIsLetter(text[i+utf8.RuneLen(r):]):
		default:
			flush(i)
		}
	}
	flush(len(text))
	return out
}

func isApostrophe(r rune) bool { return r == '\'' || r == '\u2019' }

func nextIsLetter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}

// Words returns the folded words of text.
func Words(text string) []string {
	tokens := Tokenize(text)
	out := make([]string, len(tokens))
	for i, t := range tokens {
		out[i] = t.Word
	}
	return out
}

// Fold returns s in lower case, without accents, with straight apostrophes.
func Fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case isApostrophe(r):
			b.WriteByte('\'')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// HasWords reports whether the tokens from i on are words. It is false for no words.
func HasWords(tokens []Token, i int, words []string) bool {
	if len(words) == 0 || i+len(words) > len(tokens) {
		return false
	}
	for k, w := range words {
		if tokens[i+k].Word != w {
			return false
		}
	}
	return true
}

// SpanOf returns the span from token i to token j, exclusive.
func SpanOf(tokens []Token, i, j int) Span { return Span{tokens[i].Start, tokens[j-1].End} }

// WordSet is a set of folded words.
type WordSet map[string]bool

// NewWordSet returns the words of list, which are separated by white space.
func NewWordSet(list string) WordSet {
	set := WordSet{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// Singular removes the plural ending of an English noun. The result is for comparison, not for display.
func Singular(w string) string {
	switch {
	case w == "movies" || w == "cookies" || w == "calories" || w == "selfies":
		return w[:len(w)-1]
	case len(w) > 4 && strings.HasSuffix(w, "ies"):
		return w[:len(w)-3] + "y"
	case len(w) > 4 && (strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "shes") || strings.HasSuffix(w, "xes") ||
		strings.HasSuffix(w, "sses")):
		return w[:len(w)-2]
	case len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us"):
		return w[:len(w)-1]
	}
	return w
}

// HasDigit reports whether s contains an ASCII digit.
func HasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }
