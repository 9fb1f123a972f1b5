package rules

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// PastVersion is a version of a field with the times at which its state changed.
type PastVersion struct {
	Version

	ExpiresAt *time.Time
	DecidedAt *time.Time // see Version.Claim.Decision
	DeletedAt *time.Time // nil: it is not deleted
	// SupersededAt is the time of the first version that superseded it since it was active last.
	SupersededAt *time.Time
	// UpdatedAt is the last change of the version. An orphaned version counts as orphaned since then.
	UpdatedAt time.Time
}

// ActiveAt returns the id of the version of a field that was true at asOf, by effective time, as the vault knew it at
// knownAt, by acceptance. ok is false if there was none.
//
// Of the versions that the vault had accepted by then and that took part in the succession, it is the newest that was
// in effect. Versions that were pending, rejected or yielded to a stronger one took no part; a pending one does from
// its acceptance by a person or the customer on. There is none if that version had expired by asOf, or if it was
// deleted or orphaned by knownAt; a deletion that restored the version before it counts as if the deleted one had
// never been.
func ActiveAt(versions []PastVersion, asOf, knownAt time.Time) (id uuid.UUID, ok bool) {
	var line []PastVersion
	for _, v := range versions {
		if compareTimes(v.AcceptedAt, knownAt) <= 0 && compareTimes(v.effective(), asOf) <= 0 && v.tookPart(knownAt) {
			line = append(line, v)
		}
	}
	slices.SortFunc(line, func(a, b PastVersion) int { return compareVersions(b.Version, a.Version) })
	var deleted []PastVersion
	for _, v := range line {
		switch {
		case v.DeletedAt != nil && compareTimes(*v.DeletedAt, knownAt) <= 0:
			deleted = append(deleted, v)
			continue
		case slices.ContainsFunc(deleted, v.staysSuperseded):
			return uuid.Nil, false
		case v.ExpiresAt != nil && compareTimes(*v.ExpiresAt, asOf) <= 0,
			v.Status == vault.StatusOrphaned && compareTimes(v.UpdatedAt, knownAt) <= 0:
			return uuid.Nil, false
		}
		return v.ID, true
	}
	return uuid.Nil, false
}

// staysSuperseded reports whether a version was not restored by the deletion of a newer one: it was superseded before
// the deletion, or arrived after it.
func (v PastVersion) staysSuperseded(deleted PastVersion) bool {
	switch {
	case v.SupersededAt == nil:
		return false
	case v.SupersededByID != nil && *v.SupersededByID == deleted.ID:
		return true
	default:
		return v.SupersededAt.Before(*deleted.DeletedAt) || v.AcceptedAt.After(*deleted.DeletedAt)
	}
}

// tookPart reports whether a version took part in the succession of its field at a time.
func (v PastVersion) tookPart(at time.Time) bool {
	switch v.Claim.Decision {
	case vault.DecisionAccepted, vault.DecisionConfirmed:
		return v.DecidedAt == nil || compareTimes(*v.DecidedAt, at) <= 0
	default:
		return v.Status != vault.StatusPending && v.YieldsToID == nil
	}
}

// PastValue returns an active value without what the vault learned of it after a time.
func PastValue(v vault.Value, knownAt time.Time) vault.Value {
	later := func(at *time.Time) bool { return at != nil && at.After(knownAt) }
	v.Status, v.SupersededByID, v.SupersededAt, v.YieldsToID = vault.StatusActive, nil, nil, nil
	if later(v.DecidedAt) {
		v.Decision, v.DecidedBy, v.DecidedAt, v.DecisionNote = "", "", nil, ""
	}
	if v.Verified && later(v.VerifiedAt) {
		v.Verified, v.VerificationMethod, v.VerifiedBy, v.VerifiedAt = false, "", "", nil
	}
	if later(v.StaleSince) {
		v.StaleSince = nil
	}
	if later(v.DeletionProposedAt) {
		v.DeletionProposedAt, v.DeletionReason = nil, ""
	}
	return v
}
