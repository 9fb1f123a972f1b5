package vault

import "github.com/google/uuid"

// Based is part of the input of an operation that changes the configuration: it can say what the change is based on, so
// that it does not undo what somebody else changed meanwhile.
type Based struct {
	// IfVersion is the version that the change is based on. Another stored version rejects the change with CodeConflict.
	// uuid.Nil: there is none yet. nil: no check.
	IfVersion *uuid.UUID `json:"if_version,omitempty" doc:"The version that the change is based on. If another one is stored, the change fails with the code conflict, which says who changed it and when, and nothing changes. The zero UUID: there must be none yet. Absent: no check."`
}

// OnlyNew reports whether the change must create what it saves.
func (b Based) OnlyNew() bool { return b.IfVersion != nil && *b.IfVersion == uuid.Nil }

// OnVersion returns the condition that a version is the stored one. uuid.Nil: nothing is stored.
func OnVersion(version uuid.UUID) Based { return Based{IfVersion: &version} }

// SetIfVersion sets the version that the change is based on.
func (b *Based) SetIfVersion(version uuid.UUID) { b.IfVersion = &version }
