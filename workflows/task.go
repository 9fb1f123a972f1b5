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
	step func(context.Context, vault.Batch) (Out, error),
) func(hatchet.Context, vault.Batch) (Out, error) {
	return func(ctx hatchet.Context, b vault.Batch) (out Out, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("the step panicked with a value of type %T", p)
			}
		}()
		out, err = step(ctx, b)
		if err != nil {
			return out, engineError(err)
		}
		return out, nil
	}
}

// single converts a step of a workflow whose runs carry one operation.
func single[Out any](
	step func(context.Context, vault.Event) (Out, error),
) func(hatchet.Context, vault.Batch) (Out, error) {
	return task(func(ctx context.Context, b vault.Batch) (out Out, err error) {
		if b.IsCron() {
			return step(ctx, vault.Event{})
		}
		if err := b.Check(); err != nil {
			return out, err
		}
		if len(b.Operations) != 1 {
			return out, vault.Invalid("operations", "a run of this workflow carries one operation, and the batch has %d",
				len(b.Operations))
		}
		return step(ctx, b.Events()[0])
	})
}

func engineError(err error) error {
	if errors.Is(err, once.ErrYielded) {
		return once.ErrYielded // the worker does not count it as a failure
	}
	text, permanent := once.Safe(err)
	if permanent {
		return worker.NewNonRetryableError(errors.New(text)) //nolint:staticcheck // the SDK has no other name for it
	}
	return errors.New(text)
}
