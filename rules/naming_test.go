package rules_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestNormaliseName_FreeText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"date_of_birth":            "date_of_birth",
		"_internal":                "_internal",
		"__x":                      "__x",
		"Date of Birth":            "date_of_birth",
		"  date-of.birth! ":        "date_of_birth",
		"dateOfBirth":              "date_of_birth",
		"DateOfBirth":              "date_of_birth",
		"DOB":                      "dob",
		"userID":                   "user_id",
		"userIDs":                  "user_ids",
		"HTTPServer":               "http_server",
		"Email2":                   "email2",
		"address1Line":             "address1_line",
		"2nd name":                 "_2nd_name",
		"Mother's maiden name":     "mothers_maiden_name",
		"Mother’s maiden name":     "mothers_maiden_name",
		"Prénom":                   "prenom",
		"Größe (cm)":               "grosse_cm",
		"Pre\u0301nomUsuel":        "prenom_usuel",
		"ŁódźBirth":                "lodz_birth",
		"":                         "",
		"!?":                       "",
		"日本":                       "",
		strings.Repeat("a b ", 30): strings.TrimSuffix(strings.Repeat("a_b_", 13)[:50], "_"),
		strings.Repeat("x", 60):    strings.Repeat("x", 50),
	} {
		if got := rules.NormaliseName(in); got != want {
			t.Errorf("NormaliseName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNormaliseName_ValidAndIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9_ 'é]{0,80}`)).Draw(t, "text")
		name := rules.NormaliseName(in)
		if name == "" {
			return
		}
		if len(name) > vault.MaxNameLength || !vault.NamePattern.MatchString(name) {
			t.Fatalf("%q is no name", name)
		}
		if again := rules.NormaliseName(name); again != name {
			t.Fatalf("%q becomes %q", name, again)
		}
		if 2*len(in) < vault.MaxNameLength && !rules.SameName(in, name) {
			t.Fatalf("%q and %q are not the same name", in, name)
		}
	})
}

func TestSameName_IgnoresSpelling(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"date_of_birth", "Date of Birth", true},
		{"date_of_birth", "dateOfBirth", true},
		{"firstname", "first_name", true},
		{"prenom", "Prénom", true},
		{"email", "emails", false},
		{"dob", "date_of_birth", false},
		{"", "", false},
		{"!", "?", false},
		{strings.Repeat("x", 50) + "a", strings.Repeat("x", 50) + "b", false},
	} {
		if got := rules.SameName(tc.a, tc.b); got != tc.want || rules.SameName(tc.b, tc.a) != tc.want {
			t.Errorf("SameName(%q, %q) = %v", tc.a, tc.b, got)
		}
	}
}
