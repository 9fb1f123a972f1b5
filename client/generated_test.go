package client_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/internal/clientgen"
)

func TestGeneratedMethods_AreUpToDate(t *testing.T) {
	t.Parallel()
	want, err := clientgen.Generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("operations_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: run `make generate`", clientgen.File)
	}
}

// Other services link this package, so that it must have few dependencies.
func TestDependencies_AreFew(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{
		"github.com/contextvault/contextvault/client",
		"github.com/contextvault/contextvault/vault",
		"github.com/google/uuid",
		"github.com/hashicorp/go-retryablehttp", // retries of requests, with its one small dependency
		"github.com/hashicorp/go-cleanhttp",
	}
	for _, dependency := range strings.Fields(string(out)) {
		if !slices.Contains(allowed, dependency) {
			t.Errorf("package client links %s", dependency)
		}
	}
}
