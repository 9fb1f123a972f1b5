package bounded

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/contextvault/contextvault/vault"
)

// maxTypedFields is the maximum number of fields of a condition whose types are checked. Each pair is compiled.
const maxTypedFields = 10

// CheckTypes checks the use of fields in a condition that compiles against the types of their definitions, as far as
// the condition reads them as fields.<name> or fields["<name>"]. The error names the field. Fields without a type are
// not checked.
//
// A number is a whole number or not, which only its value says. So each field is checked alone and with each other one,
// and a number may be either.
func CheckTypes(expr string, defined map[string]vault.ValueType) error {
	parsed, err := ParseCondition(expr)
	if err != nil {
		return err
	}
	selectFields(parsed)
	read := map[string]bool{}
	for _, e := range celast.MatchDescendants(celast.NavigateAST(parsed), celast.KindMatcher(celast.SelectKind)) {
		if of := e.AsSelect().Operand(); of.Kind() == celast.IdentKind && of.AsIdent() == "fields" {
			read[e.AsSelect().FieldName()] = len(typesOf(defined[e.AsSelect().FieldName()])) > 0
		}
	}
	maps.DeleteFunc(read, func(_ string, typed bool) bool { return !typed })
	names := slices.Sorted(maps.Keys(read))
	names = names[:min(len(names), maxTypedFields)]
	for _, name := range names {
		if !compilesWith(expr, defined, name) {
			return fmt.Errorf("uses fields.%s in a way that does not fit its type, which is %s", name, defined[name])
		}
	}
	for i, a := range names {
		for _, b := range names[:i] {
			if !compilesWith(expr, defined, a, b) {
				return fmt.Errorf("uses fields.%s (%s) with fields.%s (%s), whose types do not fit each other",
					b, defined[b], a, defined[a])
			}
		}
	}
	return nil
}

// selectFields replaces fields["name"] by fields.name, which means the same and can have a type.
func selectFields(parsed *celast.AST) {
	exprs := celast.NewExprFactory()
	celast.PostOrderVisit(parsed.Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() != celast.CallKind || e.AsCall().FunctionName() != operators.Index || len(e.AsCall().Args()) != 2 {
			return
		}
		of, key := e.AsCall().Args()[0], e.AsCall().Args()[1]
		if of.Kind() != celast.IdentKind || of.AsIdent() != "fields" || key.Kind() != celast.LiteralKind {
			return
		}
		if name, ok := key.AsLiteral().Value().(string); ok {
			e.SetKindCase(exprs.NewSelect(e.ID(), of, name))
		}
	}))
}

// typesOf returns the types that the values of a definition can have in a condition, none for any type.
func typesOf(t vault.ValueType) []*cel.Type {
	switch t {
	case vault.TypeString, vault.TypeEmail, vault.TypePhone, vault.TypeURL, vault.TypeDate, vault.TypeDatetime:
		return []*cel.Type{cel.StringType}
	case vault.TypeBoolean:
		return []*cel.Type{cel.BoolType}
	case vault.TypeNumber:
		return []*cel.Type{cel.IntType, cel.DoubleType}
	default:
		return nil
	}
}

// compilesWith reports whether a condition compiles with some types of the named fields.
func compilesWith(expr string, defined map[string]vault.ValueType, names ...string) bool {
	choices := [][]cel.EnvOption{nil}
	for _, name := range names {
		var more [][]cel.EnvOption
		for _, t := range typesOf(defined[name]) {
			for _, c := range choices {
				more = append(more, append(slices.Clone(c), cel.Variable("fields."+name, t)))
			}
		}
		choices = more
	}
	return slices.ContainsFunc(choices, func(variables []cel.EnvOption) bool {
		env, err := conditionEnv()
		if err != nil {
			return false
		}
		if env, err = env.Extend(variables...); err != nil {
			return false
		}
		ast, issues := env.Parse(expr)
		if issues.Err() != nil {
			return false
		}
		selectFields(ast.NativeRep())
		ast, issues = env.Check(ast)
		return issues.Err() == nil &&
			(ast.OutputType().IsExactType(cel.BoolType) || ast.OutputType().IsExactType(cel.DynType))
	})
}
