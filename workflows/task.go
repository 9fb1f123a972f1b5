package workflows

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/hatchet-dev/hatchet/pkg/worker"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
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
	text, permanent := steps.Safe(err)
	if permanent {
		return worker.NewNonRetryableError(errors.New(text)) //nolint:staticcheck // the SDK has no other name for it
	}
	return errors.New(text)
}

// codeOfChild finds the code that engineError put first. Of a child run the engine tells its parent the text alone.
var codeOfChild = regexp.MustCompile(`"([a-z_]+): `)

// childError is what the failure of a child run makes of its parent: what no retry could mend there, none can mend here.
func childError(err error) error {
	if err == nil {
		return nil
	}
	code := codeOfChild.FindStringSubmatch(err.Error())
	if code != nil && vault.Permanent(&vault.Error{Code: vault.Code(code[1])}) {
		return worker.NewNonRetryableError(err) //nolint:staticcheck // the SDK has no other name for it
	}
	return err
}
