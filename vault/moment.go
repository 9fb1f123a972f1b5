package vault

import "time"

// Moment is a point in two times, for reads of the past. The zero Moment is now.
type Moment struct {
	// AsOf is the time at which something was true, by effective time. nil: KnownAt.
	AsOf *time.Time
	// KnownAt is the time at which the vault knew it, by acceptance. nil: now.
	KnownAt *time.Time
}

// IsZero reports whether the moment is now.
func (m Moment) IsZero() bool { return m.AsOf == nil && m.KnownAt == nil }

// Times returns both times, with their defaults.
func (m Moment) Times(now time.Time) (asOf, knownAt time.Time) {
	knownAt = now
	if m.KnownAt != nil {
		knownAt = *m.KnownAt
	}
	asOf = knownAt
	if m.AsOf != nil {
		asOf = *m.AsOf
	}
	return asOf, knownAt
}

// Check rejects a time in the future.
func (m Moment) Check(now time.Time) error {
	for _, t := range []struct {
		name string
		at   *time.Time
	}{{"as_of", m.AsOf}, {"known_at", m.KnownAt}} {
		if t.at != nil && t.at.After(now) {
			return Invalid(t.name, "is in the future; use a time that has passed, such as %s",
				now.UTC().Truncate(time.Second).Format(time.RFC3339))
		}
	}
	return nil
}
