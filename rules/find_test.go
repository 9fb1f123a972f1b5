package rules_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestParseConditions_Forms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]vault.FieldCondition{
		"country=DE":             {Field: "country", Kind: vault.ConditionEquals, Text: "DE"},
		"note=a=b:c":             {Field: "note", Kind: vault.ConditionEquals, Text: "a=b:c"},
		"email^=Ada@":            {Field: "email", Kind: vault.ConditionBegins, Text: "Ada@"},
		"note^==a^b":             {Field: "note", Kind: vault.ConditionBegins, Text: "=a^b"},
		"email:verified":         {Field: "email", Kind: vault.ConditionVerified},
		"email:present":          {Field: "email", Kind: vault.ConditionPresent},
		"email:missing":          {Field: "email", Kind: vault.ConditionMissing},
		"email:older_than=30d":   {Field: "email", Kind: vault.ConditionOlderThan, Age: 30 * 24 * time.Hour},
		"email:older_than=1h30m": {Field: "email", Kind: vault.ConditionOlderThan, Age: 90 * time.Minute},
	} {
		got, err := rules.ParseConditions([]string{text})
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", text, diff)
		}
	}
	for _, text := range []string{
		"", "country", "=DE", "Country=DE", "country=", "country= ", "email:", "email:known", "email:equals=x",
		"email:missing=1", "email:older_than", "email:older_than=", "email:older_than=-1d", "email:older_than=soon",
		"email:older_than=99999999d", "email^", "email^=", "email^= ", "email^x", "^=x", "email:begins=x",
		"1field=x", strings.Repeat("f", 51) + "=x",
	} {
		_, err := rules.ParseConditions([]string{"plan=gold", text})
		if vault.CodeOf(err) != vault.CodeInvalid || !strings.Contains(err.Error(), "where[1]") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := rules.ParseConditions(make([]string, vault.MaxConditions+1)); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("too many conditions: %v", err)
	}
}

// A text that is no condition is not repeated in the error: it can hold a customer's value.
func TestParseConditions_ErrorHasNoValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[A-Z0-9]{8,20}(=|:|\^=)[A-Z0-9]{8,20}`).Draw(t, "text")
		_, err := rules.ParseConditions([]string{text})
		if err == nil || strings.Contains(err.Error(), text[len(text)-8:]) {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

func TestWantedValues_StoredForms(t *testing.T) {
	t.Parallel()
	text := vault.Definition{Name: "f", ValueType: vault.TypeString}
	phone := vault.Definition{Name: "f", ValueType: vault.TypePhone, DefaultRegion: "DE"}
	number := vault.Definition{Name: "f", ValueType: vault.TypeNumber}
	list := vault.Definition{Name: "f", ValueType: vault.TypeString, Multiple: true}
	plan := vault.Definition{
		Name: "f", ValueType: vault.TypeString, AllowedValues: []json.RawMessage{json.RawMessage(`"Gold"`)},
	}
	for _, c := range []struct {
		name    string
		defs    []vault.Definition
		text    string
		want    []string
		problem string
	}{
		{"text", []vault.Definition{text}, " DE ", []string{`"DE"`}, ""},
		{"phone of a region", []vault.Definition{phone}, "0151 12345678", []string{`"+4915112345678"`}, ""},
		{"number", []vault.Definition{number}, "12.50", []string{"12.50"}, ""},
		{"spelling of the definition", []vault.Definition{plan}, "gold", []string{`"Gold"`}, ""},
		{"two agents, two types", []vault.Definition{text, phone}, "0151 12345678", []string{`"0151 12345678"`, `"+4915112345678"`}, ""},
		{"no number for one of two", []vault.Definition{text, number}, "x", []string{`"x"`}, ""},
		{"no number", []vault.Definition{number}, "x", nil, "is not a number"},
		{"list", []vault.Definition{list}, "x", nil, "is a list"},
	} {
		values, problem := rules.WantedValues(c.defs, c.text)
		var got []string
		for _, v := range values {
			got = append(got, string(v))
		}
		if diff := cmp.Diff(c.want, got); diff != "" || !strings.Contains(problem, c.problem) || (problem == "") != (c.problem == "") {
			t.Errorf("%s: %s, problem %q", c.name, diff, problem)
		}
	}
}

func TestMatchText_SameForEqualValues(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{{`"Ada"`, `"aDA"`}, {"12.50", "1.25e1"}, {"true", "true"}, {`"é"`, `"é"`}} {
		if a, b := rules.MatchText(json.RawMessage(same[0])), rules.MatchText(json.RawMessage(same[1])); a != b {
			t.Errorf("%v: %s, %s", same, a, b)
		}
	}
	if rules.MatchText(json.RawMessage(`"É"`)) == rules.MatchText(json.RawMessage(`"é"`)) {
		t.Error("letters other than those of ASCII keep their case")
	}
}
