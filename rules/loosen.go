package rules

import (
	"slices"

	"github.com/contextvault/contextvault/vault"
)

// Loosened returns the member of a definition by which a change shows values to more readers, "" if there is none. now
// is nil if the definition is deleted. A definition that an extraction suggested and no person approved protects
// nothing yet.
func Loosened(was vault.Definition, now *vault.Definition) string {
	switch {
	case was.Origin == vault.OriginExtracted && was.Review != vault.ReviewApproved:
		return ""
	case was.IsPII && (now == nil || !now.IsPII):
		return "is_pii"
	case len(was.Purposes) == 0:
		return ""
	case now == nil || len(now.Purposes) == 0,
		slices.ContainsFunc(now.Purposes, func(purpose string) bool { return !slices.Contains(was.Purposes, purpose) }):
		return "purposes"
	}
	return ""
}
