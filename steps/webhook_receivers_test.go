package steps_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps/webhooks"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// nextAttempt moves the deliveries in time, until all that failed are due, and returns by how much.
func (w *world) nextAttempt() time.Duration {
	w.t.Helper()
	var seconds float64
	dbtest.Scan(w.t, w.url, &seconds, `SELECT coalesce(extract(epoch FROM greatest(max(next_at) - clock_timestamp(), '0')), 0)::float8
		FROM webhook_deliveries WHERE status = 'pending' AND attempts > 0`)
	w.sql("UPDATE webhook_deliveries SET next_at = next_at - make_interval(secs => $1) WHERE status = 'pending'", seconds)
	return time.Duration(seconds * float64(time.Second))
}

// inOrder fails the test if the events of a customer did not arrive in order.
func inOrder(t interface{ Errorf(string, ...any) }, took []vault.FeedEvent) {
	last := map[uuid.UUID]int64{}
	for _, e := range took {
		if e.CustomerID == nil {
			continue
		}
		if e.ID < last[*e.CustomerID] {
			t.Errorf("event %d of a customer arrives after event %d", e.ID, last[*e.CustomerID])
		}
		last[*e.CustomerID] = e.ID
	}
}

// A receiver that is down for an hour gets everything once it is back, in order, also what happened meanwhile.
func TestWebhooks_DownForAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	r := newReceiver(t)
	r.server.Close()
	// An address of its own, which nobody else takes while it is free.
	listen, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.77:0")
	w.must(err)
	address := listen.Addr().String()
	w.must(listen.Close())
	hook := w.subscribed(r, func(in *vault.SaveWebhookInput) { in.URL = "http://" + address })
	customers := []uuid.UUID{newID(), newID()}
	plans := 0
	happens := func() {
		for i, c := range customers {
			plans++
			w.as(c).write("plan", text(fmt.Sprint("plan ", i, plans)))
		}
	}
	happens()
	var down time.Duration
	attempts := 0
	for down < time.Hour {
		w.deliver()
		attempts++
		happens()
		down += w.nextAttempt()
	}
	pending := w.deliveries(hook, vault.DeliveryPending)
	first := pending[len(pending)-1]
	if first.LastError != "the receiver refused the connection" || first.Attempts != attempts || attempts < 5 {
		t.Errorf("after %s and %d attempts the first delivery is %+v", down, attempts, first)
	}
	listen, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	w.must(err)
	back := httptest.NewUnstartedServer(r)
	w.must(back.Listener.Close())
	back.Listener = listen
	back.Start()
	t.Cleanup(back.Close)
	w.deliver()
	if got, want := jsonOf(r.taken()), jsonOf(w.feed(nil, vault.EventFilter{})); got != want {
		t.Errorf("it took\n%s\nwant\n%s", got, want)
	}
	inOrder(t, r.took)
	if r.tries != 2*(attempts+1) {
		t.Errorf("%d requests for %d events", r.tries, 2*(attempts+1))
	}
}

// A slow receiver does not hold up another one. Its attempts end, and are made again.
func TestWebhooks_SlowReceiver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hooks := w.steps.Webhooks
	hooks.Timeout = 2 * time.Second
	w.steps.Webhooks = webhooks.New(hooks)
	defined(w)
	const events = 8
	slow, quick := newReceiver(t), newReceiver(t)
	others := make(chan struct{})
	quick.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		quick.ServeHTTP(rw, req)
		if len(quick.taken()) == events {
			close(others)
		}
	})
	var isSlow atomic.Bool
	var hung atomic.Int64
	isSlow.Store(true)
	slow.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if !isSlow.Load() {
			slow.ServeHTTP(rw, req)
			return
		}
		hung.Add(1)
		_, _ = io.Copy(io.Discard, req.Body) // the server notices that the client has gone once it has read everything
		<-others
		<-req.Context().Done()
	})
	hook := w.subscribed(slow)
	w.subscribed(quick)
	for range events {
		w.as(newID()).write("plan", text("gold"))
	}
	w.deliver()
	if got := len(quick.taken()); got != events {
		t.Errorf("the other receiver took %d", got)
	}
	if hung.Load() == 0 {
		t.Error("there was no slow answer")
	}
	for _, d := range w.deliveries(hook, "") {
		if d.Status != vault.DeliveryPending || d.Attempts > 0 && d.LastError != "the receiver did not answer in time" {
			t.Errorf("the delivery is %+v", d)
		}
	}
	isSlow.Store(false)
	w.due()
	w.deliver()
	if got, want := jsonOf(slow.taken()), jsonOf(w.feed(nil, vault.EventFilter{})); got != want {
		t.Errorf("it took\n%s\nwant\n%s", got, want)
	}
}

// A deletion waits for the attempts that are on their way, so nothing arrives after it.
func TestWebhooks_DeletionWaitsForAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	r := newReceiver(t)
	arrived, answer := make(chan struct{}), make(chan struct{})
	r.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		close(arrived)
		<-answer
		r.ServeHTTP(rw, req)
	})
	hook := w.subscribed(r)
	w.write("plan", text("gold"))
	w.write("plan", text("basic"))
	delivered := make(chan error, 1)
	go func() { _, err := w.steps.Webhooks.DeliverDue(t.Context(), vault.Event{}); delivered <- err }()
	<-arrived
	ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteWebhook, vault.DeleteWebhookInput{WebhookID: hook}))
	stopped := make(chan error, 1)
	go func() { _, err := w.steps.Webhooks.StopDeliveries(t.Context(), ev); stopped <- err }()
	for enabled := true; enabled; { // it has stopped further attempts
		got, err := query.New(w.db, w.cache, w.sealer).Webhook(t.Context(), w.tenant, hook)
		w.must(err)
		enabled = got.Enabled
	}
	select {
	case err := <-stopped:
		t.Errorf("it did not wait for the attempt: %v", err)
	default:
	}
	close(answer)
	w.must(<-stopped)
	w.must(<-delivered)
	w.must(w.run(ev, deleteWebhook...))
	w.deliver()
	if r.tries != 1 {
		t.Errorf("%d requests", r.tries)
	}
}

// A webhook that leads to a vault is disabled, and says why.
func TestWebhooks_LoopDisables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	r.answers(http.StatusLoopDetected) // as the API answers to a delivery
	hook := w.subscribed(r)
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.TestWebhook,
		vault.TestWebhookInput{WebhookID: hook})), testWebhook...))
	w.deliver()
	got, err := query.New(w.db, w.cache, w.sealer).Webhook(t.Context(), w.tenant, hook)
	w.must(err)
	if got.Enabled || got.DisabledReason != "loop" {
		t.Errorf("the webhook is %+v", got)
	}
	if d := w.deliveries(hook, ""); len(d) != 1 || !strings.Contains(d[0].LastError, "leads to a vault") {
		t.Errorf("the deliveries are %+v", d)
	}
}

// subscription is a webhook of TestWebhooks_AnyReceiver.
type subscription struct {
	*receiver

	hook      uuid.UUID
	start     int64 // the position of the feed when it was saved
	loses     atomic.Bool
	deletedAt int // the number of its requests when it was deleted; -1: it is not
	requests  atomic.Int64
}

// subscribe saves a webhook. While loses is set, the receiver takes deliveries and its answers are lost, as those of a
// worker are that is killed.
func (w *world) subscribe() *subscription {
	w.t.Helper()
	s := &subscription{receiver: newReceiver(w.t), deletedAt: -1}
	s.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		s.requests.Add(1)
		if s.loses.Load() {
			s.receiver.ServeHTTP(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		}
		s.receiver.ServeHTTP(rw, req)
	})
	s.hook = w.subscribed(s.receiver)
	last, err := query.New(w.db, w.cache, w.sealer).LastEvent(w.t.Context(), w.tenant)
	w.must(err)
	s.start = last
	return s
}

// Whatever receivers do, each event from the subscription on is delivered at least once, in order for each customer,
// none arrives after the deletion, and the feed from any cursor is what was delivered.
func TestWebhooks_AnyReceiver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	remaining := 12 // each check is hundreds of transactions
	rapid.Check(t, func(rt *rapid.T) {
		if remaining--; remaining < 0 {
			return
		}
		w.sql("UPDATE webhooks SET enabled = false, deleted_at = now()")
		w.sql("DELETE FROM webhook_deliveries")
		customers := []uuid.UUID{newID(), newID(), newID()}
		var all []*subscription
		alive := func() []*subscription {
			return slices.DeleteFunc(slices.Clone(all), func(s *subscription) bool { return s.deletedAt >= 0 })
		}
		write := func(rt *rapid.T) {
			c := rapid.IntRange(0, 2).Draw(rt, "customer")
			w.as(customers[c]).write("plan", text(newID().String()))
		}
		deliver := func(*rapid.T) { w.deliver() }
		// A worker that is killed before it sends: its lease ends.
		killed := func(*rapid.T) {
			_, _ = w.db.System().ClaimDelivery(t.Context(), time.Minute, 4) // none is due: nothing to kill
			w.sql("UPDATE webhook_deliveries SET leased_until = now() - interval '1 second' WHERE leased_until IS NOT NULL")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"write": write, "write more": write, "deliver": deliver, "deliver more": deliver, "killed": killed,
			"time": func(*rapid.T) { w.nextAttempt() },
			"subscribe": func(rt *rapid.T) {
				if len(alive()) == 3 {
					rt.Skip()
				}
				all = append(all, w.subscribe())
			},
			"receiver": func(rt *rapid.T) {
				if len(alive()) == 0 {
					rt.Skip()
				}
				s := rapid.SampledFrom(alive()).Draw(rt, "of")
				s.answers(rapid.SampledFrom([]int{200, 204, 500, 302, 404, 429, 503}).Draw(rt, "status"))
				s.loses.Store(rapid.IntRange(0, 3).Draw(rt, "loses") == 0)
			},
			"delete": func(rt *rapid.T) {
				if len(alive()) < 2 || rapid.IntRange(0, 3).Draw(rt, "really") > 0 {
					rt.Skip()
				}
				s := rapid.SampledFrom(alive()).Draw(rt, "which")
				w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteWebhook,
					vault.DeleteWebhookInput{WebhookID: s.hook})), deleteWebhook...))
				s.deletedAt = int(s.requests.Load())
			},
		})
		for _, s := range all {
			s.answers(200)
			s.loses.Store(false)
		}
		for more := true; more; {
			w.due()
			w.deliver()
			dbtest.Scan(t, w.url, &more, "SELECT EXISTS (SELECT 1 FROM webhook_deliveries WHERE status = 'pending')")
		}
		for i, s := range all {
			inOrder(rt, s.took)
			if s.deletedAt >= 0 {
				if got := int(s.requests.Load()); got != s.deletedAt {
					rt.Errorf("webhook %d: %d requests after its deletion", i, got-s.deletedAt)
				}
				continue
			}
			took := slices.CompactFunc(s.taken(), func(a, b vault.FeedEvent) bool { return a.ID == b.ID })
			feed := w.feed(&s.start, vault.EventFilter{})
			for cursor := -1; cursor < len(feed); cursor++ {
				after := s.start
				if cursor >= 0 {
					after = feed[cursor].ID
				}
				rest := slices.DeleteFunc(slices.Clone(took), func(e vault.FeedEvent) bool { return e.ID <= after })
				want := w.feed(&after, vault.EventFilter{})
				if len(rest) != len(want) || len(want) > 0 && jsonOf(rest) != jsonOf(want) {
					rt.Errorf("webhook %d took after %d\n%s\nwant\n%s", i, after, jsonOf(rest), jsonOf(want))
				}
			}
		}
	})
}
