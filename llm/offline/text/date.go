package text

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules"
)

// Clock is the time of a conversation. With the zero Clock, relative days have no value.
type Clock struct{ Now time.Time }

var (
	monthName   = rules.NamePattern(rules.Months) + `\.?`
	weekdayName = rules.NamePattern(rules.Weekdays)
)

const ordinal = `(\d{1,2})(?:st|nd|rd|th)`

var (
	isoDatePattern  = regexp.MustCompile(`\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	dayFirstPattern = regexp.MustCompile(
		`(?i)\b(\d{1,2})(st|nd|rd|th)?(?:\s+of|\s+day\s+of)?[\s.\-]+` + monthName + `(?:[\s,.\-]+(?:of\s+)?(\d{4})\b)?`,
	)
	monthFirstPattern = regexp.MustCompile(
		`(?i)\b` + monthName + `[\s.\-]+(?:the\s+)?(\d{1,2})(st|nd|rd|th)?\b(?:[\s,.\-]+(?:of\s+)?(\d{4})\b)?`,
	)
	numericDatePattern = regexp.MustCompile(`\b(\d{1,2})([/.\-])(\d{1,2})[/.\-](\d{4})\b`)
	datetimePattern    = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})`)
	relativePattern    = regexp.MustCompile(`(?i)\b(day\s+after\s+tomorrow|tomorrow|later\s+today|today)\b`)
	weekdayPattern     = regexp.MustCompile(
		`(?i)\b(?:((?:this|next|coming)(?:\s+coming)?)\s+)?` + weekdayName + `\b(?:\s+((?:this|next)\s+week)\b)?`,
	)
	ordinalDayPattern = regexp.MustCompile(`(?i)\b(?:the\s+)?` + ordinal + `(?:\s+of\s+((?:this|next)\s+month))?\b`)
)

func findDatetimes(text string, _ Clock) []Entity {
	var found []Entity
	for _, at := range datetimePattern.FindAllStringIndex(text, -1) {
		said := strings.ToUpper(text[at[0]:at[1]])
		if _, err := time.Parse(time.RFC3339Nano, said); err == nil {
			found = append(found, Entity{Span: Span{at[0], at[1]}, Kind: KindDatetime, Value: said})
		}
	}
	return found
}

// findDates finds days given by day and month. A date in digits has no value if both numbers can be the month.
func findDates(text string, now Clock) []Entity {
	var found []Entity
	add := func(at []int, year, month, day string) {
		e := Entity{Span: Span{at[0], at[1]}, Kind: KindDate}
		if text[at[1]-1] == '.' {
			e.End-- // the full stop of an abbreviation or of the sentence
		}
		if year == "" {
			e.Value, e.Inferred = now.nextDate(month, day), true
			if formatDay("2000", month, day) == "" { // a leap year has every day
				return
			}
		} else if e.Value = formatDay(year, month, day); e.Value == "" {
			return
		}
		found = append(found, e)
	}
	for _, at := range isoDatePattern.FindAllStringSubmatchIndex(text, -1) {
		add(at, submatch(text, at, 1), submatch(text, at, 2), submatch(text, at, 3))
	}
	for _, at := range dayFirstPattern.FindAllStringSubmatchIndex(text, -1) {
		if isMonthName(text, at, 3, submatch(text, at, 2)+submatch(text, at, 4)) {
			add(at, submatch(text, at, 4), monthNumber(submatch(text, at, 3)), submatch(text, at, 1))
		}
	}
	for _, at := range monthFirstPattern.FindAllStringSubmatchIndex(text, -1) {
		if isMonthName(text, at, 1, submatch(text, at, 3)+submatch(text, at, 4)) && !strings.HasPrefix(text[at[1]:], ":") {
			add(at, submatch(text, at, 4), monthNumber(submatch(text, at, 1)), submatch(text, at, 2))
		}
	}
	for _, at := range numericDatePattern.FindAllStringSubmatchIndex(text, -1) {
		first, second := submatch(text, at, 1), submatch(text, at, 3)
		a, _ := strconv.Atoi(first)
		b, _ := strconv.Atoi(second)
		switch {
		case a > 12 || a == b:
			add(at, submatch(text, at, 4), second, first)
		case b > 12:
			add(at, submatch(text, at, 4), first, second)
		default:
			found = append(found, Entity{Span: Span{at[0], at[1]}, Kind: KindDate, Ambiguous: true})
		}
	}
	return found
}

// isMonthName reports whether group n is a month. "may", "march", "mar" and "sun" in lower case count only if
// certain, the ordinal and the year, is not empty.
func isMonthName(text string, at []int, n int, certain string) bool {
	name := submatch(text, at, n)
	return certain != "" || name != strings.ToLower(name) ||
		(name != "may" && name != "march" && name != "mar" && name != "sun")
}

// findRelativeDays finds days relative to the conversation: "tomorrow", "next Friday", "the 3rd". They have a value
// only if the clock is set.
func findRelativeDays(text string, now Clock) []Entity {
	var found []Entity
	for _, at := range relativePattern.FindAllStringSubmatchIndex(text, -1) {
		days := 0
		switch word := strings.ToLower(submatch(text, at, 1)); {
		case strings.HasPrefix(word, "day"):
			days = 2
		case word == "tomorrow":
			days = 1
		}
		found = append(found, Entity{Span: Span{at[0], at[1]}, Kind: KindDate, Value: now.daysFromNow(days), Inferred: true})
	}
	for _, at := range weekdayPattern.FindAllStringSubmatchIndex(text, -1) {
		name := submatch(text, at, 2)
		if len(name) < 6 && name == strings.ToLower(name) && submatch(text, at, 1)+submatch(text, at, 3) == "" {
			continue // "sat", "sun", "wed"
		}
		value := ""
		if submatch(text, at, 3) == "" && !strings.HasPrefix(strings.ToLower(submatch(text, at, 1)), "next") {
			value = now.nextWeekday(name) // "next Friday" is ambiguous
		}
		found = append(found, Entity{Span: Span{at[0], at[1]}, Kind: KindDate, Value: value, Inferred: true})
	}
	for _, at := range ordinalDayPattern.FindAllStringSubmatchIndex(text, -1) {
		article := at[0]+4 <= len(text) && strings.EqualFold(text[at[0]:at[0]+4], "the ")
		if next := Words(
			llm.Truncate(strings.TrimLeft(text[at[1]:], " "), 24),
		); !article && submatch(text, at, 2) == "" && len(next) > 0 &&
			!strings.ContainsAny(text[at[1]:at[1]+1], ".,;!?") {
			continue // "3rd floor", "2nd time"
		}
		s := Span{at[0], at[1]}
		if article && submatch(text, at, 2) != "" {
			s.Start += len("the ")
		}
		found = append(
			found,
			Entity{Span: s, Kind: KindDate, Value: now.dayOfMonth(submatch(text, at, 1), submatch(text, at, 2)), Inferred: true},
		)
	}
	return found
}

// daysFromNow returns the day after that many days, or "" without a clock.
func (c Clock) daysFromNow(days int) string {
	if c.Now.IsZero() {
		return ""
	}
	return c.Now.AddDate(0, 0, days).Format(time.DateOnly)
}

// nextDate returns the next such day of a year, today included, or "" without a clock.
func (c Clock) nextDate(month, day string) string {
	if c.Now.IsZero() {
		return ""
	}
	for year := c.Now.Year(); year < c.Now.Year()+8; year++ { // eight years always have a 29 February
		if d := formatDay(strconv.Itoa(year), month, day); d >= c.Now.Format(time.DateOnly) {
			return d
		}
	}
	return ""
}

// dayOfMonth returns the next day with that number, or that day of month ("this month", "next month"). It returns ""
// without a clock.
func (c Clock) dayOfMonth(day, month string) string {
	if c.Now.IsZero() {
		return ""
	}
	first := time.Date(c.Now.Year(), c.Now.Month(), 1, 0, 0, 0, 0, time.UTC)
	if strings.HasPrefix(strings.ToLower(month), "next") {
		first = first.AddDate(0, 1, 0)
	}
	d := formatDay(strconv.Itoa(first.Year()), strconv.Itoa(int(first.Month())), day)
	if d < c.Now.Format(time.DateOnly) && month == "" {
		first = first.AddDate(0, 1, 0)
		d = formatDay(strconv.Itoa(first.Year()), strconv.Itoa(int(first.Month())), day)
	}
	return d
}

// nextWeekday returns the next day of that name after today, or "" without a clock.
func (c Clock) nextWeekday(name string) string {
	at := rules.WeekdayNumber(name)
	if c.Now.IsZero() {
		return ""
	}
	days := (at - int(c.Now.Weekday()) + 7) % 7
	if days == 0 {
		days = 7
	}
	return c.daysFromNow(days)
}

// formatDay writes a day as 2006-01-02. It returns "" if the day does not exist.
func formatDay(year, month, day string) string {
	y, _ := strconv.Atoi(year)
	m, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < 1 || t.Year() != y || int(t.Month()) != m || t.Day() != d {
		return ""
	}
	return t.Format(time.DateOnly)
}

// monthNumber returns the number of a month, "1" for January.
func monthNumber(name string) string {
	return strconv.Itoa(rules.MonthNumber(name))
}

// submatch returns the text of group n, "" if the group did not match.
func submatch(text string, at []int, n int) string {
	if at[2*n] < 0 {
		return ""
	}
	return text[at[2*n]:at[2*n+1]]
}
