package bounded

import (
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/env"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/contextvault/contextvault/vault"
)

// Limits of intermediate results. Without them, each map of [x].map(a, a + a).map(a, a + a)… would double a text. CEL
// charges a call only after it has run.
//
// The time of a loop also grows with the square of the length of its list, because CEL's count of the cost searches all
// earlier iterations. So the lists and objects of values have the same limit.
const (
	maxTextBytes  = 256 << 10
	maxListLength = vault.MaxConditionList
)

// Values returns a decoded JSON value for a condition: an error that the condition fails with if a list or an object in
// it is too long.
func Values[T any](v T, length int) any {
	if length > maxListLength {
		return types.NewErr(listTooLong)
	}
	return v
}

// Errors of the functions below. evalError recognises them.
const (
	textTooLong    = "text too long"
	listTooLong    = "list too long"
	patternRefused = "pattern refused"
	textNotMatched = "text not matched"
)

// conditionEnv is the environment of conditions: standard CEL with + and matches in limits.
var conditionEnv = sync.OnceValues(func() (*cel.Env, error) {
	anything := cel.MapType(cel.StringType, cel.DynType)
	standard := env.NewLibrarySubset().AddExcludedFunctions(
		env.NewFunction(operators.Add), env.NewFunction(overloads.Matches))
	element := cel.TypeParamType("A")
	two := func(id string, t *cel.Type) cel.FunctionOpt { return cel.Overload(id, []*cel.Type{t, t}, t) }
	return cel.NewCustomEnv(
		cel.StdLib(cel.StdLibSubset(standard)),
		cel.Function(operators.Add,
			two(overloads.AddInt64, cel.IntType), two(overloads.AddUint64, cel.UintType),
			two(overloads.AddDouble, cel.DoubleType), two(overloads.AddString, cel.StringType),
			two(overloads.AddBytes, cel.BytesType), two(overloads.AddDurationDuration, cel.DurationType),
			two(overloads.AddList, cel.ListType(element)),
			cel.Overload(overloads.AddTimestampDuration, []*cel.Type{cel.TimestampType, cel.DurationType}, cel.TimestampType),
			cel.Overload(overloads.AddDurationTimestamp, []*cel.Type{cel.DurationType, cel.TimestampType}, cel.TimestampType),
			cel.SingletonBinaryBinding(add, traits.AdderType),
		),
		cel.Function(overloads.Matches,
			cel.Overload(overloads.Matches, []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType),
			cel.MemberOverload(overloads.MatchesString, []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType),
			cel.SingletonBinaryBinding(matches),
		),
		cel.Variable("fields", anything),
		cel.Variable("session", anything),
		cel.Variable("scenario", anything),
		cel.CrossTypeNumericComparisons(true), // >= 18 compares with 18 and with 18.5
		cel.DefaultUTCTimeZone(true),
		cel.ParserRecursionLimit(maxConditionDepth),
	)
})

// add is the operator +.
func add(a, b ref.Val) ref.Val {
	if textBytes(a)+textBytes(b) > maxTextBytes {
		return types.NewErr(textTooLong)
	}
	if listLength(a)+listLength(b) > maxListLength {
		return types.NewErr(listTooLong)
	}
	adder, ok := a.(traits.Adder)
	if !ok {
		return types.MaybeNoSuchOverloadErr(a)
	}
	return adder.Add(b)
}

// matches is the function matches. A pattern may come from a customer.
func matches(text, pattern ref.Val) ref.Val {
	s, ok := text.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(text)
	}
	expr, ok := pattern.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(pattern)
	}
	p, err := Compile(string(expr))
	if err != nil {
		return types.NewErr(patternRefused)
	}
	if p.TooLong(string(s)) {
		return types.NewErr(textNotMatched)
	}
	return types.Bool(p.MatchString(string(s)))
}

func textBytes(v ref.Val) int {
	switch v := v.(type) {
	case types.String:
		return len(v)
	case types.Bytes:
		return len(v)
	default:
		return 0
	}
}

func listLength(v ref.Val) int {
	if l, ok := v.(traits.Lister); ok {
		if n, ok := l.Size().(types.Int); ok {
			return int(n)
		}
	}
	return 0
}

// Weights of the cost of a call, in units of some 100 ns.
const (
	bytesPerUnit     = 10 // that are read or copied
	stepsPerUnit     = 5  // of a regular expression
	unitsPerNewRegex = 20 // per instruction, to compile it
)

// costs computes the cost of a call from the sizes of its arguments and its result. The types of the arguments are
// known only when a condition runs, so CEL's own costs, which go by the declared types, would be 1 for each call.
type costs struct{}

// CallCost implements interpreter.ActualCostEstimator.
func (costs) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	cost := uint64(1)
	switch {
	case function == operators.Equals, function == operators.NotEquals, function == operators.In:
		for _, v := range args { // the whole of a list or an object is compared
			cost += deepSize(v, vault.MaxConditionCost)
		}
	case function == overloads.Matches && len(args) == 2:
		if expr, ok := args[1].(types.String); ok {
			cost += uint64(len(expr))
			if p, err := Compile(string(expr)); err == nil && !p.TooLong(toText(args[0])) {
				cost += uint64(p.Steps(textBytes(args[0]))/stepsPerUnit + p.size.instructions*unitsPerNewRegex)
			}
		}
	default:
		for _, v := range append(args, result) {
			cost += uint64(textBytes(v)/bytesPerUnit + listLength(v)*min(1, len(args)-1))
		}
	}
	return &cost
}

func toText(v ref.Val) string {
	s, _ := v.(types.String)
	return string(s)
}

// deepSize returns the cost of reading all of a value, at most about limit.
func deepSize(v ref.Val, limit uint64) uint64 {
	cost := uint64(1 + textBytes(v)/bytesPerUnit)
	switch v := v.(type) {
	case traits.Lister:
		for it := v.Iterator(); cost < limit && it.HasNext() == types.True; {
			cost += deepSize(it.Next(), limit-cost)
		}
	case traits.Mapper:
		for it := v.Iterator(); cost < limit && it.HasNext() == types.True; {
			key := it.Next()
			cost += deepSize(key, limit-cost) + deepSize(v.Get(key), limit)
		}
	}
	return cost
}
