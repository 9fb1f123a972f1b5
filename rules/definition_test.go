package rules_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func in(unit string) func(*vault.Definition) { return func(d *vault.Definition) { d.Unit = unit } }

func zone(name string) func(*vault.Definition) {
	return func(d *vault.Definition) { d.TimeZone = name }
}

func region(code string) func(*vault.Definition) {
	return func(d *vault.Definition) { d.DefaultRegion = code }
}
func from(minimum string) func(*vault.Definition) { return limits(minimum, "") }
func to(maximum string) func(*vault.Definition)   { return limits("", maximum) }

func limits(minimum, maximum string) func(*vault.Definition) {
	return func(d *vault.Definition) {
		if minimum != "" {
			d.Minimum = json.RawMessage(minimum)
		}
		if maximum != "" {
			d.Maximum = json.RawMessage(maximum)
		}
	}
}

// A definition that says more than its type: what each kind of value becomes, or what is wrong with it.
func TestCheckValue_DefinitionSaysMore(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name            string
		def             *vault.Definition
		value           string
		want, wantError string // one of them
	}{
		{"a number in its unit", defined(vault.TypeNumber, in("kg")), `"80 kg"`, `80`, ""},
		{"a number in another spelling of its unit", defined(vault.TypeNumber, in("kg")), `"80 kilos"`, `80`, ""},
		{"a number without a unit", defined(vault.TypeNumber, in("kg")), `80`, `80`, ""},
		{"a number in another unit", defined(vault.TypeNumber, in("kg")), `"80 lb"`, "", "is not a number in kg, such as 12.50"},
		{"a text for a number with a unit", defined(vault.TypeNumber, in("kg")), `"heavy"`, "", "is not a number in kg, such as 12.50"},
		{"a number per month", defined(vault.TypeNumber, in("EUR/month")), `"€1200 per month"`, `1200`, ""},
		{"a number per year for one per month", defined(vault.TypeNumber, in("EUR/month")), `"€1200 per year"`, "", "is not a number in EUR/month"},
		{"the minimum itself", defined(vault.TypeNumber, from("18")), `18.0`, `18.0`, ""},
		{"below the minimum", defined(vault.TypeNumber, from("18")), `17.999999999999999999`, "", "is less than the minimum, 18"},
		{"the maximum itself", defined(vault.TypeNumber, to("1e2")), `100`, `100`, ""},
		{"above the maximum", defined(vault.TypeNumber, to("100"), in("kg")), `100.0000000000000000001`, "", "is more than the maximum, 100 kg"},
		{"a negative number above a negative minimum", defined(vault.TypeNumber, from("-20")), `-19.5`, `-19.5`, ""},
		{"a negative number below a negative minimum", defined(vault.TypeNumber, from("-20")), `-200`, "", "is less than the minimum"},
		{"below a minimum of zero", defined(vault.TypeNumber, from("0")), `-0.1`, "", "is less than the minimum"},
		{"minus zero is zero", defined(vault.TypeNumber, from("0")), `-0`, `-0`, ""},
		{"a number of a text is checked as well", defined(vault.TypeNumber, to("100")), `"101"`, "", "is more than the maximum, 100"},

		{"a local time in summer", defined(vault.TypeDatetime, zone("Europe/Berlin")), `"2026-07-01T14:30:00"`, `"2026-07-01T12:30:00Z"`, ""},
		{"a local time in winter", defined(vault.TypeDatetime, zone("Europe/Berlin")), `"2026-01-01 14:30"`, `"2026-01-01T13:30:00Z"`, ""},
		{"a local time on another day in UTC", defined(vault.TypeDatetime, zone("Pacific/Auckland")), `"2026-01-02T01:00"`, `"2026-01-01T12:00:00Z"`, ""},
		{"a time with its offset", defined(vault.TypeDatetime, zone("Europe/Berlin")), `"2026-07-01T14:30:00-04:00"`, `"2026-07-01T18:30:00Z"`, ""},
		{"a time in UTC", defined(vault.TypeDatetime, zone("Europe/Berlin")), `"2026-07-01T14:30:00Z"`, `"2026-07-01T14:30:00Z"`, ""},
		{"a time that the zone skips", defined(vault.TypeDatetime, zone("Europe/Berlin")), `"2026-03-29T02:30"`, "", "does not exist in the time zone Europe/Berlin, because its clocks are put forward then"},
		{"a time that the zone has twice", defined(vault.TypeDatetime, zone("Europe/Berlin")), `"2026-10-25T02:30"`, "", "exists twice in the time zone Europe/Berlin, because its clocks are put back then"},
		{"the same time with its offset", defined(vault.TypeDatetime, zone("Europe/Berlin")), `"2026-10-25T02:30:00+01:00"`, `"2026-10-25T01:30:00Z"`, ""},
		{"a time that clocks skip elsewhere", defined(vault.TypeDatetime, zone("America/New_York")), `"2026-03-29T02:30"`, `"2026-03-29T06:30:00Z"`, ""},
		{"a day for a time", defined(vault.TypeDatetime, zone("Europe/Berlin")), `"2026-03-29"`, "", "is not a date and time in the time zone Europe/Berlin, such as 2026-03-31T14:30:00"},
		{"a local time without a zone", defined(vault.TypeDatetime), `"2026-07-01T14:30:00"`, "", "is not a date and time in RFC 3339"},

		{"a national number", defined(vault.TypePhone, region("DE")), `"030 90 18 20"`, `"+4930901820"`, ""},
		{"a national number of another region", defined(vault.TypePhone, region("GB")), `"020 7946 0958"`, `"+442079460958"`, ""},
		{"a national number without a prefix", defined(vault.TypePhone, region("US")), `"(415) 555-2671"`, `"+14155552671"`, ""},
		{"an international number", defined(vault.TypePhone, region("DE")), `"+44 20 7946 0958"`, `"+442079460958"`, ""},
		{"an international number after 00", defined(vault.TypePhone, region("DE")), `"0044 20 7946 0958"`, `"+442079460958"`, ""},
		{"a number that the region has not", defined(vault.TypePhone, region("US")), `"030 90 18 20"`, "", "is not a phone number of the region US, such as (201) 555-0123, or in international format, such as +12015550123"},
		{"words around a national number", defined(vault.TypePhone, region("DE")), `"call 030 901820"`, "", "is not a phone number of the region DE"},
		{"a national number without a region", defined(vault.TypePhone), `"030 90 18 20"`, "", "is not a phone number in international format"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := rules.CheckValue(tc.def, "field", json.RawMessage(tc.value), vault.ModeStrict)
			if tc.wantError == "" {
				if err != nil || string(got.Value) != tc.want {
					t.Fatalf("got %s, %v, want %s", got.Value, err, tc.want)
				}
				again, err := rules.CheckValue(tc.def, "field", got.Value, vault.ModeStrict)
				if err != nil || string(again.Value) != tc.want {
					t.Fatalf("the stored form becomes %s, %v", again.Value, err)
				}
				return
			}
			if err == nil || !strings.Contains(asError(t, err).Message, "field: the value "+tc.wantError) {
				t.Fatalf("got %v, want %s", err, tc.wantError)
			}
			warned, err := rules.CheckValue(tc.def, "field", json.RawMessage(tc.value), vault.ModeWarn)
			if err != nil || len(warned.Warnings) != 1 {
				t.Errorf("mode warn: %+v, %v", warned, err)
			}
		})
	}
}

func TestCheck_DefinitionRulesFitTheirType(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, want string // want is empty for a valid definition
		def        *vault.Definition
	}{
		{"a number with everything", "", defined(vault.TypeNumber, in("kg"), limits("0", "500"))},
		{"limits that are equal", "", defined(vault.TypeNumber, limits("1e1", "10"))},
		{"a limit of null", "", defined(vault.TypeNumber, limits("null", "10"))},
		{"a time zone", "", defined(vault.TypeDatetime, zone("America/Argentina/Buenos_Aires"))},
		{"UTC", "", defined(vault.TypeDatetime, zone("UTC"))},
		{"a region", "", defined(vault.TypePhone, region("NO"))},
		{"a unit of a text", "unit: is only for the value_type number, and this one is string; leave it out", defined(vault.TypeString, in("kg"))},
		{"a limit of a date", "minimum: is only for the value_type number, and this one is date; leave it out", defined(vault.TypeDate, from("1"))},
		{"a limit that is a text", "maximum: is not a number, such as 12.50", defined(vault.TypeNumber, to(`"10"`))},
		{"limits in the wrong order", "maximum: is less than the minimum, so no value could be stored", defined(vault.TypeNumber, limits("10", "9.99"))},
		{"a long unit", "unit: is longer than 50 characters", defined(vault.TypeNumber, in(strings.Repeat("k", 51)))},
		{"an allowed number outside the range", "allowed_values[1]: is more than the maximum, 10", defined(vault.TypeNumber, to("10"), allowing(`10`, `11`))},
		{"a time zone of a day", "time_zone: is only for the value_type datetime, and this one is date; leave it out", defined(vault.TypeDate, zone("Europe/Berlin"))},
		{"an unknown time zone", "time_zone: is not an IANA time zone, such as Europe/Berlin", defined(vault.TypeDatetime, zone("Europe/Atlantis"))},
		{"the zone of the machine", "time_zone: is not an IANA time zone, such as Europe/Berlin", defined(vault.TypeDatetime, zone("Local"))},
		{"a path for a time zone", "time_zone: is not an IANA time zone, such as Europe/Berlin", defined(vault.TypeDatetime, zone("../zoneinfo/UTC"))},
		{"an abbreviation of two zones", "time_zone: is not an IANA time zone, such as Europe/Berlin", defined(vault.TypeDatetime, zone("IST"))},
		{"a region of an email address", "default_region: is only for the value_type phone, and this one is email; leave it out", defined(vault.TypeEmail, region("DE"))},
		{"an unknown region", "default_region: is not a region with phone numbers: two capital letters of ISO 3166, such as DE", defined(vault.TypePhone, region("XX"))},
		{"a region in small letters", "default_region: is not a region with phone numbers: two capital letters of ISO 3166, such as DE", defined(vault.TypePhone, region("de"))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.def.AgentID = someID
			err := rules.Check(*tc.def)
			switch {
			case tc.want == "" && err != nil:
				t.Fatal(err)
			case tc.want != "" && (err == nil || err.Error() != tc.want):
				t.Fatalf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// A number is inside the range exactly if exact arithmetic says so.
func TestCheckValue_RangeIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		literal := rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,25})?(e-?[0-9]{1,2})?`)
		value, limit := literal.Draw(t, "value"), literal.Draw(t, "limit")
		exact := func(s string) *big.Rat {
			r, ok := new(big.Rat).SetString(s)
			if !ok {
				t.Fatalf("%s is no number", s)
			}
			return r
		}
		order := exact(value).Cmp(exact(limit))
		check := func(d *vault.Definition) bool {
			_, err := rules.CheckValue(d, "field", json.RawMessage(value), vault.ModeStrict)
			return err == nil
		}
		if got := check(defined(vault.TypeNumber, from(limit))); got != (order >= 0) {
			t.Fatalf("%s from %s: %t", value, limit, got)
		}
		if got := check(defined(vault.TypeNumber, to(limit))); got != (order <= 0) {
			t.Fatalf("%s to %s: %t", value, limit, got)
		}
	})
}
