package rules

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/contextvault/contextvault/vault"
)

// NormaliseName converts free text to a field name: "Date of Birth" and "dateOfBirth" become "date_of_birth". A valid
// name is returned unchanged. The result is empty if the text has no letter or digit that a name can contain.
func NormaliseName(s string) string {
	if len(s) <= vault.MaxNameLength && vault.NamePattern.MatchString(s) {
		return s
	}
	name := strings.Join(nameWords(s), "_")
	if name != "" && isDigit(name[0]) {
		name = "_" + name
	}
	if len(name) > vault.MaxNameLength {
		name = strings.TrimRight(name[:vault.MaxNameLength], "_")
	}
	return name
}

// SameName reports whether two names differ only in spelling: case, accents and word separators. Singular and plural
// differ, because "email" and "emails" may be two fields.
func SameName(a, b string) bool {
	x := strings.Join(nameWords(a), "")
	return a == b && a != "" || x != "" && x == strings.Join(nameWords(b), "")
}

// plainLetters replaces letters that Unicode does not decompose into a plain letter and an accent.
var plainLetters = strings.NewReplacer(
	"ß", "ss", "ẞ", "SS", "æ", "ae", "Æ", "Ae", "œ", "oe", "Œ", "Oe", "ø", "o", "Ø", "O",
	"đ", "d", "Đ", "D", "ð", "d", "Ð", "D", "ł", "l", "Ł", "L", "þ", "th", "Þ", "Th", "ı", "i", "'", "", "’", "",
)

// nameWords splits a name or text into lower-case ASCII words, at other characters and where a capital letter starts a
// word.
func nameWords(s string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(norm.NFKD.String(plainLetters.Replace(s)))
	at := func(i int) rune {
		for ; i < len(runes); i++ {
			if !unicode.Is(unicode.Mn, runes[i]) {
				return runes[i]
			}
		}
		return 0
	}
	for i, r := range runes {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent
		case !isASCIILetter(r) && (r < '0' || r > '9'):
			flush()
		case isUpper(r) && len(word) > 0 && startsWord(word[len(word)-1], at(i+1), at(i+2)):
			flush()
			word = append(word, r)
		default:
			word = append(word, r)
		}
	}
	flush()
	return words
}

// startsWord reports whether a capital letter starts a word: after a lower-case letter or digit, or as the last of
// several capitals before a lower-case letter ("HTTPServer"), except before the s of a plural ("IDs").
func startsWord(before, after, next rune) bool {
	if !isUpper(before) {
		return true
	}
	return isLower(after) && (after != 's' || isLower(next))
}

func isUpper(r rune) bool       { return r >= 'A' && r <= 'Z' }
func isLower(r rune) bool       { return r >= 'a' && r <= 'z' }
func isASCIILetter(r rune) bool { return isUpper(r) || isLower(r) }

// contrasts are groups of words with different meanings. Two names with different words of one group are different
// fields, even if their descriptions are similar.
var contrasts = [][]string{
	{"date", "time", "type", "name", "address", "price", "number", "city", "country", "status"},
	{"from", "to"},
	{"origin", "destination"},
	{"start", "end"},
	{"begin", "end"},
	{"pickup", "dropoff"},
	{"in", "out"},
	{"checkin", "checkout"},
	{"arrival", "departure"},
	{"inbound", "outbound"},
	{"first", "last", "middle"},
	{"min", "max"},
	{"minimum", "maximum"},
	{"billing", "shipping"},
	{"billing", "delivery"},
	{"sender", "recipient"},
	{"buyer", "seller"},
	{"home", "work"},
	{"old", "new"},
	{"primary", "secondary"},
	{"father", "mother"},
	{"hourly", "daily", "weekly", "monthly", "quarterly", "annual"},
	{"hourly", "daily", "weekly", "monthly", "quarterly", "yearly"},
}

// Contrasting reports whether two field names have words that make them different fields: by kind (pickup_date,
// pickup_time) or by role (from_station, to_station). It is for names with a similar meaning.
func Contrasting(a, b string) bool {
	wordsA, wordsB := strings.Split(a, "_"), strings.Split(b, "_")
	for _, group := range contrasts {
		inA, inB := commonWords(group, wordsA), commonWords(group, wordsB)
		if len(inA) > 0 && len(inB) > 0 && !slices.ContainsFunc(inA, func(w string) bool { return slices.Contains(inB, w) }) {
			return true
		}
	}
	return false
}

// commonWords returns the words that are in the group.
func commonWords(group, words []string) []string {
	var out []string
	for _, w := range words {
		if slices.Contains(group, w) {
			out = append(out, w)
		}
	}
	return out
}
