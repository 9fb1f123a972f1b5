package rules_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"regexp/syntax"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/internal/bounded"
	"github.com/contextvault/contextvault/vault"
)

// allocated returns the megabytes that f allocates, freed ones included. Tests that use it do not run in parallel.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int((after.TotalAlloc - before.TotalAlloc) >> 20)
}

func atMost(t *testing.T, megabytes int, what string, f func()) {
	t.Helper()
	if got := allocated(f); got > megabytes {
		t.Errorf("%s: allocates %d MB, at most %d expected", what, got, megabytes)
	}
}

// largePatterns are short and compile to very many instructions.
var largePatterns = map[string]string{
	"nested repetitions": `((a{0,9}){0,10}){0,11}(([b-z]{9}){10}){11}`,
	"many repetitions":   strings.Repeat(`(?:[a-z]?){0,999}`, 29),
	"counted":            strings.Repeat(`(x{900})`, 60),
	"alternatives":       `(?:` + strings.Repeat(`aa|bb|`, 60) + `c){500}`,
	"open ended":         strings.Repeat(`.{1000,}`, 60),
	"optional groups":    strings.Repeat(`(a?){300}`, 50),
}

func TestCheck_LargePattern(t *testing.T) {
	for name, expr := range largePatterns {
		d := vault.Definition{
			AgentID: someID, Name: "code", ValueType: vault.TypeString, ValidationRegex: expr, Enabled: true,
			AllowedValues: []json.RawMessage{json.RawMessage(`"aaaa"`)},
		}
		atMost(t, 20, name, func() {
			err := rules.Check(d)
			if err == nil || !strings.Contains(err.Error(), "validation_regex: is too large") || !vault.Permanent(err) {
				t.Errorf("%s: got %v", name, err)
			}
			// A row from before this limit.
			value := json.RawMessage(`"` + strings.Repeat("a", 60_000) + `"`)
			_, err = rules.CheckValue(&d, "code", value, vault.ModeStrict)
			if err == nil || !vault.Permanent(err) || !strings.Contains(err.Error(), "validation_regex") {
				t.Errorf("%s: the check of a value gives %v", name, err)
			}
		})
	}
}

func TestCheckValue_LongTextForPattern(t *testing.T) {
	t.Parallel()
	d := vault.Definition{Name: "code", ValueType: vault.TypeString, ValidationRegex: `(?:a?){900}x`, Enabled: true}
	if err := rules.CheckPattern(d.ValidationRegex); err != nil {
		t.Fatal(err)
	}
	for length, refused := range map[int]string{1000: "does not match the pattern", 60_000: "is too long to be checked"} {
		_, err := rules.CheckValue(&d, "code", json.RawMessage(`"`+strings.Repeat("a", length)+`"`), vault.ModeStrict)
		if err == nil || !strings.Contains(err.Error(), refused) || !vault.Permanent(err) {
			t.Errorf("%d bytes: got %v, want %q", length, err, refused)
		}
	}
	if rules.CheckSteps(&d, make([]byte, 60_000), vault.ModeStrict) != 0 {
		t.Error("a value that is refused without a match counts")
	}
	if n := rules.CheckSteps(&d, make([]byte, 1000), vault.ModeStrict); n < 900*1000 || n > vault.MaxRegexSteps {
		t.Errorf("a value of 1000 bytes counts %d steps", n)
	}
}

func TestCheck_ManyAllowedValues(t *testing.T) {
	t.Parallel()
	d := vault.Definition{
		AgentID: someID, Name: "code", ValueType: vault.TypeString, ValidationRegex: `(?:a?){900}x`, Enabled: true,
	}
	for range 60 {
		d.AllowedValues = append(d.AllowedValues, json.RawMessage(`"`+strings.Repeat("a", 1000)+`"`))
	}
	err := rules.Check(d)
	if err == nil || !strings.Contains(err.Error(), "too large to be checked against these allowed values") {
		t.Errorf("got %v", err)
	}
	d.AllowedValues = append(d.AllowedValues, json.RawMessage(`"`+strings.Repeat("a", 8000)+`"`))
	if err := rules.Check(d); err == nil || !strings.Contains(err.Error(), "allowed_values: are larger than 64 KiB") {
		t.Errorf("got %v", err)
	}
}

// TestPatternSize_Bound checks that the estimate is never below the size of the program, and close to it.
func TestPatternSize_Bound(t *testing.T) {
	t.Parallel()
	atom := rapid.SampledFrom([]string{`a`, `[a-z]`, `\pL`, `.`, `^`, `\b`, `(?i)k`, `(b)`, `(?:c|d)`, `(?:|e)`, `ab`, ``})
	repeat := rapid.SampledFrom([]string{``, `*`, `+`, `?`, `{3}`, `{2,}`, `{0,4}`, `{2,5}`, `{0}`, `{1,1}`})
	rapid.Check(t, func(t *rapid.T) {
		expr := ""
		for range rapid.IntRange(1, 5).Draw(t, "parts") {
			part := atom.Draw(t, "atom")
			if r := repeat.Draw(t, "repeat"); part != "" {
				part = "(?:" + part + ")" + r
			}
			if expr += part; rapid.Bool().Draw(t, "wrap") {
				expr = "(" + expr + ")" + repeat.Draw(t, "outer")
			}
		}
		parsed, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Skip(err)
		}
		prog, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		p, err := bounded.Compile(expr)
		if err != nil {
			t.Skip(err)
		}
		if size := p.Steps(0); size < len(prog.Inst) {
			t.Fatalf("%s: the estimate is %d, the program has %d instructions", expr, size, len(prog.Inst))
		}
	})
}

func TestPatternCache_Memory(t *testing.T) {
	measure := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := measure()
	for i := range 3000 {
		if err := rules.CheckPattern(fmt.Sprintf(`(?:\pL?){600}%d`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if grown := (measure() - before) >> 20; grown > 48 {
		t.Errorf("3000 patterns keep %d MB", grown)
	}
}

// TestEvalCondition_Growth has conditions that would take gigabytes or hours without limits.
func TestEvalCondition_Growth(t *testing.T) {
	text := `"` + strings.Repeat("a", 60_000) + `"`
	list, long := `["`+strings.Repeat(`x","`, 1900)+`x"]`, `[`+strings.Repeat(`1,`, 15_000)+`1]`
	deep := `[` + strings.Repeat(`["aaaaaaaaaaaaaaaaaaaa"],`, 1900) + `1]`
	vars := rules.ConditionVars{Fields: jsonMap("a", text, "l", list, "long", long, "d", deep, "e", deep, "n", `[0,1,2,3,4,5,6,7,8,9]`)}
	double := strings.Repeat(`.map(x, x + x)`, 40)
	digits := `fields.n.all(a, fields.n.all(b, fields.n.all(c, fields.n.all(d, fields.n.all(e, fields.n.all(f, %s))))))`
	for name, expr := range map[string]string{
		"a text that doubles":         `[fields.a]` + double + `.size() > 0`,
		"a list that doubles":         `[[1]]` + double + `.size() > 0`,
		"a list of texts":             `fields.l.map(x, fields.a + x).size() > 0`,
		"a long text":                 `(` + strings.Repeat(`fields.a + `, 150) + `"") != ""`,
		"texts in a loop":             fmt.Sprintf(digits, `!(fields.a + "b").contains("c")`),
		"matches in a loop":           fmt.Sprintf(digits, `!fields.a.matches("(a|b)*c")`),
		"a large pattern":             `fields.a.matches("((a{0,9}){0,10}){0,11}(([b-z]{9}){10}){11}")`,
		"a pattern and a long text":   `fields.a.matches("(?:a?){900}x")`,
		"a text as a pattern":         `"x".matches(fields.a)`,
		"equality of large values":    fmt.Sprintf(digits, `fields.d == fields.e`),
		"membership in a large list":  fmt.Sprintf(digits, `!("y" in fields.l)`),
		"order of texts":              fmt.Sprintf(digits, `fields.a <= fields.a`),
		"conversions":                 fmt.Sprintf(digits, `size(bytes(fields.a)) > 0`),
		"a long list":                 `fields.long.all(a, a == 1)`,
		"long lists together":         `(fields.l + fields.l).all(a, a == "x")`,
		"a list of lists":             `fields.l.map(a, fields.l.map(b, fields.l)).size() > 0`,
		"loops in a loop":             `fields.l.all(a, fields.l.all(b, fields.l.all(c, true)))`,
		"lists in a loop":             `fields.l.all(a, (fields.n + [1]).all(b, (fields.n + [1]).all(c, true)))`,
		"patterns made by the values": `fields.l.all(a, fields.l.all(b, !"q".matches("[b-c]{90}" + a + string(size(fields.l)))))`,
	} {
		atMost(t, 400, name, func() {
			holds, err := rules.EvalCondition(expr, vars)
			if err != nil && strings.Contains(err.Error(), "time limit") {
				t.Errorf("%s: the cost does not count: %v", name, err)
			}
			if err == nil || holds || !vault.Permanent(err) {
				t.Errorf("%s: got %v, %v", name, holds, err)
			}
		})
	}
}

func TestApplicable_ManyExpensiveConditions(t *testing.T) {
	list := json.RawMessage(`["` + strings.Repeat(`x","`, 1000) + `x"]`)
	known := rules.Known{Fields: map[string]vault.Value{"l": {Name: "l", Value: list, Status: vault.StatusActive}}}
	var reqs []vault.Requirement
	for i := range 500 {
		reqs = append(reqs, vault.Requirement{
			FieldName:     fmt.Sprintf("f%d", i),
			WhenCondition: fmt.Sprintf(`fields.l.all(a, fields.l.all(b, a != "%d"))`, i),
		})
	}
	atMost(t, 1500, "500 conditions", func() {
		byField, warnings := rules.Applicable(reqs, known, rules.Scope{})
		if len(byField) != 500 || len(warnings) != 500 {
			t.Errorf("%d apply with %d warnings: a condition that fails counts as true", len(byField), len(warnings))
		}
		if !strings.Contains(warnings[499], "together exceed the cost limit") {
			t.Errorf("got %s", warnings[499])
		}
	})
}

func TestDecodeStrict_ManyProblems(t *testing.T) {
	var unknown, deep strings.Builder
	for i := range 500_000 {
		fmt.Fprintf(&unknown, `"m%d":1,`, i)
	}
	for i := range 900 {
		fmt.Fprintf(&deep, `{"p%d":1,"q":2,"name":3},`, i)
	}
	names := strings.TrimSuffix(strings.Repeat(`"x",`, 1_000_000), ",")
	for name, body := range map[string]struct {
		text string
		into any
	}{
		"unknown members":        {`{` + unknown.String() + `"z":1}`, &vault.WriteValueInput{}},
		"an unknown list":        {`{"zz":[` + names + `]}`, &vault.WriteValueInput{}},
		"a list of names":        {`{"depends_on_fields":[` + names + `]}`, &vault.Requirement{}},
		"a list of wrong types":  {`{"depends_on_fields":[` + strings.Repeat("1,", 900) + `1]}`, &vault.Requirement{}},
		"unknown members within": {`{"writes":[` + deep.String() + `{}]}`, &vault.ImportValuesInput{}},
		"members of a map":       {`{"variables":{` + unknown.String() + `"z":1}}`, &vault.SaveSessionInput{}},
		"a list of allowed ones": {`{"allowed_values":[` + names + `]}`, &vault.Definition{}},
	} {
		atMost(t, 60, name, func() {
			err := rules.DecodeStrict([]byte(body.text), body.into)
			if err == nil || len(err.Error()) > 20_000 || !vault.Permanent(err) {
				t.Errorf("%s: got an error of %d bytes", name, len(fmt.Sprint(err)))
			}
			if strings.Count(fmt.Sprint(err), "; ") > 2*vault.MaxProblems {
				t.Errorf("%s: lists more than %d problems", name, vault.MaxProblems)
			}
		})
	}
}

// TestCheck_LongLists gives each list of each input a million entries, as a caller of the Go API may.
func TestCheck_LongLists(t *testing.T) {
	names := make([]string, 1_000_000)
	for i := range names {
		names[i] = "\x00"
	}
	deps := slices.Repeat([]string{"a"}, len(names))
	steps := make([]vault.ScenarioStep, 100_000)
	raws := slices.Repeat([]json.RawMessage{json.RawMessage(`nul`)}, 1_000_000)
	turns := make([]vault.Turn, 100_000)
	for name, in := range map[string]any{
		"depends_on_fields":    vault.Requirement{DependsOn: deps},
		"unstorable":           vault.Requirement{DependsOn: names},
		"verification_methods": vault.Definition{VerificationMethods: deps},
		"extraction_examples":  vault.Definition{ExtractionExamples: names},
		"allowed_values":       vault.Definition{ValueType: vault.TypeString, AllowedValues: raws},
		"steps":                vault.Scenario{Steps: steps},
		"turns":                vault.SaveSessionInput{Turns: turns},
		"edit":                 vault.DecideReviewInput{Edit: &vault.ReviewEdit{DependsOn: names}},
	} {
		atMost(t, 60, name, func() {
			if err := rules.Check(in); err == nil || len(err.Error()) > 20_000 {
				t.Errorf("%s: got an error of %d bytes", name, len(fmt.Sprint(err)))
			}
		})
	}
}

// TestInputs_ListsHaveLimits finds lists and maps of inputs without a maximum length.
func TestInputs_ListsHaveLimits(t *testing.T) {
	t.Parallel()
	var visit func(typ reflect.Type, path string)
	seen := map[reflect.Type]bool{}
	visit = func(typ reflect.Type, path string) {
		switch {
		case typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice:
			visit(typ.Elem(), path)
		case typ.Kind() == reflect.Struct && !seen[typ] && typ != reflect.TypeFor[time.Time]():
			seen[typ] = true
			for i := range typ.NumField() {
				f := typ.Field(i)
				at := path + "." + f.Name
				isList := f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Slice &&
					f.Type != reflect.TypeFor[json.RawMessage]()
				if isList && !regexp.MustCompile(`(^|,)max=\d+`).MatchString(f.Tag.Get("validate")) {
					t.Errorf("%s has no maximum length", at)
				}
				visit(f.Type, at)
			}
		}
	}
	for _, in := range []any{
		vault.WriteValueInput{},
		vault.ImportValuesInput{},
		vault.VerifyValueInput{},
		vault.ExpireValueInput{},
		vault.ProposeDeletionInput{},
		vault.AddAssetInput{},
		vault.DeleteItemInput{},
		vault.RestoreItemInput{},
		vault.OpenCustomerInput{},
		vault.LinkChannelInput{},
		vault.SetCustomerLabelInput{},
		vault.RecordConsentInput{},
		vault.MergeCustomersInput{},
		vault.UnmergeCustomerInput{},
		vault.DeleteCustomerInput{},
		vault.SaveSessionInput{},
		vault.Definition{},
		vault.DeleteDefinitionInput{},
		vault.Requirement{},
		vault.DeleteRequirementInput{},
		vault.Scenario{},
		vault.Rule{},
		vault.ExtractSchemaInput{},
		vault.DecideReviewInput{},
		vault.FillGapsInput{},
		vault.CancelFillInput{},
		vault.AnswerQuestionInput{},
		vault.Sweep{},
	} {
		visit(reflect.TypeOf(in), reflect.TypeOf(in).Name())
	}
}
