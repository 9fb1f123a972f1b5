// Package fold brings texts into one form, so that they can be compared.
package fold

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

var plainPunctuation = strings.NewReplacer(
	"’", "'", "‘", "'", "ʼ", "'", "‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "−", "-", "⁄", "/",
)

// Text returns a text without differences in case, spacing, Unicode form, apostrophes and dashes. Invisible characters,
// such as soft hyphens and direction marks, are removed.
func Text(s string) string {
	s = separateDigits(s)
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	return strings.Join(strings.Fields(plainPunctuation.Replace(s)), " ")
}

// separateDigits puts ^ before superscript, subscript and circled digits and fractions. NFKC turns them into plain
// digits, so 5² would become 52 and 3½ would become 31/2. It also removes invisible characters, such as soft hyphens
// and direction marks.
func separateDigits(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Cf, r):
			continue
		case unicode.Is(unicode.No, r):
			b.WriteByte('^')
		}
		b.WriteRune(r)
	}
	return b.String()
}
