package rules

import (
	"slices"
	"strings"
)

// Months are the English names of the months in lower case, January first.
var Months = strings.Fields(
	"january february march april may june july august september october november december",
)

// Weekdays are the English names of the weekdays in lower case, in the order of time.Weekday.
var Weekdays = strings.Fields("sunday monday tuesday wednesday thursday friday saturday")

// NumberWords are the English numbers below one hundred that are a single word, in lower case.
var NumberWords = map[string]int{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
	"seventeen": 17, "eighteen": 18, "nineteen": 19,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}

// shortNameLength is the length of the short form of every month and weekday.
const shortNameLength = 3

// longShortForms are additional short forms with more letters.
var longShortForms = map[string]string{"september": "sept", "tuesday": "tues", "thursday": "thurs"}

// NamePattern returns a regular expression with one group. It matches each of the names, which are those of Months or
// Weekdays, in full and in its short forms. It is for text in lower case; add (?i) for other text.
func NamePattern(names []string) string {
	var forms []string
	for _, name := range names {
		forms = append(forms, shortForms(name)...)
	}
	return "(" + strings.Join(forms, "|") + ")"
}

// MonthNumber returns the number of a month, 1 for January. name is the full name or a short form, in any case. It
// returns 0 for any other text.
func MonthNumber(name string) int { return 1 + indexOfName(Months, name) }

// WeekdayNumber returns the number of a weekday as time.Weekday does, 0 for Sunday. name is the full name or a short
// form, in any case. It returns -1 for any other text.
func WeekdayNumber(name string) int { return indexOfName(Weekdays, name) }

func indexOfName(names []string, form string) int {
	form = strings.ToLower(form)
	return slices.IndexFunc(names, func(name string) bool { return slices.Contains(shortForms(name), form) })
}

// shortForms returns a name and its short forms, the longest first, because a regular expression prefers the first
// match.
func shortForms(name string) []string {
	forms := []string{name}
	if long, ok := longShortForms[name]; ok {
		forms = append(forms, long)
	}
	if len(name) > shortNameLength {
		forms = append(forms, name[:shortNameLength])
	}
	return forms
}
