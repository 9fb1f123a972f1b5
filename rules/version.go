package rules

import (
	"bytes"
	"cmp"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Version is one version of a field, with the members that decide its place in the history.
type Version struct {
	ID             uuid.UUID
	OperationID    uuid.UUID // the operation that wrote the version
	AcceptedAt     time.Time // the time at which the operation was accepted
	Status         vault.ItemStatus
	SupersededByID *uuid.UUID
	// Deleted reports a deleted version. It still supersedes older versions.
	Deleted bool
}

// Placement is the place of a new version in the history of its field.
type Placement struct {
	Status vault.ItemStatus
	// SupersededBy is the next newer version. nil: the new version is the newest.
	SupersededBy *uuid.UUID
	// Supersedes is the next older version, which the new version supersedes. nil: there is none.
	Supersedes *uuid.UUID
}

// Place returns the place of a write in the history of its field. The history may be in any order.
//
// Versions are ordered by the acceptance of their operations, not by their arrival. A delayed or replayed write becomes
// superseded and never replaces a newer version. The newest version is orphaned if its source is missing, else expired
// if its expiry has passed, else active. A version by the same operation is ignored, so a repeated write has the same
// place. A write older than a deleted version is superseded too, because a timely write would have been superseded
// before the deletion.
func Place(
	history []Version, operationID uuid.UUID, acceptedAt time.Time, sourceFound bool, expiresAt *time.Time, now time.Time,
) Placement {
	return PlaceVersion(history, Version{OperationID: operationID, AcceptedAt: acceptedAt}, sourceFound, expiresAt, now)
}

// PlaceVersion is Place for a version with an id, such as a restored one. Another version by the same operation is not
// ignored then: after a merge, the versions of one import for both customers are in one history.
func PlaceVersion(history []Version, version Version, sourceFound bool, expiresAt *time.Time, now time.Time) Placement {
	var older, newer *Version
	for i := range history {
		v := &history[i]
		order := compareAcceptance(v.AcceptedAt, v.OperationID, version.AcceptedAt, version.OperationID)
		if version.ID != uuid.Nil {
			order = compareVersions(*v, version)
		}
		switch {
		case order < 0 && !v.Deleted && (older == nil || compareVersions(*older, *v) < 0):
			older = v
		case order > 0 && (newer == nil || compareVersions(*newer, *v) > 0):
			newer = v
		}
	}
	p := Placement{Status: vault.StatusActive}
	if older != nil {
		id := older.ID // a copy, so that the result does not change with the caller's history
		p.Supersedes = &id
	}
	switch {
	case newer != nil:
		id := newer.ID
		p.Status, p.SupersededBy = vault.StatusSuperseded, &id
	case !sourceFound:
		p.Status = vault.StatusOrphaned
	case expiresAt != nil && !expiresAt.After(now):
		p.Status = vault.StatusExpired
	}
	return p
}

// compareVersions compares the versions of a history by acceptance, then by id. After a merge, one operation may have
// two versions in a history; only their ids differ.
func compareVersions(a, b Version) int {
	return cmp.Or(
		compareAcceptance(a.AcceptedAt, a.OperationID, b.AcceptedAt, b.OperationID),
		bytes.Compare(a.ID[:], b.ID[:]),
	)
}

// compareAcceptance compares two operations by the time of acceptance, then by id. Times are compared in microseconds,
// the precision of PostgreSQL. Otherwise a time that was read from PostgreSQL could be ordered differently.
func compareAcceptance(at time.Time, op uuid.UUID, otherAt time.Time, other uuid.UUID) int {
	return cmp.Or(
		at.Truncate(time.Microsecond).Compare(otherAt.Truncate(time.Microsecond)),
		bytes.Compare(op[:], other[:]),
	)
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
