package rules_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Space around a value is no part of it, whatever its type.
func TestCheckValue_SpaceAround(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typ         vault.ValueType
		value, want string
	}{
		{vault.TypeString, "Ada Lovelace", `"Ada Lovelace"`},
		{vault.TypeNumber, "42", `42`},
		{vault.TypeBoolean, "true", `true`},
		{vault.TypeDate, "2024-03-01", `"2024-03-01"`},
		{vault.TypeDatetime, "2024-03-01T10:00:00Z", `"2024-03-01T10:00:00Z"`},
		{vault.TypeEmail, "ada@example.com", `"ada@example.com"`},
		{vault.TypePhone, "+49 30 901820", `"+4930901820"`},
		{vault.TypeURL, "https://example.com/a", `"https://example.com/a"`},
	} {
		def := &vault.Definition{Name: "field", ValueType: tc.typ, Enabled: true}
		for _, around := range []string{"", " ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009"} {
			raw, err := json.Marshal(around + tc.value + around)
			if err != nil {
				t.Fatal(err)
			}
			got, err := rules.CheckValue(def, "field", raw, vault.ModeStrict)
			if err != nil || string(got.Value) != tc.want {
				t.Errorf("%s with %+q around it: got %s, %v", tc.typ, around, got.Value, err)
			}
		}
	}
}

// An offset from UTC has less than 24 hours and less than 60 minutes.
func TestCheckValue_Offset(t *testing.T) {
	t.Parallel()
	def := &vault.Definition{Name: "field", ValueType: vault.TypeDatetime, Enabled: true}
	for _, offset := range []string{"+24:00", "-24:00", "+10:60", "-10:60", "+99:99"} {
		raw := json.RawMessage(`"2024-03-01T10:00:00` + offset + `"`)
		if got, err := rules.CheckValue(def, "field", raw, vault.ModeStrict); err == nil {
			t.Errorf("%s is accepted as %s", offset, got.Value)
		}
	}
}
