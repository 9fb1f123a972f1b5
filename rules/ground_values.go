package rules

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules/format"
	"github.com/contextvault/contextvault/rules/internal/unit"
	"github.com/contextvault/contextvault/vault"
)

// The functions of this file find values in the folded text of a quote. They know the common forms. An ambiguous form
// is no match, because a missed value costs one question and a wrong value is stored.

var phonePattern = regexp.MustCompile(`\(?\+?\(?\d[\d ().\-/]*\d`)

// containsPhone reports whether the quote contains a phone number: with its country code, after + or 00 or as the eleven
// digits that are usual in North America, or as a number of the region.
func (p passage) containsPhone(e164, region string) bool {
	for _, at := range phonePattern.FindAllStringIndex(p.turn, -1) {
		// Search the whole turn: a quote could cut off digits of the number.
		if at[0] < p.start || at[0] >= p.end {
			continue
		}
		start := at[0]
		for _, said := range strings.Split(p.turn[at[0]:at[1]], ". ") {
			if isSamePhone(said, e164, region) && !p.isNegated(start, start+len(said)) {
				return true
			}
			start += len(said) + len(". ")
		}
	}
	return false
}

// isSamePhone reports whether a phone number in a quote is the number e164.
func isSamePhone(said, e164, region string) bool {
	if strings.Count(said, "(") > strings.Count(said, ")") {
		said = strings.TrimPrefix(said, "(") // the bracket opened before the number
	}
	if normal, why := format.Phone(strings.TrimSpace(said), region); why == "" {
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
	// continuesNumber matches text that makes the digits before it part of something larger: a magnitude, a fraction, a
	// time of day, a day of the month.
	continuesNumber = regexp.MustCompile(`^ ?(k|m|b|mn|bn|mio|mrd|lakh|lac|crore|grand|hundred|thousand|million|billion|` +
		`trillion|dozen)s?([^\w^]|$)|^[a-z]*\d|^ \d{3}\b|` +
		`^ (\^?\d+/\d|(and )?a (half|quarter)\b)|^ ?([ap]\.?m\b|o'?clock\b)|^(st|nd|rd|th)\b`)
	// endsWithDigit matches text before three digits that makes them the end of a larger number, as in 1 850.
	endsWithDigit = regexp.MustCompile(`\d $`)
)

// containsNumber reports whether the quote contains a number in digits. "45k" does not contain 45, and neither does a
// date, a time or a range.
func (p passage) containsNumber(literal string) bool {
	for _, at := range numberPattern.FindAllStringIndex(p.turn, -1) {
		if at[0] < p.start || at[0] >= p.end {
			continue
		}
		said := strings.TrimRight(p.turn[at[0]:at[1]], ".,'")
		before, after := p.turn[:at[0]], p.turn[at[0]+len(said):]
		if !p.fitsUnit(at[0], at[0]+len(said)) {
			continue
		}
		if continuesNumber.MatchString(after) || endsWithDigit.MatchString(before) && len(said) == 3 {
			continue
		}
		sign := ""
		switch r, size := utf8.DecodeLastRuneInString(before); {
		case r == '-':
			rest := strings.TrimRight(before[:len(before)-size], "$€£")
			if rest != "" && !strings.HasSuffix(rest, " ") && !strings.HasSuffix(rest, "(") {
				continue // part of a range, a date or a code
			}
			sign = "-"
		case unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("#_@.^", r):
			continue
		case (r == '/' || r == ':') && len(before) > 1 && isDigit(before[len(before)-2]):
			continue
		case strings.HasSuffix(before, "minus "):
			sign = "-"
		}
		next, _ := utf8.DecodeRuneInString(after)
		if strings.ContainsRune("/:-_@^", next) && len(after) > 1 && isDigit(after[1]) {
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

// normaliseNumber returns a number as a JSON literal: 1850.50 for 1,850.50 and for 1.850,50. It rejects 1.850, which is
// 1850 in a text with decimal commas.
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

var (
	monthName    = NamePattern(Months)
	dateISO      = regexp.MustCompile(`\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	dateDayFirst = regexp.MustCompile(`\b(\d{1,2})(?:st|nd|rd|th)?(?: of)?[ ,.-]+` + monthName + `[ ,.-]+(\d{4})\b`)
	dateUS       = regexp.MustCompile(`\b` + monthName + `[ .-]+(?:the )?(\d{1,2})(?:st|nd|rd|th)?[ ,.-]+(\d{4})\b`)
	dateNumeric  = regexp.MustCompile(`\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\b`)
)

// findDates returns the days in the quote, as 2006-01-02. It ignores days in digits if both numbers can be the month,
// and years without a century.
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
			exists := t.Year() == y && int(t.Month()) == mon && t.Day() == d // time.Date accepts 31 June
			if exists && !p.isNegated(p.start+at[0], p.start+at[1]) {
				days = append(days, t.Format(time.DateOnly))
			}
		}
	}
	each(dateISO, func(m []string) (string, string, string) { return m[1], m[2], m[3] })
	each(dateDayFirst, func(m []string) (string, string, string) { return m[3], strconv.Itoa(MonthNumber(m[2])), m[1] })
	each(dateUS, func(m []string) (string, string, string) { return m[3], strconv.Itoa(MonthNumber(m[1])), m[2] })
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

var (
	datetimePattern = regexp.MustCompile(`\b(\d{4}-\d{2}-\d{2})[t ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(z|[+-]\d{2}:\d{2})\b`)
	clockPattern    = regexp.MustCompile(`\b(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?(?: ?([ap])\.?m\b)?`)
)

// zonePattern matches a time of day followed by an offset from UTC or the name of a zone.
var zonePattern = regexp.MustCompile(`(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]\.?m\b\.?)?|` +
	`\d ?[ap]\.?m\b\.?|noon|midnight) ?` +
	`(?:\(?(utc|gmt|z)?\)? ?([+-]\d{1,2}(?::?\d{2})?)\b|\(?(utc|gmt|z)\b|` +
	`\(?([ecmp][sd]?t|a[ekcw][sd]t|hst|cest|cet|bst|west|wet|eest|eet|msk|ist|jst|kst|sgt|hkt|nz[sd]t|` +
	`pacific|eastern|central|mountain)\b)`)

// containsDatetime reports whether the quote contains a point in time, in RFC 3339 or as a day and a time of day. The
// offset from UTC must be the same in quote and value; no offset means the time zone of the definition, UTC without
// one. A quote with another named zone does not match, because its offset depends on the day and the place.
func (p passage) containsDatetime(raw, normalised, zone string) bool {
	quote := p.quote()
	for _, at := range datetimePattern.FindAllStringSubmatchIndex(quote, -1) {
		m := submatches(quote, at)
		seconds := m[3]
		if seconds == "" {
			seconds = ":00"
		}
		t, why := format.Datetime(m[1]+"T"+m[2]+seconds+m[4], zone)
		if why == "" && t == normalised && !p.isNegated(p.start+at[0], p.start+at[1]) {
			return true
		}
	}
	said := zonePattern.FindStringSubmatch(quote)
	if said != nil && said[5] != "" {
		return false
	}
	local, err := time.Parse(time.RFC3339Nano, strings.ToUpper(strings.TrimSpace(raw)))
	if location, ok := format.Location(zone); ok && said == nil {
		if local, err = time.Parse(time.RFC3339Nano, normalised); err != nil {
			return false
		}
		local = local.In(location)
	} else {
		offset := "+00:00"
		if said != nil {
			offset = normaliseOffset(said[3])
		}
		if err != nil || local.Format("-07:00") != offset {
			return false
		}
	}
	return slices.Contains(p.findDates(), local.Format(time.DateOnly)) && local.Nanosecond() == 0 &&
		slices.Contains(findTimes(zonePattern.ReplaceAllString(quote, "$1 ")), local.Format(time.TimeOnly))
}

// submatches returns the texts of the groups at the index pairs in at. A group that did not match is empty.
func submatches(text string, at []int) []string {
	out := make([]string, len(at)/2)
	for i := range out {
		if from := at[2*i]; from >= 0 {
			out[i] = text[from:at[2*i+1]]
		}
	}
	return out
}

// normaliseOffset returns an offset from UTC in the form of RFC 3339: +02:00 for +2, and +00:00 for no offset.
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

// findTimes returns the times of day in a quote, as 15:04:05. It ignores times such as 2:30, which can be in either
// half of the day. 02:30 is in the morning, and so are two-digit hours in a quote with a day as 2006-01-02.
func findTimes(quote string) []string {
	var clocks []string
	for _, m := range clockPattern.FindAllStringSubmatch(quote, -1) {
		if m[2] == "" && m[4] == "" {
			continue // a number alone is not a time
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
	yesPattern = regexp.MustCompile(`\b(yes|yeah|yep|yup|yea|sure|correct|true|right|absolutely|definitely|certainly|` +
		`indeed|agree|agreed|ok|okay|of course|go ahead)\b`)
	shortYesPattern = regexp.MustCompile(`^i (do|am|have|did|will|would|can)$`)
	noPattern       = regexp.MustCompile(`\b(no|nope|nah|not|never|none|false|incorrect|wrong|disagree|` +
		`cannot|without)\b|n't\b`)
	// neutralPattern matches phrases with the words above that are neither yes nor no: "right now", "make sure",
	// "is that right?", "no problem".
	neutralPattern = regexp.MustCompile(`\bright (now|away|after|before|there|here|next|at|on|in|behind)\b|` +
		`\b(make|making|be) sure\b|` +
		`\b(is|are|was) (that|this|it)( all)? (right|correct|ok|okay|true)\b|\bno (problem|worries|matter|doubt)\b|` +
		`\bnot (a|any) problem\b|\bwhy not\b|\bnot only\b|` +
		`(\bcannot|n't) wait\b|(\bnot|n't) mind\b`)
	doubtPattern = regexp.MustCompile(`\b(maybe|perhaps|unsure|possibly|probably|dunno|not sure|no idea|` +
		`don't know|do not know|not certain)\b`)
)

// containsBoolean reports whether the passage says yes (want is true) or no. If the clause of the quote says neither,
// the whole turn decides. Yes and no together, or a doubt, do not match.
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

var (
	wordPattern = regexp.MustCompile(`[\p{L}\p{N}']+`)
	// Words that make the number word beside them part of something larger: another number, a fraction, a time of day.
	continuesNumberWord = strings.Fields(
		"hundred thousand million billion trillion dozen point half quarter quarters third thirds am pm a p o'clock oclock",
	)
	beginsLargerNumber = strings.Fields("hundred thousand million billion trillion point minus at past")
	// countedNouns are the nouns after which "one" is a number. Elsewhere it is often a pronoun, as in "that one".
	countedNouns = strings.Fields(
		"person people adult child guest traveler traveller passenger rider ticket seat room bed bedroom bath bathroom " +
			"day night week month year hour",
	)
)

// containsNumberWord reports whether the quote contains a whole number below one hundred in words: "for four people",
// "twenty-four". Words that are part of something larger do not match: "four hundred", "half past four", "seven
// thirty".
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
		n, ok := NumberWords[word(i)]
		if !ok || words[i][0] < p.start || words[i][0] >= p.end {
			continue
		}
		last := i
		unit, ok := NumberWords[word(i+1)]
		if ok && n >= 20 && unit > 0 && unit < 10 && joinsNumberWords(p.turn[words[i][1]:words[i+1][0]]) {
			n, last = n+unit, i+1
		}
		before, after := word(i-1), word(last+1)
		if n == want && !isNumberLike(before) && !isNumberLike(after) &&
			!slices.Contains(beginsLargerNumber, before) && !slices.Contains(continuesNumberWord, after) &&
			!(before == "and" && slices.Contains(beginsLargerNumber, word(i-2))) &&
			!(before == "to" && (isNumberLike(word(i-2)) || word(i-2) == "quarter")) &&
			(n != 1 || isCountedNoun(def, after)) && p.fitsUnit(words[i][0], words[last][1]) &&
			!p.isNegated(words[i][0], words[last][1]) {
			return true
		}
		i = last
	}
	return false
}

// fitsUnit reports whether the number from start to end can be in the unit of the definition: "80 pounds" is not 80 kg.
func (p passage) fitsUnit(start, end int) bool {
	return unit.Fits(p.unit, p.turn[:start], p.turn[end:])
}

// joinsNumberWords reports whether the text between two number words makes them one number, as in twenty-four.
func joinsNumberWords(between string) bool { return between == " " || between == "-" }

// isNumberLike reports whether a word is a number word or begins with a digit.
func isNumberLike(word string) bool {
	_, ok := NumberWords[word]
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
