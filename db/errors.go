package db

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

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

// IsUnavailable reports whether PostgreSQL did not take or finish a request because it starts, stops, restarts, is full
// or cannot be reached. The same request succeeds later. A request that was cut off may have been committed.
func IsUnavailable(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case adminShutdown, crashShutdown, cannotConnectNow, tooManyConnections, readOnlyTransaction:
			return true
		default:
			return strings.HasPrefix(e.Code, connectionException)
		}
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || strings.HasSuffix(err.Error(), connClosed)
}

// connClosed is the text of pgx for a connection that was closed before the request was sent: it has no type.
const connClosed = "conn closed"

// Error codes of PostgreSQL (appendix A of its manual).
const (
	connectionException   = "08" // the class
	protocolViolation     = "08P01"
	insufficientPrivilege = "42501"
	readOnlyTransaction   = "25006" // a standby after a fail-over
	tooManyConnections    = "53300"
	adminShutdown         = "57P01"
	crashShutdown         = "57P02"
	cannotConnectNow      = "57P03"
	foreignKeyViolation   = "23503"
	uniqueViolation       = "23505"
	deadlockDetected      = "40P01"
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
