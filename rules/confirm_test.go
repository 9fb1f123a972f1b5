package rules_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestReadReply_Answers(t *testing.T) {
	t.Parallel()
	date := vault.Definition{Name: "date_of_birth", ValueType: vault.TypeDate, Enabled: true}
	consent := vault.Definition{Name: "newsletter", ValueType: vault.TypeBoolean, Enabled: true}
	diet := vault.Definition{
		Name: "vegetarian", ValueType: vault.TypeString, Enabled: true, AllowedValues: []json.RawMessage{json.RawMessage(`"yes"`), json.RawMessage(`"no"`), json.RawMessage(`"sometimes"`)},
	}
	for _, tc := range []struct {
		def               vault.Definition
		candidate, answer string
		reply             rules.Reply
		value             string
	}{
		{date, `"1990-03-14"`, `true`, rules.ReplyYes, `"1990-03-14"`},
		{date, `"1990-03-14"`, `" Yes. "`, rules.ReplyYes, `"1990-03-14"`},
		{date, `"1990-03-14"`, `"That’s right!"`, rules.ReplyYes, `"1990-03-14"`},
		{date, `"1990-03-14"`, `"1990-03-14"`, rules.ReplyYes, `"1990-03-14"`},
		{date, `"1990-03-14"`, `false`, rules.ReplyNo, ``},
		{date, `"1990-03-14"`, `"no"`, rules.ReplyNo, ``},
		{date, `"1990-03-14"`, `"1991-03-14"`, rules.ReplyOther, `"1991-03-14"`},
		{date, `"1990-03-14"`, `"perhaps"`, rules.ReplyOther, `"perhaps"`}, // which no date is: it is asked again
		{consent, `true`, `"yes"`, rules.ReplyYes, `true`},
		{consent, `true`, `"no"`, rules.ReplyOther, `false`},
		{consent, `false`, `false`, rules.ReplyYes, `false`},
		{consent, `false`, `"yes"`, rules.ReplyOther, `true`},
		{diet, `"no"`, `"no"`, rules.ReplyYes, `"no"`},
		{diet, `"no"`, `"Yes"`, rules.ReplyOther, `"Yes"`},
	} {
		reply, value := rules.ReadReply(tc.def, json.RawMessage(tc.candidate), json.RawMessage(tc.answer))
		if reply != tc.reply || string(value) != tc.value {
			t.Errorf("%s: %s to the question whether %s is right comes to %s with %s; want %s with %s",
				tc.def.Name, tc.answer, tc.candidate, reply, value, tc.reply, tc.value)
		}
	}
}

func TestConfirmable_OnlyWhatYesWouldConfirm(t *testing.T) {
	t.Parallel()
	consent := vault.Definition{Name: "newsletter", ValueType: vault.TypeBoolean}
	diet := vault.Definition{Name: "vegetarian", ValueType: vault.TypeString, AllowedValues: []json.RawMessage{json.RawMessage(`"Yes"`), json.RawMessage(`"No"`), json.RawMessage(`"sometimes"`)}}
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
		if got := rules.Confirmable(tc.def, json.RawMessage(tc.value)); got != tc.want {
			t.Errorf("%s %s: got %t", tc.def.Name, tc.value, got)
		}
	}
}

func TestConditionFields_FieldsRead(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string][]string{
		``:                      nil,
		`fields.plan == "gold"`: {"plan"},
		`fields["plan"] == "gold" && session.channel == "web"`:           {"plan"},
		`has(fields.age) && fields.age >= 18 || "email" in fields`:       {"age", "email"},
		`["a", "b"].exists(x, x == fields.plan) && scenario.name != "x"`: {"plan"},
		`fields.plan ==`: nil,
	} {
		if got := rules.ConditionFields(expr); !slices.Equal(got, want) {
			t.Errorf("%s reads %v, want %v", expr, got, want)
		}
	}
}
