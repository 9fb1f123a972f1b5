package workflows_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// addMissingRows adds a row to docs/operation.md and to doc.go for every workflow without one, from its doc comment. An
// existing row stays unchanged.
func addMissingRows(t *testing.T, declared map[string]declared, page string) string {
	t.Helper()
	comments := docComments(t)
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	table := string(doc)
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		w := declared[name]
		_, explained, _ := strings.Cut(page, "### Each workflow")
		if !strings.Contains(explained, "| `"+name+"`") && !strings.Contains(explained, "`, `"+name+"` |") {
			row := fmt.Sprintf("| `%s` | %s Applied once: a second run returns the first result. "+
				"| The input is invalid, or names something unknown. | Stored and not acknowledged: the relay pushes it until "+
				"it is acknowledged. |\n", name, comments[functionOf(name)])
			with := strings.Replace(explained, "| `expire-values` |", row+"| `expire-values` |", 1)
			page = strings.Replace(page, explained, with, 1)
		}
		if !strings.Contains(table, "//\t"+name+" ") {
			row := fmt.Sprintf("//\t%-18s %-27s %-13s %-20s %s\n",
				name, strings.Join(w.events, ", "), w.cron, "profile", strings.Join(w.steps(), " → "))
			table = strings.Replace(table, "//\texpire-values ", row+"//\texpire-values ", 1)
		}
	}
	if table != string(doc) {
		if err := os.WriteFile("doc.go", []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return page
}

// functionOf returns the name of the function that declares a workflow: "write-value" is writeValue.
func functionOf(workflow string) string {
	first, rest, _ := strings.Cut(workflow, "-")
	for word := range strings.SplitSeq(rest, "-") {
		first += strings.ToUpper(word[:1]) + word[1:]
	}
	return first
}

// docComments returns the doc comments of the package's functions, without the function names.
func docComments(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Doc != nil {
				text := strings.TrimPrefix(strings.Join(strings.Fields(f.Doc.Text()), " "), f.Name.Name+" ")
				out[f.Name.Name] = strings.ToUpper(text[:1]) + text[1:]
			}
		}
	}
	return out
}
