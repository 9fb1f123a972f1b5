package reply

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// token is a word, a number or a sign such as 👍 in a reply.
type token struct {
	start, end int    // position in the text, without punctuation around it
	word       string // folded
}

// segment is a part of a reply between punctuation.
type segment struct {
	tokens []token
	asks   bool // it ends with a question mark
}

func (s segment) start() int { return s.tokens[0].start }

func (s segment) end() int { return s.tokens[len(s.tokens)-1].end }

// words returns the folded words, separated by single spaces.
func (s segment) words() string {
	words := make([]string, len(s.tokens))
	for i, t := range s.tokens {
		words[i] = t.word
	}
	return strings.Join(words, " ")
}

var plainPunctuation = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "`", "'", "´", "'", "–", "-", "—", "-", "‑", "-")

// fold returns a word for comparison: without differences in case, Unicode form, apostrophes, variation selectors and
// skin tones.
func fold(s string) string {
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(plainPunctuation.Replace(s))))
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, s)
}

// isInvisible reports whether a rune only changes the look of another one.
func isInvisible(r rune) bool {
	const firstTone, lastTone = '\U0001F3FB', '\U0001F3FF'
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || r >= firstTone && r <= lastTone
}

// isSign reports whether a rune is an emoji or another symbol that is a token of its own.
func isSign(r rune) bool { return unicode.Is(unicode.So, r) }

// segments cuts a text into segments of tokens.
func segments(text string) []segment {
	var out []segment
	var current segment
	end := func(asks bool) {
		if len(current.tokens) > 0 {
			current.asks = asks
			out = append(out, current)
		}
		current = segment{}
	}
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		switch {
		case unicode.IsSpace(r) || isInvisible(r):
			if r == '\n' {
				end(false)
			}
			at += size
		case isSign(r):
			if len(current.tokens) > 0 && !isSign(firstRune(text[current.start():])) {
				end(false)
			}
			current.tokens = append(current.tokens, token{at, at + size, fold(string(r))})
			at += size
		default:
			if len(current.tokens) > 0 && isSign(firstRune(text[current.start():])) {
				end(false)
			}
			chunk := text[at : at+chunkLength(text[at:])]
			from, to := trimChunk(chunk)
			if from < to {
				current.tokens = append(current.tokens, token{at + from, at + to, fold(chunk[from:to])})
			}
			if after := chunk[to:]; strings.ContainsAny(after, ".,;:!?)…¿¡。、！？") || chunk == "-" || chunk == "–" || chunk == "—" {
				asks := strings.ContainsAny(after, "?？")
				if len(current.tokens) == 0 && asks && len(out) > 0 { // "Pardon ?"
					out[len(out)-1].asks = true
				}
				end(asks)
			}
			at += len(chunk)
		}
	}
	end(false)
	return out
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// chunkLength returns the number of bytes up to the next space or sign, or up to a comma that a letter follows.
func chunkLength(text string) int {
	letterBefore := false
	for i, r := range text {
		rest := text[i+utf8.RuneLen(r):]
		switch {
		case i > 0 && (unicode.IsSpace(r) || isSign(r)):
			return i
		case r == ',' && letterBefore && unicode.IsLetter(firstRune(rest)):
			return i + 1
		}
		letterBefore = unicode.IsLetter(r)
	}
	return len(text)
}

// trimChunk returns the part of a chunk without the punctuation around it. Signs that belong to a value stay, such as +
// and €.
func trimChunk(chunk string) (from, to int) {
	const around = `#.,;:!?"'“”„«»()[]<>…*¿¡~。、！？-–—/` + "`"
	left := strings.TrimLeft(chunk, around)
	return len(chunk) - len(left), len(chunk) - len(left) + len(strings.TrimRight(left, around))
}

// hasWords reports whether the words of phrase are at position i of the tokens.
func hasWords(tokens []token, i int, phrase []string) bool {
	return i >= 0 && i+len(phrase) <= len(tokens) &&
		slices.EqualFunc(tokens[i:i+len(phrase)], phrase, func(t token, w string) bool { return t.word == w })
}
