package text

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/rules"
)

var (
	hourWords = `(?:` + strings.Join(numberWordsTo12(), "|") + `)`
	hour      = `(?:\d{1,2}|` + hourWords + `)`
	dayPart   = `(?:\s+(?:in\s+the\s+(?:early\s+|late\s+)?(?:morning|afternoon|evening)|at\s+night))`
	meridiem  = `(?:\s*(?:a\.m\.|p\.m\.|am|pm)|\s*[ap]\.?m\b)`
)

// numberWordsTo12 returns the words for one to twelve, in order.
func numberWordsTo12() []string {
	words := make([]string, 12)
	for word, n := range rules.NumberWords {
		if n >= 1 && n <= len(words) {
			words[n-1] = word
		}
	}
	return words
}

// timePatterns match times of day. The longer forms come first.
var timePatterns = []*regexp.Regexp{
	regexp.MustCompile(
		`(?i)\b(?:(?:morning|afternoon|evening)\s+)?(?:half\s+past|quarter\s+(?:to|past))\s+` + hour +
			`\b(?:` + meridiem + `|\s+o['’"]?clock\b)?` + dayPart + `?`,
	),
	regexp.MustCompile(`(?i)\b(?:morning|afternoon|evening)\s+` + hour + `(?::\d{2})?\b(?:\s+o['’"]?clock\b)?`),
	regexp.MustCompile(`(?i)\b` + hour + `(?::\d{2})?` + meridiem),
	regexp.MustCompile(`(?i)\b` + hour + `\s+o['’"]?clock\b` + dayPart + `?`),
	regexp.MustCompile(`(?i)\b\d{1,2}:\d{2}\b` + dayPart + `?`),
	regexp.MustCompile(`(?i)\b` + hour + `(?:\s+(?:fifteen|thirty|forty-five))?` + dayPart),
	regexp.MustCompile(`(?i)\b(?:noon|midnight|midday)\b`),
}

func findTimes(text string, _ Clock) []Entity {
	var found []Entity
	for _, pattern := range timePatterns {
		for _, at := range pattern.FindAllStringIndex(text, -1) {
			found = append(found, Entity{Span: Span{at[0], at[1]}, Kind: KindTime, Value: dialTime(text[at[0]:at[1]])})
		}
	}
	return found
}

var hourPattern = regexp.MustCompile(`(\d{1,2}|` + hourWords + `)(?::(\d{2}))?`)

// dialTime writes a time of day on a dial of twelve hours: "5:30 pm" and "half past five in the afternoon" are both
// 5:30. It leaves out the half of the day, which people often leave out too.
func dialTime(said string) string {
	said = strings.ToLower(said)
	at := hourPattern.FindStringSubmatch(said)
	if at == nil {
		return "0:00" // noon, midnight
	}
	h, err := strconv.Atoi(at[1])
	if err != nil {
		h = rules.NumberWords[at[1]]
	}
	m, _ := strconv.Atoi(at[2])
	switch {
	case strings.Contains(said, "half past"), strings.Contains(said, "thirty"):
		m = 30
	case strings.Contains(said, "quarter past"), strings.Contains(said, "fifteen"):
		m = 15
	case strings.Contains(said, "quarter to"):
		h, m = h+11, 45
	case strings.Contains(said, "forty-five"):
		m = 45
	}
	return fmt.Sprintf("%d:%02d", h%12, m)
}

// ClockTime returns a time of day as 15:04. It is false if the half of the day was not said: "5:30" can be in the
// morning or in the evening, and "17:30", "05:30" and "5:30 pm" cannot.
func ClockTime(said string) (string, bool) {
	said = strings.ToLower(said)
	if said == "noon" || said == "midday" {
		return "12:00", true
	}
	at := hourPattern.FindStringSubmatch(said)
	if at == nil {
		return "", false
	}
	var h, m int
	if _, err := fmt.Sscanf(dialTime(said), "%d:%d", &h, &m); err != nil {
		return "", false
	}
	written, err := strconv.Atoi(at[1])
	switch {
	case afternoon.MatchString(said):
		h += 12
	case forenoon.MatchString(said):
	case err == nil && written < 24 && (written > 12 || strings.HasPrefix(at[1], "0")):
		h = written
	default:
		return "", false
	}
	return fmt.Sprintf("%02d:%02d", h, m), m < 60
}

// afternoon and forenoon match the words for a half of the day.
var (
	afternoon = regexp.MustCompile(`\d\s*p\.?m\b|\bp\.?m\b|\b(?:afternoon|evening)\b`)
	forenoon  = regexp.MustCompile(`\d\s*a\.?m\b|\ba\.?m\b|\bmorning\b`)
)
