package block

import "unicode/utf8"

// lettersPerToken is the number of lower-case letters that count as one token. Tokenizers of language models need about
// one token for four letters of English.
const lettersPerToken = 3

// Tokens estimates how many tokens a language model sees in a text, from above: no tokenizer is asked. A run of
// lower-case ASCII letters counts as a token for each three of them, and a single space before one is free; every other
// ASCII character counts as one token, and every other character as its bytes in UTF-8, which no tokenizer on bytes
// exceeds. Two texts together have at most the tokens of both.
func Tokens(text string) int {
	n := 0
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case isLower(c):
			end := i
			for end < len(text) && isLower(text[end]) {
				end++
			}
			n += (end - i + lettersPerToken - 1) / lettersPerToken
			i = end
		case c == ' ' && i > 0 && text[i-1] != ' ' && i+1 < len(text) && isLower(text[i+1]):
			i++
		case c < utf8.RuneSelf:
			n++
			i++
		default:
			_, size := utf8.DecodeRuneInString(text[i:])
			n += size
			i += size
		}
	}
	return n
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
