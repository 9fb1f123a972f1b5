package unit_test

import (
	"testing"

	"github.com/contextvault/contextvault/rules/internal/unit"
)

func TestFits_UnitBesideNumber(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		unit, before, after string
		want                bool
	}{
		{"kg", "i weigh ", "", true},
		{"kg", "i weigh ", " kg.", true},
		{"kg", "i weigh ", "kg", true},
		{"kg", "i weigh ", " kilos", true},
		{"kg", "i weigh ", " pounds", false},
		{"kg", "i weigh ", " lbs", false},
		{"kg", "i weigh ", " and i am tall", true},
		{"kg", "i weigh ", " now", true},
		{"lb", "", " pounds", true},
		{"cm", "", " cm", true},
		{"cm", "", " m", false},
		{"cm", "", " feet", false},
		{"m²", "", " m²", true},
		{"m²", "", " sqm", true},
		{"m²", "", " m", false},
		{"EUR", "it was €", "", true},
		{"EUR", "it was ", " €", true},
		{"EUR", "it was ", " euros", true},
		{"EUR", "it was $", "", false},
		{"EUR", "it was ", " dollars", false},
		{"EUR", "it was ", " a month", false},
		{"EUR", "it was ", " monthly", false},
		{"EUR", "it was eur ", "", true},
		{"EUR", "it was usd ", "", false},
		{"EUR", "it was ", " sek", false},
		{"USD", "it was $", "", true},
		{"EUR per year", "i earn ", " a month", false},
		{"EUR per year", "i earn ", " euros per month", false},
		{"EUR per year", "i earn ", " euros a year", true},
		{"EUR/year", "i earn €", "", true},
		{"EUR/year", "i earn €", " per annum", true},
		{"EUR/year", "i earn $", " per annum", false},
		{"EUR/month", "i pay ", " monthly", true},
		{"EUR/month", "i pay ", " yearly", false},
		{"years", "i am ", " years old", true},
		{"years", "i am ", " months", false},
		{"years", "i pay ", " a year", false},
		{"nights", "for ", " nights", true},
		{"nights", "for ", " weeks", false},
		{"parcels", "", " parcels", true},
		{"parcels", "", " kg", false},
		{"kg", "i weigh ", " in the morning", true},
		{"kg", "i weigh ", " all together", true},
		{"kg", "try ", "", true},
		{"in", "it is ", " inches", true},
		{"inches", "it is ", " in", true},
		{"in", "it is ", " cm", false},
		{"TRY", "it was ", " try", true},
		{"TRY", "it was ", " eur", false},
		{"%", "", "%", true},
		{"%", "", " percent", true},
		{"%", "", " €", false},
		{"", "", " pounds", true},
	} {
		if got := unit.Fits(tc.unit, tc.before, tc.after); got != tc.want {
			t.Errorf("%q: %q…%q: got %t", tc.unit, tc.before, tc.after, got)
		}
	}
}

func TestTrim_NumberWithoutUnit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		unit, text, want string
		ok               bool
	}{
		{"kg", " 80 kg", "80", true},
		{"kg", "80.5kg", "80.5", true},
		{"kg", "80", "80", true},
		{"kg", "-80 kilos", "-80", true},
		{"kg", "80 lb", "", false},
		{"kg", "80 x", "", false},
		{"EUR", "€ 12.50", "12.50", true},
		{"EUR", "EUR 12.50", "12.50", true},
		{"EUR", "$12.50", "", false},
		{"EUR", "12.50 a month", "", false},
		{"EUR/month", "12.50 EUR/month", "12.50", true},
		{"EUR/month", "€12.50 per month", "12.50", true},
		{"EUR/month", "€12.50 per year", "", false},
		{"parcels", "3 parcels", "3", true},
		{"parcels", "1 parcel", "1", true},
		{"", "80 kg", "80 kg", true},
		{"kg", "eighty", "eighty", true},
	} {
		got, ok := unit.Trim(tc.unit, tc.text)
		if got != tc.want || ok != tc.ok {
			t.Errorf("%q: %q: got %q, %t", tc.unit, tc.text, got, ok)
		}
	}
}
