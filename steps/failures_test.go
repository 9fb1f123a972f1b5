package steps_test

import (
	"errors"
	"testing"
	"time"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// A run that another run has overtaken changes nothing, and is no failure of the operation. A step that fails counts
// once.
func TestStep_CountsItsFailures(t *testing.T) {
	t.Parallel()
	takeOver := "UPDATE holds SET fence = fence + 1, held_until = clock_timestamp() + interval '1 minute'"
	broken := errors.New("a broken answer")
	for name, c := range map[string]struct {
		workflow string
		steps    []string
		during   func(w *world) error // while the model answers
		yielded  bool
		failures int
	}{
		"a reading that was taken over": {
			vault.FillGaps.Name, fillGaps, func(w *world) error { w.sql(takeOver); return nil }, true, 0,
		},
		"an extraction that was taken over": {
			vault.ExtractSchema.Name, extractSchema, func(w *world) error { w.sql(takeOver); return nil }, true, 0,
		},
		"an extraction that fails after it was taken over": {
			vault.ExtractSchema.Name, extractSchema, func(w *world) error { w.sql(takeOver); return broken }, false, 1,
		},
		"an extraction that fails": {
			vault.ExtractSchema.Name, extractSchema, func(*world) error { return broken }, false, 1,
		},
		"a reading that cannot be stored": {
			vault.FillGaps.Name, fillGaps, func(w *world) error {
				w.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
					CREATE TRIGGER refuse BEFORE INSERT ON gap_fill_items FOR EACH ROW EXECUTE FUNCTION refuse()`)
				w.t.Cleanup(func() { w.sql("DROP TRIGGER refuse ON gap_fill_items; DROP FUNCTION refuse") })
				return nil
			}, false, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var ev vault.Event
			if c.workflow == vault.FillGaps.Name {
				ev = aFill(w)
			} else {
				ev = w.described(vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}, "Ask for the plan.")
			}
			w.model.extract = func(req llm.ExtractRequest) ([]vault.Candidate, error) {
				if err := c.during(w); err != nil {
					return nil, err
				}
				return w.model.Model.ExtractValues(t.Context(), req)
			}
			w.model.propose = func(llm.ProposeRequest) ([]vault.ProposedRequirement, error) {
				return nil, c.during(w)
			}
			before, err := w.db.Tenant(w.tenant).GetOperation(t.Context(), w.tenant, ev.OperationID)
			w.must(err)
			err = w.run(ev, c.steps...)
			if err == nil || errors.Is(err, once.ErrYielded) != c.yielded {
				t.Errorf("it ended with %v; want that it yielded: %t", err, c.yielded)
			}
			after, err := w.db.Tenant(w.tenant).GetOperation(t.Context(), w.tenant, ev.OperationID)
			w.must(err)
			if int(after.Failures) != c.failures || after.Status != string(vault.OperationAccepted) {
				t.Errorf("%d failures are counted, want %d; the operation is %s", after.Failures, c.failures, after.Status)
			}
			if later := after.DueAt.Sub(before.DueAt); c.yielded && later > time.Second {
				t.Errorf("the relay waits %s longer", later)
			}
		})
	}
}

// A write of a fill that is rejected wakes the fill at once: its run has no further step.
func TestWake_RejectedWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fill := aFill(w)
	writes := w.resolve(fill)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeNumber}) // gold is no number
	w.must(w.run(fill, "Gaps.AskCustomer"))                               // it waits for its writes
	woken := 0
	for _, write := range writes {
		w.sql("DELETE FROM fill_wakeups")
		before := len(w.engine.taken())
		if w.run(write, writeValue...) == nil {
			continue
		}
		for _, p := range w.engine.taken()[before:] {
			if p == (push{vault.FillGaps.Event, fill.OperationID}) {
				woken++
			}
		}
	}
	if woken != 1 {
		t.Errorf("the rejected write woke the fill %d times", woken)
	}
}
