package text

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/contextvault/contextvault/llm"
)

// Entity is a part of a text with a recognisable form.
type Entity struct {
	Span
	Kind Kind
	// Value is the normal form: an address, an E.164 number, a day as 2006-01-02, a JSON number. It is "" if the text
	// is incomplete: a phone number without its country, a day without its month.
	Value string
	// Inferred is set if Value needs more than the text: the year of "3 March", the day of "tomorrow".
	Inferred bool
	// Ambiguous is set if the form fits several kinds: eleven digits may or may not be a phone number.
	Ambiguous bool
}

// maxEntities limits the entities of one text. Only a pasted table has more.
const maxEntities = 200

// FindEntities returns the entities of a text in order. Of two that overlap it keeps the one of the earlier finder,
// so finders of forms that contain other forms run first.
func FindEntities(text string, now Clock) []Entity {
	var found []Entity
	taken := make([]bool, len(text))
	for _, finder := range []func(string, Clock) []Entity{
		findURLs, findEmails, findDatetimes, findDates, findPhones,
		findTimes, findRelativeDays, findMoney, findNumbers,
	} {
		for _, e := range finder(text, now) {
			if taken[e.Start] || taken[e.End-1] {
				continue
			}
			for i := e.Start; i < e.End; i++ {
				taken[i] = true
			}
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b Entity) int { return cmp.Compare(a.Start, b.Start) })
	return found[:min(len(found), maxEntities)]
}

var (
	emailPattern = regexp.MustCompile(
		`[\p{L}\p{N}][\p{L}\p{N}._%+\-']*@[\p{L}\p{N}][\p{L}\p{N}\-]*(?:\.[\p{L}\p{N}\-]+)*\.\p{L}{2,}`,
	)
	urlPattern   = regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"“”]+`)
	phonePattern = regexp.MustCompile(`\(?\+?\(?\d[\d ().\-/]*\d`)
)

func findEmails(text string, _ Clock) []Entity {
	var found []Entity
	for _, at := range emailPattern.FindAllStringIndex(text, -1) {
		if at[1] < len(text) && text[at[1]] == '@' {
			continue
		}
		found = append(found, Entity{Span: Span{at[0], at[1]}, Kind: KindEmail, Value: text[at[0]:at[1]]})
	}
	return found
}

func findURLs(text string, _ Clock) []Entity {
	var found []Entity
	for _, at := range urlPattern.FindAllStringIndex(text, -1) {
		address := strings.TrimRight(text[at[0]:at[1]], ".,;:!?'’")
		if strings.HasSuffix(address, ")") && !strings.Contains(address, "(") {
			address = strings.TrimSuffix(address, ")")
		}
		e := Entity{Span: Span{at[0], at[0] + len(address)}, Kind: KindURL, Value: address}
		if strings.EqualFold(address[:4], "www.") {
			e.Value, e.Inferred = "https://"+address, true
		}
		found = append(found, e)
	}
	return found
}

// findPhones finds phone numbers. A number without its country has no value; it is found so that its digits are not
// read as a number.
func findPhones(text string, _ Clock) []Entity {
	var found []Entity
	for _, at := range phonePattern.FindAllStringIndex(text, -1) {
		s := Span{at[0], at[1]}
		if !isDelimited(text, s) {
			continue
		}
		said := s.In(text)
		digits := strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return r
			}
			return -1
		}, said)
		international := strings.HasPrefix(strings.TrimLeft(said, "("), "+")
		switch {
		case len(digits) < 7 || len(digits) > 15:
			continue
		case international:
			digits = "+" + digits
		case strings.HasPrefix(digits, "00"):
			digits, international = "+"+digits[2:], true
		case len(digits) == 11 && digits[0] == '1':
			digits = "+" + digits
		default:
			if !strings.ContainsAny(said, " ().-/") {
				continue // digits alone are a number
			}
			found = append(found, Entity{Span: s, Kind: KindPhone, Ambiguous: true})
			continue
		}
		number, err := phonenumbers.Parse(digits, "")
		if err != nil || !phonenumbers.IsValidNumber(number) {
			continue
		}
		found = append(found, Entity{
			Span: s, Kind: KindPhone, Value: phonenumbers.Format(number, phonenumbers.E164),
			Ambiguous: !international && !strings.ContainsAny(said, " ().-/"),
		})
	}
	return found
}

// isDelimited reports whether s has no adjacent letter or digit.
func isDelimited(text string, s Span) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:s.Start])
	after, _ := utf8.DecodeRuneInString(text[s.End:])
	joined := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '#' || r == '@'
	}
	return !joined(before) && !(joined(after) && after != '#')
}

var numberPattern = regexp.MustCompile(`\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?`)

func findNumbers(text string, _ Clock) []Entity {
	var found []Entity
	for _, at := range numberPattern.FindAllStringIndex(text, -1) {
		s := Span{at[0], at[1]}
		digits := strings.ReplaceAll(s.In(text), ",", "")
		if !isDelimited(text, s) || isPartOfLarger(text, s) {
			continue
		}
		e := Entity{Span: s, Kind: KindNumber, Value: digits}
		if len(digits) > 1 && digits[0] == '0' && !strings.HasPrefix(digits, "0.") {
			e.Value = "" // 007 is a code
		}
		found = append(found, e)
	}
	for _, t := range Tokenize(text) {
		if n, ok := CountWord(t.Word); ok && !isPartOfLarger(text, t.Span) {
			found = append(found, Entity{Span: t.Span, Kind: KindNumber, Value: n, Ambiguous: true})
		}
	}
	return found
}

// joiningMarks join two numbers to a date, a time, a range, a fraction or a code.
const joiningMarks = "/:-_.'"

// isPartOfLarger reports whether the number s is a part of a longer form, or is scaled by the next word ("thousand").
func isPartOfLarger(text string, s Span) bool {
	before, after := text[:s.Start], text[s.End:]
	if n := len(before); n > 1 && strings.IndexByte(joiningMarks, before[n-1]) >= 0 && IsAlphanumeric(before[n-2]) {
		return true
	}
	if strings.HasSuffix(before, "-") || strings.HasSuffix(before, "minus ") {
		return true
	}
	if len(after) > 1 && strings.IndexByte(joiningMarks, after[0]) >= 0 && IsAlphanumeric(after[1]) {
		return true
	}
	next := Words(llm.Truncate(strings.TrimLeft(after, " "), 24))
	if strings.HasPrefix(after, " ") && len(next) > 0 {
		switch next[0] {
		case "hundred", "thousand", "million", "billion", "dozen", "percent", "half", "o'clock", "am", "pm":
			return true
		}
	}
	return strings.HasPrefix(strings.TrimLeft(after, " "), "%")
}

// IsAlphanumeric reports whether b is an ASCII letter or digit.
func IsAlphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
