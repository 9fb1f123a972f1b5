package schema_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/api/internal/schema"
)

// Every type of texts in package vault with constants is described with all of them, in their order.
func TestEnums_AreTheConstants(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../vault/*.go")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				constant, _ := spec.(*ast.ValueSpec)
				kind, ok := constant.Type.(*ast.Ident)
				if !ok || len(constant.Values) != 1 {
					continue
				}
				literal, ok := constant.Values[0].(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				word, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				want[kind.Name] = append(want[kind.Name], word)
			}
		}
	}
	delete(want, "Actor")              // key:<id> and others
	delete(want, "OperationSelection") // a status, or unfinished
	delete(want, "TraceState")         // of the console only
	if got := schema.Enums(); !reflect.DeepEqual(got, want) {
		for name := range want {
			if !reflect.DeepEqual(got[name], want[name]) {
				t.Errorf("%s is described as %q, want %q", name, got[name], want[name])
			}
		}
		t.Errorf("described are %d enums, want %d", len(got), len(want))
	}
}
