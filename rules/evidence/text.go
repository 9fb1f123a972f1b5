package evidence

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules/internal/fold"
	"github.com/contextvault/contextvault/vault"
)

// span is a part of a folded text, in bytes.
type span struct{ start, end int }

func (s span) overlaps(o span) bool { return s.start < o.end && o.start < s.end }

// word is a run of letters, digits and apostrophes.
type word struct {
	span

	text string
}

// clause is a part of a sentence between commas, brackets, dashes and conjunctions.
type clause struct {
	span

	sentence int
	words    []word
}

// sentence is a part of a turn up to a full stop, a mark or a line break.
type sentence struct {
	span

	asks bool // ends with a question mark
}

// turn is a turn of a conversation, taken apart.
type turn struct {
	vault.Turn

	text      string // folded
	words     []word
	sentences []sentence
	clauses   []clause
	pasted    []span // parts that are quoted from somebody else
	language  *language
}

// maxRead is the number of bytes of a turn that are taken apart. A longer turn is pasted text; its end is not read.
const maxRead = 1 << 16

func readTurn(t vault.Turn) *turn {
	out := &turn{Turn: t}
	original := t.Text
	if len(original) > maxRead {
		at := maxRead
		for at > 0 && !utf8.RuneStart(original[at]) {
			at--
		}
		original = original[:at]
	}
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029",
		"\n").Replace(original), "\n")
	var b strings.Builder
	var spans []span
	var folded []string
	for _, line := range lines {
		text := fold.Text(line)
		if text != "" && b.Len() > 0 {
			b.WriteByte(' ')
		}
		spans = append(spans, span{b.Len(), b.Len() + len(text)})
		folded = append(folded, text)
		b.WriteString(text)
	}
	out.text = b.String()
	out.words = wordsOf(out.text, 0)
	out.language = guessLanguage(out.words, out.text)
	out.split(spans)
	out.pasted = pastedParts(out, folded, spans)
	return out
}

// wordsOf returns the words of a text that begins at an offset.
func wordsOf(text string, offset int) []word {
	var words []word
	start := -1
	for i, r := range text {
		in := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || (r == '\'' && start >= 0)
		switch {
		case in && start < 0:
			start = i
		case !in && start >= 0:
			words = appendWord(words, text[start:i], offset+start)
			start = -1
		}
	}
	if start >= 0 {
		words = appendWord(words, text[start:], offset+start)
	}
	return words
}

func appendWord(words []word, text string, start int) []word {
	text = strings.TrimRight(text, "'")
	return append(words, word{span{start, start + len(text)}, text})
}

// wrapped is the length of a line that a program, and not the customer, may have broken.
const wrapped = 60

// split finds the sentences and clauses of a turn. lines are the positions of its lines.
func (t *turn) split(lines []span) {
	breaks := map[int]bool{}
	for i, l := range lines {
		if l.end > l.start && i+1 < len(lines) &&
			(l.end-l.start < wrapped || strings.ContainsRune(".!?:;", rune(t.text[l.end-1]))) {
			breaks[l.end] = true
		}
	}
	begin, start := 0, 0
	endClause := func(end int) {
		if s := trimSpan(t.text, span{start, end}); s.end > s.start {
			t.clauses = append(t.clauses, clause{span: s, sentence: len(t.sentences)})
		}
		start = end
	}
	endSentence := func(end int, asks bool) {
		endClause(end)
		t.sentences = append(t.sentences, sentence{span{begin, end}, asks})
		begin = end
	}
	for i := 0; i < len(t.text); i++ {
		c := t.text[i]
		last := i+1 == len(t.text) || t.text[i+1] == ' ' || strings.IndexByte(`"')]*`, t.text[i+1]) >= 0
		switch {
		case breaks[i] && i > begin:
			endSentence(i, false)
		case c == '?' && (last || !isURLByte(t.text, i)):
			endSentence(i+1, true)
		case (c == '!' || c == '.' || c == ';') && last && t.endsSentence(i):
			asks := strings.HasPrefix(strings.TrimLeft(t.text[i:], "!.;"), "?")
			if !asks {
				endSentence(i+1, false)
			}
		case c == ',' && last, c == '(' || c == ')', strings.HasPrefix(t.text[i:], " - "):
			endClause(i + 1)
		case c == ' ':
			if conjunctions.next(t.text[i+1:]) {
				endClause(i + 1)
			}
		}
	}
	endSentence(len(t.text), false)
	at := 0
	for i := range t.clauses {
		c := &t.clauses[i]
		for at < len(t.words) && t.words[at].start < c.start {
			at++
		}
		from := at
		for at < len(t.words) && t.words[at].start < c.end {
			at++
		}
		c.words = t.words[from:at]
	}
}

// isURLByte reports whether the character at a position is inside a token, such as the ? of a URL.
func isURLByte(text string, at int) bool {
	from := strings.LastIndexByte(text[:at], ' ') + 1
	return strings.Contains(text[from:at], "://")
}

// conjunctionSet holds words that begin a clause.
type conjunctionSet map[string]bool

var conjunctions = conjunctionSet{
	"and": true, "but": true, "while": true, "whereas": true, "because": true, "so": true, "though": true,
	"although": true, "und": true, "aber": true, "et": true, "mais": true, "pero": true, "ma": true,
	"mas": true, "ale": true, "maar": true, "dar": true, "но": true, "але": true, "и": true, "y": true,
	"oraz": true,
}

// next reports whether a text begins with one of the words.
func (s conjunctionSet) next(text string) bool {
	end := strings.IndexByte(text, ' ')
	return end > 0 && s[text[:end]]
}

// endsSentence reports whether the full stop, mark or semicolon at a position ends a sentence: it does not after a
// number before a month, an initial or a title.
func (t *turn) endsSentence(at int) bool {
	if t.text[at] != '.' {
		return true
	}
	from := strings.LastIndexByte(t.text[:at], ' ') + 1
	before := t.text[from:at]
	rest := strings.TrimLeft(t.text[at+1:], " ")
	next := rest
	if end := strings.IndexAny(rest, " .,"); end >= 0 {
		next = rest[:end]
	}
	switch {
	case isDigits(before) && monthOf(next) > 0:
		return false
	case utf8.RuneCountInString(before) == 1 && unicode.IsLetter([]rune(before)[0]) && rest != "":
		return false
	default:
		return !titles[before] || rest == ""
	}
}

var titles = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "dr": true, "st": true, "no": true, "nr": true, "sr": true, "sra": true,
	"prof": true, "tel": true, "ca": true, "approx": true, "str": true, "hr": true, "e.g": true, "i.e": true,
}

// clauseAt returns the index of the clause that contains a position.
func (t *turn) clauseAt(at int) int {
	return min(len(t.clauses)-1, sort.Search(len(t.clauses), func(i int) bool { return at < t.clauses[i].end }))
}

func (t *turn) sentenceAt(at int) int {
	return min(len(t.sentences)-1, sort.Search(len(t.sentences), func(i int) bool { return at < t.sentences[i].end }))
}

// wordsIn returns the words that begin in a part.
func (t *turn) wordsIn(s span) []word {
	return t.words[t.wordAfter(s.start):t.wordAfter(s.end)]
}

// wordAfter returns the index of the first word at or after a position, len(words) for none.
func (t *turn) wordAfter(at int) int {
	return sort.Search(len(t.words), func(i int) bool { return t.words[i].start >= at })
}

// wordBefore returns the index of the last word that ends at or before a position, -1 for none.
func (t *turn) wordBefore(at int) int {
	return sort.Search(len(t.words), func(i int) bool { return t.words[i].end > at }) - 1
}

// rest returns the words of a sentence from a word on.
func (t *turn) rest(i int) []word {
	end := t.sentences[t.sentenceAt(t.words[i].start)].end
	return t.words[i:t.wordAfter(end)]
}

func (t *turn) word(i int) string {
	if i < 0 || i >= len(t.words) {
		return ""
	}
	return t.words[i].text
}

// adjoins reports whether only a space, or a space and quotation marks, is between two words.
func (t *turn) adjoins(i, j int) bool {
	if i < 0 || j >= len(t.words) {
		return false
	}
	return strings.Trim(t.text[t.words[i].end:t.words[j].start], `"'*<(`) == " "
}

func trimSpan(text string, s span) span {
	const trimmed = " ,;.!?()\"*-"
	for s.start < s.end && strings.IndexByte(trimmed, text[s.start]) >= 0 {
		s.start++
	}
	for s.end > s.start && strings.IndexByte(" ,;.!?()\"", text[s.end-1]) >= 0 {
		s.end--
	}
	return s
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// phrases is a set of phrases, by their first word. A word that ends with * matches every word with that beginning;
// the
// word _ matches any word.
type phrases map[string][][]string

func newPhrases(list ...string) phrases {
	out := phrases{}
	for _, line := range list {
		for _, phrase := range strings.Split(line, ",") {
			words := strings.Fields(phrase)
			if len(words) == 0 {
				continue
			}
			key := words[0]
			if strings.HasSuffix(key, "*") || key == "_" {
				key = ""
			}
			out[key] = append(out[key], words)
		}
	}
	return out
}

// at returns the number of words of the longest phrase at the beginning of words, 0 for none.
func (p phrases) at(words []word) int {
	if len(words) == 0 {
		return 0
	}
	longest := 0
	for _, list := range [2][][]string{p[words[0].text], p[""]} {
		for _, phrase := range list {
			if len(phrase) > longest && matchesWords(phrase, words) {
				longest = len(phrase)
			}
		}
	}
	return longest
}

func matchesWords(phrase []string, words []word) bool {
	if len(phrase) > len(words) {
		return false
	}
	for i, want := range phrase {
		got := words[i].text
		if stem, ok := strings.CutSuffix(want, "*"); ok {
			if !strings.HasPrefix(got, stem) {
				return false
			}
		} else if want != "_" && want != got {
			return false
		}
	}
	return true
}

// in returns the position of the first phrase in words and its length in words, -1 for none.
func (p phrases) in(words []word) (at, n int) {
	for i := range words {
		if n := p.at(words[i:]); n > 0 {
			return i, n
		}
	}
	return -1, 0
}

func (p phrases) anyIn(words []word) bool {
	at, _ := p.in(words)
	return at >= 0
}

// atEnd reports whether words end with a phrase.
func (p phrases) atEnd(words []word) bool {
	for i := range words {
		if n := p.at(words[i:]); n > 0 && i+n == len(words) {
			return true
		}
	}
	return false
}

// remove returns the words that belong to no phrase.
func (p phrases) remove(words []word) []word {
	var out []word
	for i := 0; i < len(words); {
		if n := p.at(words[i:]); n > 0 {
			i += n
			continue
		}
		out = append(out, words[i])
		i++
	}
	return out
}
