package llm

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// isText reports whether s holds more than white space.
func isText(s string) bool { return strings.TrimSpace(s) != "" }

// cut shortens s to at most limit bytes, at a character's edge.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// span is a part of a text, in bytes.
type span struct{ start, end int }

func (s span) in(text string) string    { return text[s.start:s.end] }
func (s span) overlaps(other span) bool { return s.start < other.end && other.start < s.end }
func (s span) contains(other span) bool { return s.start <= other.start && other.end <= s.end }
func (s span) join(other span) span     { return span{min(s.start, other.start), max(s.end, other.end)} }
func (s span) empty() bool              { return s.start >= s.end }

// token is one word of a text: letters, digits, and an apostrophe between letters. word is lower case without accents.
type token struct {
	span
	word string
}

// tokenize splits text into its words.
func tokenize(text string) []token {
	var out []token
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, token{span{start, end}, fold(text[start:end])})
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

// words gives the folded words of text.
func words(text string) []string {
	tokens := tokenize(text)
	out := make([]string, len(tokens))
	for i, t := range tokens {
		out[i] = t.word
	}
	return out
}

// fold makes s lower case, without accents, with straight apostrophes.
func fold(s string) string {
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

// hasWords reports whether tokens continue with words at i.
func hasWords(tokens []token, i int, words []string) bool {
	if len(words) == 0 || i+len(words) > len(tokens) {
		return false
	}
	for k, w := range words {
		if tokens[i+k].word != w {
			return false
		}
	}
	return true
}

// spanOf is the part of the text from token i to token j, exclusive.
func spanOf(tokens []token, i, j int) span { return span{tokens[i].start, tokens[j-1].end} }

// wordSet is a set of words, written as one string.
type wordSet map[string]bool

func setOf(list string) wordSet {
	set := wordSet{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// singular takes the plural ending off an English noun. It is meant for comparing two words, not for showing one.
func singular(w string) string {
	switch {
	case w == "movies" || w == "cookies" || w == "calories" || w == "selfies":
		return w[:len(w)-1]
	case len(w) > 4 && strings.HasSuffix(w, "ies"):
		return w[:len(w)-3] + "y"
	case len(w) > 4 && (strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "shes") || strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "sses")):
		return w[:len(w)-2]
	case len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us"):
		return w[:len(w)-1]
	}
	return w
}
