package sdkgen_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// blocksOf returns the code of a language in a page of docs/.
func blocksOf(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, block := range strings.Split(string(text), "```"+language+"\n")[1:] {
		code, _, _ := strings.Cut(block, "```")
		out = append(out, code)
	}
	if len(out) == 0 {
		t.Fatalf("docs/%s has no %s", page, language)
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

// want are the lines that the quickstart prints.
const quickstartPrints = "Missing: email (required_level=hard)\nFilled email from profile\n"

func TestQuickstart_PythonRuns(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	_, key := newKey(t)
	code := "import asyncio\n\n\nasync def main():\n"
	for _, block := range blocksOf(t, "quickstart.md", "python") {
		code += indented(block)
	}
	code += "    assert profile.fields[\"email\"].value == \"ada@example.com\"\n    assert chain.links[-1].name == \"email\"\n" +
		"\n\nasyncio.run(main())\n"
	if got := run(t, key, t.TempDir(), interpreter, program(t, t.TempDir(), "quickstart.py", code)); got != quickstartPrints {
		t.Errorf("it prints\n%s", got)
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
	code := strings.Join(blocksOf(t, "quickstart.md", "typescript"), "\n") +
		"if (profile.fields[\"email\"]?.value !== \"ada@example.com\" || chain.links.length !== 1) throw new Error(\"the profile differs\");\n"
	if got := runTypeScript(t, key, code); got != quickstartPrints {
		t.Errorf("it prints\n%s", got)
	}
}
