package steps_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// checkHistory checks a history: the versions are in order of acceptance, each version except the newest is superseded
// by the next one, and the newest is not superseded.
func (w *world) checkHistory(name string) []vault.Value {
	w.t.Helper()
	versions := w.history(name)
	for i, v := range versions {
		last := i == len(versions)-1
		switch {
		case last && (v.Status == vault.StatusSuperseded || v.SupersededByID != nil):
			w.t.Errorf("%s: the newest of %d versions is %s, by %v", name, len(versions), v.Status, v.SupersededByID)
		case !last && (v.Status != vault.StatusSuperseded || v.SupersededByID == nil ||
			*v.SupersededByID != versions[i+1].ID || v.SupersededAt == nil):
			w.t.Errorf(
				"%s: version %d of %d is %s, by %v at %v, want superseded by %s", name, i, len(versions), v.Status,
				v.SupersededByID, v.SupersededAt, versions[i+1].ID,
			)
		case !last && v.AcceptedAt.After(versions[i+1].AcceptedAt):
			w.t.Errorf("%s: version %d was accepted after version %d", name, i, i+1)
		}
	}
	return versions
}

func valuesOf(versions []vault.Value) []string {
	out := make([]string, len(versions))
	for i, v := range versions {
		out[i] = string(v.Value)
	}
	return out
}

func TestPersistValue_OrderOfAcceptance(t *testing.T) {
	t.Parallel()
	for _, arrival := range [][]int{
		{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {3, 0, 1, 2}, {0, 3, 2, 1}, {2, 2, 0, 0, 3, 1, 3},
	} {
		t.Run(fmt.Sprint(arrival), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			var evs []vault.Event
			for _, value := range []string{"a", "b", "c", "d"} {
				evs = append(evs, w.accept("plan", text(value)))
			}
			newest := -1
			for _, i := range arrival {
				out, err := w.steps.Values.PersistValue(t.Context(), evs[i])
				w.must(err)
				if want := vault.StatusActive; i > newest && out.Result.Status != want ||
					i < newest && out.Result.Status != vault.StatusSuperseded {
					t.Errorf("write %d after write %d: got %s", i, newest, out.Result.Status)
				}
				newest = max(newest, i)
				w.checkHistory("plan")
			}
			if got, want := fmt.Sprint(valuesOf(w.history("plan"))), `["a" "b" "c" "d"]`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestPersistValue_LateReplayIsSuperseded(t *testing.T) {
	t.Parallel()
	for name, replay := range map[string]func(w *world, failed vault.Event){
		"by an operator": func(w *world, failed vault.Event) {
			_, err := w.trigger.Replay(w.t.Context(), failed.TenantID, failed.OperationID)
			w.must(err)
			if got := w.op(failed); got.Status != vault.OperationAccepted || got.Error != nil {
				w.t.Errorf("replayed: got %s with error %v, want accepted", got.Status, got.Error)
			}
		},
		"from the engine's dashboard": func(*world, vault.Event) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plan := vault.Definition{
				Name: "plan", ValueType: vault.TypeString, AllowedValues: []json.RawMessage{text("silver"), text("bronze")},
			}
			w.define(plan)
			w.write("plan", text("bronze"))
			failed := w.accept("plan", text("gold"))
			if err := w.run(failed, writeValue...); vault.CodeOf(err) != vault.CodeInvalid {
				t.Fatalf("got %v, want a rejection", err)
			}
			w.write("plan", text("silver"))

			plan.AllowedValues = append(plan.AllowedValues, text("gold")) // the cause is fixed
			w.define(plan)
			replay(w, failed)
			w.must(w.run(failed, writeValue...))

			if got := resultOf[vault.ItemResult](w, failed); got.Status != vault.StatusSuperseded {
				t.Errorf("the replayed write is %s, want superseded", got.Status)
			}
			if got := w.op(failed); got.Status != vault.OperationSucceeded || got.Error != nil {
				t.Errorf("the replayed operation is %s with error %v, want succeeded", got.Status, got.Error)
			}
			if got, want := fmt.Sprint(valuesOf(w.checkHistory("plan"))), `["bronze" "gold" "silver"]`; got != want {
				t.Errorf("got history %s, want %s", got, want)
			}
		})
	}
}

func TestPersistValue_ConcurrentWritersNewestWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	const writers = 20
	evs := make([]vault.Event, writers)
	for i := range evs {
		evs[i] = w.accept("plan", text(fmt.Sprintf("plan %02d", i)))
	}
	_, errs := w.atOnce(writers, func(i int) (any, error) { return nil, w.run(evs[i], writeValue...) })
	for i, err := range errs {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	versions := w.checkHistory("plan")
	if len(versions) != writers || !slices.IsSorted(valuesOf(versions)) ||
		versions[writers-1].Status != vault.StatusActive {
		t.Errorf(
			"got %d versions %v, the last %s; want all in order, the last active", len(versions), valuesOf(versions),
			versions[len(versions)-1].Status,
		)
	}
	entries, err := w.db.Tenant(w.tenant).ListTouchedEntries(t.Context(), w.tenant, []uuid.UUID{evs[0].OperationID})
	w.must(err)
	if len(entries) != 1 || entries[0].Version != writers {
		t.Errorf("the profile has versions %v after %d writes", entries, writers)
	}
	for _, ev := range evs {
		if op := w.op(ev); op.Status != vault.OperationSucceeded {
			t.Errorf("operation %s is %s", op.ID, op.Status)
		}
	}
}

func TestSweep_ConcurrentWriters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "code", ValueType: vault.TypeString},
	)
	const fields, rounds = 8, 12
	soon := time.Now().Add(time.Hour)
	var evs []vault.Event
	for range fields {
		w.customer = newID()
		for round := range rounds {
			evs = append(
				evs, w.accept("plan", text(fmt.Sprint(round)), func(in *vault.WriteValueInput) { in.ExpiresAt = &soon }),
			)
		}
	}
	w.later(2 * time.Hour) // every value is expired when it is written
	_, errs := w.atOnce(fields+2, func(i int) (any, error) {
		if i >= fields {
			for range 3 * rounds {
				if err := w.run(vault.Event{}, "Sweeps.ExpireValues", "Sweeps.DetectOrphans"); err != nil {
					return nil, err
				}
			}
			return nil, nil
		}
		for round := range rounds {
			if err := w.run(evs[i*rounds+round], "Values.PersistValue"); err != nil {
				return nil, err
			}
			// As if it had been written in time: the sweep finds it while the next write is running.
			w.sql(
				"UPDATE customer_values SET status = 'active' WHERE operation_id = $1 AND status = 'expired'",
				evs[i*rounds+round].OperationID,
			)
		}
		return nil, nil
	})
	for i, err := range errs {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestSteps_OutOfOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)

	t.Run("acknowledge before persist", func(t *testing.T) {
		w.write("plan", text("silver"))
		ev := w.accept("plan", text("gold"))
		w.must(w.run(ev, "Caches.InvalidateAndAcknowledge", "Caches.InvalidateAndAcknowledge"))
		if op := w.op(ev); op.Status != vault.OperationAccepted {
			t.Errorf("got %s, want accepted", op.Status)
		}
		w.must(w.run(ev, "Values.PersistValue", "Values.ValidateValue"))
		if op := w.op(ev); op.Status != vault.OperationApplied {
			t.Errorf("got %s, want applied", op.Status)
		}
		w.must(w.run(ev, "Caches.InvalidateAndAcknowledge"))
		if op := w.op(ev); op.Status != vault.OperationSucceeded || op.FinishedAt == nil {
			t.Errorf("got %s, want succeeded", op.Status)
		}
	})

	t.Run("persist validates again", func(t *testing.T) {
		ev := w.accept("email", text("nobody"))
		before := w.dump()
		if err := w.run(ev, "Values.PersistValue"); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("got %v, want a rejection", err)
		}
		if op := w.op(ev); op.Status != vault.OperationFailed || op.Error == nil || op.Error.Code != vault.CodeInvalid {
			t.Errorf("got %s with %v, want failed", op.Status, op.Error)
		}
		w.sameBut(before, "a rejected write", "operations")
	})

	t.Run("rejection after persist", func(t *testing.T) {
		ev := w.accept("plan", text("platinum"))
		w.must(w.run(ev, writeValue...))
		w.sql("UPDATE definitions SET validation_regex = 'nothing' WHERE name = 'plan'")
		before := w.dump()
		w.must(w.run(ev, writeValue...))
		w.unchanged(before, "a second run of what was applied")
	})

	t.Run("persist before match", func(t *testing.T) {
		ev := anExtraction(w)
		before := w.dump()
		for _, step := range []string{"Extraction.PersistSchema", "Extraction.MatchSchema", "Extraction.PersistSchema"} {
			if err := w.run(ev, step); step == "Extraction.PersistSchema" && (err == nil || vault.Permanent(err)) {
				t.Errorf("got %v, want a transient error", err)
			}
		}
		w.sql("UPDATE operations SET prepared = NULL WHERE id = $1", ev.OperationID)
		w.onlyRetried(before, "persist before propose")
		w.must(w.run(ev, extractSchema...))
	})

	t.Run("announce before persist", func(t *testing.T) {
		ev := aScenario(w)
		before := w.dump()
		if err := w.run(ev, "Scenarios.AnnounceSave"); err == nil || vault.Permanent(err) {
			t.Errorf("got %v, want a transient error", err)
		}
		w.onlyRetried(before, "announce before persist")
		w.must(w.run(ev, saveScenario...))
	})

	t.Run("ask before resolve", func(t *testing.T) {
		ev := aFill(w)
		before := w.dump()
		if err := w.run(ev, "Gaps.AskCustomer"); err == nil || vault.Permanent(err) {
			t.Errorf("got %v, want a transient error", err)
		}
		w.onlyRetried(before, "ask before resolve")
	})
}

func TestPersistValue_AlreadyExpired(t *testing.T) {
	t.Parallel()
	past := time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		change func(*vault.WriteValueInput)
		want   vault.ItemStatus
	}{
		"no source":             {func(*vault.WriteValueInput) {}, vault.StatusActive},
		"a source that is gone": {from(newID()), vault.StatusOrphaned},
		"a session is no item": {func(in *vault.WriteValueInput) {
			in.SourceItemID, in.SourceItemType = ptr(newID()), vault.SourceSession
		}, vault.StatusActive},
		"past its time": {func(in *vault.WriteValueInput) { in.ExpiresAt = &past }, vault.StatusExpired},
		"past its retention": {
			func(in *vault.WriteValueInput) { in.CollectedAt = ptr(past.AddDate(0, 0, -30)) }, vault.StatusExpired,
		},
		"within its retention": {func(in *vault.WriteValueInput) { in.CollectedAt = &past }, vault.StatusActive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString, RetentionDays: 30})
			w.write("plan", text("silver"), func(in *vault.WriteValueInput) { in.CollectedAt = ptr(past.AddDate(-1, 0, 0)) })
			if got := w.write("plan", text("gold"), c.change); got.Status != c.want {
				t.Errorf("got %s, want %s", got.Status, c.want)
			}
			w.checkHistory("plan") // the older version is superseded anyway
		})
	}
}

// TestHistory_RandomOperations runs writes, retries, replays and sweeps in random order.
func TestHistory_RandomOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w.t, w.customer = t, newID()
			random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a reproducible test
			var evs []vault.Event
			var items []uuid.UUID
			want := map[string][]string{}
			for i := range 8 {
				name := []string{"plan", "email"}[random.IntN(2)]
				value, id := fmt.Sprintf("v%d@example.com", i), newID()
				want[name] = append(want[name], string(text(value)))
				evs = append(evs, w.accept(name, text(value), func(in *vault.WriteValueInput) {
					in.ItemID = &id
					if random.IntN(3) == 0 && len(items) > 0 {
						from(items[random.IntN(len(items))])(in)
					}
					if random.IntN(4) == 0 {
						in.ExpiresAt = ptr(time.Now().Add(50 * time.Millisecond))
					}
				}))
				items = append(items, id)
			}
			for range 40 {
				ev := evs[random.IntN(len(evs))]
				steps := []string{
					"Values.ValidateValue", "Values.PersistValue", "Caches.InvalidateAndAcknowledge", "Sweeps.ExpireValues",
					"Sweeps.DetectOrphans",
				}
				step := steps[random.IntN(len(steps))]
				if step[0] == 'S' {
					ev = vault.Event{}
				}
				w.must(w.run(ev, step))
				w.checkHistory("plan")
				w.checkHistory("email")
			}
			for _, ev := range evs {
				w.must(w.run(ev, writeValue...))
			}
			for name, values := range want {
				if got := valuesOf(w.checkHistory(name)); !slices.Equal(got, values) {
					t.Errorf("%s: got %v, want %v", name, got, values)
				}
			}
		})
	}
}

func TestSave_LateConfigurationIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	scenario := w.scenario("Ask.")
	ctx := t.Context()
	rule := vault.Rule{ID: newID(), AgentID: w.agent, ScenarioID: scenario.ID, Name: "r", Condition: "old"}
	def := vault.Definition{AgentID: w.agent, Name: "code", ValueType: vault.TypeString, DisplayName: "old", Enabled: true}
	req := vault.Requirement{
		AgentID: w.agent, ScenarioID: scenario.ID, FieldName: "plan", RequiredLevel: vault.LevelSoft,
		FallbackAction: vault.FallbackSkip,
	}
	scenario.Name = "old"
	old := []vault.Event{
		w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveScenario, scenario)),
		w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveRule, rule)),
		w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveDefinition, def)),
		w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveRequirement, req)),
	}
	scenario.Name, rule.Condition, def.DisplayName, req.RequiredLevel = "new", "new", "new", vault.LevelHard
	newer := []vault.Event{
		w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveScenario, scenario)),
		w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveRule, rule)),
		w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveDefinition, def)),
		w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveRequirement, req)),
	}
	workflows := [][]string{saveScenario, saveRule, saveDefinition, saveRequirement}
	for i, ev := range newer {
		w.must(w.run(ev, workflows[i]...))
	}
	before := w.dump()
	for i, ev := range old {
		w.must(w.run(ev, workflows[i]...))
		if op := w.op(ev); op.Status != vault.OperationSucceeded {
			t.Errorf("%s: got %s, want succeeded", op.Workflow, op.Status)
		}
	}
	w.sameBut(before, "a late save", "operations")
}
