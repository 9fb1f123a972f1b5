package sdkgen_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
)

// build returns the folder of the TypeScript client, which is compiled with its tests, or skips the test.
func build(t *testing.T) string {
	t.Helper()
	_, err := exec.LookPath("npm")
	if err != nil || exec.CommandContext(t.Context(), "node", "-e", wantsNode).Run() != nil {
		skip(t, "there is no npm with Node 20 or later")
	}
	if err := installOnce(); err != nil {
		skip(t, err.Error())
	}
	if err := compileOnce(); err != nil {
		t.Fatal(err)
	}
	return sdk("typescript")
}

// installOnce installs the packages. They come from the registry the first time.
var installOnce = sync.OnceValue(func() error {
	dir := sdk("typescript")
	if newer(filepath.Join(dir, "node_modules/.package-lock.json"), filepath.Join(dir, "package-lock.json")) {
		return nil
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci failed in sdk/typescript: %w\n%s", err, out)
	}
	return nil
})

var compileOnce = sync.OnceValue(func() error { return compile("tsconfig.tests.json") })

// compile compiles a project of the TypeScript client.
func compile(project string) error {
	tsc := exec.Command("node_modules/.bin/tsc", "-p", project)
	tsc.Dir = sdk("typescript")
	if out, err := tsc.CombinedOutput(); err != nil {
		return fmt.Errorf("%s does not compile: %w\n%s", project, err, out)
	}
	return nil
}

// wantsNode fails before Node 20.
const wantsNode = `process.exit(+(process.versions.node.split(".")[0] < 20))`

// newer reports whether a file exists and is not older than another one.
func newer(name, than string) bool {
	file, err := os.Stat(name)
	if err != nil {
		return false
	}
	other, err := os.Stat(than)
	return err == nil && !file.ModTime().Before(other.ModTime())
}

func TestTypeScript_TypesAreUpToDate(t *testing.T) {
	t.Parallel()
	dir := build(t)
	fresh := filepath.Join(t.TempDir(), "schema.d.ts")
	generate := exec.CommandContext(t.Context(), "node_modules/.bin/openapi-typescript", "../openapi.json", "-o", fresh)
	generate.Dir = dir
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "src/schema.d.ts"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("sdk/typescript/src/schema.d.ts is out of date: run `npm run types` there")
	}
}

func TestTypeScript_ReachesEveryRoute(t *testing.T) {
	t.Parallel()
	dir := build(t)
	_, key := newKey(t)
	run(t, key, dir, "node", "build/tests/routes.js")
	allReached(t, "node "+key, "node "+testkit.AdminToken)
}

func TestTypeScript_ToolsWork(t *testing.T) {
	t.Parallel()
	dir := build(t)
	_, key := newKey(t)
	run(t, key, dir, "node", "build/tests/tools.js")
}
