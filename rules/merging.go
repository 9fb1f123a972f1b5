package rules

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// MergeField is what the definitions of a tenant say of a field of a merge rule.
type MergeField struct {
	Name        string
	Definitions []vault.Definition // of all agents
	Sealed      bool               // the values are encrypted
	Searchable  bool               // sealed values can be compared by the blind index
}

// CheckMergeFields returns why fields cannot tell that two customers are the same person, one problem for each. There
// is one for all of them if they are dates.
func CheckMergeFields(fields []MergeField) []*vault.Error {
	var problems []*vault.Error
	identifies := false
	for i, f := range fields {
		if why := mergeFieldProblem(f); why != "" {
			problems = append(problems, vault.Invalid(fmt.Sprintf("fields[%d]", i), "names %s, %s", f.Name, why))
			continue
		}
		identifies = identifies || !slices.ContainsFunc(f.Definitions, isDay)
	}
	if len(problems) == 0 && len(fields) > 0 && !identifies {
		problems = append(problems, vault.Invalid("fields", "are dates alone (%s), which many people share; add a field "+
			"that identifies a person, such as an email", fields[0].Name))
	}
	return problems
}

func isDay(d vault.Definition) bool {
	return d.ValueType == vault.TypeDate || d.ValueType == vault.TypeDatetime
}

// mergeFieldProblem returns why a field cannot be compared, "" if it can.
func mergeFieldProblem(f MergeField) string {
	if len(f.Definitions) == 0 {
		return "and no definition has this name; save a definition of it first"
	}
	for _, d := range f.Definitions {
		switch {
		case d.ValueType == vault.TypeBoolean || d.ValueType == vault.TypeJSON:
			return fmt.Sprintf("which is of type %s and identifies nobody; use a field of type string, email, phone, url or "+
				"number", d.ValueType)
		case d.Multiple:
			return "which is a list; use a field with one value"
		case len(d.AllowedValues) > 0:
			return "which has allowed_values, and many people share each of them; use a field with a value of one's own"
		}
	}
	if f.Sealed && !f.Searchable {
		return "whose values are encrypted; only a field whose definitions have searchable can be compared"
	}
	return ""
}

// MergeMember is a customer who has a value of each field of a merge rule.
type MergeMember struct {
	Profile uuid.UUID
	Since   time.Time // the customer was created
	Ground  []byte    // equal for equal values
}

// MergeGroups returns the members with the same ground, the oldest of each group first. A member without another is in
// no group.
func MergeGroups(members []MergeMember) [][]MergeMember {
	sorted := slices.Clone(members)
	slices.SortFunc(sorted, func(a, b MergeMember) int {
		if d := bytes.Compare(a.Ground, b.Ground); d != 0 {
			return d
		}
		return compareAge(a, b)
	})
	var out [][]MergeMember
	for from := 0; from < len(sorted); {
		to := from + 1
		for to < len(sorted) && bytes.Equal(sorted[to].Ground, sorted[from].Ground) {
			to++
		}
		if to-from > 1 {
			out = append(out, sorted[from:to])
		}
		from = to
	}
	return out
}

// compareAge orders customers by the time of their creation, then by id, so that the order is always the same.
func compareAge(a, b MergeMember) int {
	if d := a.Since.Compare(b.Since); d != 0 {
		return d
	}
	return bytes.Compare(a.Profile[:], b.Profile[:])
}

// MergePair is a pair of customers: the one who was created first, and the other one.
type MergePair struct{ Older, Newer uuid.UUID }

// Same reports whether two pairs have the same customers.
func (p MergePair) Same(other MergePair) bool {
	return p == other || p.Older == other.Newer && p.Newer == other.Older
}

// MergePairs returns the pairs of a group to propose: each member with the oldest one that a person did not keep apart
// from it. So a group of n gives at most n-1 pairs, and leads to one customer if all of them are approved.
func MergePairs(group []MergeMember, decided func(MergePair) bool) []MergePair {
	var out []MergePair
	for i, newer := range group {
		for _, older := range group[:i] {
			if pair := (MergePair{older.Profile, newer.Profile}); !decided(pair) {
				out = append(out, pair)
				break
			}
		}
	}
	return out
}
