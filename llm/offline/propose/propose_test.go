package propose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/llmtest"
	"github.com/contextvault/contextvault/vault"
)

var proposeCases = []struct{ text, want string }{
	// sentences
	{"the customer is over 18", "date_of_birth"},
	{"Open a bank account for a customer.", ""},
	{"if the customer is older than 21 years", "date_of_birth"},
	{"If the customer is at least 18 years old, continue; otherwise stop.", "date_of_birth"},
	{"Only customers over 18 may order.", "date_of_birth"},
	{"Users must be 18+ to use this service.", "date_of_birth"},
	{"Applicants aged 25 or older get a discount", "date_of_birth"},
	{
		"Onboarding of a new customer over 18. We need their email address and full legal name.",
		"date_of_birth email legal_name",
	},
	{"The customer provides their e-mail address.", "email"},
	{"The agent needs a phone number to call back.", "phone"},
	{"Ask for the order number and the shipping address.", "order_number shipping_address"},
	{
		"Collect the customer's loyalty card number, shoe size and dietary preferences.",
		"membership_number shoe_size dietary_preferences",
	},
	{"Do not continue without the customer's passport number.", "passport_number"},
	{"What is your date of birth?", "date_of_birth"},
	{"Ask how many people will attend.", "party_size"},
	{"Ask the customer for their name and income.", "full_name income"},
	{"The income of the applicant is needed.", "income"},
	{"The country of the customer must be known.", "country"},
	{"Customers who live in Germany get free shipping.", "country"},
	{"Request a valid passport number, unless the customer is a citizen of France.", "passport_number~ nationality"},
	{"We need to know the customer's annual income and employment status", "income employment_status"},
	{"Please tell us your order number and when you bought it.", "order_number"},
	{"Ask them to enter their tax ID and the name of their company.", "tax_id company_name"},
	{"For minors, ask for a guardian's phone number.", "date_of_birth? guardian_phone_number~"},
	{"If the customer wants to change their shipping address, open the form.", ""},

	// verified, optional
	{"email is verified", "email!"},
	{"The phone number must be verified before the payout.", "phone!"},
	{"A verified email is required.", "email!"},
	{"Verify their email and look up the order.", "email!"},
	{"Optionally ask for their preferred language.", "preferred_language~"},
	{"The customer may provide a phone number if available.", "phone~"},

	// actions of the agent, and facts that must not be requested
	{"Send the customer an email with the receipt.", ""},
	{"Call the customer by phone and tell them the tracking number.", ""},
	{"Tell them their account number.", ""},
	{"Provide the customer with the booking reference.", ""},
	{"Do not ask for their social security number.", ""},
	{"Never collect the passport number.", ""},
	{"Email is not required.", ""},
	{"Our phone number is on the website. Our company name is Acme.", ""},
	{"Confirm the hotel address with the guest.", ""},
	{"The customer must provide proof of address.", ""},
	{"Explain the refund policy. Offer a discount. Ask for feedback.", ""},
	{"Orders over 50 euros ship for free.", ""},
	{"The customer has been with us for over 20 years.", ""},
	{"Check the customer's identity.", ""},
	{"Reserve a table at a restaurant", ""},

	// expressions
	{"= age >= 18", "date_of_birth"},
	{"= 18 <= age", "date_of_birth"},
	{"= fields.date_of_birth != null && fields.email.verified == true", "date_of_birth email!"},
	{"= customer.country in [\"DE\", \"AT\"] && session.channel == \"web\"", "country"},
	{"= fields[\"shoe_size\"] > 40", "shoe_size"},
	{"= has(fields.loyalty_tier) && fields.loyalty_tier == \"gold\"", "loyalty_tier"},
	{"= fields.email.endsWith(\"@example.com\")", "email"},
	{"= emailVerified", ""}, // one word alone may be prose
	{"= email_verified && is_member", "email! is_member?"},
	{"= age >= 18 and country == 'DE'", "date_of_birth country"},
	{"= session.step == 3 || scenario.variables.x == \"y\"", ""},
	{"Only when age >= 18 the customer may go on.", "date_of_birth"},
	{"if order_total > 100 then ask for the billing address", "order_total? billing_address"},
}

func TestPropose_RequiredFacts(t *testing.T) {
	for _, c := range proposeCases {
		content, condition := strings.CutPrefix(c.text, "= ")
		got := Propose(
			llm.ProposeRequest{Title: "Email support", Texts: []llm.Text{{Label: "text", Text: content, Condition: condition}}},
		)
		if diff := cmp.Diff(
			strings.Fields(c.want),
			llmtest.Sketch(got),
			cmp.Transformer("", func(s []string) string { return fmt.Sprint(s) }),
		); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

func TestPropose_CompleteDefinition(t *testing.T) {
	got := Propose(llm.ProposeRequest{Texts: []llm.Text{{Text: "This offer is for a customer over 18."}}})
	want := []vault.ProposedRequirement{
		{
			Name:             "date_of_birth",
			DisplayName:      "Date of birth",
			ValueType:        vault.TypeDate,
			CollectionPrompt: "What is your date of birth?",
			Examples:         []string{"1990-03-17", "17 March 1990"},
			IsPII:            true,
			Level:            vault.LevelHard,
			Fallback:         vault.FallbackAsk,
			Confidence:       confidenceAge,
			Quote:            "a customer over 18",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPropose_InfersType(t *testing.T) {
	for content, want := range map[string]vault.ValueType{
		"fields.shoe_size > 40":                vault.TypeNumber,
		"fields.is_smoker == true":             vault.TypeBoolean,
		"fields.expiry_date < \"2030-01-01\"":  vault.TypeDate,
		"fields.tier == \"gold\"":              vault.TypeString,
		"fields.backup_email != null":          vault.TypeEmail,
		"fields.guardian_phone_number != null": vault.TypePhone,
		"fields.portfolio_url != null":         vault.TypeURL,
		"fields.number_of_children > 2":        vault.TypeNumber,
		"fields.serial_number == \"1\"":        vault.TypeString,
	} {
		got := Propose(llm.ProposeRequest{Texts: []llm.Text{{Text: content, Condition: true}}})
		if len(got) != 1 || got[0].ValueType != want || got[0].CollectionPrompt == "" || got[0].DisplayName == "" {
			t.Errorf("%s: %+v, want type %s", content, got, want)
		}
	}
}

func TestPropose_ReusesExistingDefinitions(t *testing.T) {
	existing := []vault.Definition{
		{Name: "dob", ValueType: vault.TypeDate, CollectionPrompt: "When were you born?"},
		{Name: "e_mail", DisplayName: "E-mail address", ValueType: vault.TypeEmail},
		{
			Name:          "loyalty_level",
			DisplayName:   "Loyalty tier",
			ValueType:     vault.TypeString,
			AllowedValues: llmtest.Definitions("x:string[gold,silver]")[0].AllowedValues,
		},
	}
	got := Propose(llm.ProposeRequest{Existing: existing, Texts: []llm.Text{
		{
			Text: "Ask for the customer's date of birth, their e-mail address and loyalty tier.",
		},
		{Text: "age >= 18", Condition: true},
	}})
	if diff := cmp.Diff([]string{"dob", "e_mail", "loyalty_level"}, llmtest.Sketch(got)); diff != "" {
		t.Fatal(diff)
	}
	if got[0].CollectionPrompt != "When were you born?" || len(got[2].AllowedValues) != 2 {
		t.Errorf("prompts and allowed values of existing definitions are lost: %+v", got)
	}
	got = Propose(
		llm.ProposeRequest{
			Existing: []vault.Definition{{Name: "age", ValueType: vault.TypeNumber}},
			Texts:    []llm.Text{{Text: "age >= 18", Condition: true}},
		},
	)
	if diff := cmp.Diff([]string{"age"}, llmtest.Sketch(got)); diff != "" {
		t.Error("an existing definition age is not reused:", diff)
	}
}

func TestPropose_MergesMentions(t *testing.T) {
	got := Propose(llm.ProposeRequest{Texts: []llm.Text{
		{
			Text: "The customer may provide an email address.",
		},
		{Text: "The email must be verified."},
		{Text: "Look at the customer's email address again."},
	}})
	if diff := cmp.Diff([]string{"email!"}, llmtest.Sketch(got)); diff != "" {
		t.Error(diff)
	}
}

// For every text, a proposal has a valid name and quotes the text exactly.
func TestPropose_AlwaysQuotesText(t *testing.T) {
	pieces := []string{
		"ask for",
		"the customer's",
		"their",
		"email",
		"order number",
		"over 18",
		"fields.x",
		"age >= 18",
		"is verified",
		"do not",
		",",
		"and",
		".",
		"shoe size",
		"\n",
		"é",
		"(",
		"born in",
		"lives in",
		"Germany",
		"how many people",
		"optional",
		"of the",
		"number of",
		"+",
		"%",
		"\"a b\"",
		"in [1]",
		"\u0300",
	}
	rapid.Check(t, func(t *rapid.T) {
		content := strings.Join(
			rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(pieces), rapid.String()), 1, 15).Draw(t, "pieces"),
			rapid.SampledFrom([]string{"", " "}).Draw(t, "glue"),
		)
		condition := rapid.Bool().Draw(t, "condition")
		req := llm.ProposeRequest{Texts: []llm.Text{{Text: content, Condition: condition}}}
		seen := map[string]bool{}
		got := Propose(req)
		for _, p := range got {
			if !vault.NamePattern.MatchString(p.Name) || len(p.Name) > vault.MaxNameLength || seen[p.Name] {
				t.Fatalf("bad name %q", p.Name)
			}
			if p.Quote == "" || !strings.Contains(content, p.Quote) || p.Confidence <= 0 || p.Confidence > 1 ||
				p.CollectionPrompt == "" {
				t.Fatalf("bad proposal %+v", p)
			}
			seen[p.Name] = true
		}
		if diff := cmp.Diff(got, Propose(req)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestPropose_LongTextIsFast(t *testing.T) {
	for _, piece := range []string{"email ", "over 18 ", "fields.x ", "ask for the customer's a, ", "x == 1 ", "their "} {
		start := time.Now()
		Propose(llm.ProposeRequest{Texts: []llm.Text{{Text: strings.Repeat(piece, 20000/len(piece)), Condition: true}}})
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q repeated took %v", piece, took)
		}
	}
}
