package block

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Fence escapes the strings of a compact JSON text, so that nothing in them can end the string, begin a line, open or
// close markup, or be invisible. The result is JSON of the same meaning: between the two quotes of a string there is no
// quote, backtick, angle bracket, line break, control, format or other invisible character, and a backslash only begins
// an escape \uXXXX. So the words of a customer stay one string on one line, whatever they say.
func Fence(compact []byte) []byte {
	out := make([]byte, 0, len(compact)+len(compact)/8)
	inside := false
	for i := 0; i < len(compact); {
		c := compact[i]
		switch {
		case c == '"':
			inside = !inside
			out = append(out, c)
			i++
		case !inside:
			out = append(out, c)
			i++
		case c == '\\' && i+1 < len(compact) && compact[i+1] == 'u':
			end := min(i+6, len(compact))
			out = append(out, compact[i:end]...)
			i = end
		case c == '\\' && i+1 < len(compact):
			out = appendRune(out, unescaped(compact[i+1]))
			i += 2
		default:
			r, size := utf8.DecodeRune(compact[i:])
			out = appendRune(out, r)
			i += size
		}
	}
	return out
}

// FenceText is Fence for a text: it returns the text between quotes.
func FenceText(text string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always encodes
	return string(Fence(bytes.TrimSuffix(b.Bytes(), []byte("\n"))))
}

// unescaped returns the character of an escape of two characters.
func unescaped(c byte) rune {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	default: // a quote, a backslash or a slash
		return rune(c)
	}
}

func appendRune(out []byte, r rune) []byte {
	if isPlain(r) {
		return utf8.AppendRune(out, r)
	}
	if r > 0xFFFF {
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(out, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(out, `\u%04x`, r)
}

// closers are the characters that could end a fence or open markup, with those that a reader may take for them.
const closers = "\"\\`<>" + "＂＼｀＜＞﹤﹥"

// isPlain reports whether a character is shown as it is.
func isPlain(r rune) bool {
	switch {
	case !unicode.IsPrint(r) || strings.ContainsRune(closers, r):
		return false
	case r < utf8.RuneSelf:
		return true
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || r == '\u2800': // invisible
		return false
	case unicode.Is(unicode.Variation_Selector, r):
		return r == '\ufe0f' // the form of an emoji; the others can hide a text
	default:
		return true
	}
}
