package cli

import (
	"errors"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// Message is the text of an error for a person: what was wrong, and what to do.
func Message(err error) string {
	if p, ok := errors.AsType[*client.Problem](err); ok {
		return problemMessage(p)
	}
	if e, ok := errors.AsType[*vault.Error](err); ok {
		return e.ForCaller()
	}
	switch {
	case errors.Is(err, client.ErrUnreachable):
		return err.Error() + "; start one (`vault serve`, or `make run`), or say where it is by --server or VAULT_SERVER"
	case errors.Is(err, client.ErrNotVault):
		return err.Error() + "; say where the vault is by --server or VAULT_SERVER"
	default:
		return err.Error()
	}
}

func problemMessage(p *client.Problem) string {
	text := p.Detail
	switch p.Code {
	case client.CodeUnauthenticated:
		text += "; the key is that of VAULT_API_KEY, and must be of this vault"
	case vault.CodeUnknown:
		if p.Field != "tenant" {
			text += "; the tenant is that of VAULT_API_KEY"
		}
	case client.CodeNoRoute, client.CodeMethod:
		text += "; the vault is of another version than this command"
	case client.CodeInternal:
		text += " " + p.RequestID
	}
	if p.Field == "X-Tenant" {
		text += "; --tenant, or VAULT_TENANT, names it"
	}
	if p.Operation != nil {
		text += " (operation " + p.Operation.String() + ")"
	}
	return text
}

// Exit codes beside 0 and 1.
const (
	exitRejected    = 2   // an import is done, and some of it was rejected
	exitInterrupted = 130 // an import or export was, by Ctrl-C, as shells have it
)

// coded is an error with an exit code of its own.
type coded struct {
	error
	code int
}

// Unwrap gives the cause.
func (c coded) Unwrap() error { return c.error }

// ExitCode is the exit code of an error.
func ExitCode(err error) int {
	if c, ok := errors.AsType[coded](err); ok {
		return c.code
	}
	return 1
}
