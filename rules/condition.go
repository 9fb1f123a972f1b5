package rules

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/contextvault/contextvault/rules/internal/bounded"
	"github.com/contextvault/contextvault/vault"
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
	_, err := bounded.CompileCondition(expr)
	return err
}

// CheckConditionTypes checks a condition that compiles against the definitions of the fields that it reads: a text that
// is compared with a number is an error. The *vault.Error names the field. A condition that reads no defined field as
// fields.<name> or fields["<name>"] is not checked.
func CheckConditionTypes(expr string, defined map[string]vault.ValueType) error {
	if strings.TrimSpace(expr) == "" {
		return nil
	}
	if err := bounded.CheckTypes(expr, defined); err != nil {
		return vault.Invalid("when_condition", "%s", err.Error())
	}
	return nil
}

// EvalCondition evaluates a condition. The empty condition is true. The *vault.Error names the kind of problem and
// never a value. It is permanent: the same condition with the same values fails again.
func EvalCondition(expr string, vars ConditionVars) (holds bool, err error) {
	return newConditions(vars).eval(expr)
}

// conditions evaluates several conditions over the same variables, which it decodes once, within
// vault.MaxConditionsCost.
type conditions struct {
	vars ConditionVars
	data map[string]any // nil before the first condition
	cost uint64
}

func newConditions(vars ConditionVars) *conditions { return &conditions{vars: vars} }

func (c *conditions) eval(expr string) (bool, error) {
	if strings.TrimSpace(expr) == "" {
		return true, nil
	}
	program, err := bounded.CompileCondition(expr)
	if err != nil {
		return false, conditionError(err)
	}
	if c.cost > vault.MaxConditionsCost {
		return false, conditionError(errors.New("the conditions of the scenario together exceed the cost limit"))
	}
	if c.data == nil {
		c.data = c.vars.activation()
	}
	holds, cost, err := program.Eval(c.data)
	c.cost += cost
	if err != nil {
		return false, conditionError(err)
	}
	return holds, nil
}

func conditionError(err error) error {
	return &vault.Error{Code: vault.CodeInvalid, Field: "when_condition", Message: err.Error()}
}

// ConditionFields returns the sorted names of the fields that a condition reads. It returns nil for a condition that
// does not compile.
func ConditionFields(expr string) []string {
	if conditionProblem(expr) != nil || strings.TrimSpace(expr) == "" {
		return nil
	}
	parsed, err := bounded.ParseCondition(expr)
	if err != nil {
		return nil
	}
	names := map[string]bool{}
	for _, e := range celast.MatchDescendants(celast.NavigateAST(parsed), celast.AllMatcher()) {
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
		return bounded.Values(v, len(v))
	case map[string]any:
		for k := range v {
			v[k] = celValue(v[k])
		}
		return bounded.Values(v, len(v))
	}
	return v
}
