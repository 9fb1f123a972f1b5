package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// hookSecret signs the webhooks of these tests.
var hookSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))

// hook is the server of a webhook. It checks signatures and keeps what arrives.
type hook struct {
	id     uuid.UUID
	server *httptest.Server
	first  chan struct{} // the first request has arrived; it gets no answer. nil: it gets one

	mu     sync.Mutex
	ids    []string // the header webhook-id of each request
	events []int64  // their positions in the feed; 0: a test
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	key, err := standardwebhooks.NewWebhook(hookSecret)
	if err == nil {
		err = key.Verify(body, r.Header)
	}
	var message struct{ Data vault.FeedEvent }
	if err == nil {
		err = json.Unmarshal(body, &message)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	h.ids = append(h.ids, r.Header.Get("webhook-id"))
	h.events = append(h.events, message.Data.ID)
	unanswered := len(h.ids) == 1 && h.first != nil
	h.mu.Unlock()
	if unanswered {
		close(h.first)
		<-r.Context().Done()
	}
}

func (h *hook) arrived() (ids []string, events []int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ids), slices.Clone(h.events)
}

// subscribe saves a webhook and returns its server.
func (s *system) subscribe(first chan struct{}) *hook {
	s.t.Helper()
	h := &hook{id: testkit.ID(), first: first}
	h.server = httptest.NewServer(h)
	s.t.Cleanup(h.server.Close)
	s.saveWebhook(h.id, h.server.URL)
	return h
}

func (s *system) saveWebhook(id uuid.UUID, url string) {
	s.t.Helper()
	s.applied(trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.SaveWebhook, vault.SaveWebhookInput{
		WebhookID: id, URL: url, Secret: hookSecret, Types: []vault.EventType{vault.EventValueChanged},
	}))
}

// A worker that is killed during a delivery leaves it to another one: each event arrives at least once, in order, and
// none after the webhook was deleted.
func TestWebhooks_WorkerKilledInDelivery(t *testing.T) {
	t.Parallel()
	s := newSystem(t, embeddedtest.Start(t))
	const private = "VAULT_EVENTS_WEBHOOK_PRIVATE_ADDRESSES=true"
	worker := startWorker(t, s.Kit, private)
	s.define("country")
	killed := s.subscribe(make(chan struct{}))
	customer := testkit.ID()
	s.applied(s.write(customer, "country"), nil)
	s.applied(s.write(customer, "country"), nil)
	<-killed.first
	worker.kill()
	startWorker(t, s.Kit, private)
	dbtest.Exec(t, s.DatabaseURL, "UPDATE webhook_deliveries SET leased_until = clock_timestamp()") // the minute passes
	feed := s.changes(2)
	testkit.Eventually(t, "everything is delivered", func(context.Context) ([]int64, bool) {
		_, events := killed.arrived()
		return events, len(events) == 3
	})
	ids, events := killed.arrived()
	if !slices.Equal(events, []int64{feed[0], feed[0], feed[1]}) || ids[0] != ids[1] || ids[1] == ids[2] {
		t.Errorf("it got %v as %v, the feed has %v", events, ids, feed)
	}

	other := s.subscribe(nil)
	s.applied(trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.DeleteWebhook,
		vault.DeleteWebhookInput{WebhookID: killed.id}))
	s.applied(s.write(customer, "country"), nil)
	feed = s.changes(3)
	testkit.Eventually(t, "the other webhook gets the next event", func(context.Context) ([]int64, bool) {
		_, events := other.arrived()
		return events, slices.Equal(events, feed[2:])
	})
	if _, events := killed.arrived(); len(events) != 3 {
		t.Errorf("after its deletion it got %v", events[3:])
	}

	// A webhook that leads to the vault itself is disabled by its first delivery.
	server := startServe(t, s.Kit)
	loop := testkit.ID()
	s.saveWebhook(loop, "http://"+server.health+"/v1/customers")
	s.applied(trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.TestWebhook, vault.TestWebhookInput{WebhookID: loop}))
	disabled := testkit.Eventually(t, "the loop is found", func(ctx context.Context) (vault.Webhook, bool) {
		w, err := s.Query.Webhook(ctx, s.tenant, loop)
		return w, err == nil && !w.Enabled
	})
	testkit.Eventually(t, "the delivery says so", func(ctx context.Context) ([]vault.Delivery, bool) {
		d, _, err := s.Query.DeliveriesPage(ctx, s.tenant, loop, "", nil, 10)
		return d, err == nil && len(d) == 1 && strings.Contains(d[0].LastError, "leads to a vault")
	})
	if disabled.DisabledReason != "loop" {
		t.Errorf("the webhook is %+v", disabled)
	}
}

// changes returns the positions of the events value.changed, once there are n.
func (s *system) changes(n int) []int64 {
	s.t.Helper()
	return testkit.Eventually(s.t, "the feed has the events", func(ctx context.Context) ([]int64, bool) {
		page, err := s.Query.EventsPage(ctx, s.tenant,
			vault.EventFilter{Types: []vault.EventType{vault.EventValueChanged}}, nil, 100, false)
		var out []int64
		for _, e := range page.Items {
			out = append(out, e.ID)
		}
		return out, err == nil && len(out) == n
	})
}
