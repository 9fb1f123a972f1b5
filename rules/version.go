package rules

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Version is one version of a field, with the members that decide its place in the history.
type Version struct {
	ID          uuid.UUID
	OperationID uuid.UUID // the operation that wrote the version
	AcceptedAt  time.Time // the time at which the operation was accepted
	// EffectiveAt is the time from which on the claim holds: its collection, never later than AcceptedAt. Zero:
	// AcceptedAt.
	EffectiveAt    time.Time
	Status         vault.ItemStatus
	SupersededByID *uuid.UUID
	// YieldsToID is the stronger version that kept this one from becoming active. nil: the version was active, or was
	// superseded only because it came late.
	YieldsToID *uuid.UUID
	// Deleted reports a deleted version. It still supersedes older versions.
	Deleted bool
	Claim   Claim
}

// EffectiveTime returns the time from which on a claim holds.
func EffectiveTime(collectedAt, acceptedAt time.Time) time.Time {
	if collectedAt.Before(acceptedAt) {
		return collectedAt
	}
	return acceptedAt
}

// Placement is the place of a new version in the history of its field.
type Placement struct {
	Status vault.ItemStatus
	// SupersededBy is the version that supersedes the new one: the next newer, or the stronger one that says the same.
	SupersededBy *uuid.UUID
	// Supersedes is the next older version, which the new version supersedes. nil: there is none.
	Supersedes *uuid.UUID
	// YieldsTo is the stronger active version that the new one may not replace by itself.
	YieldsTo *uuid.UUID
	// Replaces are the pending versions that the new version supersedes.
	Replaces []uuid.UUID
	// Overtakes are the newer and weaker versions that yield to the new one: it was accepted before them, and came late.
	Overtakes []Overtaken
}

// Overtaken is a version that yields to a stronger one that was accepted before it.
type Overtaken struct {
	ID     uuid.UUID
	Status vault.ItemStatus // pending if it was active and differs; else superseded
}

// Place returns the place of a version in the history of its field. The history may be in any order; versions with the
// id of v are ignored.
//
// Versions are ordered by effective time, then by acceptance, not by their arrival. A version older than the newest one
// becomes superseded. The newest version is orphaned if its source is missing, else expired if its expiry has passed,
// else active. A version older than a deleted one is superseded too, because a timely write would have been superseded
// before the deletion.
//
// A claim that is weaker than the active version does not replace it (see Authority): it is pending if it differs, and
// superseded if it says the same. If such a weaker claim arrived before the stronger one, although it was accepted
// later, it yields now. So the outcome does not depend on the order of arrival.
func Place(history []Version, v Version, a Authority, sourceFound bool, now time.Time) Placement {
	older, newer := split(history, v)
	standing := StatusOf(sourceFound, v.Claim.ExpiresAt, now)
	if len(newer) > 0 {
		if standing == vault.StatusActive && a.overtakes(v, newer, now) {
			p := Placement{Status: standing, Supersedes: newestOf(older)}
			p.Overtakes = a.overtaken(v, newer)
			return p
		}
		return Placement{Status: vault.StatusSuperseded, SupersededBy: idOf(newer[0]), Supersedes: newestOf(older)}
	}
	if active, ok := activeOf(older); ok && a.yields(v.Claim, active, now) {
		if v.Claim.says(active.Claim) {
			return Placement{Status: vault.StatusSuperseded, SupersededBy: idOf(active), YieldsTo: idOf(active)}
		}
		return a.placePending(history, v, active)
	}
	p := Placement{Status: standing, Supersedes: newestOf(older)}
	for _, other := range pendingOf(history, v.ID) {
		if compareVersions(other, v) < 0 {
			p.Replaces = append(p.Replaces, other.ID)
		}
	}
	return p
}

// placePending places a claim beside the active version. Of the pending claims, one that is newer and not weaker
// replaces the older ones.
func (a Authority) placePending(history []Version, v, active Version) Placement {
	p := Placement{Status: vault.StatusPending, YieldsTo: idOf(active)}
	for _, other := range pendingOf(history, v.ID) {
		order := compareVersions(other, v)
		strength := a.compare(other.Claim, v.Claim)
		switch {
		case order > 0 && strength >= 0, order < 0 && strength > 0 && v.Claim.says(other.Claim):
			p.Status, p.SupersededBy = vault.StatusSuperseded, idOf(other)
		case order < 0 && strength <= 0:
			p.Replaces = append(p.Replaces, other.ID)
		}
	}
	if p.Status == vault.StatusSuperseded {
		p.Replaces = nil
	}
	return p
}

// overtakes reports whether a version would still be active if it had arrived in time: each newer version was accepted
// after it and may not replace it.
func (a Authority) overtakes(v Version, newer []Version, now time.Time) bool {
	if a.OnConflict == vault.ConflictNewest {
		return false
	}
	v.Status = vault.StatusActive
	return a.protects(v, now) && !slices.ContainsFunc(newer, func(n Version) bool {
		return n.Deleted || n.Claim.decided() || compareAcceptance(v, n) >= 0 || a.compare(n.Claim, v.Claim) >= 0
	})
}

// overtaken returns what becomes of the versions that yield to v.
func (a Authority) overtaken(v Version, newer []Version) []Overtaken {
	var out []Overtaken
	for _, n := range newer {
		status := vault.StatusSuperseded
		if n.Status == vault.StatusActive && !n.Claim.says(v.Claim) {
			status = vault.StatusPending
		}
		out = append(out, Overtaken{ID: n.ID, Status: status})
	}
	return out
}

// StatusOf returns the status of a version that nothing supersedes.
func StatusOf(sourceFound bool, expiresAt *time.Time, now time.Time) vault.ItemStatus {
	switch {
	case !sourceFound:
		return vault.StatusOrphaned
	case expiresAt != nil && !expiresAt.After(now):
		return vault.StatusExpired
	default:
		return vault.StatusActive
	}
}

// split returns the versions before and after v that took part in the succession, each in order. Pending versions and
// those that yielded to a stronger one did not. Deleted versions are only among the newer ones.
func split(history []Version, v Version) (older, newer []Version) {
	for _, other := range history {
		if other.ID == v.ID || other.Status == vault.StatusPending || other.YieldsToID != nil {
			continue
		}
		switch {
		case compareVersions(other, v) > 0:
			newer = append(newer, other)
		case !other.Deleted:
			older = append(older, other)
		}
	}
	slices.SortFunc(older, compareVersions)
	slices.SortFunc(newer, compareVersions)
	return older, newer
}

// pendingOf returns the pending versions of a history.
func pendingOf(history []Version, except uuid.UUID) []Version {
	var out []Version
	for _, v := range history {
		if v.ID != except && v.Status == vault.StatusPending && !v.Deleted {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, compareVersions)
	return out
}

// activeOf returns the active one of versions.
func activeOf(versions []Version) (Version, bool) {
	i := slices.IndexFunc(versions, func(v Version) bool { return v.Status == vault.StatusActive && !v.Deleted })
	if i < 0 {
		return Version{}, false
	}
	return versions[i], true
}

// newestOf returns the id of the last one of versions in order, nil for none.
func newestOf(versions []Version) *uuid.UUID {
	if len(versions) == 0 {
		return nil
	}
	return idOf(versions[len(versions)-1])
}

// idOf returns the id as a copy, so that a result does not change with the caller's history.
func idOf(v Version) *uuid.UUID { return &v.ID }

// compareVersions compares the versions of a history by effective time, then by acceptance, then by id. After a merge,
// one operation may have two versions in a history; only their ids differ.
func compareVersions(a, b Version) int {
	return cmp.Or(compareTimes(a.effective(), b.effective()), compareAcceptance(a, b), bytes.Compare(a.ID[:], b.ID[:]))
}

func (v Version) effective() time.Time {
	if v.EffectiveAt.IsZero() {
		return v.AcceptedAt
	}
	return v.EffectiveAt
}

// compareAcceptance compares two versions by the acceptance of their operations.
func compareAcceptance(a, b Version) int {
	return cmp.Or(compareTimes(a.AcceptedAt, b.AcceptedAt), bytes.Compare(a.OperationID[:], b.OperationID[:]))
}

// compareTimes compares times in microseconds, the precision of PostgreSQL. Otherwise a time that was read from
// PostgreSQL could be ordered differently.
func compareTimes(a, b time.Time) int {
	return a.Truncate(time.Microsecond).Compare(b.Truncate(time.Microsecond))
}

// ExpiryOf returns the expiry of a value that is written: the write's own, else retention_days after its collection or
// acceptance, nil for never. The retention of a definition applies also while the definition is not enabled. Otherwise
// disabling a definition would keep personal data without a limit.
func ExpiryOf(write vault.WriteValueInput, def *vault.Definition, acceptedAt time.Time) *time.Time {
	if write.ExpiresAt != nil {
		at := write.ExpiresAt.UTC()
		return &at
	}
	if def == nil || def.RetentionDays <= 0 {
		return nil
	}
	collected := acceptedAt
	if write.CollectedAt != nil {
		collected = *write.CollectedAt
	}
	at := collected.UTC().AddDate(0, 0, def.RetentionDays)
	return &at
}
