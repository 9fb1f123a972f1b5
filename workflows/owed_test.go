package workflows_test

import (
	"testing"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// withoutEngine returns a client that accepts operations and does not reach an engine.
func withoutEngine(t *testing.T) *trigger.Client {
	t.Helper()
	sealer, err := db.NewSealer(kit.Config.SealingKey.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	client := trigger.New(trigger.Options{DB: kit.DB, Sealer: sealer.Bind(kit.DB), Log: testkit.Log()})
	t.Cleanup(client.Close)
	return client
}

// The relay pushes operations that were accepted without the engine, and operations that the engine lost.
func TestRelayOperations_PushesDueOperations(t *testing.T) {
	t.Parallel()
	client := withoutEngine(t)
	for name, became := range map[string]string{
		"never pushed":    "due_at = now()",
		"pushed and lost": "due_at = now(), enqueued_at = now() - interval '5 minutes', attempts = 1",
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			r, err := trigger.Submit(t.Context(), client, s.tenant, vault.WriteValue, s.fact("country", "Norway"))
			if err != nil || r.ID.Version() != 7 {
				t.Fatalf("without an engine it was not accepted: %v", err)
			}
			dbtest.Exec(t, kit.DatabaseURL, "UPDATE operations SET "+became+" WHERE id = $1 AND status = 'accepted'", r.ID)
			cron(t, vault.WorkflowRelayOperations)
			op := done(t, r, nil)
			if op.Attempts < 1 {
				t.Errorf("it was pushed %d times", op.Attempts)
			}
			if got := s.versions("country"); len(got) != 1 || s.value("country") != `"Norway"` {
				t.Errorf("the history is %v", got)
			}
			cron(t, vault.WorkflowRelayOperations) // nothing is due any more
			if after, err := kit.Query.Operation(t.Context(), s.tenant, r.ID); err != nil || after.Attempts != op.Attempts {
				t.Errorf("pushed %d times, then %d, %v", op.Attempts, after.Attempts, err)
			}
		})
	}
}

func TestPurgeOperations_KeepsRetained(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	finished := func(name, value, ago string) trigger.Receipt {
		r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact(name, value))
		if name == "nickname" {
			rejected(t, r, err)
		} else {
			done(t, r, err)
		}
		dbtest.Exec(t, kit.DatabaseURL, "UPDATE operations SET finished_at = now() - $2::interval WHERE id = $1", r.ID, ago)
		return r
	}
	oldest := finished("country", "Norway", "31 days")
	old := finished("country", "Iceland", "29 days")
	oldestFailed := finished("nickname", "Ada", "91 days")
	oldFailed := finished("nickname", "Ada", "89 days") // can be replayed
	cron(t, vault.WorkflowPurgeOperations)
	for _, c := range []struct {
		r    trigger.Receipt
		kept bool
	}{{oldest, false}, {old, true}, {oldestFailed, false}, {oldFailed, true}} {
		if _, err := kit.Query.Operation(t.Context(), s.tenant, c.r.ID); (err == nil) != c.kept ||
			(err != nil && vault.CodeOf(err) != vault.CodeUnknown) {
			t.Errorf("operation %s: kept: %t, want %t (%v)", c.r.ID, err == nil, c.kept, err)
		}
	}
	if h := s.history("country"); len(h) != 2 {
		t.Errorf("of 2 facts %d are left", len(h))
	}
}
