package format

import (
	"regexp"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the time zones, for machines and images without them
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
// T1:04 and a comma. localShape matches a date and time without an offset.
var (
	datetimeShape = regexp.MustCompile(
		`^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)([Zz]|[+-](\d{2}):(\d{2}))$`)
	localShape = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?$`)
)

// Datetime returns a time in UTC. A time without an offset from UTC is one of the IANA time zone, such as
// Europe/Berlin; empty: a time needs its offset. A time that the zone skips or has twice, because its clocks change, is
// a problem.
func Datetime(s, zone string) (utc, problem string) {
	if zone != "" {
		if m := localShape.FindStringSubmatch(s); m != nil {
			return localDatetime(m[1]+"T"+m[2]+m[3], zone)
		}
	}
	m := datetimeShape.FindStringSubmatch(s)
	if m == nil {
		return "", notDatetimeIn(zone)
	}
	if hours, minutes := m[4], m[5]; hours > "23" || minutes > "59" { // package time accepts 24:00 and minutes of 60
		return "", badOffset
	}
	t, err := time.Parse(time.RFC3339Nano, m[1]+"T"+m[2]+strings.ToUpper(m[3]))
	if err != nil {
		return "", notDatetimeIn(zone)
	}
	return formatUTC(t, zone)
}

// formatUTC returns a time in UTC. In the first and the last year, UTC may be in a year that RFC 3339 cannot express.
func formatUTC(t time.Time, zone string) (utc, problem string) {
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return "", notDatetimeIn(zone)
	}
	return t.Format(time.RFC3339Nano), ""
}

// localDatetime reads a time in the form 2006-01-02T15:04 with optional seconds in a zone.
func localDatetime(s, zone string) (utc, problem string) {
	location, ok := Location(zone)
	wall, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil {
		wall, err = time.Parse("2006-01-02T15:04", s)
	}
	if err != nil || !ok {
		return "", notDatetimeIn(zone)
	}
	var found []time.Time // the instants at which clocks in the zone show this time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(location).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		_, actual := at.In(location).Zone()
		if actual == offset && (len(found) == 0 || !found[0].Equal(at)) {
			found = append(found, at)
		}
	}
	switch len(found) {
	case 0:
		return "", "does not exist in the time zone " + zone + ", because its clocks are put forward then; " +
			"correct the time, or add its offset from UTC, as in 2026-03-31T14:30:00+02:00"
	case 1:
		return formatUTC(found[0], zone)
	default:
		return "", "exists twice in the time zone " + zone + ", because its clocks are put back then; " +
			"add its offset from UTC, as in 2026-03-31T14:30:00+02:00"
	}
}

func notDatetimeIn(zone string) string {
	if zone == "" {
		return NotDatetime
	}
	return "is not a date and time in the time zone " + zone + ", such as 2026-03-31T14:30:00, " +
		"or with its offset from UTC, such as 2026-03-31T14:30:00Z"
}

// Location returns the IANA time zone of this name, such as Europe/Berlin.
func Location(zone string) (location *time.Location, ok bool) {
	if known, ok := locations.Load(zone); ok {
		location, ok = known.(*time.Location)
		return location, ok
	}
	if zone == "Local" || !zoneShape.MatchString(zone) { // Local is the zone of this machine
		return nil, false
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, false
	}
	locations.Store(zone, location)
	return location, true
}

// zoneShape is stricter than package time, which takes a name for a path, so that each zone has one name.
var zoneShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)

// locations are the zones that were read, by name: a few hundred at most.
var locations sync.Map
