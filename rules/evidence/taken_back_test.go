package evidence_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/vault"
)

func TestTakenBack_YesOrNo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		def    *vault.Definition
		stored string
		later  string
		want   bool
	}{
		{terms, `true`, "I changed my mind, I no longer accept the terms.", true},
		{terms, `true`, "I withdraw my acceptance of the terms.", true},
		{terms, `true`, "I don't accept the terms and conditions.", true},
		{terms, `true`, "I do accept the terms.", false},
		{terms, `true`, "What if I don't accept the terms?", false},
		{terms, `true`, "My wife doesn't accept the terms.", false},
		{terms, `true`, "I no longer live in Oslo.", false},
		{smoker, `true`, "I don't smoke any more.", true},
		{smoker, `false`, "I smoke again, I'm afraid.", true},
		{smoker, `false`, "I still don't smoke.", false},
	} {
		c := evidence.Read(talk("A: "+tc.def.Prompt(), "Yes or no, as stored.", "A: Thank you.", tc.later))
		_, got := c.TakenBack(tc.def, vault.Value{Name: tc.def.Name, Value: json.RawMessage(tc.stored)}, 1, 1)
		if got != tc.want {
			t.Errorf("%s = %s, then %q: taken back %t", tc.def.Name, tc.stored, tc.later, got)
		}
	}
}

// A short turn that denies a part of the value takes it back, because the right one is not certain.
func TestTakenBack_PartDenied(t *testing.T) {
	t.Parallel()
	mail := &vault.Definition{Name: "email", ValueType: vault.TypeEmail, Enabled: true}
	name := &vault.Definition{Name: "full_name", ValueType: vault.TypeString, Enabled: true}
	code := &vault.Definition{Name: "order_number", ValueType: vault.TypeString, Enabled: true}
	for _, tc := range []struct {
		def    *vault.Definition
		stored string
		later  string
		want   bool
	}{
		{mail, "tom@example.com", "Typo: .org, not .com", true},
		{mail, "tom@example.com", "Sorry, not example but sample.", true},
		{mail, "tom@example.com", "tim, not tom!", true},
		{mail, "tom@example.com", "It's @mail.com, not @example.com", true},
		{mail, "tom@example.com", "Not today, thanks", false},
		{mail, "tom@example.com", "It is not a com thing that I want to buy from you today.", false},
		{mail, "tom@example.com", "Is it .org, not .com?", false},
		{mail, "tom@example.com", "I'm not om", false},
		{name, "Anna Meier", "Maier, not Meier", true},
		{name, "Anna Meier", "Nicht Anna, Anne.", true},
		{name, "Anna Meier", "I am not Ann", false},
		{code, "B-99999", "A, not B", false}, // a letter can be anything
		{code, "AB-99999", "AC, not AB", true},
	} {
		stored, err := json.Marshal(tc.stored)
		if err != nil {
			t.Fatal(err)
		}
		c := evidence.Read(talk("A: What is it?", tc.stored, "A: Thank you.", tc.later))
		_, got := c.TakenBack(tc.def, vault.Value{Name: tc.def.Name, Value: stored}, 1, 1)
		if got != tc.want {
			t.Errorf("%s, then %q: taken back %t", tc.stored, tc.later, got)
		}
	}
}
