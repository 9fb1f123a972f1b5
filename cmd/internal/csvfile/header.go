package csvfile

import (
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Separator reads the line "sep=;" that spreadsheets put before the header. ok is false for any other line.
func Separator(cells []string, comma rune) (separator rune, ok bool) {
	text, found := strings.CutPrefix(strings.ToLower(strings.Join(cells, string(comma))), "sep=")
	if !found {
		return 0, false
	}
	separator, width := utf8.DecodeRuneInString(text)
	return separator, width > 0 && width == len(text)
}

// maxTypos is the distance up to which a name counts as a misspelling: two, such as two letters in the wrong order, or
// one in a name of up to four letters.
func maxTypos(name string) int {
	if len(name) <= 4 {
		return len(name) / 3
	}
	return 2
}

// Closest returns the known name that a misspelled one most likely means, "" if none is close. It ignores case, spaces
// and punctuation: "E-mail" means email.
func Closest(name string, known []string) string {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(" -_.", r) {
				return -1
			}
			return r
		}, strings.ToLower(s))
	}
	best, distance := "", 0
	for _, candidate := range known {
		d := levenshtein.ComputeDistance(plain(name), plain(candidate))
		if d <= maxTypos(candidate) && (best == "" || d < distance) {
			best, distance = candidate, d
		}
	}
	return best
}
