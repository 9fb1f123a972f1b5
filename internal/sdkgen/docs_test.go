package sdkgen_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// page returns a page of docs/.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocksOf returns the code of a language in a page.
func blocksOf(t *testing.T, page, language string) []string {
	t.Helper()
	var out []string
	for _, block := range strings.Split(page, "```"+language+"\n")[1:] {
		code, _, _ := strings.Cut(block, "```")
		out = append(out, code)
	}
	if len(out) == 0 {
		t.Fatalf("the page has no %s", language)
	}
	return out
}

func indented(code string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(code), "\n", "\n    ") + "\n"
}

func program(t *testing.T, dir, name, code string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// quickstartPrints are the lines that the quickstart prints.
const quickstartPrints = "Missing: email (required_level=hard)\nFilled email from profile\n"

// besidePrints are the lines that the client beside the design prints.
const besidePrints = "profile_asset id_card\nprofile_field legal_name\nMissing: email (required_level=hard)\n" +
	"Filled email from customer\nLow confidence for imei: review needed\nlegal_name was derived from it\n"

func TestQuickstart_PythonRuns(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	steps, beside, found := strings.Cut(page(t, "quickstart.md"), "\n## The design in Python")
	if !found {
		t.Fatal("the page does not show the client beside the design")
	}
	for name, part := range map[string]struct{ text, checks, prints string }{
		"Steps": {
			steps,
			"assert profile.fields[\"email\"].value == \"ada@example.com\"\nassert chain.links[-1].name == \"email\"",
			quickstartPrints,
		},
		"BesideTheDesign": {
			beside, "assert profile.fields[\"legal_name\"].value == \"John Smith\"", besidePrints,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, key := newKey(t)
			code := "import asyncio\n\n\nasync def main():\n"
			for _, block := range append(blocksOf(t, part.text, "python"), part.checks) {
				code += indented(block)
			}
			code += "\n\nasyncio.run(main())\n"
			if got := run(t, key, t.TempDir(), interpreter, program(t, t.TempDir(), "page.py", code)); got != part.prints {
				t.Errorf("it prints\n%s", got)
			}
		})
	}
}

// runTypeScript compiles a program of the docs beside the client, runs it, and returns what it prints.
func runTypeScript(t *testing.T, key, code string) string {
	t.Helper()
	dir := build(t)
	folder, err := os.MkdirTemp(dir, "docs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) }) // a folder that stays does no harm
	program(t, folder, "program.ts", strings.ReplaceAll(code, `"@contextvault/client"`, `"../src/index.js"`))
	config := program(t, folder, "tsconfig.json", `{"extends": "../tsconfig.json", "include": ["program.ts"],
		"compilerOptions": {"rootDir": "..", "outDir": "out", "declaration": false}}`)
	config, err = filepath.Abs(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := compile(config); err != nil {
		t.Fatal(err)
	}
	return run(t, key, dir, "node", filepath.Join(filepath.Base(folder), "out", filepath.Base(folder), "program.js"))
}

func TestQuickstart_TypeScriptRuns(t *testing.T) {
	t.Parallel()
	build(t)
	_, key := newKey(t)
	code := strings.Join(blocksOf(t, page(t, "quickstart.md"), "typescript"), "\n") +
		"if (profile.fields[\"email\"]?.value !== \"ada@example.com\" || chain.links.length !== 1) throw new Error(\"the profile differs\");\n"
	if got := runTypeScript(t, key, code); got != quickstartPrints {
		t.Errorf("it prints\n%s", got)
	}
}
