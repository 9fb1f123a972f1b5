package db

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/contextvault/contextvault/vault"
)

// IsNotFound reports whether a query for one row found none.
func IsNotFound(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// WrapNotFound converts a not-found error to vault.CodeUnknown; what and id name the missing object. It returns any
// other error unchanged.
func WrapNotFound(err error, what string, id any) error {
	if IsNotFound(err) {
		return vault.Unknown(what, id)
	}
	return err
}

// IsForeignKeyViolation reports whether err is a violation of the foreign key with that name: a row refers to a missing
// row.
func IsForeignKeyViolation(err error, constraint string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == foreignKeyViolation && e.ConstraintName == constraint
}

// IsDuplicate reports whether err is a violation of a unique key.
func IsDuplicate(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == uniqueViolation
}

// IsDeadlock reports whether PostgreSQL rolled a transaction back because of a deadlock.
func IsDeadlock(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == deadlockDetected
}

// Error codes of PostgreSQL (appendix A of its manual).
const (
	foreignKeyViolation = "23503"
	uniqueViolation     = "23505"
	deadlockDetected    = "40P01"
)

// SafeText describes an error of PostgreSQL by its code and constraint, because the text of the server may quote a
// value. It returns "" for any other error.
func SafeText(err error) string {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return ""
	}
	text := "database error " + e.Code
	if e.ConstraintName != "" {
		text += " (constraint " + e.ConstraintName + ")"
	}
	return text
}
