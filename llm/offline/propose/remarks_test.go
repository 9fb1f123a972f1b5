package propose

import (
	"slices"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// Texts of agents without definitions: each need as name, with ~ if it is optional and with its condition.
func TestPropose_NewDefinitions(t *testing.T) {
	for text, want := range map[string]string{
		"Perhaps ask for the job title.":                                        "job_title~",
		"Maybe get their job title and their email.":                            "job_title~ email~",
		"Ask for the order number (ten digits, on the receipt).":                "order_number",
		"Get the contract number (letters or digits) and the email.":            "contract_number email",
		"Collect the contact details (email and phone).":                        "email phone",
		"Ask for the email. No reason is needed.":                               "email",
		"In that case no passport number is required.":                          "",
		"We need the email, tax number or postal code, and date of birth.":      "email tax_id if !has(fields.postal_code) postal_code if !has(fields.tax_id) date_of_birth",
		"Required: weekly rent or lease payment, employment status, tax number": "weekly_rent employment_status tax_id",
		"Please have the order number ready.":                                   "order_number",
		"Have your contract number at hand.":                                    "contract_number",
		"An email address is enough.":                                           "email",
		"Ask for the 6-digit customer PIN.":                                     "pin",
		"Ask for the IMEI of the old handset.":                                  "imei",
		"Our desk: check-in is from 2 pm, check-out until 10 am.":               "",
		"Ask what the credit is for.":                                           "purpose",
		"We need: pick-up date, return date.":                                   "pick_up_date return_date",
	} {
		var got []string
		for _, p := range Propose(llm.ProposeRequest{Texts: []llm.Text{{Text: text}}}) {
			name := p.Name
			if p.Level == vault.LevelSoft {
				name += "~"
			}
			if p.WhenCondition != "" {
				name += " if " + p.WhenCondition
			}
			got = append(got, name)
		}
		if slices.Sort(got); !slices.Equal(got, sortedNeeds(want)) {
			t.Errorf("%q: got %q, want %q", text, strings.Join(got, ", "), want)
		}
	}
}

// sortedNeeds splits a line of needs; a condition belongs to the name before it.
func sortedNeeds(line string) []string {
	var out []string
	words := strings.Fields(line)
	for i := 0; i < len(words); i++ {
		need := words[i]
		if i+2 < len(words) && words[i+1] == "if" {
			need, i = strings.Join(words[i:i+3], " "), i+2
		}
		out = append(out, need)
	}
	slices.Sort(out)
	return out
}
