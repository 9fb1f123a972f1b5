package llm

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// entity is something in a text that has a recognisable form.
type entity struct {
	span
	kind kind
	// value is its normal form: an address, an E.164 number, a day as 2006-01-02, a JSON number. Empty where the text does not say
	// it completely: a phone number without its country, a day without its month.
	value string
	// inferred says that value needed more than the words: the year of "3 March", the day of "tomorrow".
	inferred bool
	// plain says that the form alone does not tell what it is: eleven digits in a row may be a phone number or not.
	plain bool
}

// maxEntities is how many entities of one text are looked at. Who says more in one turn pastes a table.
const maxEntities = 200

// findEntities finds what has a recognisable form, in the order of the text. Of two that overlap the first found counts, so
// the forms that hold others come first.
func findEntities(text string, now clock) []entity {
	var found []entity
	taken := make([]bool, len(text))
	for _, finder := range []func(string, clock) []entity{findURLs, findEmails, findDatetimes, findDates, findPhones, findTimes, findDays, findNumbers} {
		for _, e := range finder(text, now) {
			if taken[e.start] || taken[e.end-1] {
				continue
			}
			for i := e.start; i < e.end; i++ {
				taken[i] = true
			}
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b entity) int { return cmp.Compare(a.start, b.start) })
	return found[:min(len(found), maxEntities)]
}

var (
	emailPattern = regexp.MustCompile(`[\p{L}\p{N}][\p{L}\p{N}._%+\-']*@[\p{L}\p{N}][\p{L}\p{N}\-]*(?:\.[\p{L}\p{N}\-]+)*\.\p{L}{2,}`)
	urlPattern   = regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"“”]+`)
	phonePattern = regexp.MustCompile(`\(?\+?\(?\d[\d ().\-/]*\d`)
)

func findEmails(text string, _ clock) []entity {
	var found []entity
	for _, at := range emailPattern.FindAllStringIndex(text, -1) {
		if at[1] < len(text) && text[at[1]] == '@' {
			continue
		}
		found = append(found, entity{span: span{at[0], at[1]}, kind: kindEmail, value: text[at[0]:at[1]]})
	}
	return found
}

func findURLs(text string, _ clock) []entity {
	var found []entity
	for _, at := range urlPattern.FindAllStringIndex(text, -1) {
		address := strings.TrimRight(text[at[0]:at[1]], ".,;:!?'’")
		if strings.HasSuffix(address, ")") && !strings.Contains(address, "(") {
			address = strings.TrimSuffix(address, ")")
		}
		e := entity{span: span{at[0], at[0] + len(address)}, kind: kindURL, value: address}
		if strings.EqualFold(address[:4], "www.") {
			e.value, e.inferred = "https://"+address, true
		}
		found = append(found, e)
	}
	return found
}

// findPhones finds phone numbers, with and without their country. One without has no value, yet its digits are no number.
func findPhones(text string, _ clock) []entity {
	var found []entity
	for _, at := range phonePattern.FindAllStringIndex(text, -1) {
		s := span{at[0], at[1]}
		if !standsFree(text, s) {
			continue
		}
		said := s.in(text)
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
				continue // digits in a row: a number like any other
			}
			found = append(found, entity{span: s, kind: kindPhone, plain: true})
			continue
		}
		number, err := phonenumbers.Parse(digits, "")
		if err != nil || !phonenumbers.IsValidNumber(number) {
			continue
		}
		found = append(found, entity{
			span: s, kind: kindPhone, value: phonenumbers.Format(number, phonenumbers.E164),
			plain: !international && !strings.ContainsAny(said, " ().-/"),
		})
	}
	return found
}

// standsFree reports whether no letter or digit is joined to s.
func standsFree(text string, s span) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:s.start])
	after, _ := utf8.DecodeRuneInString(text[s.end:])
	joined := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '#' || r == '@'
	}
	return !joined(before) && !(joined(after) && after != '#')
}

var numberPattern = regexp.MustCompile(`\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?`)

// numberWords are the numbers that people write as words.
var numberWords = map[string]string{
	"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
	"eleven": "11", "twelve": "12", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50",
}

func findNumbers(text string, _ clock) []entity {
	var found []entity
	for _, at := range numberPattern.FindAllStringIndex(text, -1) {
		s := span{at[0], at[1]}
		digits := strings.ReplaceAll(s.in(text), ",", "")
		if !standsFree(text, s) || partOfMore(text, s) {
			continue
		}
		e := entity{span: s, kind: kindNumber, value: digits}
		if len(digits) > 1 && digits[0] == '0' && !strings.HasPrefix(digits, "0.") {
			e.value = "" // 007 is a code
		}
		found = append(found, e)
	}
	for _, t := range tokenize(text) {
		if n, ok := numberWords[t.word]; ok && !partOfMore(text, t.span) {
			found = append(found, entity{span: t.span, kind: kindNumber, value: n, plain: true})
		}
	}
	return found
}

// joinedMarks join two numbers to something that is neither: a date, a time, a range, a fraction, a code.
const joinedMarks = "/:-_.'"

// partOfMore reports whether the number s is a part of something longer, or is scaled by what follows.
func partOfMore(text string, s span) bool {
	before, after := text[:s.start], text[s.end:]
	if n := len(before); n > 1 && strings.IndexByte(joinedMarks, before[n-1]) >= 0 && isAlphanumeric(before[n-2]) {
		return true
	}
	if strings.HasSuffix(before, "-") || strings.HasSuffix(before, "minus ") {
		return true
	}
	if len(after) > 1 && strings.IndexByte(joinedMarks, after[0]) >= 0 && isAlphanumeric(after[1]) {
		return true
	}
	next := words(cut(strings.TrimLeft(after, " "), 24))
	if strings.HasPrefix(after, " ") && len(next) > 0 {
		switch next[0] {
		case "hundred", "thousand", "million", "billion", "dozen", "percent", "half", "o'clock", "am", "pm":
			return true
		}
	}
	return strings.HasPrefix(strings.TrimLeft(after, " "), "%")
}

func isAlphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
