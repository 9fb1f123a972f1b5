package sdkgen_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// cutting forwards streams to the API. The first connections are refused with 503 and 429. Each other one is cut after
// one event, in the middle of the next one.
func cutting(t *testing.T) *httptest.Server {
	t.Helper()
	var tries atomic.Int64
	out := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch tries.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case 2:
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, server.URL+r.URL.RequestURI(), http.NoBody)
		if err != nil {
			panic(err)
		}
		req.Header = r.Header.Clone()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer res.Body.Close()
		w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
		w.WriteHeader(res.StatusCode)
		var sent []byte
		for buffer := make([]byte, 16); ; {
			n, err := res.Body.Read(buffer)
			sent = append(sent, buffer[:n]...)
			_, _ = w.Write(buffer[:n]) // the client may have gone
			w.(http.Flusher).Flush()   //nolint:forcetypeassert // it is one
			if err != nil {
				return
			}
			_, more, second := bytes.Cut(sent, []byte("\n\n"))
			if second && len(more) > 40 {
				panic(http.ErrAbortHandler)
			}
		}
	}))
	t.Cleanup(out.Close)
	return out
}

// followed is what a client read of the feed: positions and values.
func followed(events []vault.FeedEvent) string {
	var out strings.Builder
	for _, e := range events {
		var value string
		_ = json.Unmarshal(e.Value, &value) // "" is not what a client prints
		fmt.Fprintf(&out, "%d %s\n", e.ID, value)
	}
	return out.String()
}

// Each client follows the feed over lost connections, and reads each event once. It checks what a webhook delivers.
func TestClients_FollowTheFeedAndCheckWebhooks(t *testing.T) {
	t.Parallel()
	_, key := newKey(t)
	c, err := client.New(client.Options{Server: server.URL, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	type request struct {
		Body    string            `json:"body"`
		Headers map[string]string `json:"headers"`
		Secret  string            `json:"secret"`
	}
	delivered := make(chan request, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a wrong body has a wrong signature
		headers := map[string]string{}
		for name := range r.Header {
			headers[name] = r.Header.Get(name)
		}
		delivered <- request{Body: string(body), Headers: headers}
	}))
	t.Cleanup(receiver.Close)
	agent, customer := uuid.New(), uuid.New()
	secret := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	must(c.SaveDefinition(t.Context(), vault.Definition{AgentID: agent, Name: "plan", ValueType: vault.TypeString, Enabled: true}, patience))
	must(c.SaveWebhook(t.Context(), vault.SaveWebhookInput{
		WebhookID: uuid.New(), URL: receiver.URL, Secret: secret, Values: true, Types: []vault.EventType{vault.EventValueChanged},
	}, patience))
	// The last value has characters that end a line for Unicode, and do not in a stream.
	plans := []string{"plan 1", "plan 2", "plan 3", "plan 4", "a\u0085b\u2028c\u000bd"}
	events := len(plans)
	for _, plan := range plans {
		value, err := json.Marshal(plan)
		must(nil, err)
		must(c.WriteValue(t.Context(), vault.WriteValueInput{
			AgentID: agent, CustomerID: customer, Name: "plan", Source: vault.ValueUserProvided,
			Value: value,
		}, patience))
	}
	all, err := client.Collect(c.ListEvents(t.Context(), client.EventsInput{Values: true}))
	if err != nil || len(all) != events {
		t.Fatalf("the feed is %+v, %v", all, err)
	}
	want, sent := followed(all), <-delivered
	sent.Secret = secret
	sample, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"Go", "Python", "TypeScript"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			var got string
			environ := []string{"VAULT_SERVER=" + cutting(t).URL, fmt.Sprint("COUNT=", events), "DELIVERY=" + string(sample)}
			switch language {
			case "Go":
				got = followGo(t, strings.TrimPrefix(environ[0], "VAULT_SERVER="), key, events)
				headers := http.Header{}
				for name, value := range sent.Headers {
					headers.Set(name, value)
				}
				message, err := client.VerifyWebhook([]byte(sent.Body), headers, secret)
				if err != nil || message.Data == nil || message.Data.ID != all[0].ID {
					t.Errorf("the delivery is %+v, %v", message, err)
				}
			case "Python":
				got = runWith(t, environ, key, sdk("python"), python(t), "tests/streams.py")
			default:
				got = runWith(t, environ, key, build(t), "node", "build/tests/streams.js")
			}
			if got != want {
				t.Errorf("it read\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func followGo(t *testing.T, url, key string, n int) string {
	t.Helper()
	c, err := client.New(client.Options{Server: url, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var seen []vault.FeedEvent
	for e, err := range c.WatchEvents(t.Context(), client.EventsInput{Values: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, e); len(seen) == n {
			break
		}
	}
	return followed(seen)
}
