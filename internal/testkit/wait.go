package testkit

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Patience bounds every wait for the system: far longer than anything takes on a busy machine. The engine runs the steps of a
// lost worker again after 30 seconds, and the vault pushes what it owes after some more.
const Patience = 2 * time.Minute

// lookEvery is how often Eventually looks.
const lookEvery = 20 * time.Millisecond

// Eventually waits until look finds what it looks for, and gives it. what completes "waited in vain until …".
func Eventually[T any](t testing.TB, what string, look func(ctx context.Context) (T, bool)) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		found, ok := look(ctx)
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

// fatal ends the test with what went wrong with a look, unless its time is up.
func fatal(ctx context.Context, t testing.TB, err error) {
	t.Helper()
	if err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
}

// Operation waits for an operation to come so far, and gives it.
func (k *Kit) Operation(t testing.TB, tenant, id uuid.UUID, status vault.OperationStatus) vault.Operation {
	t.Helper()
	return Eventually(t, "operation "+id.String()+" is "+string(status), func(ctx context.Context) (vault.Operation, bool) {
		op, err := k.Query.Operation(ctx, tenant, id)
		fatal(ctx, t, err)
		return op, op.Status == status
	})
}

// Question waits for the open question to a customer that is not one of those known.
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
