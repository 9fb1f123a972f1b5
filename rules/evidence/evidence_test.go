package evidence_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/vault"
)

// defined makes an enabled definition of a type.
func defined(t vault.ValueType, change ...func(*vault.Definition)) *vault.Definition {
	d := &vault.Definition{Name: "field", ValueType: t, Enabled: true}
	for _, c := range change {
		c(d)
	}
	return d
}

func allowing(values ...string) func(*vault.Definition) {
	return func(d *vault.Definition) {
		for _, v := range values {
			d.AllowedValues = append(d.AllowedValues, json.RawMessage(v))
		}
	}
}

func check(c vault.Candidate, def *vault.Definition, turns []vault.Turn) (evidence.Finding, *vault.Error) {
	return evidence.Read(turns).Check(c, def)
}

func customer(texts ...string) []vault.Turn {
	var turns []vault.Turn
	for _, text := range texts {
		turns = append(turns, vault.Turn{Index: len(turns), Speaker: vault.SpeakerCustomer, Text: text})
	}
	return turns
}

// An empty quote in a case means that the quote is the whole turn.
func TestCheck_OnlyStatedValues(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typ                vault.ValueType
		turn, quote, value string
		ok                 bool
	}{
		// string
		{vault.TypeString, `Hi, my name is  John Smith.`, `my name is john smith`, `"John Smith"`, true},
		{vault.TypeString, `Hi, I'm JOHN`, ``, `"John"`, true},
		{vault.TypeString, `It’s O’Brien`, `It's O'Brien`, `"O'Brien"`, true},
		{vault.TypeString, `I live in Zürich`, ``, `"zu` + "\u0308" + `rich"`, true},
		{vault.TypeString, `my name is "Ada"`, `“my name is "Ada"”`, `"Ada"`, true},
		{vault.TypeString, `東京に住んでいます`, ``, `"東京"`, true},
		{vault.TypeString, `Annual leave`, ``, `"Ann"`, false},
		{vault.TypeString, `My name is Annabel`, `My name is Ann`, `"Ann"`, false}, // the quote cuts a word
		{vault.TypeString, `I am John`, ``, `"John Smith"`, false},
		{vault.TypeString, `I am John`, `my name is John`, `"John"`, false},
		{vault.TypeString, `I am John`, `...`, `"John"`, false},
		{vault.TypeString, "my name is Ann\u200b.", ``, `"Ann"`, true},
		{vault.TypeString, "I am Ann\u0308abel", ``, `"Ann"`, false}, // a letter that Unicode has only in two parts
		{vault.TypeString, "I am Ann\u00adabel", ``, `"Ann"`, false}, // a hyphen that is not shown
		{vault.TypeString, `my name is not John`, ``, `"John"`, false},
		{vault.TypeString, `my name is not John`, `John`, `"John"`, false},
		{vault.TypeString, `I'm not John, I'm Jim`, ``, `"John"`, false},
		{vault.TypeString, `I'm not John, I'm Jim`, ``, `"Jim"`, true},
		{vault.TypeString, `I don't live in Paris`, ``, `"Paris"`, false},
		{vault.TypeString, `I no longer live in Paris`, ``, `"Paris"`, false},
		{vault.TypeString, `Paris is not my city`, ``, `"Paris"`, false},
		{vault.TypeString, `not Paris, I said Paris Hill; well, Paris`, ``, `"Paris"`, true},
		{vault.TypeString, `I don't mind Italian`, ``, `"Italian"`, true},
		{vault.TypeString, `Why not Italian?`, ``, `"Italian"`, true},
		{vault.TypeString, `Saturday is not a problem`, ``, `"Saturday"`, true},
		{vault.TypeString, `not only jazz`, ``, `"jazz"`, true},

		// email
		{vault.TypeEmail, `Write to me at Ada.L@Example.com.`, `Ada.L@Example.com`, `"Ada.L@example.com"`, true},
		{vault.TypeEmail, `mine is <ada@example.com>, ok?`, ``, `"ada@example.com"`, true},
		{vault.TypeEmail, `x.ada@example.com`, `ada@example.com`, `"ada@example.com"`, false},
		{vault.TypeEmail, `ada@example.com.au`, ``, `"ada@example.com"`, false},
		{vault.TypeEmail, `ada at example dot com`, ``, `"ada@example.com"`, false},
		{vault.TypeEmail, "\u202aada@example.com\u202c", ``, `"ada@example.com"`, true}, // as it comes out of an address book
		{vault.TypeEmail, `my email is not ada@example.com`, ``, `"ada@example.com"`, false},
		{vault.TypeEmail, `my email isn’t ada@example.com`, `ada@example.com`, `"ada@example.com"`, false},
		{vault.TypeEmail, `please don't use "ada@example.com"`, ``, `"ada@example.com"`, false},
		{vault.TypeEmail, `ada@example.com is not my address`, ``, `"ada@example.com"`, false},
		{vault.TypeEmail, `ada@example.com is wrong`, ``, `"ada@example.com"`, false},
		{vault.TypeEmail, `it is not bob@example.com but ada@example.com`, ``, `"ada@example.com"`, true},

		// url
		{vault.TypeURL, `see https://example.com/a, please`, ``, `"https://example.com/a"`, true},
		{vault.TypeURL, `see https://example.com/`, ``, `"https://example.com"`, true},
		{vault.TypeURL, `see https://example.com/ab`, `https://example.com/a`, `"https://example.com/a"`, false},
		{vault.TypeURL, `see example.com`, ``, `"https://example.com"`, false},
		{vault.TypeURL, `see HTTPS://Example.com/Ab`, ``, `"https://example.com/Ab"`, true},
		{vault.TypeURL, `see https://example.com/Ab`, ``, `"https://example.com/ab"`, false}, // another page
		{vault.TypeURL, `my site is not https://example.com/a`, ``, `"https://example.com/a"`, false},

		// phone
		{vault.TypePhone, `call +1 (415) 555-2671 today`, ``, `"+14155552671"`, true},
		{vault.TypePhone, `it's 1-415-555-2671`, ``, `"+14155552671"`, true},
		{vault.TypePhone, `0044 20 7946 0958`, ``, `"+442079460958"`, true},
		{vault.TypePhone, `+44 (0)20 7946 0958`, ``, `"+442079460958"`, true},
		{vault.TypePhone, `(+44) 20 7946 0958`, ``, `"+442079460958"`, true},
		{vault.TypePhone, `my number (+44 20 7946 0958)`, ``, `"+442079460958"`, true},
		{vault.TypePhone, `I am 30. Call +44 20 7946 0958. 2 rings please`, ``, `"+442079460958"`, true},
		{vault.TypePhone, `415-555-2671`, ``, `"+14155552671"`, false}, // which country?
		{vault.TypePhone, `41 55 555 26 71`, ``, `"+41555552671"`, false},
		{vault.TypePhone, `+1 415 555 2672`, ``, `"+14155552671"`, false},
		{vault.TypePhone, `+49 30 1234567 89`, `+49 30 1234567`, `"+49301234567"`, false}, // the quote cuts the number
		{vault.TypePhone, `my number is not +1 415 555 2671`, ``, `"+14155552671"`, false},
		{vault.TypePhone, `don't call me on +1 415 555 2671`, ``, `"+14155552671"`, false},

		// number
		{vault.TypeNumber, `I'm 18 years old`, `18`, `18`, true},
		{vault.TypeNumber, `I'm 18yo.`, ``, `18`, true},
		{vault.TypeNumber, `it is 12.50`, ``, `12.5`, true},
		{vault.TypeNumber, `it is $1,850.50!`, ``, `1850.50`, true},
		{vault.TypeNumber, `it is 1.850,50 €`, ``, `1850.5`, true},
		{vault.TypeNumber, `it is 12,5`, ``, `12.5`, true},
		{vault.TypeNumber, `it was -5 degrees`, ``, `-5`, true},
		{vault.TypeNumber, `it was minus 5`, ``, `-5`, true},
		{vault.TypeNumber, `age:18`, ``, `18`, true},
		{vault.TypeNumber, `it was -5 degrees`, ``, `5`, false},
		{vault.TypeNumber, `I earn 45k`, ``, `45`, false},
		{vault.TypeNumber, `I earn 45 thousand`, `I earn 45`, `45`, false},
		{vault.TypeNumber, `I weigh 185`, `I weigh 18`, `18`, false},
		{vault.TypeNumber, `1 850 pieces`, ``, `1`, false},
		{vault.TypeNumber, `1 850 pieces`, ``, `850`, false},
		{vault.TypeNumber, `18-25`, ``, `18`, false},
		{vault.TypeNumber, `18-25`, ``, `25`, false},
		{vault.TypeNumber, `on 2024-01-02`, ``, `2024`, false},
		{vault.TypeNumber, `at 10:30`, ``, `30`, false},
		{vault.TypeNumber, `room A18`, ``, `18`, false},
		{vault.TypeNumber, `eighteen`, ``, `18`, true},
		{vault.TypeNumber, `a table for four people at half past seven`, ``, `4`, true},
		{vault.TypeNumber, `I'm twenty-four.`, ``, `24`, true},
		{vault.TypeNumber, `Just one person, please`, ``, `1`, true},
		{vault.TypeNumber, `I'm twenty-four.`, ``, `20`, false},
		{vault.TypeNumber, `I'm twenty-four.`, ``, `4`, false},
		{vault.TypeNumber, `four hundred`, ``, `4`, false},
		{vault.TypeNumber, `a hundred and four`, ``, `4`, false},
		{vault.TypeNumber, `at four`, ``, `4`, false},
		{vault.TypeNumber, `half past four`, ``, `4`, false},
		{vault.TypeNumber, `a quarter to four`, ``, `4`, false},
		{vault.TypeNumber, `seven thirty`, ``, `7`, false},
		{vault.TypeNumber, `seven thirty`, ``, `30`, false},
		{vault.TypeNumber, `four pm`, ``, `4`, false},
		{vault.TypeNumber, `minus four`, ``, `4`, false},
		{vault.TypeNumber, `I'll take that one`, ``, `1`, false},
		{vault.TypeNumber, `no one else`, ``, `1`, false},
		{vault.TypeNumber, `fourteen`, `four`, `4`, false},
		{vault.TypeNumber, `I'm 18`, ``, `18.1`, false},
		{vault.TypeNumber, `I'm not 18`, ``, `18`, false},
		{vault.TypeNumber, `I'm not 18, I'm 19`, ``, `19`, true},
		{vault.TypeNumber, `there are not two of us`, ``, `2`, false},
		{vault.TypeNumber, `3½ rooms`, ``, `31`, false},
		{vault.TypeNumber, `3½ rooms`, ``, `3`, false},
		{vault.TypeNumber, `2 1/2 rooms`, ``, `2`, false},
		{vault.TypeNumber, `2 and a half rooms`, ``, `2`, false},
		{vault.TypeNumber, `5² metres`, ``, `52`, false},
		{vault.TypeNumber, `5² metres`, ``, `5`, false},
		{vault.TypeNumber, `20 m² of floor`, ``, `20`, true},
		{vault.TypeNumber, `٣18`, ``, `18`, false},
		{vault.TypeNumber, `45 lakh`, ``, `45`, false},
		{vault.TypeNumber, `45 grand`, ``, `45`, false},
		{vault.TypeNumber, `4 pm`, ``, `4`, false},
		{vault.TypeNumber, `at 4p.m.`, ``, `4`, false},
		{vault.TypeNumber, `4 o'clock`, ``, `4`, false},
		{vault.TypeNumber, `on the 4th`, ``, `4`, false},
		{vault.TypeNumber, `1.850 €`, ``, `1.85`, false}, // or 1850
		{vault.TypeNumber, `45.000 a year`, ``, `45`, false},
		{vault.TypeNumber, `0.125 grams`, ``, `0.125`, true},

		// date
		{vault.TypeDate, `born 1990-03-31`, ``, `"1990-03-31"`, true},
		{vault.TypeDate, `born 1990/3/31`, ``, `"1990-03-31"`, true},
		{vault.TypeDate, `born on 31 March 1990.`, ``, `"1990-03-31"`, true},
		{vault.TypeDate, `the 3rd of March, 1990`, ``, `"1990-03-03"`, true},
		{vault.TypeDate, `March 3rd, 1990`, ``, `"1990-03-03"`, true},
		{vault.TypeDate, `Sept. 3 1990`, ``, `"1990-09-03"`, true},
		{vault.TypeDate, `3-Jun-1990`, ``, `"1990-06-03"`, true},
		{vault.TypeDate, `31.03.1990`, ``, `"1990-03-31"`, true},
		{vault.TypeDate, `3/31/1990`, ``, `"1990-03-31"`, true},
		{vault.TypeDate, `04/04/1990`, ``, `"1990-04-04"`, true},
		{vault.TypeDate, `03/04/1990`, ``, `"1990-04-03"`, false},
		{vault.TypeDate, `03/04/1990`, ``, `"1990-03-04"`, false},
		{vault.TypeDate, `31 March`, ``, `"1990-03-31"`, false},
		{vault.TypeDate, `31/3/90`, ``, `"1990-03-31"`, false},
		{vault.TypeDate, `1 April 1990`, ``, `"1990-03-31"`, false},
		{vault.TypeDate, `23 March 1990`, `3 March 1990`, `"1990-03-03"`, false},
		{vault.TypeDate, `31 June 1990`, ``, `"1990-07-01"`, false},
		{vault.TypeDate, `I was not born on 31 March 1990`, ``, `"1990-03-31"`, false},
		{vault.TypeDate, `not 31 March but 1 April 1990`, ``, `"1990-04-01"`, true},

		// datetime
		{vault.TypeDatetime, `at 2026-03-31T14:30:00+02:00`, ``, `"2026-03-31T12:30:00Z"`, true},
		{vault.TypeDatetime, `at 2026-03-31 14:30Z`, ``, `"2026-03-31T14:30:00Z"`, true},
		{vault.TypeDatetime, `31 March 2026 at 2:30 pm`, ``, `"2026-03-31T14:30:00Z"`, true},
		{vault.TypeDatetime, `31 March 2026, 12 a.m.`, ``, `"2026-03-31T00:00:00Z"`, true},
		{vault.TypeDatetime, `noon on March 31, 2026`, ``, `"2026-03-31T12:00:00Z"`, true},
		{vault.TypeDatetime, `31 March 2026 at 14:30 +02:00`, ``, `"2026-03-31T14:30:00+02:00"`, true},
		{vault.TypeDatetime, `31 March 2026 at 14:30`, ``, `"2026-03-31T14:30:00+02:00"`, false}, // nobody said the offset
		{vault.TypeDatetime, `31 March 2026 at 2:30`, ``, `"2026-03-31T14:30:00Z"`, false},
		{vault.TypeDatetime, `31 March 2026`, ``, `"2026-03-31T00:00:00Z"`, false},
		{vault.TypeDatetime, `at 14:30`, ``, `"2026-03-31T14:30:00Z"`, false},
		{vault.TypeDatetime, `at 2026-03-31T14:30:00+02:00`, ``, `"2026-03-31T14:30:00Z"`, false}, // another hour
		{vault.TypeDatetime, `31 March 2026 at 14:30 +02:00`, ``, `"2026-03-31T14:30:00Z"`, false},
		{vault.TypeDatetime, `31 March 2026 at 14:30 +02:00`, ``, `"2026-03-31T02:00:00+02:00"`, false},
		{vault.TypeDatetime, `31 March 2026 at 2:30 pm PST`, ``, `"2026-03-31T14:30:00Z"`, false},
		{vault.TypeDatetime, `31 March 2026 at 14:30 CEST`, ``, `"2026-03-31T14:30:00Z"`, false},
		{vault.TypeDatetime, `31 March 2026 at 14:30 UTC`, ``, `"2026-03-31T14:30:00Z"`, true},
		{vault.TypeDatetime, `31 March 2026 at 2:30`, ``, `"2026-03-31T02:30:00Z"`, false}, // or in the afternoon
		{vault.TypeDatetime, `31 March 2026 at 02:30`, ``, `"2026-03-31T02:30:00Z"`, true},
		{vault.TypeDatetime, `not 31 March 2026 at 14:30`, ``, `"2026-03-31T14:30:00Z"`, false},

		// json
		{vault.TypeJSON, `a gold ring of size 5`, ``, `{"ring": "gold", "size": 5}`, true},
		{vault.TypeJSON, `red and blue`, ``, `["red", "blue"]`, true},
		{vault.TypeJSON, `red and blue`, ``, `["red", "green"]`, false},
		{vault.TypeJSON, `red and blue`, ``, `[]`, false},
		{vault.TypeJSON, `red and blue`, ``, `{"a": null}`, false},
	} {
		t.Run(fmt.Sprintf("%s %s from %s", tc.typ, tc.value, tc.turn), func(t *testing.T) {
			t.Parallel()
			quote := tc.quote
			if quote == "" {
				quote = tc.turn
			}
			c := vault.Candidate{FieldName: "field", Value: json.RawMessage(tc.value), Confidence: 0.9, Quote: quote}
			got, err := check(c, defined(tc.typ), customer("hello", tc.turn))
			if (err == nil) != tc.ok {
				t.Fatalf("got %s, %v", got.Value, err)
			}
			if err == nil {
				if want, _ := rules.CheckValue(defined(tc.typ), "field", c.Value, vault.ModeStrict); string(got.Value) != string(want.Value) {
					t.Errorf("got %s, want %s", got.Value, want.Value)
				}
			}
		})
	}
}

func TestCheck_AllowedValueByItsWords(t *testing.T) {
	t.Parallel()
	plans := defined(vault.TypeString, allowing(`"Gold"`, `"rose_gold"`, `"Silver plan"`))
	for _, tc := range []struct {
		turn, value, want string
	}{
		{`the gold one please`, `"GOLD"`, `"Gold"`},
		{`rose gold`, `"rose_gold"`, `"rose_gold"`},
		{`rose-gold`, `"Rose_Gold"`, `"rose_gold"`},
		{`rose gold`, `"gold"`, ``},
		{`not rose gold but gold`, `"gold"`, `"Gold"`},
		{`silver`, `"silver plan"`, ``},
		{`the silver plan`, `"silver plan"`, `"Silver plan"`},
		{`golden`, `"gold"`, ``},
		{`bronze`, `"bronze"`, ``},
		{`not gold`, `"gold"`, ``},
		{`not rose gold`, `"gold"`, ``},
		{`not gold but rose gold`, `"gold"`, ``},
		{`not gold but rose gold`, `"rose_gold"`, `"rose_gold"`},
	} {
		c := vault.Candidate{FieldName: "field", Value: json.RawMessage(tc.value), Confidence: 1, Quote: tc.turn}
		got, err := check(c, plans, customer(tc.turn))
		if string(got.Value) != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s from %s: got %s, %v", tc.value, tc.turn, got.Value, err)
		}
	}
}

func TestCheck_CandidateIsRefused(t *testing.T) {
	t.Parallel()
	good := vault.Candidate{FieldName: "field", Value: json.RawMessage(`"John"`), Confidence: 0.9, Quote: "I am John"}
	turns := customer("I am John")
	for _, tc := range []struct {
		name, want string
		change     func(*vault.Candidate)
		def        *vault.Definition
		turns      []vault.Turn
	}{
		{"with a confidence above one", "field: the confidence of the candidate is not between 0 and 1", func(c *vault.Candidate) { c.Confidence = 1.1 }, defined(vault.TypeString), turns},
		{"with a confidence that is not a number", "field: the confidence of the candidate is not between 0 and 1", func(c *vault.Candidate) { c.Confidence = math.NaN() }, defined(vault.TypeString), turns},
		{"for another field", "name: the candidate and the definition are for different fields", func(c *vault.Candidate) { c.FieldName = "name" }, defined(vault.TypeString), turns},
		{"for a field that is not defined", "Field validation failed: field: is not a field that this agent defines", nil, nil, turns},
		{"with an invalid value, even in mode warn", "Field validation failed: field: the value is not an email address, such as name@example.com", nil, defined(vault.TypeEmail, func(d *vault.Definition) { d.ValidationMode = vault.ModeWarn }), turns},
		{"without a quote", "field: the customer's turns do not contain the quote of the candidate", func(c *vault.Candidate) { c.Quote = "" }, defined(vault.TypeString), turns},
		{"with the agent's words", "field: the customer's turns do not contain the quote of the candidate", nil, defined(vault.TypeString), []vault.Turn{{Speaker: vault.SpeakerAgent, Text: "I am John"}}},
		{"with a quote that spans two turns", "field: the customer's turns do not contain the quote of the candidate", nil, defined(vault.TypeString), customer("I am", "John")},
		{"with a quote that does not contain the value", "field: the quote of the candidate does not contain its value", func(c *vault.Candidate) { c.Quote = "I am" }, defined(vault.TypeString), turns},
	} {
		c := good
		if tc.change != nil {
			tc.change(&c)
		}
		if _, err := check(c, tc.def, tc.turns); err == nil || err.Message != tc.want || err.Code != vault.CodeInvalid {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if _, err := check(good, defined(vault.TypeString), turns); err != nil {
		t.Errorf("the valid candidate: %v", err)
	}
}

func TestQuotedTurn_FindsTheTurn(t *testing.T) {
	t.Parallel()
	turns := []vault.Turn{
		{Index: 3, Speaker: vault.SpeakerAgent, Text: "Monday, or Friday?"},
		{Index: 4, Speaker: vault.SpeakerCustomer, Text: "On  Monday."},
		{Index: 5, Speaker: vault.SpeakerAgent, Text: "Noted."},
		{Index: 6, Speaker: vault.SpeakerCustomer, Text: "Or Tuesday; not Monday."},
		{Index: 8, Speaker: vault.SpeakerCustomer, Text: "Thanks!"},
	}
	for _, tc := range []struct {
		quote       string
		named, want int
	}{
		{"Monday", 4, 4},
		{"Monday", 6, 6},
		{"“on monday.”", 8, 4},
		{"Friday", 4, 4},
		{"Tuesday", 8, 6},
		{"tuesday", 3, 6},
		{"Monday", 8, 4}, // either: the first, which displaces nothing that was said later
		{"", 8, 8},
		{"Sunday", 8, 8},
	} {
		if got := evidence.QuotedTurn(tc.quote, tc.named, turns); got != tc.want {
			t.Errorf("%q of turn %d is from turn %d, want %d", tc.quote, tc.named, got, tc.want)
		}
	}
}

// A value that shares no word or digit with the customer's turns is never grounded, and the error does not contain it.
func TestCheck_UnstatedIsNeverGrounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		said := rapid.StringMatching(`[a-m ,.!?@]{0,40}[a-m]`).Draw(t, "said")
		invented := rapid.StringMatching(`[n-z]{2,8}é[n-z]{1,4}`).Draw(t, "invented")
		typ := rapid.SampledFrom([]vault.ValueType{vault.TypeString, vault.TypeEmail, vault.TypeURL, vault.TypeNumber, vault.TypeDate, vault.TypePhone, vault.TypeJSON}).Draw(t, "type")
		value := map[vault.ValueType]string{
			vault.TypeString: invented, vault.TypeEmail: strings.ReplaceAll(invented, "é", "n") + "@nnn.org", vault.TypeURL: "https://" + strings.ReplaceAll(invented, "é", "n") + ".org",
			vault.TypeNumber: "17", vault.TypeDate: "1990-03-31", vault.TypePhone: "+14155552671", vault.TypeJSON: invented,
		}[typ]
		raw, _ := json.Marshal(value)
		quote := rapid.SampledFrom([]string{said, value, said + value, said[len(said)-1:]}).Draw(t, "quote")
		turns := append(customer(said), vault.Turn{Speaker: vault.SpeakerAgent, Text: said + " " + value})
		got, err := check(vault.Candidate{FieldName: "field", Value: raw, Confidence: 1, Quote: quote}, defined(typ), turns)
		if err == nil {
			t.Fatalf("%s was grounded", got.Value)
		}
		if strings.Contains(err.Message, value) {
			t.Fatalf("%q holds the value", err.Message)
		}
	})
}

func TestCheck_NeverPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9+\-/:., ()kmapzt]{0,30}`))
		turn := text.Draw(t, "turn")
		quote := text.Draw(t, "quote")
		if runes := []rune(turn); len(runes) > 0 && rapid.Bool().Draw(t, "a part of the turn") {
			from := rapid.IntRange(0, len(runes)-1).Draw(t, "from")
			quote = string(runes[from:rapid.IntRange(from, len(runes)).Draw(t, "to")])
		}
		def := defined(rapid.SampledFrom(vault.ValueTypes).Draw(t, "type"))
		c := vault.Candidate{FieldName: "field", Value: json.RawMessage(rapid.SampledFrom([]string{`"a"`, `1`, `true`, `"2020-01-02"`, `"a@example.com"`, `{"a": 1}`, `["b"]`, `"+14155552671"`, `"2026-03-31T14:30:00Z"`}).Draw(t, "value")), Confidence: 1, Quote: quote}
		if rapid.Bool().Draw(t, "the value is the quote") {
			c.Value, _ = json.Marshal(quote)
		}
		_, _ = check(c, def, customer(turn))
	})
}
