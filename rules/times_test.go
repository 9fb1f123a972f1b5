package rules_test

import (
	"testing"
	"time"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestCheckTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	in := func(d time.Duration) *time.Time { at := now.Add(d); return &at }
	const why = ": is in the future by more than 5 minutes; use the time of the message, at the latest now: " +
		"2026-05-04T09:30:00Z"
	for name, tc := range map[string]struct {
		input any
		want  string
	}{
		"a turn without a time":         {vault.TakeTurnInput{}, ""},
		"a turn of the past":            {vault.TakeTurnInput{At: in(-time.Hour)}, ""},
		"a turn by a clock that is off": {vault.TakeTurnInput{At: in(vault.MaxClockSkew)}, ""},
		"a turn of the future":          {vault.TakeTurnInput{At: in(vault.MaxClockSkew + time.Second)}, "at" + why},
		"a turn of the far future":      {vault.TakeTurnInput{At: in(1 << 62)}, "at" + why},
		"turns of a session":            {vault.SaveSessionInput{Turns: []vault.Turn{{At: in(-1)}, {}}}, ""},
		"the second turn of a session": {
			vault.SaveSessionInput{Turns: []vault.Turn{{}, {At: in(time.Hour)}}}, "turns[1].at" + why,
		},
		"an input without turns": {vault.OpenCustomerInput{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := rules.CheckTimes(tc.input, now); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
