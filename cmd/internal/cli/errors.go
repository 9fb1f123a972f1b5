package cli

import (
	"errors"
	"strings"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// Message returns the text of an error for a person: the cause and the remedy.
func Message(err error) string {
	if p, ok := errors.AsType[*client.Problem](err); ok {
		return problemMessage(p)
	}
	if e, ok := errors.AsType[*vault.Error](err); ok {
		return e.ForCaller()
	}
	switch {
	case errors.Is(err, client.ErrUnreachable):
		return err.Error() + "; start one (`vault serve` or `make run`), or set its address with --server or VAULT_SERVER"
	case errors.Is(err, client.ErrNotVault):
		return err.Error() + "; set the address of the vault with --server or VAULT_SERVER"
	default:
		return err.Error()
	}
}

func problemMessage(p *client.Problem) string {
	text := p.Detail
	switch p.Code { //nolint:exhaustive // the other codes need no advice
	case client.CodeUnauthenticated:
		text += "; VAULT_API_KEY must be a key of this vault"
	case vault.CodeUnknown:
		if p.Field != "tenant" {
			text += "; the tenant is that of VAULT_API_KEY"
		}
	case client.CodeNoRoute, client.CodeMethod:
		text += "; the vault and this command have different versions"
	case client.CodeInternal:
		text += " " + p.RequestID
	}
	if p.Field == "Vault-Purpose" || strings.Contains(text, vault.PurposeRemedy) {
		text += "; VAULT_PURPOSE is this header"
	}
	if p.Field == "X-Tenant" {
		text += "; set --tenant or VAULT_TENANT"
	}
	if p.Operation != nil {
		text += " (operation " + p.Operation.String() + ")"
	}
	return text
}

// withOutput is an error of a command whose output is printed all the same.
type withOutput struct{ error }

// Unwrap returns the cause.
func (w withOutput) Unwrap() error { return w.error }

// Exit codes other than 0 and 1.
const (
	exitRejected    = 2   // an import has finished with rejected values
	exitInterrupted = 130 // Ctrl-C has interrupted an import or export; shells use the same code
)

// coded is an error with an exit code.
type coded struct {
	error
	code int
}

// Unwrap returns the cause.
func (c coded) Unwrap() error { return c.error }

// ExitCode returns the exit code of an error, 1 by default.
func ExitCode(err error) int {
	if c, ok := errors.AsType[coded](err); ok {
		return c.code
	}
	return 1
}
