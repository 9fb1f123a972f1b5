package sdkgen_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/contextvault/contextvault/internal/sdkgen"
	"github.com/contextvault/contextvault/internal/testkit"
)

func pathsOf(document []byte) map[string]map[string]struct {
	ID string `json:"operationId"`
} {
	var doc struct {
		Paths map[string]map[string]struct {
			ID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		panic(err)
	}
	return doc.Paths
}

func TestFiles_AreUpToDate(t *testing.T) {
	t.Parallel()
	files, err := sdkgen.Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(sdk(name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("sdk/%s is out of date: run `make generate`", name)
		}
	}
}

// allReached fails for operations of the API that no method of a client called.
func allReached(t *testing.T, keys ...string) {
	t.Helper()
	got := routes.reached(keys...)
	if len(operations()) < 60 {
		t.Fatalf("only %d operations are described", len(operations()))
	}
	for _, op := range operations() {
		if !got[op.id] {
			t.Errorf("no method reached %s (%s %s)", op.id, op.method, op.path)
		}
	}
}

func TestPython_ReachesEveryRoute(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	_, key := newKey(t)
	run(t, key, sdk("python"), interpreter, "tests/routes.py")
	allReached(t, "python-httpx "+key, "python-httpx "+testkit.AdminToken)
}
