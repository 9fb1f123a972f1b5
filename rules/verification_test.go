package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

var levels = []vault.VerificationLevel{
	vault.VerificationNone, vault.VerificationEmail, vault.VerificationPhone, vault.VerificationDocument, vault.VerificationKYC,
}

func TestLevelOf_HighestProven(t *testing.T) {
	t.Parallel()
	verified := func(t vault.ValueType, method string) vault.Value {
		return vault.Value{Status: vault.StatusActive, ValueType: t, Verified: true, VerificationMethod: method}
	}
	email, phone := verified(vault.TypeEmail, "code"), verified(vault.TypePhone, "sms")
	document, kyc := verified(vault.TypeString, rules.MethodDocument), verified(vault.TypeString, rules.MethodKYC)
	scanned := verified(vault.TypeDate, "ocr")
	scanned.SourceItemType = vault.SourceProfileAsset
	unverified := vault.Value{Status: vault.StatusActive, ValueType: vault.TypePhone, VerificationMethod: rules.MethodKYC}
	old := kyc
	old.Status = vault.StatusSuperseded
	for name, c := range map[string]struct {
		fields []vault.Value
		want   vault.VerificationLevel
	}{
		"nothing":                        {nil, vault.VerificationNone},
		"an e-mail address":              {[]vault.Value{email}, vault.VerificationEmail},
		"a phone number":                 {[]vault.Value{phone, email}, vault.VerificationPhone},
		"a document":                     {[]vault.Value{email, document, phone}, vault.VerificationDocument},
		"extracted from a document":      {[]vault.Value{scanned}, vault.VerificationDocument},
		"a complete check":               {[]vault.Value{document, kyc}, vault.VerificationKYC},
		"an address by a complete check": {[]vault.Value{verified(vault.TypeEmail, rules.MethodKYC)}, vault.VerificationKYC},
		"a name by another method":       {[]vault.Value{verified(vault.TypeString, "call")}, vault.VerificationNone},
		"an unverified value":            {[]vault.Value{unverified}, vault.VerificationNone},
		"a value that is not active":     {[]vault.Value{old, email}, vault.VerificationEmail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields := map[string]vault.Value{}
			for i, f := range c.fields {
				fields[fmt.Sprint(i)] = f
			}
			if got := rules.LevelOf(fields); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestLevelOf_NeverLowered(t *testing.T) {
	t.Parallel()
	field := rapid.Custom(func(t *rapid.T) vault.Value {
		f := vault.Value{
			Status: rapid.SampledFrom(vault.ItemStatuses).Draw(t, "status"), ValueType: rapid.SampledFrom(vault.ValueTypes).Draw(t, "type"),
			Verified: rapid.Bool().Draw(t, "verified"), VerificationMethod: rapid.SampledFrom([]string{"", "code", rules.MethodDocument, rules.MethodKYC}).Draw(t, "method"),
		}
		f.SourceItemType = rapid.SampledFrom(append([]vault.SourceType{""}, vault.SourceTypes...)).Draw(t, "source")
		return f
	})
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), field, 0, 4).Draw(t, "fields")
		before := slices.Index(levels, rules.LevelOf(fields))
		if before < 0 {
			t.Fatalf("there is no level %s", rules.LevelOf(fields))
		}
		best := 0
		for _, f := range fields { // the level of all fields is the highest level of one field
			best = max(best, slices.Index(levels, rules.LevelOf(map[string]vault.Value{"a": f})))
		}
		if before != best {
			t.Fatalf("got %s, the highest of one field is %s", levels[before], levels[best])
		}
		for name, f := range fields {
			f.Verified = true
			fields[name] = f
			if now := slices.Index(levels, rules.LevelOf(fields)); now < before {
				t.Fatalf("verifying %s went from %s to %s", name, levels[before], levels[now])
			}
		}
	})
}

func TestFindMissing_StaleFollowsDefinition(t *testing.T) {
	t.Parallel()
	const warning = "plan: the value is older than freshness_seconds"
	type outcome struct {
		Missing  []string
		Blocked  bool
		Warnings []string
	}
	missing := func(reason vault.MissingReason) outcome {
		return outcome{Missing: []string{string(reason)}, Blocked: true}
	}
	present, warned := outcome{}, outcome{Warnings: []string{warning}}
	for _, c := range []struct {
		action             vault.StaleAction
		age                time.Duration
		needsProof, proven bool
		want               outcome
		expired, notWanted bool
	}{
		{action: "", age: 59 * time.Minute, want: present},
		{action: "", age: 61 * time.Minute, want: missing(vault.MissingStale)},
		{action: vault.StaleBlock, age: 61 * time.Minute, want: missing(vault.MissingStale)},
		{action: vault.StaleWarn, age: 61 * time.Minute, want: warned},
		{action: vault.StaleWarn, age: 59 * time.Minute, want: present},
		{action: vault.StaleIgnore, age: 61 * time.Minute, want: present},
		{action: vault.StaleIgnore, age: 1000 * time.Hour, want: present},
		// What is too old and counts as present is still to be verified, and still expires.
		{action: vault.StaleBlock, age: 61 * time.Minute, needsProof: true, want: missing(vault.MissingStale)},
		{action: vault.StaleIgnore, age: 61 * time.Minute, needsProof: true, want: missing(vault.MissingUnverified)},
		{action: vault.StaleIgnore, age: 61 * time.Minute, needsProof: true, proven: true, want: present},
		{action: vault.StaleWarn, age: 61 * time.Minute, needsProof: true, want: outcome{[]string{string(vault.MissingUnverified)}, true, []string{warning}}},
		{action: vault.StaleWarn, age: 61 * time.Minute, needsProof: true, proven: true, want: warned},
		{action: vault.StaleIgnore, age: 61 * time.Minute, expired: true, want: missing(vault.MissingExpired)},
		{action: vault.StaleWarn, age: 61 * time.Minute, expired: true, want: missing(vault.MissingExpired)},
		// Nobody is warned of what a scenario does not need now.
		{action: vault.StaleWarn, age: 61 * time.Minute, notWanted: true, want: present},
	} {
		name := fmt.Sprintf("%s at %s", c.action, c.age)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def := *defined(vault.TypeString, func(d *vault.Definition) {
				d.FreshnessSeconds, d.StaleAction, d.RequiredVerification = 3600, c.action, c.needsProof
			})
			field := has(`"gold"`, func(f *vault.Value) {
				f.CollectedAt, f.Verified = morning.Add(-c.age), c.proven
				if c.expired {
					f.ExpiresAt = after(-time.Second)
				}
			})
			req := need("plan")
			if c.notWanted {
				req = need("plan", when("false"))
			}
			got, warnings := rules.FindMissing([]vault.Requirement{req}, map[string]vault.Definition{"plan": def},
				rules.Known{Fields: map[string]vault.Value{"plan": field}, Now: morning}, rules.Scope{})
			have := outcome{Warnings: warnings}
			for _, m := range got {
				have.Missing, have.Blocked = append(have.Missing, string(m.Reason)), m.Blocking
			}
			if diff := cmp.Diff(c.want, have); diff != "" {
				t.Error(diff)
			}
		})
	}
}
