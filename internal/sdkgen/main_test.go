package sdkgen_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/mcp"
)

var (
	kit    *testkit.Kit
	server *httptest.Server // the API with /mcp, over the kit
	routes recorder
)

func TestMain(m *testing.M) {
	os.Exit(testkit.Main(m, func(k *testkit.Kit) {
		kit = k
		operator := testkit.ID()
		if _, err := k.DB.System().CreateTenant(context.Background(), operator, "operator"); err != nil {
			panic(err)
		}
		a := api.New(k.APIOptions(operator))
		a.Mount(mcp.Path, mcp.NewHandler(mcp.HandlerOptions{API: a, Stopping: a.Stopping(), Log: testkit.Log()}))
		server = httptest.NewServer(routes.wrap(a))
	}, "VAULT_EVENTS_WEBHOOK_PRIVATE_ADDRESSES=true"))
}

// patience is the time-out for the outcome of an operation.
var patience = client.Wait(testkit.Patience)

// recorder remembers which routes a program called.
type recorder struct {
	mu   sync.Mutex
	seen map[string]map[string]bool // by user agent and key: the ids of operations
	made map[string]int             // by key: the number of requests
}

var patterns = sync.OnceValue(func() map[string]*regexp.Regexp {
	out := map[string]*regexp.Regexp{}
	for name, path := range described() {
		pattern := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path[1], `[^/]+`)
		out[name] = regexp.MustCompile("^" + path[0] + " " + pattern + "$")
	}
	return out
})

// described returns the method and the path of each operation id.
var described = sync.OnceValue(func() map[string][2]string {
	out := map[string][2]string{}
	for _, op := range operations() {
		out[op.id] = [2]string{op.method, op.path}
	}
	return out
})

func (r *recorder) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		language, _, _ := strings.Cut(req.UserAgent(), "/")
		key := language + " " + strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
		name := req.Method + " " + req.URL.Path
		r.mu.Lock()
		if r.seen == nil {
			r.seen, r.made = map[string]map[string]bool{}, map[string]int{}
		}
		r.made[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]++
		if r.seen[key] == nil {
			r.seen[key] = map[string]bool{}
		}
		for id, pattern := range patterns() {
			if pattern.MatchString(name) {
				r.seen[key][id] = true
			}
		}
		r.mu.Unlock()
		next.ServeHTTP(w, req)
	})
}

// reached returns the operations that were called with any of the keys.
func (r *recorder) reached(keys ...string) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]bool{}
	for _, key := range keys {
		for id := range r.seen[key] {
			out[id] = true
		}
	}
	return out
}

// requests returns the number of requests with a key.
func (r *recorder) requests(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.made[key]
}

// newKey creates a tenant and a key with all scopes.
func newKey(t testing.TB) (tenant uuid.UUID, key string) {
	t.Helper()
	tenant = kit.Tenant(t)
	key, _, err := kit.APIKey(t.Context(), tenant, "read", "write", "admin")
	if err != nil {
		t.Fatal(err)
	}
	return tenant, key
}

// python returns an interpreter with httpx, or skips the test.
func python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import httpx, sys; sys.exit(sys.version_info < (3, 11))").Run() == nil {
			return name
		}
	}
	skip(t, "there is no Python 3.11 with httpx: apt-get install python3 python3-httpx")
	return ""
}

// skip skips a test with a reason. CI has everything.
func skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// run runs a program against the API and returns what it prints.
func run(t testing.TB, key, dir, name string, args ...string) string {
	t.Helper()
	return runWith(t, nil, key, dir, name, args...)
}

// runWith is run with more of the environment.
func runWith(t testing.TB, environ []string, key, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	source, err := filepath.Abs(sdk("python/src"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "VAULT_SERVER="+server.URL, "VAULT_API_KEY="+key, "ADMIN_TOKEN="+testkit.AdminToken,
		"PYTHONPATH="+source, "PYTHONDONTWRITEBYTECODE=1")
	cmd.Env = append(cmd.Env, environ...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func sdk(path string) string { return filepath.Join("../../sdk", path) }

type operation struct{ id, method, path string }

// operations lists all operations of the OpenAPI document.
var operations = sync.OnceValue(func() []operation {
	var out []operation
	rec := httptest.NewRecorder()
	api.New(api.Options{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	for path, methods := range pathsOf(rec.Body.Bytes()) {
		for method, op := range methods {
			out = append(out, operation{op.ID, strings.ToUpper(method), path})
		}
	}
	return out
})
