// Package format holds the formats of values that are texts: email addresses, web addresses, phone numbers, dates and
// times, and the texts that say nothing. No function here does I/O.
//
// A function for a type gets a text without surrounding space. It returns the form to store, or the problem: what is
// wrong with the text and what would be right. A problem follows "the value" in a message and never contains the text.
package format

import (
	"strings"
	"unicode"
)

// IsBlank reports whether a text shows nothing: it is empty, or has only space and invisible characters.
func IsBlank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsSpace(r) && !isInvisible(r) })
}

// brailleBlank is the braille pattern without dots. It is a symbol to Unicode and shows nothing.
const brailleBlank = '\u2800'

// isInvisible reports whether a character shows nothing by itself: control characters, characters that set the
// direction of text, characters of no width, soft hyphens, fillers and variation selectors. Spaces are not among them.
func isInvisible(r rune) bool {
	switch {
	case r < ' ':
		return !unicode.IsSpace(r)
	case r < 0x7f:
		return false
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r): // Arabic number signs: formatting characters that show
		return false
	default:
		return r == brailleBlank || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point,
			unicode.Variation_Selector, unicode.Noncharacter_Code_Point) && !unicode.IsSpace(r)
	}
}

// lowerASCII converts ASCII letters to lower case. For some other letters, lower case would be a different letter.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
