package evidence

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/contextvault/contextvault/rules"
)

// Words for days relative to the time of a turn, in the languages in which they mean nothing else. "Next Friday" is no
// such day: it is ambiguous.
var (
	relativeWords = []struct {
		language string
		form     *regexp.Regexp
		days     int
	}{
		{"en", regexp.MustCompile(`\bday after tomorrow\b`), 2},
		{"en", regexp.MustCompile(`\btomorrow\b`), 1},
		{"en", regexp.MustCompile(`\b(?:today|tonight)\b`), 0},
		{"en", regexp.MustCompile(`\byesterday\b`), -1},
		{"de", regexp.MustCompile(`übermorgen`), 2},
		{"de", regexp.MustCompile(`\bheute\b`), 0},
		{"de", regexp.MustCompile(`\bgestern\b`), -1},
		{"fr", regexp.MustCompile(`\baprès-demain\b`), 2},
		{"fr", regexp.MustCompile(`\bdemain\b`), 1},
		{"fr", regexp.MustCompile(`\baujourd'hui\b`), 0},
		{"it", regexp.MustCompile(`\bdopodomani\b`), 2},
		{"it", regexp.MustCompile(`\bdomani\b`), 1},
		{"it", regexp.MustCompile(`\boggi\b`), 0},
	}
	relativeWeekday = regexp.MustCompile(
		`\b(?:(this|next|coming|last)(?: coming)? )?` + rules.NamePattern(rules.Weekdays) + `\b(?: (this|next|last) week\b)?`,
	)
	relativeOrdinal = regexp.MustCompile(`\bthe (\d{1,2})(?:st|nd|rd|th)\b(?: of (this|next) month\b)?`)
)

// dayOfMonth matches a day with its month: with it, "Friday" and "the 3rd" mean that day.
var dayOfMonth = regexp.MustCompile(`\b(?:` + dayPattern + ofPattern + `[ ,.-]*` + monthPattern + `|` + monthPattern +
	`[ .-]+(?:the )?` + dayPattern + `)\b`)

// daysOf returns the dates in a turn, relative days included. A day of the past, such as one of birth, is never
// relative.
func (r reader) daysOf(t *turn) []day {
	if r.isPast() {
		return t.days()
	}
	return append(t.days(), t.relativeDays()...)
}

// relativeDays returns the days of a turn that count from its time, in the time zone of that time: "tomorrow", "on
// Friday", "the 3rd". It returns none for a turn without a time, or with a day of a month.
func (t *turn) relativeDays() []day {
	if t.At == nil || dayOfMonth.MatchString(t.text) || len(t.days()) > 0 {
		return nil
	}
	y, m, d := t.At.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	var days []day
	add := func(at []int, on time.Time) {
		s := span{at[0], at[1]}
		if t.isApart(s.start, s.end) && !slices.ContainsFunc(days, func(o day) bool { return o.overlaps(s) }) {
			days = append(days, day{s, on.Format(time.DateOnly)})
		}
	}
	for _, w := range relativeWords {
		if t.language.code != w.language {
			continue
		}
		for _, at := range w.form.FindAllStringIndex(t.text, -1) {
			add(at, today.AddDate(0, 0, w.days))
		}
	}
	for _, at := range relativeWeekday.FindAllStringSubmatchIndex(t.text, -1) {
		group := submatches(t.text, at)
		const shortest = 6 // "sat" and "sun" are words
		if group[1] == "next" || group[1] == "last" || group[3] != "" || len(group[2]) < shortest {
			continue
		}
		ahead := (rules.WeekdayNumber(group[2]) - int(today.Weekday()) + 7) % 7
		if ahead == 0 {
			ahead = 7
		}
		add(at, today.AddDate(0, 0, ahead))
	}
	for _, at := range relativeOrdinal.FindAllStringSubmatchIndex(t.text, -1) {
		group := submatches(t.text, at)
		n, _ := strconv.Atoi(group[1])
		first := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		if group[2] == "next" || group[2] == "" && n < d {
			first = first.AddDate(0, 1, 0)
		}
		on := first.AddDate(0, 0, n-1)
		if n < 1 || on.Month() != first.Month() || group[2] == "" && t.countsSomething(at[1]) {
			continue
		}
		add(at, on)
	}
	return days
}

// countsSomething reports whether a word that is no small word follows an ordinal: "the 3rd floor".
func (t *turn) countsSomething(end int) bool {
	for _, w := range t.words {
		if w.start >= end {
			return w.start == end+1 && t.text[end] == ' ' && !grammar[w.text]
		}
	}
	return false
}
