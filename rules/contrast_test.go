package rules_test

import (
	"testing"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestContrasting_Pairs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"pickup_date", "pickup_time", true},
		{"from_station", "to_station", true},
		{"first_name", "last_name", true},
		{"check_in_date", "check_out_date", true},
		{"recipient_account_type", "recipient_account_name", true},
		{"date_of_birth", "dob", false},
		{"date_of_birth", "birth_date", false},
		{"email", "email_address", false},
		{"order_number", "order_id", false},
		{"surname", "last_name", false},
		{"shipping_address", "delivery_address", false},
	} {
		if got := rules.Contrasting(tc.a, tc.b); got != tc.want || rules.Contrasting(tc.b, tc.a) != got {
			t.Errorf("%s and %s: %v", tc.a, tc.b, got)
		}
	}
	if !vault.TypeDate.Compatible(vault.TypeDatetime) || !vault.TypeString.Compatible(vault.TypePhone) || vault.TypeDate.Compatible(vault.TypeNumber) {
		t.Error("types")
	}
}
