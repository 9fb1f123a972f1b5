package testkit

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Patience limits every wait for the system, even on a busy machine. The engine restarts the steps of a lost worker
// after 30 seconds, and the relay pushes unfinished operations some time later.
const Patience = 2 * time.Minute

// pollEvery is the interval of Eventually.
const pollEvery = 20 * time.Millisecond

// Eventually polls until check returns true, and returns its value. what completes the message "waited in vain until
// …".
func Eventually[T any](t testing.TB, what string, check func(ctx context.Context) (T, bool)) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		found, ok := check(ctx)
		if ok {
			return found
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

// fatal ends the test with an error of a check, unless the time of the check is up.
func fatal(ctx context.Context, t testing.TB, err error) {
	t.Helper()
	if err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
}

// Operation waits until an operation has a status, and returns it.
func (k *Kit) Operation(t testing.TB, tenant, id uuid.UUID, status vault.OperationStatus) vault.Operation {
	t.Helper()
	return Eventually(
		t,
		"operation "+id.String()+" is "+string(status),
		func(ctx context.Context) (vault.Operation, bool) {
			op, err := k.Query.Operation(ctx, tenant, id)
			fatal(ctx, t, err)
			return op, op.Status == status
		},
	)
}

// Question waits for an open question to a customer that is not in known.
func (k *Kit) Question(t testing.TB, tenant, customer uuid.UUID, known ...vault.Question) vault.Question {
	t.Helper()
	return Eventually(t, "a question is asked", func(ctx context.Context) (vault.Question, bool) {
		open, err := k.Query.Questions(ctx, tenant, customer)
		fatal(ctx, t, err)
		for _, q := range open {
			if !has(known, q) {
				return q, true
			}
		}
		return vault.Question{}, false
	})
}

func has(known []vault.Question, q vault.Question) bool {
	for _, k := range known {
		if k.ID == q.ID {
			return true
		}
	}
	return false
}
