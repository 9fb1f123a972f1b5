package propose

import (
	"strings"
	"testing"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/llmtest"
)

// Each text with the names of its requirements, ~ if optional.
func TestPropose_Wordings(t *testing.T) {
	for content, want := range map[string]string{
		// a modifier or a head that two nouns share
		"We need: drop-off location and date/time.":          "drop_off_location drop_off_date drop_off_time",
		"Ask for the invoice number and date.":               "invoice_number invoice_date",
		"Ask for the invoice number and the email.":          "invoice_number email",
		"Required: start and end date.":                      "start_date end_date",
		"Collect the billing and shipping address.":          "billing_address shipping_address",
		"Collect the first and last name.":                   "first_name last_name",
		"Ask for the home or work address.":                  "address work_address",
		"Visit\n- viewing address (if known), date and time": "viewing_address~ viewing_date viewing_time",

		// words that are verbs or nouns
		"Move\n- transfer date\n- contact name\n- call time":    "transfer_date contact_name call_time",
		"Lease\n- return location (only if different) and date": "return_location~ return_date",
		"Calls and reports":                       "",
		"Transfers are free within 3 days.":       "",
		"Transfer the amount and close the case.": "",

		// an age, and ranges of other things
		"Rates run from 2 to 5 percent over 24 to 60 months.": "",
		"Parcels over 20-30 kg go by lorry.":                  "",
		"Contracts over 24 and 36 weeks are possible.":        "",
		"Only customers over 18 to 70 may apply.":             "date_of_birth",

		// possessives that belong to the name
		"Ask for the driver's licence number.": "drivers_license_number",
		"Ask for the driver's license number.": "drivers_license_number",
		"Ask for the customer's email.":        "email",

		// consent
		"We must have the explicit consent to a background check.":    "consent_background_check",
		"We need to have their consent to the recording of the call.": "consent_recording_of_call",
		"Get their consent to marketing.":                             "newsletter_consent",

		// the designer's own words
		"Ask for the travel date.": "travel_date",

		// one rule a line
		"Rules\nif the bill is unpaid explain the fee\nif the bill is paid thank them\nWe need the order number": "order_number",
		"Ask for the voucher code\nif they have one":                                                             "voucher_code~",
	} {
		got := llmtest.Sketch(Propose(llm.ProposeRequest{Texts: []llm.Text{{Text: content}}}))
		for i, name := range got {
			got[i] = strings.TrimSuffix(name, "?")
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", content, got, want)
		}
	}
}
