package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/internal/testkit"
)

var (
	kit    *testkit.Kit
	server *httptest.Server // the API over the kit
	asked  routes           // of it
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "imports")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := os.Setenv("XDG_CACHE_HOME", folder); err != nil { // of interrupted imports
		panic(err)
	}
	os.Exit(testkit.Main(m, func(k *testkit.Kit) {
		kit = k
		var err error
		if server, err = k.ServeAPI(context.Background(), asked.note); err != nil {
			panic(err)
		}
	}))
}

// routes records the requests to the API as "METHOD route", by key.
type routes struct {
	mu    sync.Mutex
	byKey map[string]map[string]bool
}

func (r *routes) note(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		key := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
		if r.byKey == nil {
			r.byKey = map[string]map[string]bool{}
		}
		if r.byKey[key] == nil {
			r.byKey[key] = map[string]bool{}
		}
		r.byKey[key][req.Method+" "+req.URL.Path] = true
		r.mu.Unlock()
		next.ServeHTTP(w, req)
	})
}

// terminal runs commands for one tenant.
type terminal struct {
	t       *testing.T
	tenant  uuid.UUID
	key     string
	environ []string // in addition to that of the kit
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	c := &terminal{t: t, tenant: kit.Tenant(t)}
	var err error
	if c.key, _, err = kit.APIKey(t.Context(), c.tenant, "read", "write", "admin"); err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs the command in this process and returns standard output and standard error.
func (c *terminal) run(stdin string, args ...string) (out, errs string, err error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), testkit.Patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	environ := append(append(kit.Environ(), "VAULT_LOG_LEVEL=error", "VAULT_SERVER="+server.URL), c.environ...)
	if c.key != "" {
		environ = append(environ, "VAULT_API_KEY="+c.key)
	}
	root := cli.Root(
		&cli.App{Environ: func() []string { return environ }, In: strings.NewReader(stdin), Out: &stdout, Err: &stderr})
	root.SetArgs(args)
	root.SetOut(&stdout)
	err = root.ExecuteContext(ctx)
	return stdout.String(), stderr.String(), err
}

// ok runs a command that succeeds and returns its output.
func (c *terminal) ok(stdin string, args ...string) string {
	c.t.Helper()
	out, _, err := c.run(stdin, args...)
	if err != nil {
		c.t.Fatalf("vault %s: %s", strings.Join(args, " "), cli.Message(err))
	}
	return out
}

// refused runs a command that fails and returns its message.
func (c *terminal) refused(stdin string, args ...string) string {
	c.t.Helper()
	out, _, err := c.run(stdin, args...)
	if err == nil {
		c.t.Fatalf("vault %s was not refused; it printed %s", strings.Join(args, " "), out)
	}
	return cli.Message(err)
}

// parsed runs a command with --json and decodes its output.
func parsed[T any](c *terminal, stdin string, args ...string) T {
	c.t.Helper()
	text := c.ok(stdin, append(args, "--json")...)
	var out T
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		c.t.Fatalf("vault %s --json: %v:\n%s", strings.Join(args, " "), err, text)
	}
	return out
}

// doc creates a JSON document from names and values.
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

type ctxType = context.Context

func uuidOf(t *testing.T, text string) uuid.UUID {
	t.Helper()
	id, err := uuid.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// has checks that a text contains others.
func has(t *testing.T, text string, others ...string) {
	t.Helper()
	for _, other := range others {
		if !strings.Contains(text, other) {
			t.Errorf("there is no %q in\n%s", other, text)
		}
	}
}
