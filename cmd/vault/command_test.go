package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
)

func TestVault_FailureExitsWithOne(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	for name, c := range map[string]struct {
		environ []string
		args    []string
		want    []string
	}{
		"an unknown command": {nil, []string{"workers"}, []string{`unknown command "workers"`}},
		"no database":        {nil, []string{"migrate", "up"}, []string{"database.url", "DATABASE_URL"}},
		"no engine":          {[]string{"DATABASE_URL=" + url}, []string{"worker"}, []string{"jobs.hatchet.token", "HATCHET_CLIENT_TOKEN"}},
		"a wrong setting":    {[]string{"VAULT_LOG_LEVEL=loud"}, []string{"config", "show"}, []string{"VAULT_LOG_LEVEL", "loud", "warn"}},
		"no sealing key":     {[]string{"DATABASE_URL=" + url}, []string{"tenants", "list"}, []string{"sealing_key", "VAULT_SEALING_KEY"}},
		"no such database":   {[]string{"DATABASE_URL=" + strings.Replace(url, "vault_test", "nobody", 1), sealingKey(t)}, []string{"tenants", "list"}, []string{"open database"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := run(t, c.environ, c.args...)
			if code != 1 || stdout != "" || !strings.HasPrefix(stderr, "vault: ") || strings.Contains(stderr, "goroutine") {
				t.Errorf("it exited with %d and said %s%s", code, stdout, stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("it does not say %q, but %s", want, stderr)
				}
			}
		})
	}
}

func sealingKey(t *testing.T) string {
	t.Helper()
	key, err := db.NewSealingKey()
	if err != nil {
		t.Fatal(err)
	}
	return "VAULT_SEALING_KEY=" + key
}

func TestSealingKey_IsValid(t *testing.T) {
	t.Parallel()
	stdout, stderr, code := run(t, nil, "sealing-key")
	if code != 0 || stderr != "" {
		t.Fatalf("it exited with %d and said %s", code, stderr)
	}
	if _, err := db.NewSealer(strings.TrimSpace(stdout)); err != nil {
		t.Error(err)
	}
}

func TestSealingKey_Rotation(t *testing.T) {
	t.Parallel()
	key := sealingKey(t)
	for _, step := range []string{"add", "promote", "prune"} {
		stdout, stderr, code := run(t, []string{key}, "sealing-key", step)
		next := strings.TrimSpace(stdout)
		if _, err := db.NewSealer(next); code != 0 || stderr != "" || err != nil || key == "VAULT_SEALING_KEY="+next {
			t.Fatalf("%s exited with %d and said %s, %v", step, code, stderr, err)
		}
		key = "VAULT_SEALING_KEY=" + next
	}
	if _, stderr, code := run(t, nil, "sealing-key", "add"); code == 0 ||
		!strings.Contains(stderr, "VAULT_SEALING_KEY is not set") {
		t.Errorf("without a key it exited with %d and said %s", code, stderr)
	}
}

func TestMigrate_DownAndUp(t *testing.T) {
	t.Parallel()
	environ := []string{"DATABASE_URL=" + dbtest.URL(t)}
	states := func() []string {
		t.Helper()
		stdout, stderr, code := run(t, environ, "migrate", "status")
		if code != 0 {
			t.Fatalf("migrate status: %s", stderr)
		}
		var out []string
		for line := range strings.Lines(stdout) {
			state, _, _ := strings.Cut(line, " ")
			out = append(out, state)
		}
		return out
	}
	all := states()
	if len(all) < 6 || slices.Contains(all, "pending") {
		t.Fatalf("at first the migrations are %v", all)
	}
	if _, stderr, code := run(t, environ, "migrate", "down"); code != 1 || !strings.Contains(stderr, "--yes") ||
		!slices.Equal(states(), all) {
		t.Fatalf("migrate down without a yes exited with %d and said %s", code, stderr)
	}
	if stdout, stderr, code := run(t, environ, "migrate", "down", "--yes"); code != 0 ||
		!strings.HasPrefix(stdout, "reverted  ") {
		t.Fatalf("migrate down printed %q: %s", stdout, stderr)
	}
	if got := states(); got[len(got)-1] != "pending" || slices.Contains(got[:len(got)-1], "pending") {
		t.Errorf("after migrate down they are %v", got)
	}
	for _, says := range []string{"applied  ", "nothing to apply"} { // a second time changes nothing
		if stdout, stderr, code := run(t, environ, "migrate", "up"); code != 0 || !strings.HasPrefix(stdout, says) {
			t.Fatalf("migrate up printed %q: %s", stdout, stderr)
		}
		if got := states(); !slices.Equal(got, all) {
			t.Errorf("after migrate up they are %v", got)
		}
	}
}

// The help lists all commands, as the package comment says.
func TestHelp_ListsCommands(t *testing.T) {
	t.Parallel()
	stdout, _, code := run(t, []string{"HOME=" + os.TempDir()}, "--help")
	for _, name := range []string{"worker", "migrate", "definitions", "scenarios", "values", "customers", "import", "export", "items", "reviews", "serve", "missing", "fill", "answer", "operations"} {
		if code != 0 || !strings.Contains(stdout, "\n  "+name+" ") {
			t.Errorf("exit code %d, no %s in\n%s", code, name, stdout)
		}
	}
}
