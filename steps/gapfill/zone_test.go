package gapfill

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

func TestZone_SessionThenCustomerThenSetting(t *testing.T) {
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	past := now.Add(-time.Hour)
	for _, c := range []struct{ name, session, customer, want string }{
		{"no time zone", ``, ``, "Asia/Tokyo"},
		{"customer", ``, `"Europe/Berlin"`, "Europe/Berlin"},
		{"session first", `"America/New_York"`, `"Europe/Berlin"`, "America/New_York"},
		{"unknown name", `"Mars/Olympus"`, `"Europe/Berlin"`, "Europe/Berlin"},
		{"not a text", `7`, ``, "Asia/Tokyo"},
		{"the machine's zone", `"Local"`, ``, "Asia/Tokyo"},
		{"expired", ``, `expired`, "Asia/Tokyo"},
	} {
		setting, err := time.LoadLocation("Asia/Tokyo")
		if err != nil {
			t.Fatal(err)
		}
		st := &gapState{}
		if c.session != "" {
			st.session.Variables = map[string]json.RawMessage{timeZoneField: json.RawMessage(c.session)}
		}
		f := vault.Value{Value: json.RawMessage(c.customer)}
		if c.customer == "expired" {
			f = vault.Value{Value: json.RawMessage(`"Europe/Berlin"`), ExpiresAt: &past}
		}
		if c.customer != "" {
			st.profile.Fields = map[string]vault.Value{timeZoneField: f}
		}
		s := Gaps{Now: func() time.Time { return now }, Settings: once.Settings{TimeZone: setting}}
		if got := s.zone(st).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
