package query_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// submit accepts an operation and runs its effect.
func submit[In, Out any](
	v *vaultOf, op vault.Spec[In, Out], in In, effect func(context.Context, vault.Event) error,
) {
	v.t.Helper()
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, op, in)
	v.run(r, err, effect, v.acknowledge)
}

// contents returns what a profile says: the values and assets.
func contents(p vault.Profile) map[string]string {
	out := map[string]string{}
	for name, f := range p.Fields {
		out[name] = fmt.Sprintf("%s %s verified %t stale %t", f.ID, f.Value, f.Verified, f.StaleSince != nil)
	}
	for _, a := range p.Assets {
		out[a.ID.String()] = a.Name
	}
	for _, c := range p.Consents {
		out["consent "+c.Purpose] = fmt.Sprint(c.Granted)
	}
	return out
}

// The profile that was known at a time is the profile that was read then, whatever happened since.
func TestProfileAt_KnownAtIsTheProfileOfThen(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "tier", ValueType: vault.TypeString, EncryptionRequired: true},
	)
	names := []string{"plan", "tier"}
	rapid.Check(t, func(rt *rapid.T) {
		v.customer = newID()
		v.write("plan", "first")
		type seen struct {
			at      time.Time
			profile map[string]string
		}
		var all []seen
		var items []uuid.UUID
		for i := range rapid.IntRange(1, 6).Draw(rt, "changes") {
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				v.asset(fmt.Sprint("asset ", i))
			case 1:
				submit(v, vault.RecordConsent, vault.RecordConsentInput{
					CustomerID: v.customer, Purpose: "offers", Granted: rapid.Bool().Draw(rt, "granted"),
				}, step(v.steps.Customers.RecordConsent))
			case 2:
				if len(items) == 0 {
					continue
				}
				at := rapid.IntRange(0, len(items)-1).Draw(rt, "deleted")
				submit(v, vault.DeleteItem, vault.DeleteItemInput{
					ItemID: items[at], Force: true,
				}, step(v.steps.Items.DeleteItem))
				items = append(items[:at], items[at+1:]...)
			default:
				collected := time.Now().Add(-time.Duration(rapid.IntRange(0, 2).Draw(rt, "hours ago")) * time.Hour)
				items = append(items, v.write(rapid.SampledFrom(names).Draw(rt, "name"), fmt.Sprint("value ", i),
					func(in *vault.WriteValueInput) {
						in.CollectedAt = &collected
						in.Source = rapid.SampledFrom([]vault.ValueSource{
							vault.ValueHumanEntered, vault.ValueUserProvided, vault.ValueSystemInferred,
						}).Draw(rt, "source")
					}))
			}
			profile, err := v.Profile(t.Context(), v.tenant, v.customer)
			v.must(err)
			all = append(all, seen{time.Now(), contents(profile)})
		}
		for i, s := range all {
			past, err := v.ProfileAt(t.Context(), v.tenant, v.customer, vault.Moment{KnownAt: &s.at})
			v.must(err)
			v.equal(fmt.Sprintf("after change %d of %d", i, len(all)), s.profile, contents(past))
		}
	})
}

func TestProfileAt_AsOf(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	ago := func(hours int) func(*vault.WriteValueInput) {
		at := time.Now().Add(-time.Duration(hours) * time.Hour)
		return func(in *vault.WriteValueInput) { in.CollectedAt = &at }
	}
	v.write("plan", "gold", ago(2))
	between := time.Now()
	v.write("plan", "silver", ago(5)) // late: it was true before gold
	for name, c := range map[string]struct {
		hours int
		known *time.Time
		want  string
	}{
		"now": {0, nil, `"gold"`}, "an hour ago": {1, nil, `"gold"`}, "before gold": {3, nil, `"silver"`},
		"before gold, as known then": {3, &between, ""}, "before everything": {6, nil, ""},
	} {
		at := time.Now().Add(-time.Duration(c.hours) * time.Hour)
		value, err := v.ValueAt(t.Context(), v.tenant, v.customer, "plan", vault.Moment{AsOf: &at, KnownAt: c.known})
		if (err != nil) != (c.want == "") || string(value.Value) != c.want {
			t.Errorf("%s: got %s, %v, want %s", name, value.Value, err, c.want)
		}
	}
}

func TestChainAt(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	before := time.Now()
	source := v.asset("contract")
	plan := v.write("plan", "gold", from(vault.SourceProfileAsset, &source))
	after := time.Now()
	submit(v, vault.DeleteItem, vault.DeleteItemInput{
		ItemID: source, Force: true,
	}, step(v.steps.Items.DeleteItem))
	now, err := v.Chain(t.Context(), v.tenant, plan, 0)
	v.must(err)
	then, err := v.ChainAt(t.Context(), v.tenant, plan, 0, vault.Moment{KnownAt: &after})
	v.must(err)
	v.equal("links now and then", []int{1, 2}, []int{len(now.Links), len(then.Links)})
	if _, err := v.ChainAt(t.Context(), v.tenant, plan, 0, vault.Moment{KnownAt: &before}); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("before the item: got %v", err)
	}
}
