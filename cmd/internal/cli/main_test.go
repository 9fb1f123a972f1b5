package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/internal/testkit"
)

var kit *testkit.Kit

func TestMain(m *testing.M) { os.Exit(testkit.Main(m, func(k *testkit.Kit) { kit = k })) }

// terminal is a person at the command line, in a tenant of her own.
type terminal struct {
	t       *testing.T
	tenant  string
	environ []string // beside that of the system
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	return &terminal{t: t, tenant: kit.Tenant(t).String()}
}

// run runs the command in this process.
func (c *terminal) run(stdin string, args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), testkit.Patience)
	defer cancel()
	var out bytes.Buffer
	environ := append(append(kit.Environ(), "VAULT_LOG_LEVEL=error"), c.environ...)
	if c.tenant != "" {
		args = append(args, "--tenant", c.tenant)
	}
	root := cli.Root(&cli.App{Environ: func() []string { return environ }, In: strings.NewReader(stdin), Out: &out})
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(ctx)
	return out.String(), err
}

// ok runs a command that succeeds and gives what it prints.
func (c *terminal) ok(stdin string, args ...string) string {
	c.t.Helper()
	out, err := c.run(stdin, args...)
	if err != nil {
		c.t.Fatalf("vault %s: %s", strings.Join(args, " "), cli.Message(err))
	}
	return out
}

// refused runs a command that fails and gives its message.
func (c *terminal) refused(stdin string, args ...string) string {
	c.t.Helper()
	out, err := c.run(stdin, args...)
	if err == nil {
		c.t.Fatalf("vault %s was not refused; it printed %s", strings.Join(args, " "), out)
	}
	return cli.Message(err)
}

// parsed runs a command with --json and decodes what it prints.
func parsed[T any](c *terminal, stdin string, args ...string) T {
	c.t.Helper()
	text := c.ok(stdin, append(args, "--json")...)
	var out T
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		c.t.Fatalf("vault %s --json: %v:\n%s", strings.Join(args, " "), err, text)
	}
	return out
}

// doc makes a JSON document of names and values.
func doc(t *testing.T, namesAndValues ...any) string {
	t.Helper()
	fields := map[string]any{}
	for i := 0; i < len(namesAndValues); i += 2 {
		name, ok := namesAndValues[i].(string)
		if !ok {
			t.Fatalf("%v is no name", namesAndValues[i])
		}
		fields[name] = namesAndValues[i+1]
	}
	out, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// has checks that a text holds others.
func has(t *testing.T, text string, others ...string) {
	t.Helper()
	for _, other := range others {
		if !strings.Contains(text, other) {
			t.Errorf("there is no %q in\n%s", other, text)
		}
	}
}
