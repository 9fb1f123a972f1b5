package reply_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/vault"
)

func allowed(values ...string) []json.RawMessage {
	var out []json.RawMessage
	for _, v := range values {
		out = append(out, json.RawMessage(`"`+v+`"`))
	}
	return out
}

func TestRead_Confirmations(t *testing.T) {
	t.Parallel()
	date := vault.Definition{Name: "date_of_birth", ValueType: vault.TypeDate, Enabled: true}
	consent := vault.Definition{Name: "newsletter", ValueType: vault.TypeBoolean, Enabled: true}
	diet := vault.Definition{
		Name: "vegetarian", ValueType: vault.TypeString, Enabled: true, AllowedValues: allowed("yes", "no", "sometimes"),
	}
	for _, tc := range []struct {
		def               vault.Definition
		candidate, answer string
		kind              reply.Kind
		value             string
	}{
		{date, `"1990-03-14"`, `true`, reply.Yes, `"1990-03-14"`},
		{date, `"1990-03-14"`, `" Yes. "`, reply.Yes, `"1990-03-14"`},
		{date, `"1990-03-14"`, `"That’s right!"`, reply.Yes, `"1990-03-14"`},
		{date, `"1990-03-14"`, `"1990-03-14"`, reply.Yes, `"1990-03-14"`},
		{date, `"1990-03-14"`, `false`, reply.No, ``},
		{date, `"1990-03-14"`, `"no"`, reply.No, ``},
		{date, `"1990-03-14"`, `"1991-03-14"`, reply.Value, `"1991-03-14"`},
		{date, `"1990-03-14"`, `"perhaps"`, reply.Unclear, ``},
		{date, `"1990-03-14"`, `12`, reply.Unclear, ``},
		{date, `"1990-03-14"`, `""`, reply.Unclear, ``},
		{date, `"1990-03-14"`, `null`, reply.Unclear, ``},
		{consent, `true`, `"yes"`, reply.Yes, `true`},
		{consent, `true`, `"no"`, reply.Value, `false`},
		{consent, `false`, `false`, reply.Yes, `false`},
		{consent, `false`, `"yes"`, reply.Value, `true`},
		{date, `"1990-03-14"`, `"That's wrong"`, reply.No, ``},
		{date, `"1990-03-14"`, `"That's not wrong"`, reply.Unclear, ``}, // right, or nearly so
		{date, `"1990-03-14"`, `"Das ist nicht falsch"`, reply.Unclear, ``},
		{date, `"1990-03-14"`, `"No es incorrecto"`, reply.No, ``}, // "no" alone may be the no
		{diet, `"no"`, `"no"`, reply.Yes, `"no"`},
		{diet, `"no"`, `"Yes"`, reply.Value, `"yes"`},
	} {
		q := reply.Question{Definition: tc.def, Confirm: true, Candidate: json.RawMessage(tc.candidate)}
		got := q.Read(json.RawMessage(tc.answer), nil)
		if got.Kind != tc.kind || string(got.Value) != tc.value {
			t.Errorf("%s: %s to %s is %s with %s; want %s with %s",
				tc.def.Name, tc.answer, tc.candidate, got.Kind, got.Value, tc.kind, tc.value)
		}
	}
}

func TestConfirmable_OnlyWhatYesWouldConfirm(t *testing.T) {
	t.Parallel()
	consent := vault.Definition{Name: "newsletter", ValueType: vault.TypeBoolean}
	diet := vault.Definition{
		Name: "vegetarian", ValueType: vault.TypeString, AllowedValues: allowed("Yes", "No", "sometimes"),
	}
	name := vault.Definition{Name: "name", ValueType: vault.TypeString}
	for _, tc := range []struct {
		def   vault.Definition
		value string
		want  bool
	}{
		{consent, `true`, true},
		{consent, `false`, false},
		{diet, `"Yes"`, true},
		{diet, `"No"`, false},
		{diet, `"sometimes"`, false},
		{name, `"Ada"`, true},
	} {
		if got := reply.Confirmable(tc.def, json.RawMessage(tc.value)); got != tc.want {
			t.Errorf("%s %s: got %t", tc.def.Name, tc.value, got)
		}
	}
}

// A list that a customer gives in words is taken apart.
func TestRead_ListInWords(t *testing.T) {
	t.Parallel()
	list := vault.Definition{Name: "allergies", ValueType: vault.TypeString, Enabled: true, Multiple: true}
	for answer, want := range map[string]string{
		"peanuts and penicillin": `["peanuts","penicillin"]`,
		"Celery, nuts and milk":  `["Celery","nuts","milk"]`,
		"Erdnüsse und Soja":      `["Erdnüsse","Soja"]`,
		"penicillin":             `["penicillin"]`,
		"peanuts & grass pollen": `["peanuts","grass pollen"]`,
		"sand":                   `["sand"]`,
		"nuts; milk":             `["nuts","milk"]`,
	} {
		sent, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		if got := (reply.Question{Definition: list}).Read(sent, nil); got.Kind != reply.Value || string(got.Value) != want {
			t.Errorf("%q is %s with %s, want %s", answer, got.Kind, got.Value, want)
		}
	}
}
