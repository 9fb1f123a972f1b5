package rules

import (
	"fmt"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// CheckTimes rejects an input with a turn that is said to be of the future, by more than vault.MaxClockSkew. Nothing
// can have been said then, and relative days in the turn ("tomorrow") would be counted from there.
func CheckTimes(input any, now time.Time) error {
	var problems []*vault.Error
	check := func(field string, at *time.Time) {
		if at != nil && at.Sub(now) > vault.MaxClockSkew {
			problems = append(problems, vault.Invalid(field,
				"is in the future by more than %d minutes; use the time of the message, at the latest now: %s",
				int(vault.MaxClockSkew.Minutes()), now.UTC().Format(time.RFC3339)))
		}
	}
	switch in := input.(type) {
	case vault.TakeTurnInput:
		check("at", in.At)
	case vault.SaveSessionInput:
		for i, turn := range in.Turns {
			check(fmt.Sprintf("turns[%d].at", i), turn.At)
		}
	}
	return vault.Join(problems)
}
