package text

import (
	"slices"
	"strings"
)

// Names of the calendar, folded, in the order of package time.
var (
	Months = strings.Fields("january february march april may june july august september october november december")

	Weekdays = strings.Fields("sunday monday tuesday wednesday thursday friday saturday")
)

// longShortForms are the short forms with more than three letters.
var longShortForms = map[string]string{"september": "sept", "tuesday": "tues", "thursday": "thurs"}

// namesPattern returns a regular expression with one group that matches a name, whole or in a short form.
func namesPattern(names []string) string {
	var forms []string
	for _, name := range names {
		forms = append(forms, name) // longest form first: a regexp takes the first match
		if short, ok := longShortForms[name]; ok {
			forms = append(forms, short)
		}
		if len(name) > shortForm {
			forms = append(forms, name[:shortForm])
		}
	}
	return "(" + strings.Join(forms, "|") + ")"
}

// shortForm is the length of the short form of every name.
const shortForm = 3

// indexOfName returns the index of the name that form stands for, in any case and whole or in a short form.
func indexOfName(names []string, form string) int {
	short := strings.ToLower(form)[:shortForm]
	return slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, short) })
}
