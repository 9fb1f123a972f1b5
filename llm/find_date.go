package llm

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// clock is when a conversation takes place; the zero clock does not know.
type clock struct{ now time.Time }

// Months and weekdays as people write them, whole or by their first three letters.
const (
	monthNames   = `(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?`
	weekdayNames = `(mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)`
	ordinal      = `(\d{1,2})(?:st|nd|rd|th)`
)

var (
	isoDatePattern     = regexp.MustCompile(`\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	dayFirstPattern    = regexp.MustCompile(`(?i)\b(\d{1,2})(st|nd|rd|th)?(?:\s+of|\s+day\s+of)?[\s.\-]+` + monthNames + `(?:[\s,.\-]+(?:of\s+)?(\d{4})\b)?`)
	monthFirstPattern  = regexp.MustCompile(`(?i)\b` + monthNames + `[\s.\-]+(?:the\s+)?(\d{1,2})(st|nd|rd|th)?\b(?:[\s,.\-]+(?:of\s+)?(\d{4})\b)?`)
	numericDatePattern = regexp.MustCompile(`\b(\d{1,2})([/.\-])(\d{1,2})[/.\-](\d{4})\b`)
	datetimePattern    = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})`)
	relativePattern    = regexp.MustCompile(`(?i)\b(day\s+after\s+tomorrow|tomorrow|later\s+today|today)\b`)
	weekdayPattern     = regexp.MustCompile(`(?i)\b(?:((?:this|next|coming)(?:\s+coming)?)\s+)?` + weekdayNames + `\b(?:\s+((?:this|next)\s+week)\b)?`)
	ordinalDayPattern  = regexp.MustCompile(`(?i)\b(?:the\s+)?` + ordinal + `(?:\s+of\s+((?:this|next)\s+month))?\b`)
)

func findDatetimes(text string, _ clock) []entity {
	var found []entity
	for _, at := range datetimePattern.FindAllStringIndex(text, -1) {
		said := strings.ToUpper(text[at[0]:at[1]])
		if _, err := time.Parse(time.RFC3339Nano, said); err == nil {
			found = append(found, entity{span: span{at[0], at[1]}, kind: kindDatetime, value: said})
		}
	}
	return found
}

// findDates finds days that are named by a day and a month. Where two figures may each be the month, it finds nothing.
func findDates(text string, now clock) []entity {
	var found []entity
	add := func(at []int, year, month, day string) {
		e := entity{span: span{at[0], at[1]}, kind: kindDate}
		if text[at[1]-1] == '.' {
			e.end-- // the stop of an abbreviation, or of the sentence
		}
		if year == "" {
			e.value, e.inferred = now.upcoming(month, day), true
			if validDay("2000", month, day) == "" { // a leap year: every day that exists
				return
			}
		} else if e.value = validDay(year, month, day); e.value == "" {
			return
		}
		found = append(found, e)
	}
	for _, at := range isoDatePattern.FindAllStringSubmatchIndex(text, -1) {
		add(at, group(text, at, 1), group(text, at, 2), group(text, at, 3))
	}
	for _, at := range dayFirstPattern.FindAllStringSubmatchIndex(text, -1) {
		if isMonth(text, at, 3, group(text, at, 2)+group(text, at, 4)) {
			add(at, group(text, at, 4), monthNumber(group(text, at, 3)), group(text, at, 1))
		}
	}
	for _, at := range monthFirstPattern.FindAllStringSubmatchIndex(text, -1) {
		if isMonth(text, at, 1, group(text, at, 3)+group(text, at, 4)) && !strings.HasPrefix(text[at[1]:], ":") {
			add(at, group(text, at, 4), monthNumber(group(text, at, 1)), group(text, at, 2))
		}
	}
	for _, at := range numericDatePattern.FindAllStringSubmatchIndex(text, -1) {
		first, second := group(text, at, 1), group(text, at, 3)
		a, _ := strconv.Atoi(first)
		b, _ := strconv.Atoi(second)
		switch {
		case a > 12 || a == b:
			add(at, group(text, at, 4), second, first)
		case b > 12:
			add(at, group(text, at, 4), first, second)
		default:
			found = append(found, entity{span: span{at[0], at[1]}, kind: kindDate, plain: true})
		}
	}
	return found
}

// isMonth reports whether the name in group n is a month, not the verb "may" or "march": those need a capital, an ordinal or a year.
func isMonth(text string, at []int, n int, certain string) bool {
	name := group(text, at, n)
	return certain != "" || name != strings.ToLower(name) || (name != "may" && name != "march" && name != "mar" && name != "sun")
}

// findDays finds days that are named from where the speaker stands: "tomorrow", "next Friday", "the 3rd". The words are what
// counts; the day is worked out where the clock is known.
func findDays(text string, now clock) []entity {
	var found []entity
	for _, at := range relativePattern.FindAllStringSubmatchIndex(text, -1) {
		days := 0
		switch word := strings.ToLower(group(text, at, 1)); {
		case strings.HasPrefix(word, "day"):
			days = 2
		case word == "tomorrow":
			days = 1
		}
		found = append(found, entity{span: span{at[0], at[1]}, kind: kindDate, value: now.in(days), inferred: true})
	}
	for _, at := range weekdayPattern.FindAllStringSubmatchIndex(text, -1) {
		name := group(text, at, 2)
		if len(name) < 6 && name == strings.ToLower(name) && group(text, at, 1)+group(text, at, 3) == "" {
			continue // "sat", "sun", "wed"
		}
		value := ""
		if group(text, at, 3) == "" && !strings.HasPrefix(strings.ToLower(group(text, at, 1)), "next") {
			value = now.weekday(name) // of "next Friday" one cannot know which is meant
		}
		found = append(found, entity{span: span{at[0], at[1]}, kind: kindDate, value: value, inferred: true})
	}
	for _, at := range ordinalDayPattern.FindAllStringSubmatchIndex(text, -1) {
		article := at[0]+4 <= len(text) && strings.EqualFold(text[at[0]:at[0]+4], "the ")
		if next := words(cut(strings.TrimLeft(text[at[1]:], " "), 24)); !article && group(text, at, 2) == "" && len(next) > 0 && !strings.ContainsAny(text[at[1]:at[1]+1], ".,;!?") {
			continue // "3rd floor", "2nd time"
		}
		s := span{at[0], at[1]}
		if article && group(text, at, 2) != "" {
			s.start += len("the ")
		}
		found = append(found, entity{span: s, kind: kindDate, value: now.dayOfMonth(group(text, at, 1), group(text, at, 2)), inferred: true})
	}
	return found
}

// in is the day that many days from now, or "".
func (c clock) in(days int) string {
	if c.now.IsZero() {
		return ""
	}
	return c.now.AddDate(0, 0, days).Format(time.DateOnly)
}

// upcoming is the next such day of a year, today included, or "".
func (c clock) upcoming(month, day string) string {
	if c.now.IsZero() {
		return ""
	}
	for year := c.now.Year(); year < c.now.Year()+8; year++ { // 29 February comes within eight years
		if d := validDay(strconv.Itoa(year), month, day); d >= c.now.Format(time.DateOnly) {
			return d
		}
	}
	return ""
}

// dayOfMonth is the next day of that number, or the one of "this month" and "next month", or "".
func (c clock) dayOfMonth(day, month string) string {
	if c.now.IsZero() {
		return ""
	}
	first := time.Date(c.now.Year(), c.now.Month(), 1, 0, 0, 0, 0, time.UTC)
	if strings.HasPrefix(strings.ToLower(month), "next") {
		first = first.AddDate(0, 1, 0)
	}
	d := validDay(strconv.Itoa(first.Year()), strconv.Itoa(int(first.Month())), day)
	if d < c.now.Format(time.DateOnly) && month == "" {
		first = first.AddDate(0, 1, 0)
		d = validDay(strconv.Itoa(first.Year()), strconv.Itoa(int(first.Month())), day)
	}
	return d
}

// weekday is the next day of that name, or "".
func (c clock) weekday(name string) string {
	at := strings.Index("sunmontuewedthufrisat", strings.ToLower(name)[:3]) / 3
	if c.now.IsZero() {
		return ""
	}
	days := (at - int(c.now.Weekday()) + 7) % 7
	if days == 0 {
		days = 7
	}
	return c.in(days)
}

// validDay writes a day as 2006-01-02, or gives "" where there is no such day.
func validDay(year, month, day string) string {
	y, _ := strconv.Atoi(year)
	m, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < 1 || t.Year() != y || int(t.Month()) != m || t.Day() != d {
		return ""
	}
	return t.Format(time.DateOnly)
}

// monthNumber gives the number of a month of monthNames.
func monthNumber(name string) string {
	return strconv.Itoa(strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(name)[:3])/3 + 1)
}

// group is the text of a submatch, "" where it took no part.
func group(text string, at []int, n int) string {
	if at[2*n] < 0 {
		return ""
	}
	return text[at[2*n]:at[2*n+1]]
}
