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

// task makes a step a task of the engine. This is the one edge between the two: errors lose what the dashboard may not see,
// what no retry can mend fails at once, and a panic becomes an error without its stack, which may hold values.
func task[Out any](step func(context.Context, vault.Event) (Out, error)) func(hatchet.Context, vault.Event) (Out, error) {
	return func(ctx hatchet.Context, ev vault.Event) (out Out, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("the step panicked with a %T", p)
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

// outcome is the output of a step whose rejection is an outcome, and not a failed run. The engine tells a parent of a failed
// child no more than that one of its tasks failed or was cancelled; this tells it what a retry cannot mend.
type outcome[Out any] struct {
	Result   Out    `json:"result"`
	Rejected string `json:"rejected,omitempty"` // code and message, without values
}

// rejectable makes a step whose rejection is an outcome.
func rejectable[Out any](step func(context.Context, vault.Event) (Out, error)) func(context.Context, vault.Event) (outcome[Out], error) {
	return func(ctx context.Context, ev vault.Event) (outcome[Out], error) {
		out, err := step(ctx, ev)
		if vault.Permanent(err) {
			text, _ := once.Safe(err)
			return outcome[Out]{Rejected: text}, nil
		}
		return outcome[Out]{Result: out}, err
	}
}

// value gives the output of a rejectable step in the run that started it.
func (o outcome[Out]) value() (Out, error) {
	if o.Rejected != "" {
		return o.Result, worker.NewNonRetryableError(errors.New(o.Rejected)) //nolint:staticcheck // the SDK has no other name for it
	}
	return o.Result, nil
}
