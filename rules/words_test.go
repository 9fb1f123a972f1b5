package rules_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/contextvault/contextvault/rules"
)

func TestMonthNumber_EveryForm(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`^(?i)` + rules.NamePattern(rules.Months) + `$`)
	for month := time.January; month <= time.December; month++ {
		for _, form := range []string{month.String(), month.String()[:3]} {
			if got := rules.MonthNumber(form); got != int(month) {
				t.Errorf("%s: got %d", form, got)
			}
			if !pattern.MatchString(form) {
				t.Errorf("%s does not match", form)
			}
		}
	}
	if got := rules.MonthNumber("Sept"); got != 9 {
		t.Errorf("Sept: got %d", got)
	}
	for _, other := range []string{"", "x", "ma", "marchs", "monday"} {
		if got := rules.MonthNumber(other); got != 0 {
			t.Errorf("%q: got %d", other, got)
		}
	}
}

func TestWeekdayNumber_EveryForm(t *testing.T) {
	t.Parallel()
	for day := time.Sunday; day <= time.Saturday; day++ {
		for _, form := range []string{day.String(), day.String()[:3]} {
			if got := rules.WeekdayNumber(form); got != int(day) {
				t.Errorf("%s: got %d", form, got)
			}
		}
	}
	if got := rules.WeekdayNumber("march"); got != -1 {
		t.Errorf("march: got %d", got)
	}
}
