package rules_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// jsonMap makes a map of JSON values of pairs of name and JSON.
func jsonMap(pairs ...string) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return m
}

func TestEvalCondition_Variables(t *testing.T) {
	t.Parallel()
	vars := rules.ConditionVars{
		Fields: jsonMap("age", `18`, "score", `17.5`, "whole", `18.0`, "big", `123456789012345678901`, "huge", `1e999`,
			"born", `"1990-03-31"`, "member", `true`, "tags", `["a","b"]`, "address", `{"country":"DE","floor":3}`, "broken", `{`),
		Session:  jsonMap("channel", `"phone"`, "nothing", `null`),
		Scenario: vault.Scenario{ID: someID, Name: "Onboarding", Variables: map[string]string{"tier": "gold"}},
	}
	for expr, want := range map[string]bool{
		``:                                true,
		"  \n":                            true,
		`true`:                            true,
		`fields.age >= 18`:                true,
		`fields.age > 18`:                 false,
		`fields.age >= 17.5`:              true,
		`fields.age == 18.0`:              true,
		`fields.age + 1 == 19`:            true,
		`fields.score >= 18`:              false,
		`fields.score == 17.5`:            true,
		`fields.whole == 18`:              true,
		`fields.whole + 1 > 18`:           true,
		`fields.big > 1`:                  true,
		`fields.huge > 1`:                 true,
		`fields.born < "2000-01-01"`:      true,
		`fields.member`:                   true,
		`!fields.member`:                  false,
		`"a" in fields.tags`:              true,
		`fields.tags.exists(t, t == "c")`: false,
		`fields.address.country == "DE" && fields.address.floor < 4`: true,
		`has(fields.age)`:            true,
		`has(fields.absent)`:         false,
		`has(fields.broken)`:         false,
		`"absent" in fields`:         false,
		`session.channel == "phone"`: true,
		`session.nothing == null`:    true,
		`scenario.name == "Onboarding" && scenario.variables.tier == "gold"`: true,
		`scenario.id == "` + someID.String() + `"`:                           true,
		`fields.absent == 1 || fields.age == 18`:                             true, // CEL: an error gives way to what decides
		strings.Repeat(`fields.age == 1 || `, 100) + `true`:                  true,
		strings.Repeat(`(`, 20) + `true` + strings.Repeat(`)`, 20):           true,
	} {
		if err := rules.CompileCondition(expr); err != nil {
			t.Errorf("%.60s: %v", expr, err)
		}
		got, err := rules.EvalCondition(expr, vars)
		if err != nil || got != want {
			t.Errorf("%.60s: got %v, %v, want %v", expr, got, err, want)
		}
	}
}

func TestCompileCondition_InvalidIsRefused(t *testing.T) {
	t.Parallel()
	for expr, part := range map[string]string{
		`age >= 18`:               "at 1:1: undeclared reference to 'age'",
		`fields.age >=`:           "at 1:14: Syntax error",
		`"text"`:                  "must return true or false, such as fields.age >= 18; this one returns string",
		`1 + 1`:                   "this one returns int",
		`fields`:                  "this one returns map(string, dyn)",
		`fields.age.size() + "a"`: "", // dyn: found out when it runs
		`1 == "a"`:                "no matching overload",
		`fields.age matches "("`:  "Syntax error",
		strings.Repeat(`(`, 900) + `true` + strings.Repeat(`)`, 900): "recursion",
		strings.Repeat(` `, 2000) + `true`:                           "is longer than 2000 characters",
		strings.Repeat(`!`, 1999) + `true`:                           "",
		strings.Repeat(`[`, 1000) + strings.Repeat(`]`, 1000):        "recursion",
		"\x00": "Syntax error",
	} {
		err := rules.CompileCondition(expr)
		if part == "" {
			continue // must only not panic
		}
		if err == nil {
			t.Errorf("%.40s compiles", expr)
			continue
		}
		if e := asError(t, err); !strings.Contains(e.Message, part) || e.Field != "when_condition" || e.Code != vault.CodeInvalid {
			t.Errorf("%.40s: %+v", expr, e)
		}
		if _, err := rules.EvalCondition(expr, rules.ConditionVars{}); err == nil {
			t.Errorf("%.40s evaluates", expr)
		}
	}
}

func TestEvalCondition_ErrorHoldsNoValue(t *testing.T) {
	t.Parallel()
	vars := rules.ConditionVars{
		Fields:  jsonMap("secret", `"QXsecret"`, "age", `18`, "list", `[1]`, "max", `9223372036854775807`),
		Session: jsonMap(),
	}
	many := make([]string, 200)
	for i := range many {
		many[i] = `"aaaaaaaaaaaaaaaaaaaa"`
	}
	vars.Fields["many"] = json.RawMessage(`[` + strings.Join(many, ",") + `]`)
	for expr, want := range map[string]string{
		`fields.absent == "x"`:        "the condition uses a key that does not exist",
		`session[fields.secret] == 1`: "the condition uses a key that does not exist",
		`fields.secret >= 18`:         "the condition compares or combines values of different types",
		`fields.secret`:               "the condition does not return true or false",
		`fields.age / 0 == 1`:         "the condition divides by zero",
		`fields.max + 1 == 0`:         "the condition computes a number that is too large",
		`fields.list[5] == 1`:         "the condition reads past the end of a list",
		`int(fields.secret) == 1`:     "the condition cannot be evaluated",

		`timestamp(fields.secret) < timestamp("2026-01-01T00:00:00Z")`: "the condition cannot be evaluated",
		`"x".matches(fields.secret + "(")`:                             "the condition matches with a regular expression that is not valid or too large",

		`fields.many.all(a, fields.many.all(b, fields.many.all(c, fields.many.all(d, a == b && c == d && a.contains(d)))))`: "the condition exceeds the cost limit",
	} {
		got, err := rules.EvalCondition(expr, vars)
		if err == nil || got || err.Error() != want || !vault.Permanent(err) {
			t.Errorf("%s: got %v, %v, want %q", expr, got, err, want)
		}
	}
}

func TestEvalCondition_NeverPanicsOrRevealsValue(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"fields.a", "fields.b", "fields.absent", "session.a", "scenario.name", "1", "2.5", `"x"`, "null", "true", "[1]", "{}", "fields", "scenario.variables"})
	operator := rapid.SampledFrom([]string{"==", "!=", "<", ">=", "&&", "||", "+", "-", "*", "/", "%", "in", ".", "?"})
	wrap := rapid.SampledFrom([]string{"%", "!(%)", "size(%)", "int(%)", "double(%)", "string(%) == ''", "timestamp(%) == null", "(%).exists(x, x == 1)", "has(%.a)", "[%][0]", "duration(%) == null", "(%).matches('a')", "dyn(%)"})
	const secret = "QXZsecret"
	rapid.Check(t, func(t *rapid.T) {
		parts := []string{word.Draw(t, "word")}
		for range rapid.IntRange(0, 4).Draw(t, "length") {
			parts = append(parts, operator.Draw(t, "operator"), word.Draw(t, "word"))
		}
		expr := strings.ReplaceAll(wrap.Draw(t, "wrap"), "%", strings.Join(parts, " "))
		value := func() json.RawMessage {
			return rapid.OneOf(drawJSON(), rapid.Just(json.RawMessage(`"`+secret+`"`)), rapid.Just(json.RawMessage(`["`+secret+`"]`))).Draw(t, "value")
		}
		vars := rules.ConditionVars{
			Fields: map[string]json.RawMessage{"a": value(), "b": value()}, Session: map[string]json.RawMessage{"a": value()},
			Scenario: vault.Scenario{Name: secret},
		}
		compiles := rules.CompileCondition(expr) == nil
		holds, err := rules.EvalCondition(expr, vars)
		switch {
		case err == nil && !compiles:
			t.Fatal("it evaluates and does not compile")
		case err != nil && (holds || strings.Contains(err.Error(), secret)):
			t.Fatalf("%v, %v", holds, err)
		}
	})
}
