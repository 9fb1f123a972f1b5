package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// A Difference is a fact of a database that is not as it must be.
type Difference struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`
	Problem string `json:"problem"`
	// Fix is the statement that repairs it. "": only a migration or a restore does.
	Fix string `json:"fix,omitempty"`

	table string
}

// String says what is wrong, and how to repair it.
func (d Difference) String() string {
	fix := d.Fix
	if fix == "" {
		fix = "restore the database, or run `vault migrate up` on an empty one"
	}
	return fmt.Sprintf("%s %s: %s; to repair it: %s", d.Kind, d.Name, d.Problem, fix)
}

// Compare returns how the facts of a database differ from what they must be, in the order in which they are repaired.
// What belongs to tables that the vault does not have is none of its business, and more indexes than it needs are no
// difference.
func Compare(must, is []Fact) []Difference {
	wanted, there := byKey(must), byKey(is)
	ours, lost := map[string]bool{"": true}, map[string]bool{}
	for _, f := range must {
		if f.Kind == KindTable {
			_, has := there[keyOf(f)]
			ours[f.Table], lost[f.Table] = true, !has
		}
	}
	var out []Difference
	for _, f := range is { // first: to revoke a grant of a table revokes those of its columns
		if _, expected := wanted[keyOf(f)]; !expected && ours[f.Table] && f.Kind != KindIndex && f.Kind != KindFunction {
			out = append(out, Difference{
				Kind: f.Kind, Name: f.Name, Problem: "is not part of the vault: " + f.SQL, Fix: removal(f), table: f.Table,
			})
		}
	}
	for _, f := range must {
		if f.Kind != KindTable && lost[f.Table] {
			continue // the table says it
		}
		got, has := there[keyOf(f)]
		switch {
		case !has:
			out = append(out, Difference{
				Kind: f.Kind, Name: f.Name, Problem: "is missing", Fix: creation(f), table: f.Table,
			})
		case got.SQL != f.SQL:
			out = append(out, Difference{
				Kind: f.Kind, Name: f.Name, Problem: fmt.Sprintf("is %q, and must be %q", got.SQL, f.SQL),
				Fix: replacement(f), table: f.Table,
			})
		}
	}
	return out
}

// CompareNewer is Compare for a database of a newer schema than the program's: the new program has verified the rest. It
// reports roles that bypass the policies, and tables without row-level security.
func CompareNewer(must, is []Fact) []Difference {
	return slices.DeleteFunc(Compare(must, is), func(d Difference) bool {
		return d.Kind != KindRole && d.Kind != KindMembership && (d.Kind != KindRowSecurity || d.Problem == "is missing")
	})
}

type key struct {
	kind Kind
	name string
}

func keyOf(f Fact) key { return key{f.Kind, f.Name} }

func byKey(facts []Fact) map[key]Fact {
	out := make(map[key]Fact, len(facts))
	for _, f := range facts {
		out[keyOf(f)] = f
	}
	return out
}

// creation returns the statements that make a fact.
func creation(f Fact) string {
	if f.Kind == KindRole {
		return fmt.Sprintf("CREATE ROLE %s NOLOGIN", f.Name)
	}
	return f.SQL
}

// replacement returns the statements that make a fact where another of its name is.
func replacement(f Fact) string {
	switch f.Kind {
	case KindIndex, KindTrigger, KindPolicy, KindGrant:
		return removal(f) + "; " + f.SQL
	default: // the statement sets it, or replaces it
		return f.SQL
	}
}

// removal returns the statement that removes a fact. "": an administrator must decide.
func removal(f Fact) string {
	name, _, _ := strings.Cut(f.Name, " on ")
	switch f.Kind {
	case KindMembership, KindGrant:
		statement := strings.TrimSuffix(f.SQL, " WITH GRANT OPTION")
		before, grantee, _ := cutLast(strings.TrimPrefix(statement, "GRANT "), " TO ")
		return "REVOKE " + before + " FROM " + grantee
	case KindTrigger:
		return fmt.Sprintf("DROP TRIGGER %s ON %s", name, f.Table)
	case KindPolicy:
		return fmt.Sprintf("DROP POLICY %s ON %s", name, f.Table)
	case KindIndex:
		if strings.HasPrefix(f.SQL, "ALTER TABLE ") {
			return fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", f.Table, f.Name)
		}
		return "DROP INDEX " + f.Name
	default:
		return ""
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
