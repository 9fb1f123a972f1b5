package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/worker"

	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// atOnce reports whether the engine does not retry after an error.
func atOnce(err error) bool {
	return worker.IsNonRetryableError(err) //nolint:staticcheck // the SDK has no other name for it
}

// runTask runs a step that returns err, or panics with it.
func runTask(t *testing.T, step func() error) error {
	t.Helper()
	_, err := task(func(context.Context, vault.Batch) (struct{}, error) { return struct{}{}, step() })(nil, vault.Batch{})
	return err
}

func TestTask_PermanentErrorIsNotRetried(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err       error
		permanent bool
	}{
		{vault.Invalid("email", "is not an email address"), true},
		{vault.Unknown("agent", "x"), true},
		{vault.Conflict("item_id", "taken"), true},
		{vault.HasDependents("item_id", nil), true},
		{fmt.Errorf("persist: %w", vault.Invalid("email", "is empty")), true},
		{errors.Join(vault.Invalid("email", "is empty"), errors.New("connection lost")), true},
		{vault.Unavailable("the model", errors.New("429")), false},
		{context.DeadlineExceeded, false},
		{errors.New("connection reset"), false},
	} {
		if err := runTask(t, func() error { return c.err }); err == nil || atOnce(err) != c.permanent {
			t.Errorf("%v became %v: not retried: %t, want %t", c.err, err, atOnce(err), c.permanent)
		}
	}
}

// The worker tells a step whose work another run does from one that failed.
func TestTask_YieldedIsRecognised(t *testing.T) {
	t.Parallel()
	err := runTask(t, func() error { return fmt.Errorf("%w at the moment", once.ErrYielded) })
	if !errors.Is(err, once.ErrYielded) || atOnce(err) {
		t.Errorf("got %v; not retried: %t", err, atOnce(err))
	}
}

// The caller sees the value in a rejection; the engine, which stores and shows errors, does not.
func TestTask_ErrorHasNoValue(t *testing.T) {
	t.Parallel()
	const value = "Ada Marchetti"
	for name, step := range map[string]func() error{
		"a rejection": func() error {
			return &vault.Error{
				Code: vault.CodeInvalid, Field: "name", Message: "name: is not allowed",
				Detail: `name: "` + value + `" is not allowed`,
			}
		},
		"a wrapped rejection": func() error {
			return fmt.Errorf(
				"write %q: %w", value, vault.Invalid("name", "is not allowed"),
			)
		},
		"a panic with a value":    func() error { panic(value) },
		"a panic with an error":   func() error { panic(errors.New(value)) },
		"a panic of the run time": func() error { return []error{}[len(value)] },
	} {
		err := runTask(t, step)
		if err == nil || strings.Contains(err.Error(), value) || strings.Contains(err.Error(), "goroutine") {
			t.Errorf("%s became %v", name, err)
		}
	}
}

func TestTask_PanicIsRetried(t *testing.T) {
	t.Parallel()
	if err := runTask(t, func() error { panic("oh") }); err == nil || atOnce(err) {
		t.Errorf("it became %v", err)
	}
}

func TestTask_PassesEventAndOutput(t *testing.T) {
	t.Parallel()
	sent := vault.BatchOf(vault.Event{OperationID: uuid.New(), TenantID: uuid.New(), Push: 2})
	got, err := task(func(_ context.Context, b vault.Batch) (vault.Batch, error) { return b, nil })(nil, sent)
	if diff := cmp.Diff(sent, got); err != nil || diff != "" {
		t.Errorf("it gave %v (- sent, + got):\n%s", err, diff)
	}
}
