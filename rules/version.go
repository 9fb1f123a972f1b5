package rules

import (
	"bytes"
	"cmp"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Version is one version of a field, as far as its place in the history goes.
type Version struct {
	ID             uuid.UUID
	OperationID    uuid.UUID // the operation that wrote it
	AcceptedAt     time.Time // when that operation was accepted
	Status         vault.ItemStatus
	SupersededByID *uuid.UUID
	Deleted        bool // it displaces what is older, as it did while it was seen
}

// Placement says where a new version belongs in the history of its field.
type Placement struct {
	Status       vault.ItemStatus
	SupersededBy *uuid.UUID // the next newer version, nil where the new one is the newest
	Supersedes   *uuid.UUID // the next older version, whose superseded_by must now name the new one; nil where there is none
}

// Place finds the place of a write in the history of its field, which may come in any order.
//
// Versions are ordered by when their operations were accepted, not by when they arrive: a write that was delayed or replayed
// enters as superseded, and never displaces a newer one. Of a write that is the newest, a missing source makes it orphaned,
// and else a passed expiry expired. A version by the same operation does not count. Behind a deleted one a late write is
// superseded as well: in time, it would have been displaced before that was deleted.
func Place(history []Version, operationID uuid.UUID, acceptedAt time.Time, sourceFound bool, expiresAt *time.Time, now time.Time) Placement {
	return PlaceVersion(history, Version{OperationID: operationID, AcceptedAt: acceptedAt}, sourceFound, expiresAt, now)
}

// PlaceVersion is Place for a version that has its id, as one that comes back into a history has. Then another version by the same
// operation counts: an import that wrote to two customers who were merged since has two in one history.
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
		id := older.ID // a copy: the caller may go on with its history
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

// inLine orders the versions of a history. An import that wrote to two customers who were merged since has two versions in it:
// their ids tell which is the later one.
func compareVersions(a, b Version) int {
	return cmp.Or(compareAcceptance(a.AcceptedAt, a.OperationID, b.AcceptedAt, b.OperationID), bytes.Compare(a.ID[:], b.ID[:]))
}

// acceptance compares two operations by when they were accepted, and by id where that is the same. Times count in
// microseconds: that is what PostgreSQL keeps, and a time that went through it must not change places with one that did not.
func compareAcceptance(at time.Time, op uuid.UUID, otherAt time.Time, other uuid.UUID) int {
	return cmp.Or(
		at.Truncate(time.Microsecond).Compare(otherAt.Truncate(time.Microsecond)),
		bytes.Compare(op[:], other[:]),
	)
}

// ExpiryOf gives when a written value expires: at the write's own time, else retention_days after it was collected, or
// accepted where the write does not say; nil where it never does. A definition's retention holds even while it is not
// enabled, because what may be kept for a limited time only is not kept for ever by a switch.
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
