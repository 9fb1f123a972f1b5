package rules

import (
	"slices"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// Accept returns the place of a pending version that a decision makes active, whatever is stronger. It supersedes the
// newest version before it and the pending ones before it or with its value, and overtakes the versions after it.
func Accept(history []Version, v Version, sourceFound bool, now time.Time) Placement {
	older, newer := split(history, v)
	p := Placement{Status: StatusOf(sourceFound, v.Claim.ExpiresAt, now), Supersedes: newestOf(older)}
	for _, n := range newer {
		if !n.Deleted {
			p.Overtakes = append(p.Overtakes, Overtaken{ID: n.ID, Status: vault.StatusSuperseded})
		}
	}
	for _, other := range pendingOf(history, v.ID) {
		if compareVersions(other, v) < 0 || other.Claim.says(v.Claim) {
			p.Replaces = append(p.Replaces, other.ID)
		}
	}
	return p
}

// Previous returns the newest version of a succession that is not deleted, without v. It is what remains when v is
// deleted. ok is false if there is none.
func Previous(history []Version, v Version) (previous Version, ok bool) {
	older, newer := split(history, v)
	left := slices.DeleteFunc(append(older, newer...), func(n Version) bool { return n.Deleted })
	if len(left) == 0 {
		return Version{}, false
	}
	return slices.MaxFunc(left, compareVersions), true
}
