package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

func TestMark_FindsQuote(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, quote, want string }{
		{"We need the date of birth.", "date of birth", "date of birth"},
		{"We need the Date\n of  birth.", "date of birth", "Date\n of  birth"},
		{"Costs (5.00) here", "(5.00)", "(5.00)"},
		{"Costs 5x00 here", "5.00", ""},
		{"anything", "", ""},
		{"anything", strings.Repeat("x ", 100_000), ""},
	} {
		parts, found := mark(c.text, c.quote)
		got, whole := "", ""
		for _, p := range parts {
			whole += p.Text
			if p.Marked {
				got += p.Text
			}
		}
		if got != c.want || found != (c.want != "") || whole != c.text {
			t.Errorf("%q in %q marks %q of %q", c.quote, c.text, got, whole)
		}
	}
}

// Marking loses no text, whatever the quote.
func TestMark_KeepsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, quote := rapid.String().Draw(t, "text"), rapid.String().Draw(t, "quote")
		parts, _ := mark(text, quote)
		whole := ""
		for _, p := range parts {
			whole += p.Text
		}
		if whole != text {
			t.Errorf("%q became %q", text, whole)
		}
	})
}

// A form that is sent as it was shown says the same value.
func TestTyped_ReadsWhatEditableShows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of    vault.ValueType
		list  bool
		value string
	}{
		{vault.TypeString, false, `"gold"`},
		{vault.TypeString, false, `"a \"quoted\" <b>"`},
		{vault.TypeNumber, false, `12.50`},
		{vault.TypeNumber, false, `12345678901234567890.123456789`},
		{vault.TypeBoolean, false, `false`},
		{vault.TypeJSON, false, `{"a":[1,2]}`},
		{vault.TypeString, true, `["Norwegian","Sámi"]`},
		{vault.TypeNumber, true, `[1,2.0]`},
	} {
		got, err := typed(editable(json.RawMessage(c.value), c.list), c.of, c.list)
		if err != nil {
			t.Errorf("%s: %v", c.value, err)
			continue
		}
		if decoded(t, got) != decoded(t, json.RawMessage(c.value)) {
			t.Errorf("%s became %s", c.value, got)
		}
	}
	for _, c := range []struct {
		of   vault.ValueType
		text string
	}{{vault.TypeNumber, "forty"}, {vault.TypeBoolean, "yes"}, {vault.TypeJSON, "{"}, {vault.TypeString, " \r\n "}} {
		if got, err := typed(c.text, c.of, false); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("%q as %s is %s, %v", c.text, c.of, got, err)
		}
	}
}

// decoded returns a value without the escapes of its strings.
func decoded(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var b strings.Builder
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDecodeCursor_RefusesOtherText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		position := struct{ A, B int }{rapid.Int().Draw(t, "a"), rapid.Int().Draw(t, "b")}
		got, err := decodeCursor[struct{ A, B int }](cursor.Encode(position))
		if err != nil || *got != position {
			t.Errorf("%v became %v, %v", position, got, err)
		}
	})
	for _, text := range []string{"x", "<script>", "bnVsbA=", "e30e30"} {
		if _, err := decodeCursor[struct{ A int }](text); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Each code of the vault has the status that the API gives it: an erased customer is gone.
func TestExplain_EachCode(t *testing.T) {
	t.Parallel()
	for _, code := range []vault.Code{
		vault.CodeInvalid, vault.CodeUnknown, vault.CodeConflict, vault.CodeHasDependents, vault.CodeNotAllowed,
		vault.CodeConsentRequired, vault.CodeErased, vault.CodeBudget, vault.CodeUnavailable,
	} {
		if status, text := explain(&vault.Error{Code: code, Message: "why"}); status != api.StatusOf(code) ||
			http.StatusText(status) == "" || status == http.StatusInternalServerError || text == "" {
			t.Errorf("%s has the status %d and the text %q", code, status, text)
		}
	}
	if status, _ := explain(&vault.Error{Code: vault.CodeErased}); status != http.StatusGone {
		t.Errorf("an erased customer has the status %d", status)
	}
}
