package steps_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// versioned is a kind of part of the configuration: how a test saves and deletes one of a key. save stores another
// content each time.
type versioned struct {
	kind        string
	save        func(w *world, key string, based vault.Based) vault.Event
	saveSteps   []string
	remove      func(w *world, key string, based vault.Based) vault.Event // nil: there is no deletion
	removeSteps []string
}

func idOf(key string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(key)) }

// accepted accepts an operation, each with a text of its own.
func accepted[In, Out any](w *world, spec vault.Spec[In, Out], in In) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, spec, in))
}

var scenarioOfVersions = uuid.MustParse("0198c5f2-8a4b-7cde-9f01-23456789ab00")

var versionedKinds = []versioned{
	{
		kind: "definition", saveSteps: saveDefinition, removeSteps: deleteDefinition,
		save: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.SaveDefinition, vault.Definition{
				Based: based, AgentID: w.agent, Name: key, ValueType: vault.TypeString, Description: newID().String(), Enabled: true,
			})
		},
		remove: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.DeleteDefinition, vault.DeleteDefinitionInput{Based: based, AgentID: w.agent, Name: key})
		},
	},
	{
		kind: "requirement", saveSteps: saveRequirement, removeSteps: deleteRequirement,
		save: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.SaveRequirement, vault.Requirement{
				Based: based, AgentID: w.agent, ScenarioID: scenarioOfVersions, FieldName: key,
				RequiredLevel: vault.LevelSoft, FallbackAction: vault.FallbackAsk,
			})
		},
		remove: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.DeleteRequirement, vault.DeleteRequirementInput{
				Based: based, ScenarioID: scenarioOfVersions, FieldName: key,
			})
		},
	},
	{
		kind: "scenario", saveSteps: saveScenario,
		save: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.SaveScenario, vault.Scenario{
				Based: based, ID: idOf(key), AgentID: w.agent, Name: key, Description: newID().String(),
			})
		},
	},
	{
		kind: "rule", saveSteps: saveRule,
		save: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.SaveRule, vault.Rule{
				Based: based, ID: idOf(key), AgentID: w.agent, ScenarioID: scenarioOfVersions, Name: key,
				Condition: newID().String(),
			})
		},
	},
	{
		kind: "merge rule", saveSteps: saveMergeRule, removeSteps: deleteMergeRule,
		save: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.SaveMergeRule, vault.SaveMergeRuleInput{
				Based: based, MergeRuleID: idOf(key), Name: newID().String(), Fields: []string{"email"},
			})
		},
		remove: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.DeleteMergeRule, vault.DeleteMergeRuleInput{Based: based, MergeRuleID: idOf(key)})
		},
	},
	{
		kind: "webhook", saveSteps: saveWebhook, removeSteps: deleteWebhook,
		save: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.SaveWebhook, vault.SaveWebhookInput{
				Based: based, WebhookID: idOf(key), URL: "https://example.com/" + newID().String(), Secret: secretOf('a'),
			})
		},
		remove: func(w *world, key string, based vault.Based) vault.Event {
			return accepted(w, vault.DeleteWebhook, vault.DeleteWebhookInput{Based: based, WebhookID: idOf(key)})
		},
	},
}

// worldOfVersions is a world with what the parts of versionedKinds refer to.
func worldOfVersions(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	defined(w)
	w.save(vault.Scenario{ID: scenarioOfVersions, AgentID: w.agent, Name: "Onboarding"})
	for _, name := range []string{"first", "second"} {
		w.define(vault.Definition{Name: name, ValueType: vault.TypeString})
	}
	return w
}

// key returns a key of the kind that is not used yet: definitions of the first two names exist for the requirements.
func (v versioned) key(name string) string {
	if v.kind == "definition" {
		return "own_" + name
	}
	return name
}

func TestIfVersion_StaleChangeIsRejected(t *testing.T) {
	t.Parallel()
	for _, v := range versionedKinds {
		t.Run(v.kind, func(t *testing.T) {
			t.Parallel()
			w := worldOfVersions(t)
			key := v.key("first")
			save := func(based vault.Based) vault.Event { return v.save(w, key, based) }
			stale := []string{"if_version", "was changed by process", "nothing was changed"}

			w.refused(save(vault.OnVersion(newID())), vault.CodeConflict, []string{"if_version: there is no"}, v.saveSteps...)
			first := save(vault.OnVersion(uuid.Nil))
			w.must(w.twice(first, v.saveSteps...))
			w.refused(save(vault.OnVersion(uuid.Nil)), vault.CodeConflict, stale, v.saveSteps...)
			second := save(vault.OnVersion(first.OperationID))
			w.must(w.twice(second, v.saveSteps...))
			w.refused(save(vault.OnVersion(first.OperationID)), vault.CodeConflict,
				append(stale, second.OperationID.String()), v.saveSteps...)
			w.must(w.twice(save(vault.Based{}), v.saveSteps...)) // no check
			if v.remove == nil {
				return
			}
			w.refused(v.remove(w, key, vault.OnVersion(second.OperationID)), vault.CodeConflict, stale, v.removeSteps...)
			third := save(vault.Based{})
			w.must(w.twice(third, v.saveSteps...))
			w.must(w.twice(v.remove(w, key, vault.OnVersion(third.OperationID)), v.removeSteps...))
			w.refused(save(vault.OnVersion(third.OperationID)), vault.CodeConflict,
				[]string{"was deleted by process (delete-" + strings.ReplaceAll(v.kind, " ", "-") + ") at 20"}, v.saveSteps...)
			w.must(w.twice(save(vault.OnVersion(uuid.Nil)), v.saveSteps...))
		})
	}
}

// TestIfVersion_OneOfTwoConcurrentSavesWins runs the steps of two saves at the same time, of a part that exists and of
// one that does not.
func TestIfVersion_OneOfTwoConcurrentSavesWins(t *testing.T) {
	t.Parallel()
	for _, v := range versionedKinds {
		t.Run(v.kind, func(t *testing.T) {
			t.Parallel()
			w := worldOfVersions(t)
			based := vault.OnVersion(uuid.Nil)
			for round := range 5 {
				both := []vault.Event{v.save(w, v.key("second"), based), v.save(w, v.key("second"), based)}
				slices.Reverse(both[:1+round%2]) // the one that was accepted first does not always begin
				errs := make([]error, 2)
				var running sync.WaitGroup
				for i, ev := range both {
					running.Go(func() { errs[i] = w.run(ev, v.saveSteps...) })
				}
				running.Wait()
				won := slices.IndexFunc(errs, func(err error) bool { return err == nil })
				if won < 0 || vault.CodeOf(errs[1-won]) != vault.CodeConflict {
					t.Fatalf("round %d: got %v, want one success and one conflict", round, errs)
				}
				w.says(errs[1-won], vault.CodeConflict, "if_version", "nothing was changed")
				based = vault.OnVersion(both[won].OperationID)
			}
		})
	}
}

func TestIfVersion_PartOfAConfiguration(t *testing.T) {
	t.Parallel()
	w := worldOfVersions(t)
	apply := func(based vault.Based) vault.Event {
		return accepted(w, vault.ApplyConfiguration, vault.ApplyConfigurationInput{
			AgentConfiguration: vault.AgentConfiguration{AgentID: w.agent, Definitions: []vault.Definition{
				{AgentID: w.agent, Name: "third", ValueType: vault.TypeString, Enabled: true},
				{
					Based: based, AgentID: w.agent, Name: "second", ValueType: vault.TypeString, Description: newID().String(),
					Enabled: true,
				},
			}},
		})
	}
	w.refused(apply(vault.OnVersion(newID())), vault.CodeConflict,
		[]string{"definitions[1] (second): if_version", "was changed by process"}, applyConfiguration...)
	stored, err := w.db.Tenant(w.tenant).ListDefinitions(t.Context(), w.tenant, w.agent)
	w.must(err)
	for _, row := range stored {
		if row.Name == "second" {
			w.must(w.twice(apply(vault.OnVersion(row.OperationID)), applyConfiguration...))
			return
		}
	}
	t.Error("the definition is gone")
}

// aStaleChange accepts a save that is based on a version that was never stored.
func aStaleChange(kind string) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		at := slices.IndexFunc(versionedKinds, func(v versioned) bool { return v.kind == kind })
		v := versionedKinds[at]
		defined(w)
		w.save(vault.Scenario{ID: scenarioOfVersions, AgentID: w.agent, Name: "Onboarding"})
		w.define(vault.Definition{Name: "first", ValueType: vault.TypeString})
		w.must(w.run(v.save(w, v.key("first"), vault.Based{}), v.saveSteps...))
		return v.save(w, v.key("first"), vault.OnVersion(newID()))
	}
}
