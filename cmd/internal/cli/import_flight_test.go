package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/contextvault/contextvault/vault"
)

// requests is a server before the vault that records the kinds of requests of an import.
func requests(t *testing.T, c *terminal) func() string {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var kinds strings.Builder
	proxy := httputil.NewSingleHostReverseProxy(target)
	recorder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		switch {
		case strings.HasSuffix(r.URL.Path, "/import"):
			kinds.WriteByte('S') // sends a batch
		case strings.HasPrefix(r.URL.Path, "/v1/operations/"):
			kinds.WriteByte('W') // waits for one
		}
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(recorder.Close)
	c.environ = append(c.environ, "VAULT_SERVER="+recorder.URL)
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return kinds.String()
	}
}

// The second batch is sent before the outcome of the first one is read, unless the order of the two matters.
func TestImport_TwoBatchesInFlight(t *testing.T) {
	t.Parallel()
	item, source := newID(), newID()
	for name, test := range map[string]struct {
		header, first, second string
		together              bool
	}{
		"other customers": {"customer_id,name,value", newID() + ",plan,a", newID() + ",plan,b", true},
		"a source": {
			"item_id,customer_id,name,value,source_item_id,source_item_type", source + "," + newID() + ",plan,a,,",
			"," + newID() + ",plan,b," + source + ",profile_field", false,
		},
		"one id": {
			"item_id,customer_id,name,value", item + "," + newID() + ",plan,a", item + "," + newID() + ",plan,b", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, agent := bank(t)
			kinds := requests(t, c)
			text := test.header + "\n" + test.first + "\n" + test.second + "\n"
			s, errs, _ := c.importing(file(t, "plans.csv", text), "--agent", agent, "--batch", "1")
			if s.Written+s.Rejected != s.Lines {
				t.Errorf("the summary is %+v: %s", s, errs)
			}
			if got := kinds(); strings.HasPrefix(got, "SS") != test.together {
				t.Errorf("the requests are %s", got)
			}
		})
	}
}

// Lines of two customers in turn are versions in the order of the file.
func TestImport_InTurnKeepsOrder(t *testing.T) {
	t.Parallel()
	c, agent := bank(t)
	customers := []string{newID(), newID()}
	var text strings.Builder
	text.WriteString("customer_id,name,value\n")
	const lines = 12
	for i := range lines {
		fmt.Fprintf(&text, "%s,plan,v%02d\n", customers[i%2], i)
	}
	s, errs, code := c.importing(file(t, "plans.csv", text.String()), "--agent", agent, "--batch", "1")
	if code != 0 || s.Written != lines || s.Superseded != 0 {
		t.Fatalf("%d: %+v %s", code, s, errs)
	}
	for n, customer := range customers {
		h := parsed[[]vault.Value](c, "", "values", "history", "--customer", customer, "--name", "plan")
		if len(h) != lines/2 {
			t.Fatalf("customer %d has %d versions", n, len(h))
		}
		for i, v := range h { // the newest first
			if want := fmt.Sprintf(`"v%02d"`, lines-2+n-2*i); string(v.Value) != want {
				t.Errorf("customer %d, version %d: got %s, want %s", n, i, v.Value, want)
			}
		}
	}
}
