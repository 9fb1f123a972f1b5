package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/vault"
)

func TestUndefinedReferences_NamesTheClosest(t *testing.T) {
	defined := []string{"email", "cover_amount", "date_of_birth", "has_pets"}
	for name, c := range map[string]struct {
		when    string
		depends []string
		want    []string
	}{
		"all defined": {`has(fields.email) && fields["cover_amount"] > 3`, []string{"has_pets"}, nil},
		"a typo in a condition": {`fields.cover_amonut > 100000`, nil, []string{
			"when_condition: the agent defines no field cover_amonut, so the condition finds no value of it; " +
				"did you mean cover_amount?",
		}},
		"a typo in a dependency": {"", []string{"email", "dateofbirth"}, []string{
			"depends_on_fields[1]: the agent defines no field dateofbirth, so the requirement never applies; " +
				"did you mean date_of_birth?",
		}},
		"nothing close": {`fields.shoe_size > 40`, nil, []string{
			"when_condition: the agent defines no field shoe_size, so the condition finds no value of it",
		}},
		"a condition that does not compile": {`fields.`, nil, nil},
		"a session variable":                {`session.channel == "web"`, nil, nil},
	} {
		got := UndefinedReferences(vault.Requirement{WhenCondition: c.when, DependsOn: c.depends}, defined)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// One wrong, missing, added or swapped letter of a long name is always recognised.
func TestClosestName_OneMistake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z]{6,20}`).Draw(t, "name")
		at := rapid.IntRange(0, len(name)-2).Draw(t, "at")
		wrong := []string{
			name[:at] + name[at+1:],
			name[:at] + "q" + name[at:],
			name[:at] + "0" + name[at+1:],
			name[:at] + string(name[at+1]) + string(name[at]) + name[at+2:],
		}[rapid.IntRange(0, 3).Draw(t, "mistake")]
		if got, ok := ClosestName(wrong, []string{"1", name, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz9"}); !ok || got != name {
			t.Fatalf("%q: %q, %v", wrong, got, ok)
		}
	})
}
