package vault_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/vault"
)

var update = flag.Bool("update", false, "write the table of docs/events.md")

const typesBegin, typesEnd = "<!-- types: made by `make generate` from vault/events.go -->\n", "<!-- end of types -->"

// The page lists each type with its comment, in the order of EventTypes.
func TestEventsPage_ListsTheTypes(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := map[vault.EventType]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Comment == nil || len(spec.Values) != 1 {
			return true
		}
		if text, ok := spec.Values[0].(*ast.BasicLit); ok {
			name, err := strconv.Unquote(text.Value)
			if err == nil {
				comments[vault.EventType(name)] = strings.TrimSpace(spec.Comment.Text())
			}
		}
		return true
	})
	table := "\n| Type | When |\n|---|---|\n"
	for _, kind := range vault.EventTypes {
		if comments[kind] == "" {
			t.Errorf("%s has no comment", kind)
		}
		table += fmt.Sprintf("| `%s` | %s |\n", kind, comments[kind])
		delete(comments, kind)
	}
	if len(comments) > 0 {
		t.Errorf("EventTypes lacks %v", comments)
	}
	const name = "../docs/events.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), typesBegin)
	_, after, ended := strings.Cut(rest, typesEnd)
	if !ok || !ended {
		t.Fatal("the page has no place for the types")
	}
	want := before + typesBegin + table + "\n" + typesEnd + after
	switch {
	case want == string(page):
	case *update:
		if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("docs/events.md does not list the types as they are; run make generate")
	}
}
