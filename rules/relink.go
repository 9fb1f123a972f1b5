package rules

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Relinked is a version whose state changes, and its new state.
type Relinked struct {
	ID           uuid.UUID
	Status       vault.ItemStatus
	SupersededBy *uuid.UUID
	YieldsTo     *uuid.UUID
}

// Relink joins the versions of two histories into one, as a merge does. In order, each version is superseded by the
// next, and the newest keeps its status. If the newest may not replace the active version of the other history, it
// yields to it, with the versions between the two. Relink returns only the versions that must change, so it returns
// none for its own result.
func Relink(history []Version, a Authority, now time.Time) []Relinked {
	line := slices.Clone(history)
	slices.SortFunc(line, compareVersions)
	yielded := a.yieldedTo(line, now)
	var out []Relinked
	set := func(v Version, r Relinked) {
		r.ID = v.ID
		if v.Status != r.Status || !sameID(v.SupersededByID, r.SupersededBy) || !sameID(v.YieldsToID, r.YieldsTo) {
			out = append(out, r)
		}
	}
	var succession []Version
	for _, v := range line {
		if _, yields := yielded[v.ID]; !yields && v.Status != vault.StatusPending && v.YieldsToID == nil {
			succession = append(succession, v)
		}
	}
	for i, v := range succession {
		if i+1 < len(succession) {
			set(v, Relinked{Status: vault.StatusSuperseded, SupersededBy: idOf(succession[i+1])})
		}
	}
	if len(succession) == 0 {
		return out
	}
	newest := succession[len(succession)-1]
	for _, v := range line {
		stronger, yields := yielded[v.ID]
		switch {
		case yields && v.Status != vault.StatusSuperseded && !v.Claim.says(stronger.Claim):
			set(v, Relinked{Status: vault.StatusPending, YieldsTo: idOf(stronger)})
		case yields && v.Status != vault.StatusSuperseded:
			set(v, Relinked{Status: vault.StatusSuperseded, SupersededBy: idOf(stronger), YieldsTo: idOf(stronger)})
		case yields:
			set(v, Relinked{Status: v.Status, SupersededBy: v.SupersededByID, YieldsTo: idOf(stronger)})
		case v.Status == vault.StatusPending && compareVersions(v, newest) < 0:
			set(v, Relinked{Status: vault.StatusSuperseded, SupersededBy: idOf(newest), YieldsTo: v.YieldsToID})
		case v.Status == vault.StatusPending:
			set(v, Relinked{Status: vault.StatusPending, YieldsTo: idOf(newest)})
		}
	}
	return out
}

// yieldedTo returns the versions that yield to an active version before them: the newest one of the other history if it
// is weaker, and what it superseded since. line is in order.
func (a Authority) yieldedTo(line []Version, now time.Time) map[uuid.UUID]Version {
	out := map[uuid.UUID]Version{}
	heads := slices.DeleteFunc(slices.Clone(line), func(v Version) bool {
		return v.Deleted || v.Status == vault.StatusSuperseded || v.Status == vault.StatusPending || v.YieldsToID != nil
	})
	if len(heads) != 2 || !a.yields(heads[1].Claim, heads[0], now) {
		return out
	}
	for _, v := range line {
		if compareVersions(v, heads[0]) > 0 && v.Status != vault.StatusPending && v.YieldsToID == nil && !v.Deleted {
			out[v.ID] = heads[0]
		}
	}
	return out
}

func sameID(a, b *uuid.UUID) bool { return a == b || (a != nil && b != nil && *a == *b) }
