package rules_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// need makes a hard requirement that a person wrote.
func need(name string, change ...func(*vault.Requirement)) vault.Requirement {
	r := vault.Requirement{FieldName: name, RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk, Review: vault.ReviewNone}
	for _, c := range change {
		c(&r)
	}
	return r
}

func suggested(review vault.ReviewState) vault.Definition {
	return vault.Definition{Origin: vault.OriginExtracted, Review: review}
}

func soft(r *vault.Requirement)      { r.RequiredLevel = vault.LevelSoft }
func pending(r *vault.Requirement)   { r.Review = vault.ReviewPending }
func extracted(r *vault.Requirement) { r.Origin = vault.OriginExtracted }
func rejected(r *vault.Requirement)  { r.Review = vault.ReviewRejected }
func order(n int) func(*vault.Requirement) {
	return func(r *vault.Requirement) { r.Order = n }
}

func when(expr string) func(*vault.Requirement) {
	return func(r *vault.Requirement) { r.WhenCondition = expr }
}

func dependsOn(names ...string) func(*vault.Requirement) {
	return func(r *vault.Requirement) { r.DependsOn = names }
}

func step(id string) func(*vault.Requirement) {
	return func(r *vault.Requirement) { r.StepID = id }
}

func rule(id uuid.UUID) func(*vault.Requirement) {
	return func(r *vault.Requirement) { r.RuleID = &id }
}

func fallback(a vault.FallbackAction) func(*vault.Requirement) {
	return func(r *vault.Requirement) { r.FallbackAction = a }
}

// has makes an active field that was collected an hour ago.
func has(value string, change ...func(*vault.Value)) vault.Value {
	f := vault.Value{Value: json.RawMessage(value), Status: vault.StatusActive, CollectedAt: morning.Add(-time.Hour)}
	for _, c := range change {
		c(&f)
	}
	return f
}

func TestFindMissing_FieldRules(t *testing.T) {
	t.Parallel()
	type fields = map[string]vault.Value
	type defs = map[string]vault.Definition
	enabled := func(change func(*vault.Definition)) vault.Definition { return *defined(vault.TypeString, change) }
	fresh := func(seconds int64) vault.Definition {
		return enabled(func(d *vault.Definition) { d.FreshnessSeconds = seconds })
	}
	verification := func(methods ...string) vault.Definition {
		return enabled(func(d *vault.Definition) { d.RequiredVerification, d.VerificationMethods = true, methods })
	}
	verifiedBy := func(method string) func(*vault.Value) {
		return func(f *vault.Value) { f.Verified, f.VerificationMethod = true, method }
	}
	expires := func(in time.Duration) func(*vault.Value) { return func(f *vault.Value) { f.ExpiresAt = after(in) } }
	adult := when(`fields.age >= 18`)
	const failed = "when_condition failed and counts as true: the condition uses a key that does not exist"

	for _, tc := range []struct {
		name     string
		reqs     []vault.Requirement
		defs     defs
		fields   fields
		scope    rules.Scope
		want     []string // name, reason, and ! where it blocks
		warnings []string
	}{
		{name: "no requirements"},
		{name: "a field with a value is not missing", reqs: []vault.Requirement{need("a")}, fields: fields{"a": has(`1`)}},
		{name: "a field without a value is missing and blocks", reqs: []vault.Requirement{need("a")}, want: []string{"a absent!"}},
		{name: "a soft requirement does not block", reqs: []vault.Requirement{need("a", soft)}, want: []string{"a absent"}},
		{
			name: "a suggested field that is pending or rejected is listed and does not block",
			reqs: []vault.Requirement{need("a", extracted), need("b", extracted), need("c"), need("d", extracted)},
			defs: defs{"a": suggested(vault.ReviewPending), "b": suggested(vault.ReviewRejected), "c": suggested(vault.ReviewPending)},
			want: []string{"a absent", "b absent", "c absent!", "d absent!"},
		},
		{name: "a requirement that waits for review is listed and does not block", reqs: []vault.Requirement{need("a", pending)}, want: []string{"a absent"}},
		{name: "a rejected requirement does not apply", reqs: []vault.Requirement{need("a", rejected)}},
		{name: "a superseded value does not count", reqs: []vault.Requirement{need("a")}, fields: fields{"a": has(`1`, func(f *vault.Value) { f.Status = vault.StatusSuperseded })}, want: []string{"a absent!"}},

		{name: "a text without a visible character does not count", reqs: []vault.Requirement{need("a")}, fields: fields{"a": has(`" \u200b\u3164"`)}, want: []string{"a absent!"}},
		{name: "null does not count", reqs: []vault.Requirement{need("a")}, fields: fields{"a": has(`null`)}, want: []string{"a absent!"}},
		{name: "a list of empty entries does not count", reqs: []vault.Requirement{need("a")}, fields: fields{"a": has(`["", null, {"b": " "}]`)}, want: []string{"a absent!"}},
		{name: "a list with one entry counts", reqs: []vault.Requirement{need("a")}, fields: fields{"a": has(`["", 0]`)}},
		{name: "a blank dependency does not count", reqs: []vault.Requirement{need("a", dependsOn("b"))}, fields: fields{"b": has(`" "`)}},
		{name: "a condition does not see a blank value", reqs: []vault.Requirement{need("a", when(`has(fields.b)`))}, fields: fields{"b": has(`" "`)}},
		{name: "a value past its expiry, before the sweep", reqs: []vault.Requirement{need("a")}, fields: fields{"a": has(`1`, expires(0))}, want: []string{"a expired!"}},
		{name: "a value before its expiry", reqs: []vault.Requirement{need("a")}, fields: fields{"a": has(`1`, expires(time.Second))}},
		{name: "a value older than its freshness", reqs: []vault.Requirement{need("a")}, defs: defs{"a": fresh(3599)}, fields: fields{"a": has(`1`)}, want: []string{"a stale!"}},
		{name: "a value just as old as its freshness", reqs: []vault.Requirement{need("a")}, defs: defs{"a": fresh(3600)}, fields: fields{"a": has(`1`)}},
		{name: "a freshness beyond all durations", reqs: []vault.Requirement{need("a")}, defs: defs{"a": fresh(1 << 62)}, fields: fields{"a": has(`1`)}},
		{name: "a value from the future is fresh", reqs: []vault.Requirement{need("a")}, defs: defs{"a": fresh(1)}, fields: fields{"a": has(`1`, func(f *vault.Value) { f.CollectedAt = *after(time.Hour) })}},
		{name: "an unverified value where verification is required", reqs: []vault.Requirement{need("a")}, defs: defs{"a": verification()}, fields: fields{"a": has(`1`)}, want: []string{"a unverified!"}},
		{name: "a value verified by any method", reqs: []vault.Requirement{need("a")}, defs: defs{"a": verification()}, fields: fields{"a": has(`1`, verifiedBy("sms"))}},
		{name: "a value verified by an accepted method", reqs: []vault.Requirement{need("a")}, defs: defs{"a": verification("link", "sms")}, fields: fields{"a": has(`1`, verifiedBy("sms"))}},
		{name: "a value verified by another method", reqs: []vault.Requirement{need("a")}, defs: defs{"a": verification("link")}, fields: fields{"a": has(`1`, verifiedBy("sms"))}, want: []string{"a unverified!"}},
		{name: "a definition that is not enabled requires nothing", reqs: []vault.Requirement{need("a")}, defs: defs{"a": {FreshnessSeconds: 1, RequiredVerification: true}}, fields: fields{"a": has(`1`)}},

		{name: "a condition that holds", reqs: []vault.Requirement{need("a", adult)}, fields: fields{"age": has(`18`)}, want: []string{"a absent!"}},
		{name: "a condition that does not hold", reqs: []vault.Requirement{need("a", adult)}, fields: fields{"age": has(`17`)}},
		{name: "a condition that fails counts as true", reqs: []vault.Requirement{need("a", adult)}, want: []string{"a absent!"}, warnings: []string{"a: " + failed}},
		{name: "a condition does not see an expired value", reqs: []vault.Requirement{need("a", adult)}, fields: fields{"age": has(`17`, expires(-1))}, want: []string{"a absent!"}, warnings: []string{"a: " + failed}},
		{name: "a condition sees the session", reqs: []vault.Requirement{need("a", when(`session.channel == "phone"`)), need("b", when(`session.channel == "web"`))}, want: []string{"a absent!"}},
		{name: "a condition sees the scenario", reqs: []vault.Requirement{need("a", when(`scenario.variables.tier == "gold"`))}, want: []string{"a absent!"}},
		{name: "a field waits for its dependency", reqs: []vault.Requirement{need("a", dependsOn("b")), need("b")}, want: []string{"b absent!"}},
		{name: "a field whose dependency has a value", reqs: []vault.Requirement{need("a", dependsOn("b")), need("b")}, fields: fields{"b": has(`1`)}, want: []string{"a absent!"}},
		{name: "an expired dependency does not count", reqs: []vault.Requirement{need("a", dependsOn("b"))}, fields: fields{"b": has(`1`, expires(-1))}},
		{name: "a condition is not evaluated before the dependencies have values", reqs: []vault.Requirement{need("a", adult, dependsOn("age"))}},

		{
			name: "in order of collection, then hard before soft, then by name",
			reqs: []vault.Requirement{need("d"), need("c", soft), need("b", order(2)), need("a"), need("e", order(-1), soft)},
			want: []string{"e absent", "a absent!", "d absent!", "c absent", "b absent!"},
		},
		{name: "the stricter level wins", reqs: []vault.Requirement{need("a", soft), need("a"), need("a", soft)}, want: []string{"a absent!"}},
		{name: "a binding requirement wins over one that waits for review", reqs: []vault.Requirement{need("a", pending, fallback(vault.FallbackBlock)), need("a", soft)}, want: []string{"a absent"}},
		{name: "a requirement whose condition is false does not count", reqs: []vault.Requirement{need("a", when("false")), need("a", soft)}, want: []string{"a absent"}},

		{name: "without a step, all steps", reqs: []vault.Requirement{need("a", step("x")), need("b", step("y")), need("c")}, want: []string{"a absent!", "b absent!", "c absent!"}},
		{name: "with a step, its requirements and those of the whole scenario", reqs: []vault.Requirement{need("a", step("x")), need("b", step("y")), need("c")}, scope: rules.Scope{StepID: "x"}, want: []string{"a absent!", "c absent!"}},
		{name: "with a rule, its requirements and those without a rule", reqs: []vault.Requirement{need("a", rule(someID)), need("b", rule(otherID)), need("c")}, scope: rules.Scope{RuleID: &someID}, want: []string{"a absent!", "c absent!"}},
		{name: "only one level", reqs: []vault.Requirement{need("a"), need("b", soft)}, scope: rules.Scope{Level: vault.LevelSoft}, want: []string{"b absent"}},
		{name: "a field required by the scenario and by a rule is listed once", reqs: []vault.Requirement{need("a", soft), need("a", rule(someID))}, want: []string{"a absent!"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			known := rules.Known{
				Fields: tc.fields, Session: jsonMap("channel", `"phone"`), Now: morning,
				Scenario: vault.Scenario{Variables: map[string]string{"tier": "gold"}},
			}
			missing, warnings := rules.FindMissing(tc.reqs, tc.defs, known, tc.scope)
			var got []string
			for _, m := range missing {
				line := m.Requirement.FieldName + " " + string(m.Reason)
				if m.Blocking {
					line += "!"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.warnings, warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindMissing_StricterFallbackWins(t *testing.T) {
	t.Parallel()
	reqs := []vault.Requirement{
		need("a", fallback(vault.FallbackSkip)), need("a", fallback(vault.FallbackExtract)),
		need("a", fallback(vault.FallbackBlock)), need("a", fallback(vault.FallbackAsk)),
	}
	for len(reqs) > 0 {
		missing, _ := rules.FindMissing(reqs, nil, rules.Known{Now: morning}, rules.Scope{})
		want := []vault.FallbackAction{"", vault.FallbackSkip, vault.FallbackExtract, vault.FallbackAsk, vault.FallbackBlock}[len(reqs)]
		if got := missing[0].Requirement.FallbackAction; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		reqs = slices.DeleteFunc(reqs, func(r vault.Requirement) bool { return r.FallbackAction == want })
	}
}

func TestFindMissing_NoneIsAnEmptyList(t *testing.T) {
	t.Parallel()
	missing, _ := rules.FindMissing(nil, nil, rules.Known{}, rules.Scope{})
	if got, _ := json.Marshal(missing); string(got) != "[]" {
		t.Errorf("got %s", got)
	}
}

func TestFindMissing_CarriesTheDefinition(t *testing.T) {
	t.Parallel()
	defs := map[string]vault.Definition{"a": *defined(vault.TypeDate), "b": {Name: "b", ValueType: vault.TypeDate}}
	missing, _ := rules.FindMissing([]vault.Requirement{need("a"), need("b"), need("c")}, defs, rules.Known{Now: morning}, rules.Scope{})
	if missing[0].Definition == nil || missing[0].Definition.ValueType != vault.TypeDate {
		t.Errorf("got %+v", missing[0].Definition)
	}
	if missing[1].Definition != nil || missing[2].Definition != nil {
		t.Error("a field without an enabled definition has one")
	}
}

func TestFindMissing_Consistent(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names)
		reqs := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) vault.Requirement {
			return vault.Requirement{
				ID:             numbered(rapid.IntRange(0, 1000).Draw(t, "id")),
				FieldName:      name.Draw(t, "field"),
				StepID:         rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "step"),
				RequiredLevel:  rapid.SampledFrom(vault.RequiredLevels).Draw(t, "level"),
				FallbackAction: rapid.SampledFrom(vault.FallbackActions).Draw(t, "fallback"),
				WhenCondition:  rapid.SampledFrom([]string{"", "true", "false", "fields.a == 1", "has(fields.b)"}).Draw(t, "when"),
				DependsOn:      rapid.SliceOfN(name, 0, 1).Draw(t, "depends on"),
				Order:          rapid.IntRange(0, 2).Draw(t, "order"),
				Review:         rapid.SampledFrom([]vault.ReviewState{vault.ReviewNone, vault.ReviewPending, vault.ReviewApproved, vault.ReviewRejected}).Draw(t, "review"),
			}
		}), 0, 8, func(r vault.Requirement) uuid.UUID { return r.ID }).Draw(t, "requirements")
		defs, known := map[string]vault.Definition{}, rules.Known{Fields: map[string]vault.Value{}, Now: morning}
		for _, n := range names {
			defs[n] = *defined(vault.TypeNumber, func(d *vault.Definition) {
				d.FreshnessSeconds = rapid.Int64Range(0, 7200).Draw(t, "freshness")
				d.RequiredVerification = rapid.Bool().Draw(t, "verification")
			})
			if rapid.Bool().Draw(t, "has it") {
				known.Fields[n] = has(`1`, func(f *vault.Value) {
					f.Verified = rapid.Bool().Draw(t, "verified")
					f.ExpiresAt = rapid.SampledFrom([]*time.Time{nil, after(-1), after(1)}).Draw(t, "expires")
				})
			}
		}
		scope := rules.Scope{
			StepID: rapid.SampledFrom([]string{"", "x"}).Draw(t, "scope step"),
			Level:  rapid.SampledFrom([]vault.RequiredLevel{"", vault.LevelHard, vault.LevelSoft}).Draw(t, "scope level"),
		}
		missing, warnings := rules.FindMissing(reqs, defs, known, scope)

		shuffled, shuffledWarnings := rules.FindMissing(rapid.Permutation(reqs).Draw(t, "shuffled"), defs, known, scope)
		if diff := cmp.Diff(summary(missing), summary(shuffled)) + cmp.Diff(warnings, shuffledWarnings); diff != "" {
			t.Fatalf("the order of the requirements matters: %s", diff)
		}
		seen := map[string]bool{}
		for _, m := range missing {
			r := m.Requirement
			f, there := known.Fields[r.FieldName]
			switch {
			case seen[r.FieldName]:
				t.Fatalf("%s comes twice", r.FieldName)
			case r.Review == vault.ReviewRejected:
				t.Fatal("a rejected requirement is listed")
			case m.Blocking && (r.RequiredLevel != vault.LevelHard || !r.Binding()):
				t.Fatal("something blocks that may not")
			case r.WhenCondition == "false":
				t.Fatal("a condition that does not hold is listed")
			case scope.Level != "" && r.RequiredLevel != scope.Level, scope.StepID != "" && r.StepID == "y":
				t.Fatal("something out of scope is listed")
			case (m.Reason == vault.MissingAbsent) == there:
				t.Fatalf("%s is there: %v, and %s", r.FieldName, there, m.Reason)
			case m.Reason == vault.MissingUnverified && f.Verified:
				t.Fatal("a verified value counts as unverified")
			}
			seen[r.FieldName] = true
		}

		// With everything there, fresh and verified, nothing is missing.
		for _, n := range names {
			known.Fields[n] = has(`1`, func(f *vault.Value) { f.Verified, f.CollectedAt = true, morning })
		}
		if missing, _ := rules.FindMissing(reqs, defs, known, scope); len(missing) > 0 {
			t.Fatalf("still missing: %v", summary(missing))
		}
	})
}

func summary(missing []vault.Missing) []string {
	var lines []string
	for _, m := range missing {
		r := m.Requirement
		lines = append(lines, fmt.Sprint(r.FieldName, r.RequiredLevel, r.FallbackAction, r.Order, r.Review, m.Reason, m.Blocking))
	}
	return lines
}

func TestIsEmpty_Values(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		`null`: true, `""`: true, `" \u00ad"`: true, `[]`: true, `{}`: true, `[null]`: true, `[[],{"a":"\ufeff"}]`: true, `{"a":{"b":null}}`: true,
		``: false, `{`: false, `0`: false, `false`: false, `1e999`: false, `"x"`: false, `[0]`: false, `{"a":"","b":false}`: false, `[1e999]`: false,
	} {
		if got := rules.IsEmpty(json.RawMessage(value)); got != want {
			t.Errorf("%s: got %v", value, got)
		}
	}
}

// Nothing that shows a character, a number or a truth value is empty, and no nesting of blanks meets a requirement.
func TestFindMissing_EmptyNeverCounts(t *testing.T) {
	t.Parallel()
	blank := rapid.SampledFrom([]string{`null`, `""`, `" "`, `"\u200b"`, `"\u00a0\u3164"`, `[]`, `{}`})
	visible := rapid.SampledFrom([]string{`0`, `false`, `"x"`, `"\u200bx"`, `1e999`})
	rapid.Check(t, func(t *rapid.T) {
		leaf, want := blank.Draw(t, "leaf"), true
		if rapid.Bool().Draw(t, "with a value") {
			leaf, want = visible.Draw(t, "leaf"), false
		}
		value := leaf
		for range rapid.IntRange(0, 5).Draw(t, "depth") {
			value = rapid.SampledFrom([]string{`[` + value + `]`, `{"a":` + value + `}`, `["",` + value + `,null]`}).Draw(t, "wrap")
		}
		known := rules.Known{Fields: map[string]vault.Value{"a": has(value)}, Now: morning}
		missing, _ := rules.FindMissing([]vault.Requirement{need("a")}, nil, known, rules.Scope{})
		if got := len(missing) == 1; got != want {
			t.Fatalf("%s: missing %v, want %v", value, got, want)
		}
	})
}

// A value that was stored with warnings meets only a soft requirement, unless the definition accepts it by now.
func TestFindMissing_ValueWithWarnings(t *testing.T) {
	t.Parallel()
	warned := func(v *vault.Value) { v.Warnings = []string{"email: the value is not an email address"} }
	email := vault.Definition{Name: "email", ValueType: vault.TypeEmail, Enabled: true}
	verified, anything, disabled := email, email, email
	verified.RequiredVerification = true
	anything.ValueType = vault.TypeString
	disabled.Enabled = false
	for name, tc := range map[string]struct {
		value vault.Value
		req   vault.Requirement
		def   vault.Definition
		want  vault.MissingReason
	}{
		"a hard requirement":                  {has(`"nobody"`, warned), need("email"), email, vault.MissingInvalid},
		"a soft requirement":                  {has(`"nobody"`, warned), need("email", soft), email, ""},
		"a value without warnings":            {has(`"nobody"`), need("email"), email, ""},
		"a definition that accepts it now":    {has(`"nobody"`, warned), need("email"), anything, ""},
		"a value that was corrected in place": {has(`"ada@example.com"`, warned), need("email"), email, ""},
		"an unverified value":                 {has(`"nobody"`, warned), need("email"), verified, vault.MissingInvalid},
		"a valid unverified value":            {has(`"ada@example.com"`), need("email"), verified, vault.MissingUnverified},
		"a field that is not defined":         {has(`"nobody"`, warned), need("email"), disabled, vault.MissingInvalid},
		"a requirement that waits for review": {has(`"nobody"`, warned), need("email", pending), email, vault.MissingInvalid},
	} {
		tc.value.Name = "email"
		known := rules.Known{Fields: map[string]vault.Value{"email": tc.value}, Now: time.Now()}
		got, _ := rules.FindMissing([]vault.Requirement{tc.req}, map[string]vault.Definition{"email": tc.def}, known, rules.Scope{})
		switch {
		case tc.want == "" && len(got) > 0:
			t.Errorf("%s: missing: %s", name, got[0].Reason)
		case tc.want != "" && (len(got) != 1 || got[0].Reason != tc.want || got[0].Blocking != tc.req.Binding()):
			t.Errorf("%s: got %+v, want %s", name, got, tc.want)
		}
	}
}

func TestFindMissing_RefuseStale(t *testing.T) {
	t.Parallel()
	refuse := func(r *vault.Requirement) { r.RefuseStale = true }
	stale := func(v *vault.Value) { v.StaleSince = new(time.Now()) }
	for name, c := range map[string]struct {
		need  vault.Requirement
		value vault.Value
		want  vault.MissingReason
	}{
		"stale, refused":     {need("tier", refuse), has(`"gold"`, stale), vault.MissingDerived},
		"stale, not refused": {need("tier"), has(`"gold"`, stale), ""},
		"current":            {need("tier", refuse), has(`"gold"`), ""},
		"stale and empty":    {need("tier", refuse), has(`""`, stale), vault.MissingAbsent},
		"soft":               {need("tier", refuse, soft), has(`"gold"`, stale), vault.MissingDerived},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			missing, _ := rules.FindMissing([]vault.Requirement{c.need}, nil, rules.Known{
				Fields: map[string]vault.Value{"tier": c.value}, Now: time.Now(),
			}, rules.Scope{})
			got := vault.MissingReason("")
			if len(missing) > 0 {
				got = missing[0].Reason
			}
			if got != c.want {
				t.Errorf("the reason is %q, want %q", got, c.want)
			}
		})
	}
}
