package propose

import (
	"slices"
	"testing"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// Names that a text gives only together with its other parts: its topic, a list of questions, what was named before.
func TestPropose_NamesFromTheRestOfTheText(t *testing.T) {
	for _, tt := range []struct {
		name, text  string
		definitions []string
		want, not   []string
	}{
		{
			name: "a bare amount", text: "Car insurance claims\nA claim starts with a call. Ask for the amount.",
			want: []string{"claim_amount"}, not: []string{"amount"},
		},
		{name: "an amount without a topic", text: "Collect the amount.", not: []string{"amount"}},
		{
			name: "the amount of the agent", text: "Grant application\nEvery grant has a limit. You need: the desired amount.",
			definitions: []string{"desired_amount"}, want: []string{"desired_amount"}, not: []string{"grant_amount"},
		},
		{
			name: "a list of questions", text: "Exchanges\nAn exchange is free. Which size do they need, how many, and why?",
			want: []string{"quantity", "reason_for_exchange"},
		},
		{name: "one question", text: "Which size do they need and how many pieces?", not: []string{"quantity"}},
		{name: "a choice", text: "Delivery to the door or to a pickup point?", want: []string{"delivery_method"}},
		{
			name: "a choice that the agent defines", text: "Payment by card or bank transfer?",
			definitions: []string{"payment_method"}, want: []string{"payment_method"},
		},
		{name: "no choice", text: "Listen to the customer or read the ticket.", not: []string{"listen_method"}},
		{
			name: "a fact that is absent", text: "Text the code to the mobile number on file. If it is missing, ask for it.",
			want: []string{"phone"},
		},
		{name: "a fact that was named before another", text: "Ask for the order number. Mail the receipt to the email " +
			"address; if we don't have one, ask for one.", want: []string{"order_number", "email"}},
		{
			name: "a stay", text: "Find out the arrival date and the departure date.",
			want: []string{"check_in_date", "check_out_date"},
		},
		{
			name: "a journey", text: "Find out the departure date and the arrival date.",
			want: []string{"departure_date", "arrival_date"}, not: []string{"check_in_date"},
		},
		{name: "the main person", text: "Collect the name of the lead passenger.", want: []string{"full_name"}},
		{
			name: "guests and people", text: "How many guests are coming?", definitions: []string{"party_size"},
			want: []string{"party_size"}, not: []string{"number_of_guests"},
		},
		{name: "a wish", text: "Ask if they want breakfast.", want: []string{"breakfast"}},
		{name: "what they have", text: "Find out whether the guest has any pets.", want: []string{"has_pets"}},
		{name: "what they are", text: "Are you a student?", want: []string{"is_student"}},
		{
			name: "a wish that the agent defines", text: "Do you need parking?", definitions: []string{"parking_needed"},
			not: []string{"parking"},
		},
		{name: "a fact that they may know", text: "Do you have your order number?", not: []string{"has_order_number"}},
		{name: "what they want to do", text: "Ask whether they want to cancel.", not: []string{"cancel"}},
		{name: "no fact", text: "Check if they have questions.", not: []string{"has_questions"}},
		{name: "a condition", text: "If they have pets, tell them the rules.", not: []string{"has_pets"}},
		{name: "the ends of a period", text: "Required: first and last day.", want: []string{"start_date", "end_date"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := llm.ProposeRequest{Texts: []llm.Text{{Label: "description", Text: tt.text}}}
			for _, name := range tt.definitions {
				req.Existing = append(req.Existing, vault.Definition{Name: name, ValueType: vault.TypeString, Enabled: true})
			}
			var got []string
			for _, p := range Propose(req) {
				got = append(got, p.Name)
			}
			for _, name := range tt.want {
				if !slices.Contains(got, name) {
					t.Errorf("got %v, want %s", got, name)
				}
			}
			for _, name := range tt.not {
				if slices.Contains(got, name) {
					t.Errorf("got %v, not %s", got, name)
				}
			}
		})
	}
}
