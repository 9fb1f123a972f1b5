package workflows_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const operationPage = "../docs/operation.md"

var update = flag.Bool("update", false, "write the steps into "+operationPage)

// Markers around the table of steps in the page.
const (
	stepsBegin = "<!-- steps: made by `make generate` from the declarations in workflows/ -->\n"
	stepsEnd   = "<!-- end of steps -->"
)

// docs/operation.md lists the declared steps with their policies, and explains each workflow.
func TestOperationPage_ListsTheSteps(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(operationPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), stepsBegin)
	was, after, ends := strings.Cut(rest, stepsEnd)
	if !begins || !ends {
		t.Fatalf("%s has no place for the steps", operationPage)
	}
	declared := declarations(t)
	is := stepTable(declared)
	if *update {
		page := addMissingRows(t, declared, before+stepsBegin+is+stepsEnd+after)
		if err := os.WriteFile(operationPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(is, was); diff != "" {
		t.Errorf("run `make generate` (-declared +page):\n%s", diff)
	}
	_, explained, _ := strings.Cut(after, "### Each workflow")
	explained, _, _ = strings.Cut(explained, "\n## ")
	for name := range declared {
		found := false
		for line := range strings.Lines(explained) {
			first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
			found = found || strings.HasPrefix(line, "| `") && strings.Contains(first, "`"+name+"`")
		}
		if !found {
			t.Errorf("%s does not explain %s", operationPage, name)
		}
	}
}

// stepTable returns a table with one row per step.
func stepTable(all map[string]declared) string {
	var b strings.Builder
	b.WriteString("\n| workflow | step | tried again | waits for a worker up to | may take |\n|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, task := range all[name].tasks {
			fmt.Fprintf(&b, "| `%s` | `%s` | %d times, after %s | %s | %s |\n",
				name, task.name, task.retries, pauses(task), short(task.schedule), short(task.execution))
		}
	}
	b.WriteString("\n")
	return b.String()
}

// pauses returns the pauses between the attempts of a step: powers of the backoff, up to a maximum.
func pauses(task declaredTask) string {
	var out []string
	longest := time.Duration(task.maxBackoffSeconds) * time.Second
	pause := time.Second
	for range task.retries {
		pause = min(longest, time.Duration(float64(pause)*float64(task.backoff)))
		out = append(out, short(pause))
		if pause == longest && task.retries > len(out) {
			return strings.Join(out, ", ") + ", …"
		}
	}
	return strings.Join(out, ", ")
}

// short formats a duration without zero units.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
