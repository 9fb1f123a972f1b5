package reply_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/vault"
)

func TestQuestion_TextsForCustomers(t *testing.T) {
	t.Parallel()
	order := vault.Definition{
		Name: "order_number", DisplayName: "Order number", ValueType: vault.TypeString, ValidationRegex: `[A-Z]-\d{5}`, Enabled: true,
	}
	withExample, withText := order, order
	withExample.ExtractionExamples = []string{"B-12345"}
	withText.RetryPrompt = "It is on your invoice."
	birth := vault.Definition{Name: "date_of_birth", DisplayName: "Date of birth", ValueType: vault.TypeDate, Enabled: true}
	vehicle := vault.Definition{
		Name: "vehicle_type", ValueType: vault.TypeString, AllowedValues: allowed("car", "motorcycle", "van"), Enabled: true,
	}
	terms := vault.Definition{
		Name: "terms_accepted", ValueType: vault.TypeBoolean, CollectionPrompt: "Do you accept our terms?", Enabled: true,
	}
	secret := vault.Definition{Name: "full_name", ValueType: vault.TypeString, IsPII: true, Enabled: true}
	for _, tc := range []struct {
		def                            vault.Definition
		candidate, said, reason, retry string
	}{
		{
			order, ``, "12345", "Sorry, I cannot use that answer as the order number.",
			"Please check the order number and give it again.",
		},
		{
			withExample, ``, "12345", "Sorry, I cannot use that answer as the order number.",
			"Please check the order number and give it again, such as B-12345.",
		},
		{withText, ``, "12345", "It is on your invoice.", "Please check the order number and give it again."},
		{
			birth, ``, "in spring, maybe", "Sorry, I cannot use that answer as the date of birth.",
			"Please give the date of birth with day, month and year, such as 14 March 1990.",
		},
		{
			vehicle, ``, "whatever", "Sorry, I did not find the vehicle type in that answer.",
			"Please choose the vehicle type: car, motorcycle or van.",
		},
		{
			terms, ``, "maybe", "Sorry, I did not find the terms accepted in that answer.",
			"Do you accept our terms? Please answer yes or no.",
		},
		{
			birth, `"1990-03-14"`, "who knows", "Sorry, I did not understand whether the date of birth is right.",
			"Is 1990-03-14 the right date of birth? Please answer yes or no, or give the right date of birth.",
		},
		{
			secret, `"Ada Quill"`, "who knows", "Sorry, I did not understand whether the full name is right.",
			"Is the full name that you gave right? Please answer yes or no, or give the right full name.",
		},
	} {
		q := reply.Question{Definition: tc.def, Confirm: tc.candidate != "", Candidate: json.RawMessage(tc.candidate)}
		said, err := json.Marshal(tc.said)
		if err != nil {
			t.Fatal(err)
		}
		r := q.Read(said, nil)
		if r.Kind != reply.Unclear {
			t.Errorf("%s: %q is read as %s", tc.def.Name, tc.said, r.Kind)
		}
		if got := q.Reason(r); got != tc.reason {
			t.Errorf("%s: the reason is %q, want %q", tc.def.Name, got, tc.reason)
		}
		if got := q.RetryPrompt(); got != tc.retry {
			t.Errorf("%s: the prompt is %q, want %q", tc.def.Name, got, tc.retry)
		}
		if strings.Contains(q.Reason(r)+q.RetryPrompt(), "_") {
			t.Errorf("%s: the texts contain its name", tc.def.Name)
		}
	}
}

// A value of another field is certain by its form and its name in the answer. A text without a form is not.
func TestRead_CertaintyOfOtherValues(t *testing.T) {
	t.Parallel()
	others := []vault.Definition{
		{Name: "email", ValueType: vault.TypeEmail, Enabled: true}, {Name: "employer", ValueType: vault.TypeString, Enabled: true},
	}
	said := func(field, value, quote string) vault.Candidate {
		return vault.Candidate{FieldName: field, Value: json.RawMessage(`"` + value + `"`), Confidence: 0.97, Quote: quote, Turn: 1}
	}
	for _, c := range []struct {
		reply   string
		found   vault.Candidate
		certain bool
	}{
		{"36, and my email is rui@example.org", said("email", "rui@example.org", "my email is rui@example.org"), true},
		{"36, and maybe my email is rui@example.org", said("email", "rui@example.org", "my email is rui@example.org"), false},
		{"36, and my employer is Acme Steel", said("employer", "Acme Steel", "my employer is Acme Steel"), false},
	} {
		q := reply.Question{Definition: vault.Definition{Name: "age", ValueType: vault.TypeNumber}, Others: others}
		raw, _ := json.Marshal(c.reply)
		got := q.Read(raw, func([]vault.Definition, []vault.Turn) []vault.Candidate { return []vault.Candidate{c.found} }).Also
		if len(got) != 1 || got[0].Certain != c.certain {
			t.Errorf("%q states %+v, want one value with certain %t", c.reply, got, c.certain)
		}
	}
}
