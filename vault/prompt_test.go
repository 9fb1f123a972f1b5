package vault_test

import (
	"testing"

	"github.com/contextvault/contextvault/vault"
)

func TestDefinition_DefaultPrompts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, display string
		valueType     vault.ValueType
		want          string
	}{
		{"date_of_birth", "", vault.TypeDate, "What is your date of birth?"},
		{"date_of_birth", "Date of Birth", vault.TypeDate, "What is your date of birth?"},
		{"email", "Email address", vault.TypeEmail, "What is your email address?"},
		{"account_id", "", vault.TypeString, "What is your account ID?"},
		{"vat_number", "VAT number", vault.TypeString, "What is your VAT number?"},
		{"iban", "", vault.TypeString, "What is your IBAN?"},
		{"dietary_requirements", "", vault.TypeString, "What are your dietary requirements?"},
		{"dates_of_travel", "", vault.TypeString, "What are your dates of travel?"},
		{"address", "", vault.TypeString, "What is your address?"},
		{"number_of_guests", "", vault.TypeNumber, "How many guests?"},
		{"claims", "Claims", vault.TypeNumber, "How many claims?"},
		{"annual_income", "", vault.TypeNumber, "What is your annual income?"},
		{"is_smoker", "", vault.TypeBoolean, "Are you a smoker?"},
		{"is_married", "", vault.TypeBoolean, "Are you married?"},
		{"is_over_18", "", vault.TypeBoolean, "Are you over 18?"},
		{"has_children", "", vault.TypeBoolean, "Do you have children?"},
		{"has_account", "", vault.TypeBoolean, "Do you have an account?"},
		{"has_accepted_terms", "", vault.TypeBoolean, "Have you accepted terms?"},
		{"wants_newsletter", "", vault.TypeBoolean, "Do you want a newsletter?"},
		{"accepts_terms", "", vault.TypeBoolean, "Do you accept terms?"},
		{"terms_accepted", "Terms accepted", vault.TypeBoolean, "Terms accepted: yes or no?"},
		{"is", "", vault.TypeBoolean, "Is: yes or no?"},
	} {
		d := vault.Definition{Name: tc.name, DisplayName: tc.display, ValueType: tc.valueType}
		if got := d.Prompt(); got != tc.want {
			t.Errorf("%s %q: %q, want %q", tc.name, tc.display, got, tc.want)
		}
	}
	if own := (vault.Definition{Name: "age", CollectionPrompt: "How old are you?"}).Prompt(); own != "How old are you?" {
		t.Errorf("the prompt of the definition is replaced by %q", own)
	}
}
