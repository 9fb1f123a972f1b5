package rules

import (
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Relinked is what a version must become so that its field's history is one line again.
type Relinked struct {
	ID           uuid.UUID
	SupersededBy uuid.UUID
}

// Relink makes one history of versions that were in two, as a merge brings them together: in order of acceptance each is
// superseded by the next, and the newest stays what it is. It gives the versions that must change. Applied to its own outcome
// it gives none.
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
