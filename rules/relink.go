package rules

import (
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Relinked is a version that must become superseded, and its successor.
type Relinked struct {
	ID           uuid.UUID
	SupersededBy uuid.UUID
}

// Relink joins the versions of two histories into one, as a merge does. In order of acceptance, each version is
// superseded by the next. The newest keeps its status. Relink returns only the versions that must change, so it returns
// none for its own result.
func Relink(history []Version) []Relinked {
	line := slices.Clone(history)
	slices.SortFunc(line, compareVersions)
	var out []Relinked
	for i := 0; i+1 < len(line); i++ {
		v, next := line[i], line[i+1].ID
		if v.Status != vault.StatusSuperseded || v.SupersededByID == nil || *v.SupersededByID != next {
			out = append(out, Relinked{ID: v.ID, SupersededBy: next})
		}
	}
	return out
}
