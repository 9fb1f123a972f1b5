package bounded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/contextvault/contextvault/vault"
)

const (
	maxConditionDepth = 50  // levels of brackets and operators
	maxConditions     = 500 // compiled conditions in the cache

	// maxConditionTime ends an evaluation that the cost limit did not end, on a machine that is much slower than expected.
	maxConditionTime = 5 * time.Second
	// interruptEvery is the number of iterations between two looks at the time.
	interruptEvery = 100
)

// Condition is a compiled condition. It is safe for concurrent use.
type Condition struct{ program cel.Program }

var conditions = sync.OnceValue(func() *lru.Cache[string, Condition] {
	c, err := lru.New[string, Condition](maxConditions)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return c
})

// CompileCondition compiles a CEL expression over fields, session and scenario, which must return true or false. The
// error follows the name of the member in a message.
func CompileCondition(expr string) (Condition, error) {
	if c, ok := conditions().Get(expr); ok {
		return c, nil
	}
	c, err := compileCondition(expr)
	if err == nil {
		conditions().Add(expr, c)
	}
	return c, err
}

// ParseCondition returns the syntax tree of a condition.
func ParseCondition(expr string) (*celast.AST, error) {
	env, err := conditionEnv()
	if err != nil {
		return nil, err
	}
	parsed, issues := env.Parse(expr)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	return parsed.NativeRep(), nil
}

func compileCondition(expr string) (c Condition, err error) {
	defer func() {
		if recover() != nil {
			c, err = Condition{}, errors.New("the condition cannot be compiled")
		}
	}()
	if utf8.RuneCountInString(expr) > vault.MaxConditionLength {
		return c, fmt.Errorf("is longer than %d characters", vault.MaxConditionLength)
	}
	env, err := conditionEnv()
	if err != nil {
		return c, fmt.Errorf("prepare conditions: %w", err)
	}
	ast, issues := env.Compile(expr)
	if issues.Err() != nil {
		causes := make([]string, 0, len(issues.Errors()))
		for _, e := range issues.Errors()[:min(len(issues.Errors()), vault.MaxProblems)] {
			causes = append(causes, fmt.Sprintf("at %d:%d: %s", e.Location.Line(), e.Location.Column()+1, e.Message))
		}
		return c, errors.New("is not a condition in CEL over fields, session and scenario, " +
			"such as fields.age >= 18: " + strings.Join(causes, "; "))
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return c, errors.New("must return true or false, such as fields.age >= 18; this one returns " + t.String())
	}
	c.program, err = env.Program(ast, cel.CostLimit(vault.MaxConditionCost), cel.CostTracking(costs{}),
		cel.InterruptCheckFrequency(interruptEvery))
	return c, err
}

// Eval evaluates a condition. cost is in the unit of vault.MaxConditionCost. The error names the kind of problem and
// never a value.
func (c Condition) Eval(vars map[string]any) (holds bool, cost uint64, err error) {
	defer func() {
		if recover() != nil {
			holds, cost, err = false, vault.MaxConditionCost, errors.New("the condition cannot be evaluated")
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), maxConditionTime)
	defer cancel()
	out, details, err := c.program.ContextEval(ctx, vars)
	cost = vault.MaxConditionCost
	if details != nil && details.ActualCost() != nil {
		cost = *details.ActualCost()
	}
	if err != nil {
		return false, cost, evalError(err)
	}
	answer, ok := out.(types.Bool)
	if !ok {
		return false, cost, errors.New("the condition does not return true or false")
	}
	return bool(answer), cost, nil
}

// evalError returns an error with the kind of a CEL evaluation error. CEL's own text may contain the customer's values.
func evalError(err error) error {
	for _, kind := range []struct{ sign, text string }{
		{"no such key", "the condition uses a key that does not exist"},
		{"no such overload", "the condition compares or combines values of different types"},
		{"cost limit", "the condition exceeds the cost limit"},
		{"interrupted", "the condition exceeds the time limit"},
		{textTooLong, "the condition makes a text that is too long"},
		{listTooLong, "the condition reads or makes a list that is too long"},
		{patternRefused, "the condition matches with a regular expression that is not valid or too large"},
		{textNotMatched, "the condition matches a text that is too long for its regular expression"},
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
