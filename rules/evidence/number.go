package evidence

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

var (
	numberPattern = regexp.MustCompile(`\d[\d.,']*(?: \d{3})*(?:[.,]\d+)?`)
	// continuesNumber matches text that makes the digits before it part of something larger: a fraction, a time of day,
	// a day of the month.
	continuesNumber = regexp.MustCompile(`^[\p{L}]*\d|^ (\^?\d+/\d|(and )?a (half|quarter)\b)|^ ?([ap]\.?m\b|` +
		`o'?clock\b|uhr\b)|` +
		`^(st|nd|rd|th)\b|^ ?\d`)
	// scale matches a power of ten behind digits.
	scale = regexp.MustCompile(`^ ?(k|m|b|mn|bn|mio|mrd|mln|mlrd|lakh|lac|crore|grand|hundred|thousand|million|billion|` +
		`trillion|dozen|tausend|millionen|milliarden|mille|millones|milioni|milhões|mil|tys|tysięcy|miliony|mii|milioane|` +
		`duizend|miljoen|тыс|тысяч|тысячи|млн|миллион|миллионов|тисяч|мільйонів|bin|milyon)s?\.?([^\p{L}\p{N}^]|$)`)
)

// scales are the powers of ten of the words of scale that have one meaning. The others make a number unclear.
var scales = map[string]int{
	"k": 3, "grand": 3, "hundred": 2, "thousand": 3, "million": 6, "tausend": 3, "millionen": 6, "mille": 3,
	"millones": 6, "milioni": 6, "milhões": 6, "tys": 3, "tysięcy": 3, "milioane": 6, "duizend": 3, "miljoen": 6,
	"тыс": 3, "тысяч": 3, "тысячи": 3, "млн": 6, "mln": 6, "mio": 6, "mn": 6, "миллион": 6, "миллионов": 6,
	"тисяч": 3, "мільйонів": 6, "mil": 3, "mii": 3, "milyon": 6,
}

// numberMentions finds a number in digits. "45k" is 45000 and does not contain 45; neither does a date, a time or a
// code.
func (p passage) numberMentions(literal string) []mention {
	t := p.turn
	var out []mention
	for _, n := range t.numbers() {
		if n.start >= p.start && n.start < p.end && rules.SameNumber(n.literal, literal) {
			out = append(out, mention{span: n.span, clear: true})
		}
	}
	return out
}

// number is a number in the digits of a turn.
type number struct {
	span

	literal string // as JSON
}

// numbers returns the numbers in digits of a turn. It leaves out what has no certain value, such as 1.850 in English.
func (t *turn) numbers() []number {
	var out []number
	for _, at := range numberPattern.FindAllStringIndex(t.text, -1) {
		said := strings.TrimRight(t.text[at[0]:at[1]], ".,'")
		before, after := t.text[:at[0]], t.text[at[0]+len(said):]
		if groups := strings.Split(said, " "); len(groups) > 1 && !isGrouped(groups) {
			continue
		}
		power := 0
		if m := scale.FindStringSubmatchIndex(after); m != nil {
			known, ok := scales[after[m[2]:m[3]]]
			if !ok {
				continue
			}
			power = known
			said += after[:m[3]]
			after = after[m[3]:]
		}
		if continuesNumber.MatchString(after) {
			continue
		}
		sign, ok := signBefore(before)
		if !ok {
			continue
		}
		next, size := utf8.DecodeRuneInString(after)
		if strings.ContainsRune("/:-_@^", next) && len(after) > size &&
			(isDigit(after[size]) || unicode.IsLetter(rune(after[size])) && next == '-') {
			continue
		}
		if strings.HasPrefix(after, "%") || strings.HasPrefix(after, " %") {
			said += after[:strings.IndexByte(after, '%')+1]
		}
		plain, ok := t.normaliseNumber(digitsOf(t.text[at[0]:at[1]]))
		if !ok {
			continue
		}
		literal := sign + plain
		if power > 0 {
			literal += "e" + strconv.Itoa(power)
		}
		out = append(out, number{span{at[0], at[0] + len(said)}, literal})
	}
	return out
}

func digitsOf(said string) string { return strings.TrimRight(said, ".,'") }

// isGrouped reports whether groups of digits are one number with thousands apart: 1 850.
func isGrouped(groups []string) bool {
	if len(groups[0]) > 3 || groups[0] == "0" || strings.ContainsAny(groups[0], ".,'") {
		return false
	}
	for _, g := range groups[1:] {
		if whole, _, _ := strings.Cut(strings.ReplaceAll(g, ",", "."), "."); len(whole) != 3 {
			return false
		}
	}
	return true
}

// signBefore returns the sign of a number from the text before it. It reports false for a part of a range, a date, a
// time or a code.
func signBefore(before string) (sign string, ok bool) {
	switch r, size := utf8.DecodeLastRuneInString(before); {
	case r == '-':
		rest := strings.TrimRight(before[:len(before)-size], "$€£")
		if rest != "" && !strings.HasSuffix(rest, " ") && !strings.HasSuffix(rest, "(") {
			return "", false
		}
		return "-", true
	case unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("#_@.^", r):
		return "", false
	case (r == '/' || r == ':') && len(before) > 1 && isDigit(before[len(before)-2]):
		return "", false
	case strings.HasSuffix(before, "minus "):
		return "-", true
	default:
		return "", true
	}
}

var (
	commaThousands  = regexp.MustCompile(`^\d{1,3}([,']\d{3})+(\.\d+)?$`)
	dotThousands    = regexp.MustCompile(`^\d{1,3}(\.\d{3})+,\d+$|^\d{1,3}(\.\d{3}){2,}$`)
	spaceThousands  = regexp.MustCompile(`^\d{1,3}( \d{3})+([.,]\d+)?$`)
	decimalComma    = regexp.MustCompile(`^\d+,\d{1,2}$`)
	plainDecimal    = regexp.MustCompile(`^\d+(\.\d+)?$`)
	ambiguousNumber = regexp.MustCompile(`^[1-9]\d{0,2}\.\d{3}$`)
	ambiguousComma  = regexp.MustCompile(`^[1-9]\d{0,2},\d{3}$`)
)

// normaliseNumber returns a number as a JSON literal: 1850.50 for 1,850.50 and for 1.850,50. A number such as 1.850 is
// 1850 in a language with decimal commas; in a text of another language it may be either and is none.
func (t *turn) normaliseNumber(said string) (string, bool) {
	comma := t.language.commaDecimal
	switch {
	case ambiguousNumber.MatchString(said):
		return strings.Replace(said, ".", "", 1), comma
	case ambiguousComma.MatchString(said):
		return strings.Replace(said, ",", "", 1), !comma
	case plainDecimal.MatchString(said):
		return trimZeros(said), true
	case commaThousands.MatchString(said):
		return strings.NewReplacer(",", "", "'", "").Replace(said), true
	case dotThousands.MatchString(said):
		return strings.NewReplacer(".", "", ",", ".").Replace(said), true
	case spaceThousands.MatchString(said):
		return strings.NewReplacer(" ", "", ",", ".").Replace(said), true
	case decimalComma.MatchString(said):
		return strings.Replace(said, ",", ".", 1), true
	default:
		return "", false
	}
}

// trimZeros removes zeros that JSON does not allow before a number.
func trimZeros(said string) string {
	trimmed := strings.TrimLeft(said, "0")
	if trimmed == "" || trimmed[0] == '.' {
		return "0" + trimmed
	}
	return trimmed
}

var (
	// Words that make the number word beside them part of something larger: another number, a fraction, a time of day.
	continuesNumberWord = strings.Fields(
		"hundred thousand million billion trillion dozen point half quarter quarters third thirds am pm a p o'clock " +
			"oclock",
	)
	beginsLargerNumber = strings.Fields("hundred thousand million billion trillion point minus at past")
	// countedNouns are the nouns after which "one" is a number. Elsewhere it is often a pronoun, as in "that one".
	countedNouns = strings.Fields(
		"person people adult child guest traveler traveller passenger rider ticket seat room bed bedroom bath " +
			"bathroom " +
			"day night week month year hour",
	)
)

// numberWordMentions finds a whole number below one hundred in words: "for four people", "twenty-four". Words that are
// part of something larger do not match: "four hundred", "half past four", "seven thirty".
func (r reader) numberWordMentions(p passage, literal string) []mention {
	want, err := strconv.Atoi(literal)
	if err != nil || want < 0 || want > 99 {
		return nil
	}
	t := p.turn
	var out []mention
	for i := t.wordAfter(p.start); i < len(t.words) && t.words[i].start < p.end; i++ {
		n, ok := numberWord(t.word(i), t.language)
		if !ok {
			continue
		}
		last := i
		unit, ok := numberWord(t.word(i+1), t.language)
		if ok && n >= 20 && n%10 == 0 && unit > 0 && unit < 10 &&
			joinsNumberWords(t.text[t.words[i].end:t.words[i+1].start]) {
			n, last = n+unit, i+1
		}
		before, after := t.word(i-1), t.word(last+1)
		if n == want && !t.isNumberLike(before) && !t.isNumberLike(after) &&
			!slices.Contains(beginsLargerNumber, before) && !slices.Contains(continuesNumberWord, after) &&
			!(before == "and" && slices.Contains(beginsLargerNumber, t.word(i-2))) &&
			!(before == "to" && (t.isNumberLike(t.word(i-2)) || t.word(i-2) == "quarter")) &&
			(n != 1 || isCountedNoun(r.def, after)) {
			out = append(out, mention{span: span{t.words[i].start, t.words[last].end}, clear: true})
		}
		i = last
	}
	return out
}

// numberWord returns the number that a word is, in English or in a language.
func numberWord(word string, l *language) (int, bool) {
	n, ok := rules.NumberWords[word]
	if !ok && l != english {
		n, ok = l.numbers[word]
	}
	return n, ok
}

// joinsNumberWords reports whether the text between two number words makes them one number, as in twenty-four.
func joinsNumberWords(between string) bool { return between == " " || between == "-" }

// isNumberLike reports whether a word is a number word or begins with a digit.
func (t *turn) isNumberLike(word string) bool {
	_, ok := numberWord(word, t.language)
	return ok || word != "" && isDigit(word[0])
}

// isCountedNoun reports whether "one" before a noun is a number: the noun is in countedNouns or in the name of the
// field.
func isCountedNoun(def vault.Definition, noun string) bool {
	noun = strings.TrimSuffix(noun, "s")
	words := strings.Split(strings.ReplaceAll(def.Name, "s_", "_"), "_")
	return noun != "" && (slices.Contains(countedNouns, noun) || slices.Contains(words, noun) ||
		strings.HasSuffix(def.Name, "_"+noun+"s"))
}
