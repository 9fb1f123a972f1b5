package client_test

import (
	"os"
	"strings"
	"testing"
)

// The Go code of docs/quickstart.md is the code of the example.
func TestDocs_GoIsTheExample(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	body := strings.ReplaceAll(string(example), "\n\t", "\n")
	blocks := strings.Split(string(document), "```go\n")
	for _, block := range blocks[2:] { // the first block creates the client
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(body, block) {
			t.Errorf("the example has no\n%s", block)
		}
	}
	if len(blocks) < 7 {
		t.Errorf("there are %d blocks", len(blocks)-1)
	}
}
