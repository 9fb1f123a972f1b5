package once

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Current is the stored version of a part of the configuration.
type Current struct {
	Version   uuid.UUID // the operation that changed it last
	ChangedAt time.Time
	Deleted   bool // a tombstone: the version is that of the deletion
}

// CheckVersion rejects a change that is based on another version than the stored one. what names the part for people.
// lock locks the part until the end of the transaction; of one that never existed it returns the zero Current, or an
// error that is db.IsNotFound. Without a condition it locks nothing. A part that did not exist is not locked: the save
// must be one that creates only.
func CheckVersion(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.Based, what string, lock func() (Current, error),
) error {
	if in.IfVersion == nil {
		return nil
	}
	current, err := lock()
	absent := db.IsNotFound(err) || err == nil && current.Version == uuid.Nil
	switch {
	case err != nil && !absent:
		return err
	case in.OnlyNew() && (absent || current.Deleted), !absent && !current.Deleted && current.Version == *in.IfVersion:
		return nil
	case absent:
		return vault.Conflict("if_version", "if_version: there is no %s, so nothing was changed; "+
			"to create it, leave if_version out", what)
	}
	by := ""
	op, err := q.GetOperation(ctx, tenant, current.Version)
	switch {
	case err == nil:
		by = " by " + op.Actor + " (" + op.Workflow + ")"
	case !db.IsNotFound(err): // finished operations are deleted after some time
		return err
	}
	at := current.ChangedAt.UTC().Format(time.RFC3339)
	if current.Deleted {
		return vault.Conflict("if_version", "if_version: %s was deleted%s at %s; nothing was changed", what, by, at)
	}
	refused := vault.Conflict("if_version", "if_version: %s was changed%s at %s, and its version is %s now; "+
		"nothing was changed: read it again, and base the change on that", what, by, at, current.Version)
	refused.Related = []uuid.UUID{current.Version}
	return refused
}

// Overtaken is the error of a conditional save that found another one stored between its check and its write.
func Overtaken(what string) error {
	return vault.Conflict("if_version",
		"if_version: %s was changed at the same time; nothing was changed: read it again, and base the change on that", what)
}
