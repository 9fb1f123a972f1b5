package workflows

import (
	"context"
	"errors"
	"fmt"

	"github.com/hatchet-dev/hatchet/pkg/worker"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// task converts a step to a task of the engine. It is the only connection between the two. It removes values from
// errors, because the dashboard shows them; it makes permanent errors non-retryable; and it converts a panic to an
// error without its stack, which may hold values.
func task[Out any](
	step func(context.Context, vault.Event) (Out, error),
) func(hatchet.Context, vault.Event) (Out, error) {
	return func(ctx hatchet.Context, ev vault.Event) (out Out, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("the step panicked with a value of type %T", p)
			}
		}()
		out, err = step(ctx, ev)
		if err != nil {
			return out, engineError(err)
		}
		return out, nil
	}
}

func engineError(err error) error {
	text, permanent := once.Safe(err)
	if permanent {
		return worker.NewNonRetryableError(errors.New(text)) //nolint:staticcheck // the SDK has no other name for it
	}
	return errors.New(text)
}

// resultOrRejection is the output of a step that reports a rejection as an outcome instead of a failed run. The engine
// tells the parent of a failed child only that a task failed or was cancelled; the output tells it about a permanent
// error.
type resultOrRejection[Out any] struct {
	Result   Out    `json:"result"`
	Rejected string `json:"rejected,omitempty"` // code and message, without values
}

// withRejection makes a step report a permanent error as an outcome.
func withRejection[Out any](
	step func(context.Context, vault.Event) (Out, error),
) func(context.Context, vault.Event) (resultOrRejection[Out], error) {
	return func(ctx context.Context, ev vault.Event) (resultOrRejection[Out], error) {
		out, err := step(ctx, ev)
		if vault.Permanent(err) {
			text, _ := once.Safe(err)
			return resultOrRejection[Out]{Rejected: text}, nil
		}
		return resultOrRejection[Out]{Result: out}, err
	}
}

// unwrap returns the output of the step, or its rejection as a permanent error, in the run that started it.
func (o resultOrRejection[Out]) unwrap() (Out, error) {
	if o.Rejected != "" {
		//nolint:staticcheck // the SDK has no other name for it
		return o.Result, worker.NewNonRetryableError(errors.New(o.Rejected))
	}
	return o.Result, nil
}
