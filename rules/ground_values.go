package rules

import (
	"github.com/contextvault/contextvault/vault"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The functions of this file find what a customer said in a folded quote. They read the common forms, and rather find
// nothing than the wrong thing.

var phonePattern = regexp.MustCompile(`\(?\+?\(?\d[\d ().\-/]*\d`)

// saysPhone reports whether a phone number was said with its country: after + or 00, or as the eleven digits that people
// in North America write.
func (p passage) containsPhone(e164 string) bool {
	for _, at := range phonePattern.FindAllStringIndex(p.turn, -1) {
		// The whole turn is searched, so that a quote cannot cut off digits that belong to the number.
		if at[0] < p.start || at[0] >= p.end {
			continue
		}
		start := at[0]
		for _, said := range strings.Split(p.turn[at[0]:at[1]], ". ") {
			if isSamePhone(said, e164) && !p.isNegated(start, start+len(said)) {
				return true
			}
			start += len(said) + len(". ")
		}
	}
	return false
}

func isSamePhone(said, e164 string) bool {
	if strings.Count(said, "(") > strings.Count(said, ")") {
		said = strings.TrimPrefix(said, "(") // it opened before the number
	}
	if normal, ok := normalisePhone(strings.TrimSpace(said)); ok {
		return normal == e164
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, said)
	want := strings.TrimPrefix(e164, "+")
	return digits == "00"+want || digits == want && len(want) == 11 && want[0] == '1'
}

var (
	numberPattern = regexp.MustCompile(`\d[\d.,']*`)
	// What makes the digits before it a part of something larger: a magnitude, a fraction, a time of day, a day of the month.
	continuesNumber = regexp.MustCompile(`^ ?(k|m|b|mn|bn|mio|mrd|lakh|lac|crore|grand|hundred|thousand|million|billion|trillion|dozen)s?([^\w^]|$)|^[a-z]*\d|^ \d{3}\b|` +
		`^ (\^?\d+/\d|(and )?a (half|quarter)\b)|^ ?([ap]\.?m\b|o'?clock\b)|^(st|nd|rd|th)\b`)
	endsWithDigit = regexp.MustCompile(`\d $`)
)

// saysNumber reports whether a number was said in digits. "45k" does not say 45, and neither does a part of a date, a time
// or a range.
func (p passage) containsNumber(literal string) bool {
	for _, at := range numberPattern.FindAllStringIndex(p.turn, -1) {
		if at[0] < p.start || at[0] >= p.end {
			continue
		}
		said := strings.TrimRight(p.turn[at[0]:at[1]], ".,'")
		before, after := p.turn[:at[0]], p.turn[at[0]+len(said):]
		if continuesNumber.MatchString(after) || endsWithDigit.MatchString(before) && len(said) == 3 {
			continue
		}
		sign := ""
		switch r, size := utf8.DecodeLastRuneInString(before); {
		case r == '-':
			rest := strings.TrimRight(before[:len(before)-size], "$€£")
			if rest != "" && !strings.HasSuffix(rest, " ") && !strings.HasSuffix(rest, "(") {
				continue // joined to something: a range, a date, a code
			}
			sign = "-"
		case unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("#_@.^", r):
			continue
		case (r == '/' || r == ':') && len(before) > 1 && isDigit(before[len(before)-2]):
			continue
		case strings.HasSuffix(before, "minus "):
			sign = "-"
		}
		if next, _ := utf8.DecodeRuneInString(after); strings.ContainsRune("/:-_@^", next) && len(after) > 1 && isDigit(after[1]) {
			continue
		}
		if plain, ok := normaliseNumber(said); ok && sameNumber(sign+plain, literal) && !p.isNegated(at[0], at[0]+len(said)) {
			return true
		}
	}
	return false
}

var (
	commaThousands  = regexp.MustCompile(`^\d{1,3}([,']\d{3})+(\.\d+)?$`)
	dotThousands    = regexp.MustCompile(`^\d{1,3}(\.\d{3})+,\d+$|^\d{1,3}(\.\d{3}){2,}$`)
	decimalComma    = regexp.MustCompile(`^\d+,\d{1,2}$`)
	plainDecimal    = regexp.MustCompile(`^\d+(\.\d+)?$`)
	ambiguousNumber = regexp.MustCompile(`^[1-9]\d{0,2}\.\d{3}$`)
)

// plainNumber writes a number as JSON does: 1,850.50 and 1.850,50 are both 1850.50. 1.850 is two numbers, and so none: whoever writes
// a decimal comma means 1850.
func normaliseNumber(said string) (string, bool) {
	switch {
	case ambiguousNumber.MatchString(said):
		return "", false
	case plainDecimal.MatchString(said):
		return said, true
	case commaThousands.MatchString(said):
		return strings.NewReplacer(",", "", "'", "").Replace(said), true
	case dotThousands.MatchString(said):
		return strings.NewReplacer(".", "", ",", ".").Replace(said), true
	case decimalComma.MatchString(said):
		return strings.Replace(said, ",", ".", 1), true
	default:
		return "", false
	}
}

const monthNames = `(january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)`

var (
	dateISO      = regexp.MustCompile(`\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	dateDayFirst = regexp.MustCompile(`\b(\d{1,2})(?:st|nd|rd|th)?(?: of)?[ ,.-]+` + monthNames + `[ ,.-]+(\d{4})\b`)
	dateUS       = regexp.MustCompile(`\b` + monthNames + `[ .-]+(?:the )?(\d{1,2})(?:st|nd|rd|th)?[ ,.-]+(\d{4})\b`)
	dateNumeric  = regexp.MustCompile(`\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\b`)
)

// dates gives the days that the quote names, as 2006-01-02. A day in figures only, of which it is not clear which is the
// month, is none; neither is one whose century is not said.
func (p passage) findDates() []string {
	var days []string
	quote := p.quote()
	each := func(form *regexp.Regexp, day func(m []string) (year, month, day string)) {
		for _, at := range form.FindAllStringSubmatchIndex(quote, -1) {
			year, month, day := day(submatches(quote, at))
			y, _ := strconv.Atoi(year)
			mon, _ := strconv.Atoi(month)
			d, _ := strconv.Atoi(day)
			t := time.Date(y, time.Month(mon), d, 0, 0, 0, 0, time.UTC)
			if t.Year() == y && int(t.Month()) == mon && t.Day() == d && !p.isNegated(p.start+at[0], p.start+at[1]) { // there is no 31 June
				days = append(days, t.Format(time.DateOnly))
			}
		}
	}
	each(dateISO, func(m []string) (string, string, string) { return m[1], m[2], m[3] })
	each(dateDayFirst, func(m []string) (string, string, string) { return m[3], monthNumber(m[2]), m[1] })
	each(dateUS, func(m []string) (string, string, string) { return m[3], monthNumber(m[1]), m[2] })
	each(dateNumeric, func(m []string) (string, string, string) {
		first, _ := strconv.Atoi(m[1])
		second, _ := strconv.Atoi(m[2])
		switch {
		case first > 12 || first == second:
			return m[3], m[2], m[1]
		case second > 12:
			return m[3], m[1], m[2]
		default:
			return "", "", ""
		}
	})
	return days
}

// monthNumber gives the number of a month of monthNames, all of which begin with three letters of their own.
func monthNumber(name string) string {
	return strconv.Itoa(strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", name[:3])/3 + 1)
}

var (
	datetimePattern = regexp.MustCompile(`\b(\d{4}-\d{2}-\d{2})[t ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(z|[+-]\d{2}:\d{2})\b`)
	clockPattern    = regexp.MustCompile(`\b(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?(?: ?([ap])\.?m\b)?`)
)

// zoneSaid is an offset from UTC, or the name of a zone, behind a time of day.
var zonePattern = regexp.MustCompile(`(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]\.?m\b\.?)?|\d ?[ap]\.?m\b\.?|noon|midnight) ?` +
	`(?:\(?(utc|gmt|z)?\)? ?([+-]\d{1,2}(?::?\d{2})?)\b|\(?(utc|gmt|z)\b|\(?([ecmp][sd]?t|a[ekcw][sd]t|hst|cest|cet|bst|west|wet|eest|eet|msk|ist|jst|kst|sgt|hkt|nz[sd]t|pacific|eastern|central|mountain)\b)`)

// saysDatetime reports whether a time was said: in RFC 3339, or as a day and a time of day. An offset from UTC that was said is the
// value's; where none was said there is none. What the name of a zone is worth depends on the day and the place, and is left alone.
func (p passage) containsDatetime(raw, normalised string) bool {
	quote := p.quote()
	for _, at := range datetimePattern.FindAllStringSubmatchIndex(quote, -1) {
		m := submatches(quote, at)
		seconds := m[3]
		if seconds == "" {
			seconds = ":00"
		}
		if t, ok := normaliseDatetime(m[1] + "T" + m[2] + seconds + m[4]); ok && t == normalised && !p.isNegated(p.start+at[0], p.start+at[1]) {
			return true
		}
	}
	local, err := time.Parse(time.RFC3339Nano, strings.ToUpper(strings.TrimSpace(raw)))
	if err != nil {
		return false
	}
	offset := "+00:00"
	if zone := zonePattern.FindStringSubmatch(quote); zone != nil {
		if zone[5] != "" {
			return false
		}
		offset = normaliseOffset(zone[3])
	}
	if local.Format("-07:00") != offset {
		return false
	}
	return slices.Contains(p.findDates(), local.Format(time.DateOnly)) && local.Nanosecond() == 0 &&
		slices.Contains(findTimes(zonePattern.ReplaceAllString(quote, "$1 ")), local.Format(time.TimeOnly))
}

// submatches gives the texts of what a regular expression found at the pairs of places in at; what took no part is empty.
func submatches(text string, at []int) []string {
	out := make([]string, len(at)/2)
	for i := range out {
		if from := at[2*i]; from >= 0 {
			out[i] = text[from:at[2*i+1]]
		}
	}
	return out
}

// plainOffset writes an offset from UTC as RFC 3339 does: +2 is +02:00, and none is that of UTC itself.
func normaliseOffset(said string) string {
	digits := strings.ReplaceAll(said, ":", "")
	switch len(digits) {
	case 2: // +2
		return digits[:1] + "0" + digits[1:] + ":00"
	case 3: // +02
		return digits + ":00"
	case 4: // +230
		return digits[:1] + "0" + digits[1:2] + ":" + digits[2:]
	case 5: // +0230
		return digits[:3] + ":" + digits[3:]
	default:
		return "+00:00"
	}
}

// clocksIn gives the times of day that a quote names, as 15:04:05. Of 2:30 it is not clear which half of the day it is in, unless it
// is written 02:30, or behind a day that is written 2006-01-02.
func findTimes(quote string) []string {
	var clocks []string
	for _, m := range clockPattern.FindAllStringSubmatch(quote, -1) {
		if m[2] == "" && m[4] == "" {
			continue // a number alone is no time
		}
		hour, _ := strconv.Atoi(m[1])
		if m[4] == "" && hour > 0 && hour < 12 && m[1][0] != '0' && (len(m[1]) == 1 || !dateISO.MatchString(quote)) {
			continue
		}
		minute, _ := strconv.Atoi(m[2])
		second, _ := strconv.Atoi(m[3])
		if m[4] != "" {
			if hour < 1 || hour > 12 {
				continue
			}
			if hour %= 12; m[4] == "p" {
				hour += 12
			}
		}
		if hour < 24 && minute < 60 && second < 60 {
			clocks = append(clocks, time.Date(2000, 1, 1, hour, minute, second, 0, time.UTC).Format(time.TimeOnly))
		}
	}
	if len(phraseIndexes(quote, "noon")) > 0 {
		clocks = append(clocks, "12:00:00")
	}
	if len(phraseIndexes(quote, "midnight")) > 0 {
		clocks = append(clocks, "00:00:00")
	}
	return clocks
}

var (
	yesPattern      = regexp.MustCompile(`\b(yes|yeah|yep|yup|yea|sure|correct|true|right|absolutely|definitely|certainly|indeed|agree|agreed|ok|okay|of course|go ahead)\b`)
	shortYesPattern = regexp.MustCompile(`^i (do|am|have|did|will|would|can)$`)
	noPattern       = regexp.MustCompile(`\b(no|nope|nah|not|never|none|false|incorrect|wrong|disagree|cannot|without)\b|n't\b`)
	// Words of those above that say neither: "right now", "make sure", "is that right?", "no problem".
	neutralPattern = regexp.MustCompile(`\bright (now|away|after|before|there|here|next|at|on|in|behind)\b|\b(make|making|be) sure\b|` +
		`\b(is|are|was) (that|this|it)( all)? (right|correct|ok|okay|true)\b|\bno (problem|worries|matter|doubt)\b|\bnot (a|any) problem\b|\bwhy not\b|\bnot only\b|` +
		`(\bcannot|n't) wait\b|(\bnot|n't) mind\b`)
	doubtPattern = regexp.MustCompile(`\b(maybe|perhaps|unsure|possibly|probably|dunno|not sure|no idea|don't know|do not know|not certain)\b`)
)

// saysBoolean reports whether the passage says yes, or no. What the clause of the quote leaves open the rest of the turn may
// say. Yes and no at once, or a doubt, is neither.
func (p passage) containsBoolean(want bool) bool {
	clause, asks := p.clause()
	if asks {
		return false
	}
	for _, text := range []string{clause, p.turn} {
		clear := neutralPattern.ReplaceAllString(text, "")
		yes, no := yesPattern.MatchString(clear), noPattern.MatchString(clear)
		switch {
		case doubtPattern.MatchString(text) || yes && no:
			return false
		case yes || no:
			return yes == want
		case shortYesPattern.MatchString(text):
			return want
		}
	}
	return false
}

var numberWords = map[string]int{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
	"twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}

var (
	wordPattern = regexp.MustCompile(`[\p{L}\p{N}']+`)
	// What makes a number word beside it a part of something larger: another number, a fraction, a time of day.
	continuesNumberWord = strings.Fields("hundred thousand million billion trillion dozen point half quarter quarters third thirds am pm a p o'clock oclock")
	beginsLargerNumber  = strings.Fields("hundred thousand million billion trillion point minus at past")
	// What "one" counts; else it stands for a thing ("that one") as often as for a number.
	countedNouns = strings.Fields("person people adult child guest traveler traveller passenger rider ticket seat room bed bedroom bath bathroom day night week month year hour")
)

// saysNumberWord reports whether a whole number below a hundred was said as a word: "for four people", "twenty-four". A word that is
// a part of something larger says nothing: "four hundred", "half past four", "seven thirty".
func (p passage) containsNumberWord(def vault.Definition, literal string) bool {
	want, err := strconv.Atoi(literal)
	if err != nil || want < 0 || want > 99 {
		return false
	}
	words := wordPattern.FindAllStringIndex(p.turn, -1)
	word := func(i int) string {
		if i < 0 || i >= len(words) {
			return ""
		}
		return p.turn[words[i][0]:words[i][1]]
	}
	for i := 0; i < len(words); i++ {
		n, ok := numberWords[word(i)]
		if !ok || words[i][0] < p.start || words[i][0] >= p.end {
			continue
		}
		last := i
		if unit, ok := numberWords[word(i+1)]; ok && n >= 20 && unit > 0 && unit < 10 && joinsNumberWords(p.turn[words[i][1]:words[i+1][0]]) {
			n, last = n+unit, i+1
		}
		before, after := word(i-1), word(last+1)
		if n == want && !isNumberLike(before) && !isNumberLike(after) && !slices.Contains(beginsLargerNumber, before) && !slices.Contains(continuesNumberWord, after) &&
			!(before == "and" && slices.Contains(beginsLargerNumber, word(i-2))) && !(before == "to" && (isNumberLike(word(i-2)) || word(i-2) == "quarter")) &&
			(n != 1 || isCountedNoun(def, after)) && !p.isNegated(words[i][0], words[last][1]) {
			return true
		}
		i = last
	}
	return false
}

func joinsNumberWords(between string) bool { return between == " " || between == "-" }

// isNumberLike reports whether a word is a number, or begins with one.
func isNumberLike(word string) bool {
	_, ok := numberWords[word]
	return ok || word != "" && isDigit(word[0])
}

// countsOne reports whether "one" before a word is a number: the word is something that is counted, or what the field is about.
func isCountedNoun(def vault.Definition, noun string) bool {
	noun = strings.TrimSuffix(noun, "s")
	return noun != "" && (slices.Contains(countedNouns, noun) || slices.Contains(strings.Split(strings.ReplaceAll(def.Name, "s_", "_"), "_"), noun) ||
		strings.HasSuffix(def.Name, "_"+noun+"s"))
}
