package once

import (
	"context"
	"errors"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// Safe returns the text of an error that the workflow engine may show in its dashboard: codes, field names and ids,
// never a customer's value. permanent reports whether a retry with the same input fails again.
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
