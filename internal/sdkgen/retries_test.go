package sdkgen_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// flaky forwards to the API. Of each PUT it refuses the first try with 503 and the second with 429, and loses the answer
// of the third one after the API has accepted it.
func flaky(t *testing.T) *httptest.Server {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	tries := map[string]int{}
	out := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		tries[r.Method+r.URL.Path]++
		try := tries[r.Method+r.URL.Path]
		mu.Unlock()
		switch {
		case r.Method == http.MethodPut && try == 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.Method == http.MethodPut && try == 2:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case r.Method == http.MethodPut && try == 3:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler) // the connection ends without an answer
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(out.Close)
	return out
}

// versions returns the number of versions of a field.
func versions(t *testing.T, c *client.Client, customer uuid.UUID) int {
	t.Helper()
	all, err := client.Collect(c.ListHistory(t.Context(), customer, "plan"))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// A client repeats a change whose answer is lost, and the change is made once.
func TestClients_RepeatALostChange(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"Python", "TypeScript"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			_, key := newKey(t)
			c, err := client.New(client.Options{Server: server.URL, Key: key})
			if err != nil {
				t.Fatal(err)
			}
			agent, customer, other := uuid.New(), uuid.New(), uuid.New()
			if _, err := c.SaveDefinition(t.Context(), vault.Definition{
				AgentID: agent, Name: "plan", ValueType: vault.TypeString, Enabled: true,
			}, patience); err != nil {
				t.Fatal(err)
			}
			environ := []string{
				"VAULT_SERVER=" + flaky(t).URL, "AGENT=" + agent.String(), "CUSTOMER=" + customer.String(),
				"OTHER_CUSTOMER=" + other.String(),
			}
			if language == "Python" {
				runWith(t, environ, key, sdk("python"), python(t), "tests/retries.py")
				if n := versions(t, c, other); n != 1 {
					t.Errorf("the asynchronous client wrote %d versions", n)
				}
			} else {
				runWith(t, environ, key, build(t), "node", "build/tests/retries.js")
			}
			if n := versions(t, c, customer); n != 1 {
				t.Errorf("it wrote %d versions", n)
			}
		})
	}
}
