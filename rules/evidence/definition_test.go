package evidence_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/vault"
)

func in(unit string) func(*vault.Definition) { return func(d *vault.Definition) { d.Unit = unit } }

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

func inZone(name string) func(*vault.Definition) {
	return func(d *vault.Definition) { d.TimeZone = name }
}

func region(code string) func(*vault.Definition) {
	return func(d *vault.Definition) { d.DefaultRegion = code }
}

// The quote must hold the number in the unit of the definition, the time in its zone, the phone number in its region.
func TestCheck_DefinitionSaysMore(t *testing.T) {
	t.Parallel()
	kg, salary := defined(vault.TypeNumber, in("kg"), limits("20", "500")), defined(vault.TypeNumber, in("EUR/year"))
	berlin, german := defined(vault.TypeDatetime, inZone("Europe/Berlin")), defined(vault.TypePhone, region("DE"))
	for _, tc := range []struct {
		def         *vault.Definition
		turn, value string
		ok          bool
	}{
		{kg, "I weigh 80 kg.", `80`, true},
		{kg, "I weigh 80.", `80`, true},
		{kg, "About 80 kilos, I think", `80`, true},
		{kg, "I weigh 180 pounds", `180`, false},
		{kg, "I weigh 180lbs", `180`, false},
		{kg, "I am 180 cm and weigh 80 kg", `180`, false},
		{kg, "I am 180 cm and weigh 80 kg", `80`, true},
		{kg, "I weigh eighty kilos", `80`, true},
		{kg, "I weigh eighty pounds", `80`, false},
		{kg, "I weigh 12 kg", `12`, false},
		{kg, "I weigh 1200 kg", `1200`, false},
		{salary, "I earn 54,000 euros a year", `54000`, true},
		{salary, "I earn €54,000", `54000`, true},
		{salary, "I earn 4,500 a month", `4500`, false},
		{salary, "4,500 EUR monthly", `4500`, false},
		{salary, "I earn $54,000 a year", `54000`, false},
		{berlin, "on 2026-07-01 at 14:30", `"2026-07-01T14:30:00"`, true},
		{berlin, "on 2026-07-01 at 14:30", `"2026-07-01T12:30:00Z"`, true},
		{berlin, "on 2026-07-01 at 14:30", `"2026-07-01T14:30:00Z"`, false},
		{berlin, "on 2026-07-01 at 14:30 UTC", `"2026-07-01T14:30:00Z"`, true},
		{berlin, "on 2026-07-01 at 14:30 UTC", `"2026-07-01T14:30:00"`, false},
		{berlin, "on 2026-07-01 at 14:30 EST", `"2026-07-01T14:30:00"`, false},
		{german, "You can call me on 030 901820", `"+4930901820"`, true},
		{german, "You can call me on 030 901820", `"030/901820"`, true},
		{german, "You can call me on 030 901821", `"+4930901820"`, false},
		{german, "You can call me on +44 20 7946 0958", `"+442079460958"`, true},
		{defined(vault.TypePhone), "You can call me on 030 901820", `"+4930901820"`, false},
	} {
		_, problem := check(vault.Candidate{
			FieldName: "field", Value: json.RawMessage(tc.value), Confidence: 0.97, Quote: tc.turn,
		}, tc.def, customer(tc.turn))
		if (problem == nil) != tc.ok {
			t.Errorf("%s %q: %s: got %v", tc.def.ValueType, tc.turn, tc.value, problem)
		}
	}
}
