package evidence

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules/format"
)

var dateISO = regexp.MustCompile(`(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})`)

// monthPattern matches a month in any of the languages, and dayPattern a day of a month.
var (
	monthPattern = func() string {
		names := slices.Sorted(maps.Keys(months))
		slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) }) // the first match wins
		for i, name := range names {
			names[i] = regexp.QuoteMeta(name)
		}
		return `(` + strings.Join(names, "|") + `)\.?`
	}()
	ofPattern  = `(?: of| de| del| d'| von| van)?`
	dayPattern = `(\d{1,2})(?:st|nd|rd|th|er|ère|e|o|a|º|ª)?\.?`

	dateDayFirst   = regexp.MustCompile(dayPattern + ofPattern + `[ ,.-]*` + monthPattern + ofPattern + `[ ,.-]+(\d{4})`)
	dateMonthFirst = regexp.MustCompile(monthPattern + `[ .-]+(?:the )?` + dayPattern + `[ ,.-]+(\d{4})`)
	dateNumeric    = regexp.MustCompile(`(\d{1,2})([/.-])(\d{1,2})([/.-])(\d{4})`)
)

// day is a date in a turn.
type day struct {
	span

	date string // as 2006-01-02
}

// days returns the dates in a turn. It ignores days in digits if both numbers can be the month, and years without a
// century.
func (t *turn) days() []day {
	var days []day
	each := func(form *regexp.Regexp, parts func(m []string) (year string, month int, day string)) {
		for _, at := range form.FindAllStringSubmatchIndex(t.text, -1) {
			if !t.isApart(at[0], at[1]) {
				continue
			}
			year, month, dayOf := parts(submatches(t.text, at))
			y, _ := strconv.Atoi(year)
			d, _ := strconv.Atoi(dayOf)
			date := time.Date(y, time.Month(month), d, 0, 0, 0, 0, time.UTC)
			if date.Year() == y && int(date.Month()) == month && date.Day() == d { // time.Date accepts 31 June
				days = append(days, day{span{at[0], at[1]}, date.Format(time.DateOnly)})
			}
		}
	}
	each(dateISO, func(m []string) (string, int, string) { n, _ := strconv.Atoi(m[2]); return m[1], n, m[3] })
	each(dateDayFirst, func(m []string) (string, int, string) { return m[3], monthOf(m[2]), m[1] })
	each(dateMonthFirst, func(m []string) (string, int, string) { return m[3], monthOf(m[1]), m[2] })
	each(dateNumeric, func(m []string) (string, int, string) {
		first, _ := strconv.Atoi(m[1])
		second, _ := strconv.Atoi(m[3])
		switch {
		case m[2] != m[4]:
			return "", 0, ""
		case first > 12 || first == second || m[2] == "." &&
			t.language.commaDecimal: // only the day comes before a full stop
			return m[5], second, m[1]
		case second > 12:
			return m[5], first, m[3]
		default:
			return "", 0, ""
		}
	})
	return days
}

// isApart reports whether no letter or digit adjoins a part of the text. A t between a day and a time is none.
func (t *turn) isApart(start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(t.text[:start])
	after, size := utf8.DecodeRuneInString(t.text[end:])
	if after == 't' && len(t.text) > end+size && isDigit(t.text[end+size]) {
		after = ' '
	}
	joined := (before == '-' || before == '/' || before == '.') && start > 1 && isDigit(t.text[start-2])
	follows := (after == '-' || after == '/') && len(t.text) > end+size && isDigit(t.text[end+size])
	return !isWordRune(before) && !isWordRune(after) && !joined && !follows
}

// dateMentions finds a date.
func (r reader) dateMentions(p passage, date string) []mention {
	var out []mention
	for _, d := range r.daysOf(p.turn) {
		if d.date == date && d.start < p.end && d.end > p.start {
			if d.start >= p.start && d.end <= p.end {
				out = append(out, mention{span: d.span, clear: true})
			}
		}
	}
	return out
}

var (
	datetimePattern = regexp.MustCompile(`\b(\d{4}-\d{2}-\d{2})[t ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(z|[+-]\d{2}:\d{2})\b`)
	clockPattern    = regexp.MustCompile(`\b(\d{1,2})(?:[:h](\d{2}))?(?::(\d{2}))?(?: ?([ap])\.?m\b| ?(uhr|h)\b)?`)
)

// zonePattern matches a time of day followed by an offset from UTC or the name of a zone.
var zonePattern = regexp.MustCompile(`(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]\.?m\b\.?)?|` +
	`\d ?[ap]\.?m\b\.?|noon|midnight) ?` +
	`(?:\(?(utc|gmt|z)?\)? ?([+-]\d{1,2}(?::?\d{2})?)\b|\(?(utc|gmt|z)\b|` +
	`\(?([ecmp][sd]?t|a[ekcw][sd]t|hst|cest|cet|bst|west|wet|eest|eet|msk|ist|jst|kst|sgt|hkt|nz[sd]t|` +
	`pacific|eastern|central|mountain)\b)`)

// datetimeMentions finds a point in time, in RFC 3339 or as a day and a time of day. The offset from UTC must be the
// same in quote and value; no offset means the time zone of the definition, UTC without one. A quote with another named
// zone does not match, because its offset depends on the day and the place.
func (r reader) datetimeMentions(p passage, raw, normalised, zone string) []mention {
	quote := p.quote()
	var out []mention
	for _, at := range datetimePattern.FindAllStringSubmatchIndex(quote, -1) {
		m := submatches(quote, at)
		seconds := m[3]
		if seconds == "" {
			seconds = ":00"
		}
		t, why := format.Datetime(m[1]+"T"+m[2]+seconds+m[4], zone)
		if why == "" && t == normalised {
			out = append(out, mention{span: span{p.start + at[0], p.start + at[1]}, clear: true})
		}
	}
	if len(out) > 0 {
		return out
	}
	local, ok := localTime(zonePattern.FindStringSubmatch(quote), raw, normalised, zone)
	if !ok || local.Nanosecond() != 0 {
		return nil
	}
	if !slices.Contains(findTimes(zonePattern.ReplaceAllString(quote, "$1 ")), local.Format(time.TimeOnly)) {
		return nil
	}
	return r.dateMentions(p, local.Format(time.DateOnly))
}

// localTime returns the time as the clock shows it where it was said. said are the groups of zonePattern, nil if the
// quote names no offset and no zone.
func localTime(said []string, raw, normalised, zone string) (time.Time, bool) {
	if said != nil && said[5] != "" {
		return time.Time{}, false
	}
	if location, ok := format.Location(zone); ok && said == nil {
		local, err := time.Parse(time.RFC3339Nano, normalised)
		return local.In(location), err == nil
	}
	offset := "+00:00"
	if said != nil {
		offset = normaliseOffset(said[3])
	}
	local, err := time.Parse(time.RFC3339Nano, strings.ToUpper(strings.TrimSpace(raw)))
	return local, err == nil && local.Format("-07:00") == offset
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
		if m[2] == "" && m[4] == "" && m[5] == "" {
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
