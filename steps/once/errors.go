package once

import (
	"context"
	"errors"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// Safe gives the text of an error as the workflow engine, whose dashboard shows it, may see it: codes, field names and ids,
// never a customer's value. permanent says that a retry with the same input must fail again.
func Safe(err error) (text string, permanent bool) {
	if e, ok := errors.AsType[*vault.Error](err); ok {
		return string(e.Code) + ": " + e.Message, vault.Permanent(e)
	}
	if text := db.SafeText(err); text != "" {
		return text, false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "time-out", false
	}
	return err.Error(), false
}
