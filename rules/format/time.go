package format

import (
	"regexp"
	"strings"
	"time"
)

const notDate = "is not a date, such as 1990-03-31"

// NotDatetime is the problem of a text that is not a date and time.
const NotDatetime = "is not a date and time in RFC 3339, such as 2026-03-31T14:30:00Z"

const badOffset = "has an offset from UTC that does not exist; " +
	"its hours go up to 23 and its minutes up to 59, as in 2026-03-31T14:30:00+02:00"

// Date returns a day that exists, as it is written: 1990-03-31.
func Date(s string) (day, problem string) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", notDate
	}
	return s, ""
}

// datetimeShape matches RFC 3339, which allows a space and lower case for T and Z. Package time alone would also accept
// T1:04 and a comma.
var datetimeShape = regexp.MustCompile(
	`^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)([Zz]|[+-](\d{2}):(\d{2}))$`)

// Datetime returns a time in UTC.
func Datetime(s string) (utc, problem string) {
	m := datetimeShape.FindStringSubmatch(s)
	if m == nil {
		return "", NotDatetime
	}
	if hours, minutes := m[4], m[5]; hours > "23" || minutes > "59" { // package time accepts 24:00 and minutes of 60
		return "", badOffset
	}
	t, err := time.Parse(time.RFC3339Nano, m[1]+"T"+m[2]+strings.ToUpper(m[3]))
	if err != nil {
		return "", NotDatetime
	}
	// In the first and the last year, UTC may be in a year that RFC 3339 cannot express.
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return "", NotDatetime
	}
	return t.Format(time.RFC3339Nano), ""
}
