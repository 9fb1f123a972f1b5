package rules_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// The missing fields of a trace are those of FindMissing, whatever the requirements.
func TestTrace_AgreesWithFindMissing(t *testing.T) {
	t.Parallel()
	names := rapid.SampledFrom([]string{"age", "plan", "city"})
	conditions := rapid.SampledFrom([]string{"", `has(fields.age)`, `fields.plan == "gold"`, `session.x == 1`, "false"})
	rapid.Check(t, func(t *rapid.T) {
		reqs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) vault.Requirement {
			r := vault.Requirement{
				ID: uuid.New(), FieldName: names.Draw(t, "field"), WhenCondition: conditions.Draw(t, "when"),
				RequiredLevel:  rapid.SampledFrom([]vault.RequiredLevel{vault.LevelHard, vault.LevelSoft}).Draw(t, "level"),
				FallbackAction: vault.FallbackAsk, Order: rapid.IntRange(0, 2).Draw(t, "order"),
				Review: rapid.SampledFrom([]vault.ReviewState{vault.ReviewNone, vault.ReviewPending, vault.ReviewRejected}).Draw(t, "review"),
				StepID: rapid.SampledFrom([]string{"", "a"}).Draw(t, "step"),
			}
			if rapid.Bool().Draw(t, "depends") {
				r.DependsOn = []string{names.Draw(t, "on")}
			}
			return r
		}), 0, 6).Draw(t, "requirements")
		known := rules.Known{Fields: map[string]vault.Value{}, Now: time.Now()}
		for _, name := range []string{"age", "plan", "city"} {
			if rapid.Bool().Draw(t, name) {
				known.Fields[name] = vault.Value{Name: name, Value: json.RawMessage(`"gold"`), Status: vault.StatusActive}
			}
		}
		scope := rules.Scope{StepID: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "scope")}
		missing, _ := rules.FindMissing(reqs, nil, known, scope)
		type lack struct {
			ID       uuid.UUID
			Reason   vault.MissingReason
			Blocking bool
		}
		want, got := []lack{}, []lack{}
		for _, m := range missing {
			want = append(want, lack{m.Requirement.ID, m.Reason, m.Blocking})
		}
		for _, traced := range rules.Trace(reqs, nil, known, scope) {
			if traced.State == vault.TraceMissing {
				got = append(got, lack{traced.Requirement.ID, traced.Reason, traced.Blocking})
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("the trace differs (- FindMissing, + Trace):\n%s", diff)
		}
	})
}

func TestTrace_SaysWhy(t *testing.T) {
	t.Parallel()
	req := func(id byte, name string, change func(r *vault.Requirement)) vault.Requirement {
		r := vault.Requirement{ID: uuid.UUID{15: id}, FieldName: name, RequiredLevel: vault.LevelHard, Order: int(id)}
		if change != nil {
			change(&r)
		}
		return r
	}
	known := rules.Known{Now: time.Now(), Fields: map[string]vault.Value{
		"plan": {Name: "plan", Value: json.RawMessage(`"gold"`), Status: vault.StatusActive},
	}}
	traced := rules.Trace([]vault.Requirement{
		req(1, "plan", nil),
		req(2, "age", nil),
		req(3, "age", func(r *vault.Requirement) { r.RequiredLevel = vault.LevelSoft }),
		req(4, "city", func(r *vault.Requirement) { r.DependsOn = []string{"age"} }),
		req(5, "pet", func(r *vault.Requirement) { r.WhenCondition = `fields.plan == "silver"` }),
		req(6, "car", func(r *vault.Requirement) { r.Review = vault.ReviewRejected }),
		req(7, "shoe", func(r *vault.Requirement) { r.WhenCondition = `session.x == 1` }),
	}, nil, known, rules.Scope{})
	want := []vault.TraceState{
		vault.TraceMet, vault.TraceMissing, vault.TraceOverruled, vault.TraceWaits, vault.TraceNotNow, vault.TraceRejected,
		vault.TraceMissing,
	}
	for i, w := range want {
		if traced[i].State != w {
			t.Errorf("requirement %d is %s, want %s", i+1, traced[i].State, w)
		}
	}
	if traced[6].Failed == "" || len(traced[3].WaitsFor) != 1 {
		t.Errorf("got %+v and %+v", traced[6], traced[3])
	}
}
