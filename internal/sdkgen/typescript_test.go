package sdkgen_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
)

var buildMu sync.Mutex

// build compiles the TypeScript client and its tests and returns their folder, or skips the test. Packages come from the
// registry the first time.
func build(t *testing.T) string {
	t.Helper()
	buildMu.Lock()
	defer buildMu.Unlock()
	_, err := exec.LookPath("npm")
	if err != nil || exec.CommandContext(t.Context(), "node", "-e", wantsNode).Run() != nil {
		skip(t, "there is no npm with Node 20 or later")
	}
	dir := sdk("typescript")
	if !newer(filepath.Join(dir, "node_modules/.package-lock.json"), filepath.Join(dir, "package-lock.json")) {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
		install.Dir = dir
		if out, err := install.CombinedOutput(); err != nil {
			skip(t, "npm ci failed in sdk/typescript: "+string(out))
		}
	}
	compile := exec.CommandContext(t.Context(), "node_modules/.bin/tsc", "-p", "tsconfig.tests.json")
	compile.Dir = dir
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("the TypeScript client does not compile:\n%s", out)
	}
	return dir
}

// wantsNode fails before Node 20.
const wantsNode = `process.exit(process.versions.node.split(".")[0] < 20)`

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
