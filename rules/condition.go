package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"github.com/contextvault/contextvault/vault"
)

// Limits of a condition. They stop an expensive condition before it delays a customer. Real conditions are a thousand
// times cheaper.
const (
	maxConditionCost  = 1_000_000 // in CEL's cost units, about one per element read; about 100 ms
	maxConditionDepth = 50        // levels of brackets and operators
	maxConditions     = 500       // compiled conditions in the cache
)

// ConditionVars are the variables that a condition can read.
type ConditionVars struct {
	Fields   map[string]json.RawMessage // fields.<name>: the active values
	Session  map[string]json.RawMessage // session.<name>: the session's variables
	Scenario vault.Scenario             // scenario.id, scenario.name, scenario.variables.<name>
}

// CompileCondition checks that a condition is a CEL expression over fields, session and scenario, and can return true
// or false. The empty condition is valid. The *vault.Error names the position and the cause. It may quote the
// condition, which contains no customer's value.
func CompileCondition(expr string) error {
	if err := conditionProblem(expr); err != nil {
		return vault.Invalid("when_condition", "%s", err.Error())
	}
	return nil
}

// conditionProblem is CompileCondition without the name of the member in the error.
func conditionProblem(expr string) error {
	if strings.TrimSpace(expr) == "" {
		return nil
	}
	_, err := cached(conditions, expr, compileCondition)
	return err
}

// EvalCondition evaluates a condition. The empty condition is true. The error names the kind of problem and never a
// value.
func EvalCondition(expr string, vars ConditionVars) (holds bool, err error) {
	if strings.TrimSpace(expr) == "" {
		return true, nil
	}
	program, err := cached(conditions, expr, compileCondition)
	if err != nil {
		return false, err
	}
	defer func() {
		if recover() != nil {
			holds, err = false, errors.New("the condition cannot be evaluated")
		}
	}()
	out, _, err := program.Eval(vars.activation())
	if err != nil {
		return false, evalError(err)
	}
	answer, ok := out.(types.Bool)
	if !ok {
		return false, errors.New("the condition does not return true or false")
	}
	return bool(answer), nil
}

// ConditionFields returns the sorted names of the fields that a condition reads. It returns nil for a condition that
// does not compile.
func ConditionFields(expr string) []string {
	if conditionProblem(expr) != nil || strings.TrimSpace(expr) == "" {
		return nil
	}
	env, err := conditionEnv()
	if err != nil {
		return nil
	}
	parsed, issues := env.Parse(expr)
	if issues.Err() != nil {
		return nil
	}
	names := map[string]bool{}
	for _, e := range celast.MatchDescendants(celast.NavigateAST(parsed.NativeRep()), celast.AllMatcher()) {
		switch e.Kind() {
		case celast.SelectKind: // fields.age
			if of := e.AsSelect().Operand(); of.Kind() == celast.IdentKind && of.AsIdent() == "fields" {
				names[e.AsSelect().FieldName()] = true
			}
		case celast.CallKind: // fields["age"], "age" in fields
			args := e.AsCall().Args()
			if fn := e.AsCall().FunctionName(); len(args) == 2 && (fn == operators.Index || fn == operators.In) {
				of, name := args[0], args[1]
				if fn == operators.In {
					of, name = args[1], args[0]
				}
				if of.Kind() == celast.IdentKind && of.AsIdent() == "fields" && name.Kind() == celast.LiteralKind {
					if text, ok := name.AsLiteral().Value().(string); ok {
						names[text] = true
					}
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

var conditions = newCache[cel.Program](maxConditions)

var conditionEnv = sync.OnceValues(func() (*cel.Env, error) {
	anything := cel.MapType(cel.StringType, cel.DynType)
	return cel.NewEnv(
		cel.Variable("fields", anything),
		cel.Variable("session", anything),
		cel.Variable("scenario", anything),
		cel.CrossTypeNumericComparisons(true), // >= 18 compares with 18 and with 18.5
		cel.DefaultUTCTimeZone(true),
		cel.ParserRecursionLimit(maxConditionDepth),
	)
})

func compileCondition(expr string) (program cel.Program, err error) {
	defer func() {
		if recover() != nil {
			program, err = nil, errors.New("the condition cannot be compiled")
		}
	}()
	env, err := conditionEnv()
	if err != nil {
		return nil, fmt.Errorf("prepare conditions: %w", err)
	}
	ast, issues := env.Compile(expr)
	if issues.Err() != nil {
		causes := make([]string, 0, len(issues.Errors()))
		for _, e := range issues.Errors() {
			causes = append(causes, fmt.Sprintf("at %d:%d: %s", e.Location.Line(), e.Location.Column()+1, e.Message))
		}
		return nil, errors.New("is not a condition in CEL over fields, session and scenario, " +
			"such as fields.age >= 18: " + strings.Join(causes, "; "))
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, errors.New("must return true or false, such as fields.age >= 18; this one returns " + t.String())
	}
	return env.Program(ast, cel.CostLimit(maxConditionCost), cel.EvalOptions(cel.OptTrackCost))
}

// evalError returns an error with the kind of a CEL evaluation error. CEL's own text may contain the customer's values.
func evalError(err error) error {
	for _, kind := range []struct{ sign, text string }{
		{"no such key", "the condition uses a key that does not exist"},
		{"no such overload", "the condition compares or combines values of different types"},
		{"cost limit", "the condition exceeds the cost limit"},
		{"index out of bounds", "the condition reads past the end of a list"},
		{"division by zero", "the condition divides by zero"},
		{"modulus by zero", "the condition divides by zero"},
		{"overflow", "the condition computes a number that is too large"},
	} {
		if strings.Contains(err.Error(), kind.sign) {
			return errors.New(kind.text)
		}
	}
	return errors.New("the condition cannot be evaluated")
}

func (v ConditionVars) activation() map[string]any {
	variables := make(map[string]any, len(v.Scenario.Variables))
	for name, value := range v.Scenario.Variables {
		variables[name] = value
	}
	return map[string]any{
		"fields":  celValues(v.Fields),
		"session": celValues(v.Session),
		"scenario": map[string]any{
			"id":        v.Scenario.ID.String(),
			"name":      v.Scenario.Name,
			"variables": variables,
		},
	}
}

func celValues(values map[string]json.RawMessage) map[string]any {
	out := make(map[string]any, len(values))
	for name, raw := range values {
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.UseNumber()
		var v any
		if dec.Decode(&v) == nil {
			out[name] = celValue(v)
		}
	}
	return out
}

// celValue converts decoded JSON to the types that CEL computes with. A whole number becomes an int, because CEL does
// not add a double to a whole number of a condition. Other numbers become doubles.
func celValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i
		}
		f, _ := strconv.ParseFloat(v.String(), 64) // a number beyond a double becomes infinite, which compares correctly
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f)
		}
		return f
	case []any:
		for i := range v {
			v[i] = celValue(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = celValue(v[k])
		}
	}
	return v
}
