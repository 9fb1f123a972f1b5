package db

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/contextvault/contextvault/vault"
)

// IsNotFound reports whether a query that wanted one row found none.
func IsNotFound(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// WrapNotFound turns "no row" into the vault's unknown error for what was looked for, and leaves any other error as it is.
func WrapNotFound(err error, what string, id any) error {
	if IsNotFound(err) {
		return vault.Unknown(what, id)
	}
	return err
}

// ForeignKey reports whether err says that a row refers to one that does not exist, by the constraint of that name.
func ForeignKey(err error, constraint string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == foreignKeyViolation && e.ConstraintName == constraint
}

// Duplicate reports whether err says that a unique key is taken.
func Duplicate(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == uniqueViolation
}

// Deadlock reports whether err says that PostgreSQL ended a transaction because it and another waited for each other. Nothing
// of it was done.
func Deadlock(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == deadlockDetected
}

// Error codes of PostgreSQL, appendix A of its manual.
const (
	foreignKeyViolation = "23503"
	uniqueViolation     = "23505"
	deadlockDetected    = "40P01"
)

// SafeText describes an error of PostgreSQL by its code and constraint: the server's own text may quote a value. "" where err
// is no such error.
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
