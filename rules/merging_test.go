package rules_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestCheckMergeFields(t *testing.T) {
	t.Parallel()
	field := func(name string, change func(*rules.MergeField), types ...vault.ValueType) rules.MergeField {
		f := rules.MergeField{Name: name}
		for _, kind := range types {
			f.Definitions = append(f.Definitions, vault.Definition{Name: name, ValueType: kind})
		}
		if change != nil {
			change(&f)
		}
		return f
	}
	listed := func(f *rules.MergeField) { f.Definitions[0].AllowedValues = []json.RawMessage{[]byte(`"a"`)} }
	many := func(f *rules.MergeField) { f.Definitions[0].Multiple = true }
	sealed := func(f *rules.MergeField) { f.Sealed = true }
	found := func(f *rules.MergeField) { f.Sealed, f.Searchable = true, true }
	for _, c := range []struct {
		name   string
		fields []rules.MergeField
		says   string // "": nothing is wrong
	}{
		{"an email", []rules.MergeField{field("email", nil, vault.TypeEmail)}, ""},
		{"a date beside a name", []rules.MergeField{
			field("name", nil, vault.TypeString), field("born", nil, vault.TypeDate),
		}, ""},
		{"sealed and searchable", []rules.MergeField{field("passport", found, vault.TypeString)}, ""},
		{"unknown", []rules.MergeField{field("shoe", nil)}, "fields[0]: names shoe, and no definition"},
		{"boolean", []rules.MergeField{field("adult", nil, vault.TypeBoolean)}, "of type boolean"},
		{"json of another agent", []rules.MergeField{field("all", nil, vault.TypeString, vault.TypeJSON)}, "of type json"},
		{"enum", []rules.MergeField{field("size", listed, vault.TypeString)}, "allowed_values"},
		{"list", []rules.MergeField{field("tags", many, vault.TypeString)}, "is a list"},
		{"sealed", []rules.MergeField{field("secret", sealed, vault.TypeString)}, "searchable"},
		{"dates alone", []rules.MergeField{field("born", nil, vault.TypeDate)}, "dates alone"},
	} {
		problems := rules.CheckMergeFields(c.fields)
		switch {
		case c.says == "" && len(problems) > 0:
			t.Errorf("%s: %v", c.name, problems)
		case c.says != "" && (len(problems) != 1 || !strings.Contains(problems[0].Error(), c.says)):
			t.Errorf("%s: got %v, want %q", c.name, problems, c.says)
		}
	}
}

// Without decisions a group of n gives n-1 pairs, all with its oldest member. No pair that was decided is given again, and
// no member is the newer one of two pairs.
func TestMergePairs_EachMemberOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "members")
		var members []rules.MergeMember
		for i := range n {
			id := uuid.Must(uuid.NewRandomFromReader(strings.NewReader(strings.Repeat(string(rune('a'+i)), 16))))
			age := rapid.IntRange(0, 3).Draw(t, "age")
			members = append(members, rules.MergeMember{
				Profile: id, Since: time.Unix(int64(age), 0), Ground: []byte{byte(rapid.IntRange(0, 1).Draw(t, "ground"))},
			})
		}
		decided := map[rules.MergePair]bool{}
		for i := range members {
			for j := range members {
				if i != j && rapid.Bool().Draw(t, "decided") {
					decided[rules.MergePair{Older: members[i].Profile, Newer: members[j].Profile}] = true
				}
			}
		}
		for _, group := range rules.MergeGroups(members) {
			if all := rules.MergePairs(group, func(rules.MergePair) bool { return false }); len(all) != len(group)-1 ||
				slices.ContainsFunc(all, func(p rules.MergePair) bool { return p.Older != group[0].Profile }) {
				t.Fatalf("a group of %d gives %v", len(group), all)
			}
			newer := map[uuid.UUID]bool{}
			for _, p := range rules.MergePairs(group, func(p rules.MergePair) bool { return decided[p] }) {
				if decided[p] || newer[p.Newer] {
					t.Fatalf("the pair %v was decided, or its newer member has two", p)
				}
				newer[p.Newer] = true
			}
		}
	})
}
